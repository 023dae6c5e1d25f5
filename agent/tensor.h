/*
 * tensor.h - tensors on the wire and in C, for the three families alike.
 *
 * Each family has a message and a struct of its own; what differs is the type of the dimensions and
 * of their number. `struct tensor` is what they have in common, and TENSOR_FAMILY makes the way to
 * and from it, in the family's own types. Nothing is copied: a tensor points at the bytes of the
 * one that it was made from.
 */
#ifndef AGENT_TENSOR_H
#define AGENT_TENSOR_H

#include "vaccel.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tensor {
	void *data;
	size_t size;
	void *dims; /* int32_t or int64_t, as the family has them */
	size_t nr_dims;
	uint32_t type;
};

/*
 * `structs` and `messages` are arrays of the family's tensors, `list` is an array of pointers to
 * them, `i` an index into these.
 */
struct tensor_family {
	size_t struct_size, message_size;
	/* From a ModelRunRequest. */
	void (*received)(const ProtobufCMessage *run_request, size_t i, struct tensor *to);
	/* Make the struct in C, and enter it in the list. */
	void (*place)(void *structs, void *list, size_t i, const struct tensor *from);
	/* What a plugin has put into the list; false: nothing. */
	bool (*taken)(const void *list, size_t i, struct tensor *to);
	/* Free what a plugin has put into the list. */
	void (*drop)(void *list, size_t i);
	/* Make the message, and enter it in the list. */
	void (*answer)(void *messages, void *list, size_t i, const struct tensor *from);
};

/* TENSOR_FAMILY(tf, Tf) defines tf_tensors, of struct vaccel_tf_tensor and Vaccel__Tf__Tensor. */
#define TENSOR_FAMILY(family, Family)                                                              \
	static void family##_received(const ProtobufCMessage *run_request, size_t i,               \
				      struct tensor *to)                                           \
	{                                                                                          \
		const Vaccel__##Family##__Tensor *from =                                           \
			((const Vaccel__##Family##__ModelRunRequest *)run_request)->in_tensors[i]; \
                                                                                                   \
		*to = (struct tensor){ from->data.data, from->data.len, from->dims, from->n_dims,  \
				       from->type };                                               \
	}                                                                                          \
                                                                                                   \
	static void family##_place(void *structs, void *list, size_t i, const struct tensor *from) \
	{                                                                                          \
		struct vaccel_##family##_tensor *to =                                              \
			(struct vaccel_##family##_tensor *)structs + i;                            \
                                                                                                   \
		to->data = from->data;                                                             \
		to->size = from->size;                                                             \
		to->nr_dims = (__typeof__(to->nr_dims))from->nr_dims;                              \
		to->dims = from->dims;                                                             \
		to->data_type = (enum vaccel_##family##_data_type)from->type;                      \
		((struct vaccel_##family##_tensor **)list)[i] = to;                                \
	}                                                                                          \
                                                                                                   \
	static bool family##_taken(const void *list, size_t i, struct tensor *to)                  \
	{                                                                                          \
		const struct vaccel_##family##_tensor *from =                                      \
			((struct vaccel_##family##_tensor *const *)list)[i];                       \
                                                                                                   \
		if (from)                                                                          \
			*to = (struct tensor){ from->data, from->size, from->dims,                 \
					       (size_t)from->nr_dims, (uint32_t)from->data_type }; \
		return from;                                                                       \
	}                                                                                          \
                                                                                                   \
	static void family##_drop(void *list, size_t i)                                            \
	{                                                                                          \
		vaccel_##family##_tensor_delete(((struct vaccel_##family##_tensor **)list)[i]);    \
	}                                                                                          \
                                                                                                   \
	static void family##_answer(void *messages, void *list, size_t i,                          \
				    const struct tensor *from)                                     \
	{                                                                                          \
		Vaccel__##Family##__Tensor *to = (Vaccel__##Family##__Tensor *)messages + i;       \
                                                                                                   \
		vaccel__##family##__tensor__init(to);                                              \
		to->data.data = from->data;                                                        \
		to->data.len = from->size;                                                         \
		to->dims = from->dims;                                                             \
		to->n_dims = from->nr_dims;                                                        \
		to->type = from->type;                                                             \
		((Vaccel__##Family##__Tensor **)list)[i] = to;                                     \
	}                                                                                          \
                                                                                                   \
	static const struct tensor_family family##_tensors = {                                     \
		.struct_size = sizeof(struct vaccel_##family##_tensor),                            \
		.message_size = sizeof(Vaccel__##Family##__Tensor),                                \
		.received = family##_received,                                                     \
		.place = family##_place,                                                           \
		.taken = family##_taken,                                                           \
		.drop = family##_drop,                                                             \
		.answer = family##_answer,                                                         \
	}

#endif
