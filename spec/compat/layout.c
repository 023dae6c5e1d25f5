/*
 * layout.c - sizes, offsets, field types and numbers that compiled programs and plugins have in
 * them, as structs.tsv, enums.tsv and macros.tsv give them. Nothing of it runs.
 */
#include "interface.h"

#define IN(type, field) (((type *)NULL)->field)

#define FIELD(type, bytes, field, field_type, at, field_bytes)                                     \
	_Static_assert(sizeof(type) == (bytes), "size of " #type);                                 \
	_Static_assert(offsetof(type, field) == (at), "offset of " #type "." #field);              \
	_Static_assert(sizeof(IN(type, field)) == (field_bytes), "size of " #type "." #field);     \
	_Static_assert(__builtin_types_compatible_p(__typeof__(IN(type, field)), field_type),      \
		       "type of " #type "." #field);
#include "structs.inc"

#define CONSTANT(name, value)		       _Static_assert((name) == (value), #name);
#define ENUMERATOR(type, name, value)	       CONSTANT(name, value)
#define NAMED(type, prefix, base, name, value) CONSTANT(name, value)
#define TEXT(name, value)		       _Static_assert(sizeof(name) == sizeof(value), #name);
#include "enums.inc"
#include "macros.inc"
