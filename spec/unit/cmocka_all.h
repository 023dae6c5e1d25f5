/*
 * cmocka_all.h - cmocka with the headers that it wants before itself.
 */
#ifndef SPEC_CMOCKA_ALL_H
#define SPEC_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after them */
#include <cmocka.h>

#endif
