/*
 * rows_genop.c - rows for generic operations with noop.
 */
#include "behaviour.h"

/* The first nr_read arguments of an m x m one, with so many bytes of a, b and c. */
static int sgemm_with(int nr_read, int64_t m, size_t a, size_t b, size_t c)
{
	float one = 1;

	return vaccel_genop(&sess,
			    ARG_LIST(OP(VACCEL_OP_BLAS_SGEMM), INT64(m), INT64(m), INT64(m),
				     ARG(VACCEL_ARG_FLOAT32, 4, &one), FLOATS(a), INT64(m),
				     FLOATS(b), INT64(m), ARG(VACCEL_ARG_FLOAT32, 4, &one),
				     INT64(m)),
			    nr_read, ARG_LIST(FLOATS(c)), 1);
}

/* ndata numbers, with so many bytes of input, output, and of the smallest and largest. */
static int minmax_with(int ndata, size_t in, size_t to, size_t each)
{
	return vaccel_genop(&sess,
			    ARG_LIST(OP(VACCEL_OP_MINMAX), SIZED(VACCEL_ARG_FLOAT64_ARRAY, in),
				     INT32(ndata), INT32(0), INT32(1)),
			    5,
			    ARG_LIST(SIZED(VACCEL_ARG_FLOAT64_ARRAY, to),
				     SIZED(VACCEL_ARG_FLOAT64, each),
				     SIZED(VACCEL_ARG_FLOAT64, each)),
			    3);
}

ROW(NOOP, genop_null,
    vaccel_genop(NULL, ARG_LIST(OP(VACCEL_OP_IMAGE_POSE), BUFFER(4)), 2, ARG_LIST(UCHARS(4)), 1))
ROW(NOOP, genop_no_args, vaccel_genop(&sess, NULL, 0, NULL, 0))
ROW(NOOP, genop_type,
    vaccel_genop(&sess, ARG_LIST(INT32(VACCEL_OP_IMAGE_POSE), BUFFER(4)), 2, ARG_LIST(UCHARS(4)),
		 1))
ROW(NOOP, genop_noop, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_NOOP)), 1, NULL, 0))
ROW(NOOP, genop_max, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_MAX)), 1, NULL, 0))
ROW(NOOP, genop_255, vaccel_genop(&sess, ARG_LIST(OP(255)), 1, NULL, 0))
ROW(NOOP, genop_tf_load, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TF_MODEL_LOAD)), 1, NULL, 0))
ROW(NOOP, genop_tf_unload, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TF_MODEL_UNLOAD)), 1, NULL, 0))
ROW(NOOP, genop_tf_run, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TF_MODEL_RUN)), 1, NULL, 0))
ROW(NOOP, genop_tflite_load,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TFLITE_MODEL_LOAD)), 1, NULL, 0))
ROW(NOOP, genop_tflite_unload,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TFLITE_MODEL_UNLOAD)), 1, NULL, 0))
ROW(NOOP, genop_tflite_run,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TFLITE_MODEL_RUN)), 1, NULL, 0))
ROW(NOOP, genop_torch_load,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TORCH_MODEL_LOAD)), 1, NULL, 0))
ROW(NOOP, genop_torch_run, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TORCH_MODEL_RUN)), 1, NULL, 0))
ROW(NOOP, genop_torch_sgemm, vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_TORCH_SGEMM)), 1, NULL, 0))
ROW(MUTE, genop_missing,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_POSE), BUFFER(4)), 2, ARG_LIST(UCHARS(4)), 1))
ROW(NOOP, genop_classify,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_CLASSIFY), BUFFER(4)), 2,
		 ARG_LIST(UCHARS(4), UCHARS(4)), 2))
ROW(NOOP, genop_classify_one,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_CLASSIFY), BUFFER(4)), 2, ARG_LIST(UCHARS(4)),
		 1))
ROW(NOOP, genop_classify_no_image,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_CLASSIFY)), 1, ARG_LIST(UCHARS(4), UCHARS(4)),
		 2))
ROW(NOOP, genop_detect,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_DETECT), BUFFER(4)), 2, ARG_LIST(UCHARS(4)), 1))
ROW(NOOP, genop_detect_type,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_DETECT), TEXT_ARG("img")), 2,
		 ARG_LIST(UCHARS(4)), 1))
ROW(NOOP, genop_segment_count,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_SEGMENT), BUFFER(4)), 2,
		 ARG_LIST(UCHARS(4), UCHARS(4)), 2))
ROW(NOOP, genop_pose_out_type,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_POSE), BUFFER(4)), 2, ARG_LIST(BUFFER(4)), 1))
ROW(NOOP, genop_depth_none,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_IMAGE_DEPTH), BUFFER(4)), 2, NULL, 0))
ROW(NOOP, genop_exec,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC), TEXT_ARG("lib.so"), TEXT_ARG("fn"), BUFFER(4)),
		 4, ARG_LIST(BUFFER(4)), 1))
