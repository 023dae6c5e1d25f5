/*
 * fault.h - why something failed: a sentence for a person, handed up beside a code.
 *
 * Whoever detects a failure writes the sentence; the operation that the application called passes
 * it to luaccel_set_error() and the log, once.
 */
#ifndef TORCH_FAULT_H
#define TORCH_FAULT_H

#ifdef __cplusplus
extern "C" {
#endif

#define FAULT_MAX 512

struct fault {
	char text[FAULT_MAX];
};

/*
 * Write the sentence, printf-like, and return `code`, so that `return fault_set(...)` reads well.
 * Control characters become spaces: models and images are a stranger's, and the log is a line.
 */
__attribute__((format(printf, 3, 4))) int fault_set(struct fault *fault, int code,
						    const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
