/*
 * functions.c - each function of functions.tsv is assigned to a pointer of its exact type, so that
 * a declaration which differs does not compile and a missing function does not link.
 */
#include "interface.h"

#define FUNCTION(name, returns, parameters) static returns(*const typed_##name) parameters = name;
#include "functions.inc"
#undef FUNCTION

const struct function functions[] = {
#define FUNCTION(name, returns, parameters) { #name, (void (*)(void))typed_##name },
#include "functions.inc"
#undef FUNCTION
};

const size_t nr_functions = sizeof(functions) / sizeof(functions[0]);
