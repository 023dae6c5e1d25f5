/*
 * witness.h - what the witness's files share, see witness.c.
 */
#ifndef SPEC_WITNESS_H
#define SPEC_WITNESS_H

#include "vaccel.h"
#include <stddef.h>
#include <stdint.h>

#define WITNESS_HASH UINT64_C(0xcbf29ce484222325) /* of nothing */

/* A line to WITNESS_LOG. */
void testify(const char *event, const struct vaccel_resource *res,
	     const struct vaccel_session *sess);

/* The hash goes on over further bytes. */
uint64_t hash_on(uint64_t hash, const void *bytes, size_t size);

/* `pid=PID n=NUMBER hash=FNV1A64 plugin=NAME`, and one call more. Returns its number. */
unsigned witness_say(void *text, size_t size, uint64_t hash);

/* The number after an order such as "FAIL "; -1 when the text is not that order. */
long ordered(const void *text, size_t size, const char *order);

/* witness_models.c */
int witness_tf_load(struct vaccel_session *sess, struct vaccel_resource *model,
		    struct vaccel_tf_status *status);
int witness_tf_unload(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tf_status *status);
int witness_tf_run(struct vaccel_session *sess, struct vaccel_resource *model,
		   const struct vaccel_tf_buffer *run_options,
		   const struct vaccel_tf_node *in_nodes, struct vaccel_tf_tensor *const *in,
		   int nr_in, const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out,
		   int nr_out, struct vaccel_tf_status *status);
int witness_tflite_load(struct vaccel_session *sess, struct vaccel_resource *model);
int witness_tflite_unload(struct vaccel_session *sess, struct vaccel_resource *model);
int witness_tflite_run(struct vaccel_session *sess, struct vaccel_resource *model,
		       struct vaccel_tflite_tensor *const *in, int nr_in,
		       struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status);
int witness_torch_load(struct vaccel_session *sess, struct vaccel_resource *model);
int witness_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_torch_buffer *run_options,
		      struct vaccel_torch_tensor *const *in, int nr_in,
		      struct vaccel_torch_tensor **out, int nr_out);

/* witness_calls.c */
int witness_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		 struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		 size_t nr_write);
int witness_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *library,
			       const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			       struct vaccel_arg *write, size_t nr_write);
int witness_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		     unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		     size_t len_out_imgname);
int witness_image(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		  size_t len_img, size_t len_out_imgname);
int witness_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		  float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc);
int witness_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
		   int high_threshold, double *outdata, double *min, double *max);

#endif
