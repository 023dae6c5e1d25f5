/*
 * noop.h - what the files of the noop plugin share: how it logs, and the operations of its table.
 * Their parameters are those that vAccel gives each operation of a plugin.
 */
#ifndef NOOP_H
#define NOOP_H

#include <inttypes.h>
#include <luaccel.h>
#include <vaccel.h>

#define noop_debug(...) vaccel_debug("[noop] " __VA_ARGS__)
#define noop_error(...) vaccel_error("[noop] " __VA_ARGS__)

/* Refuse an operation: the log and the caller are told why. Its value is the code. */
#define noop_invalid(...)                                                                          \
	(noop_error(__VA_ARGS__), luaccel_set_error("noop: " __VA_ARGS__), VACCEL_EINVAL)

/* exec.c */

int noop_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
	      struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);
int noop_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *object,
			    const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			    struct vaccel_arg *write, size_t nr_write);
int noop_opencv(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		struct vaccel_arg *write, int nr_write);

/* image.c */

int noop_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		  unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		  size_t len_out_imgname);
int noop_detect(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		size_t len_img, size_t len_out_imgname);
int noop_segment(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		 size_t len_img, size_t len_out_imgname);
int noop_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
	      size_t len_img, size_t len_out_imgname);
int noop_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
	       size_t len_img, size_t len_out_imgname);

/* models.c */

int noop_tf_load(struct vaccel_session *sess, struct vaccel_resource *model,
		 struct vaccel_tf_status *status);
int noop_tf_unload(struct vaccel_session *sess, struct vaccel_resource *model,
		   struct vaccel_tf_status *status);
int noop_tf_run(struct vaccel_session *sess, struct vaccel_resource *model,
		const struct vaccel_tf_buffer *run_options, const struct vaccel_tf_node *in_nodes,
		struct vaccel_tf_tensor *const *in, int nr_in,
		const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out, int nr_out,
		struct vaccel_tf_status *status);
int noop_tflite_load(struct vaccel_session *sess, struct vaccel_resource *model);
int noop_tflite_unload(struct vaccel_session *sess, struct vaccel_resource *model);
int noop_tflite_run(struct vaccel_session *sess, struct vaccel_resource *model,
		    struct vaccel_tflite_tensor *const *in, int nr_in,
		    struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status);
int noop_torch_load(struct vaccel_session *sess, struct vaccel_resource *model);
int noop_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
		   const struct vaccel_torch_buffer *run_options,
		   struct vaccel_torch_tensor *const *in, int nr_in,
		   struct vaccel_torch_tensor **out, int nr_out);

/* math.c */

int noop_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **in_a,
		     struct vaccel_torch_tensor **in_b, struct vaccel_torch_tensor **in_c, int m,
		     int n, int k, struct vaccel_torch_tensor **out);
int noop_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha, float *a,
	       int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc);
int noop_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a);
int noop_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a);
int noop_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		  float mult_output[], size_t len_a);
int noop_vectoradd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		   size_t len_b);
int noop_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
		int high_threshold, double *outdata, double *min, double *max);

#endif
