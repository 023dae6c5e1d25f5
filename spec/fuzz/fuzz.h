/*
 * fuzz.h - what the fuzz targets share: their input as a script, and what they check.
 *
 * A target is a program that libFuzzer drives: LLVMFuzzerTestOneInput() gets some bytes and reads
 * them as a script of its own (the head of each target says which). It does the same for the same
 * bytes, on one thread, and leaves nothing behind. Sanitizers find errors of memory, fuzz_check()
 * what else must hold.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's names. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rest of an input; what is taken beyond its end is zeros, or shorter. */
struct fuzz_input {
	const uint8_t *at, *end;
};

static inline size_t fuzz_left(const struct fuzz_input *input)
{
	return (size_t)(input->end - input->at);
}

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static inline size_t fuzz_u16(struct fuzz_input *input)
{
	size_t high = fuzz_byte(input);

	return high << 8 | fuzz_byte(input);
}

/* Up to `size` bytes, where they lie; *size becomes how many there are. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t *size)
{
	const uint8_t *at = input->at;

	if (*size > fuzz_left(input))
		*size = fuzz_left(input);
	input->at += *size;
	return at;
}

__attribute__((noreturn)) void fuzz_failed(const char *what, const char *file, int line);

/* An assertion that no build leaves out; the message is what tests of planted bugs look for. */
#define fuzz_check(what) ((what) ? (void)0 : fuzz_failed(#what, __FILE__, __LINE__))

/*
 * Descriptors: fuzz_descriptors_note() before anything of the run is opened, and
 * fuzz_descriptors_check() when everything has been closed.
 */
void fuzz_descriptors_note(void);
void fuzz_descriptors_check(void);

#endif
