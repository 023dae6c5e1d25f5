// types.cc - the interface in C++17, where types are compared exactly: an enum is no unsigned int.
#include "interface.h"

#include <type_traits>
#include <utility>

#define SAME(what, ...) static_assert(std::is_same<__VA_ARGS__>::value, what);

#define FUNCTION(name, returns, parameters) SAME(#name, decltype(&name), returns(*) parameters)
#include "functions.inc"

#define FIELD(type, bytes, field, field_type, at, field_bytes)                                     \
	static_assert(sizeof(type) == (bytes), "size of " #type);                                  \
	static_assert(offsetof(type, field) == (at), "offset of " #type "." #field);               \
	SAME("type of " #type "." #field, decltype(std::declval<type &>().field), field_type)
#include "structs.inc"

#define CONSTANT(name, value) static_assert((name) == (value), #name);
#define ENUMERATOR(type, name, value)                                                              \
	SAME("type of " #name, decltype(name), type) CONSTANT(name, value)
#define NAMED(type, prefix, base, name, value) ENUMERATOR(type##_t, name, value)
#define TEXT(name, value)
#include "enums.inc"
#include "macros.inc"

extern "C" const char *cxx_op_name(vaccel_op_type_t type)
{
	return vaccel_op_type_to_str(type);
}
