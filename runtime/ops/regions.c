/*
 * regions.c - the regions of regions.h, printed when the library goes. Any thread.
 */
#include "regions.h"

/* Those of images share the first's. */
static struct vaccel_prof_region regions[VACCEL_OP_MAX] = {
	[VACCEL_OP_NOOP] = VACCEL_PROF_REGION_INIT("vaccel_noop_op"),
	[VACCEL_OP_EXEC] = VACCEL_PROF_REGION_INIT("vaccel_exec_op"),
	[VACCEL_OP_EXEC_WITH_RESOURCE] = VACCEL_PROF_REGION_INIT("vaccel_exec_with_resource_op"),
	[VACCEL_OP_IMAGE_CLASSIFY] = VACCEL_PROF_REGION_INIT("vaccel_image_op"),
	[VACCEL_OP_TF_MODEL_LOAD] = VACCEL_PROF_REGION_INIT("vaccel_tf_model_load"),
	[VACCEL_OP_TF_MODEL_UNLOAD] = VACCEL_PROF_REGION_INIT("vaccel_tf_model_unload"),
	[VACCEL_OP_TF_MODEL_RUN] = VACCEL_PROF_REGION_INIT("vaccel_tf_model_run"),
	[VACCEL_OP_TFLITE_MODEL_LOAD] = VACCEL_PROF_REGION_INIT("vaccel_tflite_model_load"),
	[VACCEL_OP_TFLITE_MODEL_UNLOAD] = VACCEL_PROF_REGION_INIT("vaccel_tflite_model_unload"),
	[VACCEL_OP_TFLITE_MODEL_RUN] = VACCEL_PROF_REGION_INIT("vaccel_tflite_model_run"),
	[VACCEL_OP_TORCH_MODEL_LOAD] = VACCEL_PROF_REGION_INIT("vaccel_torch_model_load_op"),
	[VACCEL_OP_TORCH_MODEL_RUN] = VACCEL_PROF_REGION_INIT("vaccel_torch_model_run_op"),
	[VACCEL_OP_TORCH_SGEMM] = VACCEL_PROF_REGION_INIT("vaccel_sgemm_op"),
	[VACCEL_OP_BLAS_SGEMM] = VACCEL_PROF_REGION_INIT("vaccel_blas_op"),
	[VACCEL_OP_FPGA_ARRAYCOPY] = VACCEL_PROF_REGION_INIT("vaccel_fpga_arraycopy_op"),
	[VACCEL_OP_FPGA_MMULT] = VACCEL_PROF_REGION_INIT("vaccel_fpga_mmult_op"),
	[VACCEL_OP_FPGA_PARALLEL] = VACCEL_PROF_REGION_INIT("vaccel_fpga_parallel_op"),
	[VACCEL_OP_FPGA_VECTORADD] = VACCEL_PROF_REGION_INIT("vaccel_fpga_vadd_op"),
	[VACCEL_OP_MINMAX] = VACCEL_PROF_REGION_INIT("vaccel_minmax_op"),
	[VACCEL_OP_OPENCV] = VACCEL_PROF_REGION_INIT("vaccel_opencv_op"),
};

struct vaccel_prof_region *regions_begin(vaccel_op_type_t type)
{
	struct vaccel_prof_region *region = &regions[type];

	if (type >= VACCEL_OP_IMAGE_CLASSIFY && type <= VACCEL_OP_IMAGE_DEPTH)
		region = &regions[VACCEL_OP_IMAGE_CLASSIFY];
	return prof_begin(region) ? NULL : region;
}

void regions_report(void)
{
	vaccel_prof_regions_print_all(regions, VACCEL_OP_MAX);
	regions_forget();
}

void regions_forget(void)
{
	vaccel_prof_regions_release(regions, VACCEL_OP_MAX);
}