ROW(NOOP, genop_exec_no_symbol,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC), TEXT_ARG("lib.so")), 2, NULL, 0))
ROW(NOOP, genop_exec_type,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC), BUFFER(4), TEXT_ARG("fn")), 3, NULL, 0))
ROW(NOOP, genop_exec_no_nul,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC), SIZED(VACCEL_ARG_STRING, 4), TEXT_ARG("fn")),
		 3, NULL, 0))
ROW(NOOP, genop_exec_with_resource,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC_WITH_RESOURCE), INT64(lib->id), TEXT_ARG("fn")),
		 3, NULL, 0))
ROW(NOOP, genop_exec_with_resource_unknown,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC_WITH_RESOURCE), INT64(987654), TEXT_ARG("fn")),
		 3, NULL, 0))
ROW(NOOP, genop_exec_with_resource_stranger,
    vaccel_genop(&sess,
		 ARG_LIST(OP(VACCEL_OP_EXEC_WITH_RESOURCE), INT64(strange_lib->id), TEXT_ARG("fn")),
		 3, NULL, 0))
ROW(NOOP, genop_exec_with_resource_type,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_EXEC_WITH_RESOURCE), INT32(1), TEXT_ARG("fn")), 3,
		 NULL, 0))
ROW(NOOP, genop_sgemm, sgemm_with(11, 2, 16, 16, 16))
ROW(NOOP, genop_sgemm_count, sgemm_with(10, 2, 16, 16, 16))
ROW(NOOP, genop_sgemm_short_a, sgemm_with(11, 2, 12, 16, 16))
ROW(NOOP, genop_sgemm_short_b, sgemm_with(11, 2, 16, 12, 16))
ROW(NOOP, genop_sgemm_short_c, sgemm_with(11, 2, 16, 16, 12))
ROW(NOOP, genop_sgemm_huge, sgemm_with(11, INT64_MAX / 2, 16, 16, 16))
ROW(NOOP, genop_sgemm_negative, sgemm_with(11, -2, 16, 16, 16))
ROW(NOOP, genop_arraycopy,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_ARRAYCOPY), SIZED(VACCEL_ARG_INT32_ARRAY, 16)),
		 2, ARG_LIST(SIZED(VACCEL_ARG_INT32_ARRAY, 16)), 1))
ROW(NOOP, genop_arraycopy_short,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_ARRAYCOPY), SIZED(VACCEL_ARG_INT32_ARRAY, 16)),
		 2, ARG_LIST(SIZED(VACCEL_ARG_INT32_ARRAY, 12)), 1))
ROW(NOOP, genop_arraycopy_count,
    vaccel_genop(&sess,
		 ARG_LIST(OP(VACCEL_OP_FPGA_ARRAYCOPY), SIZED(VACCEL_ARG_INT32_ARRAY, 16),
			  SIZED(VACCEL_ARG_INT32_ARRAY, 16)),
		 3, ARG_LIST(SIZED(VACCEL_ARG_INT32_ARRAY, 16)), 1))
ROW(NOOP, genop_mmult,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_MMULT), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(16)), 1))
ROW(NOOP, genop_mmult_short,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_MMULT), FLOATS(16), FLOATS(12)), 3,
		 ARG_LIST(FLOATS(16)), 1))
ROW(NOOP, genop_mmult_short_out,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_MMULT), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(12)), 1))
ROW(NOOP, genop_parallel,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_PARALLEL), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(16), FLOATS(16)), 2))
ROW(NOOP, genop_parallel_short,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_PARALLEL), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(16), FLOATS(12)), 2))
ROW(NOOP, genop_parallel_count,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_PARALLEL), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(16)), 1))
ROW(NOOP, genop_vectoradd,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_VECTORADD), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(16)), 1))
ROW(NOOP, genop_vectoradd_short,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_FPGA_VECTORADD), FLOATS(16), FLOATS(16)), 3,
		 ARG_LIST(FLOATS(12)), 1))
ROW(NOOP, genop_minmax, minmax_with(2, 16, 16, 8))
ROW(NOOP, genop_minmax_lies, minmax_with(3, 16, 16, 8))
ROW(NOOP, genop_minmax_negative, minmax_with(-1, 16, 16, 8))
ROW(NOOP, genop_minmax_short_out, minmax_with(2, 16, 8, 8))
ROW(NOOP, genop_minmax_short_min, minmax_with(2, 16, 16, 4))
ROW(NOOP, genop_opencv,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_OPENCV), BUFFER(8)), 2, ARG_LIST(BUFFER(8)), 1))
ROW(NOOP, genop_opencv_short,
    vaccel_genop(&sess, ARG_LIST(OP(VACCEL_OP_OPENCV), BUFFER(8)), 2, ARG_LIST(BUFFER(4)), 1))
ROW(NOOP, opencv_unpack_null, vaccel_opencv_unpack(NULL, NULL, 0, NULL, 0))
