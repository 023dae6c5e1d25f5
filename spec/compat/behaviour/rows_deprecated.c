/*
 * rows_deprecated.c - rows for functions that the headers call deprecated: found by name, so that
 * they can be called without a warning.
 */
#include "behaviour.h"

#define OLD(returns, name, ...) ((returns(*)(__VA_ARGS__))dlsym(RTLD_DEFAULT, #name))

static struct vaccel_torch_tensor *torch[1];

static struct vaccel_arg_list *old_list(void)
{
	return OLD(struct vaccel_arg_list *, vaccel_args_init, uint32_t)(1);
}

static void *old_serialize(void *data, uint32_t *size)
{
	(void)data;
	*size = 1;
	return calloc(1, 1);
}

ROW(BARE, args_init_zero, address(OLD(struct vaccel_arg_list *, vaccel_args_init, uint32_t)(0)))
ROW(BARE, add_serial_arg_null,
    OLD(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t)(NULL, bytes, 4))
ROW(BARE, add_serial_arg_null_buf,
    OLD(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t)(old_list(), NULL,
										4))
ROW(BARE, add_serial_arg_zero,
    OLD(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t)(old_list(), bytes,
										0))
ROW(BARE, add_serial_arg_full, ({
	    struct vaccel_arg_list *full = old_list();
	    OLD(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t)
	    (full, bytes, 4);
	    OLD(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t)
	    (full, bytes, 4);
    }))
ROW(BARE, add_nonserial_arg_null,
    OLD(int, vaccel_add_nonserial_arg, struct vaccel_arg_list *, void *, uint32_t,
	void *(*)(void *, uint32_t *))(NULL, bytes, 1, old_serialize))
ROW(BARE, add_nonserial_arg_no_function,
    OLD(int, vaccel_add_nonserial_arg, struct vaccel_arg_list *, void *, uint32_t,
	void *(*)(void *, uint32_t *))(old_list(), bytes, 1, NULL))
ROW(BARE, expect_serial_arg_null,
    OLD(int, vaccel_expect_serial_arg, struct vaccel_arg_list *, void *, uint32_t)(NULL, bytes, 4))
ROW(BARE, expect_nonserial_arg_null,
    OLD(int, vaccel_expect_nonserial_arg, struct vaccel_arg_list *, uint32_t)(NULL, 4))
ROW(BARE, extract_serial_arg_null,
    address(OLD(void *, vaccel_extract_serial_arg, struct vaccel_arg *, int)(NULL, 0)))
ROW(BARE, extract_nonserial_arg_no_function,
    address(OLD(void *, vaccel_extract_nonserial_arg, struct vaccel_arg *, int,
		void *(*)(void *, uint32_t))(&arg, 0, NULL)))
ROW(BARE, write_serial_arg_null,
    OLD(int, vaccel_write_serial_arg, struct vaccel_arg *, int, void *)(NULL, 0, bytes))
ROW(BARE, write_nonserial_arg_no_function,
    OLD(int, vaccel_write_nonserial_arg, struct vaccel_arg *, int, void *,
	void *(*)(void *, uint32_t *))(&arg, 0, bytes, NULL))
ROW(BARE, delete_args_null, OLD(int, vaccel_delete_args, struct vaccel_arg_list *)(NULL))
ROW(BARE, session_update_bare,
    OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(&other, 0))
ROW(NOOP, session_update_null,
    OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(NULL, 0))
ROW(NOOP, session_update_registered,
    OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(&sess, 0))
ROW(NONE, session_update_no_plugin,
    OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(&sess, VACCEL_PLUGIN_REMOTE))
ROW(NONE, session_update,
    OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(&sess, VACCEL_PLUGIN_CPU))
ROW(EMPTY, session_update_no_callback,
    (load_odd("virtio no-session-update"), vaccel_session_init(&other, 0),
     OLD(int, vaccel_session_update, struct vaccel_session *, uint32_t)(&other, 0)))
ROW(NOOP, sess_init_null, OLD(int, vaccel_sess_init, struct vaccel_session *, uint32_t)(NULL, 0))
ROW(NOOP, sess_update_null,
    OLD(int, vaccel_sess_update, struct vaccel_session *, uint32_t)(NULL, 0))
ROW(NOOP, sess_free_null, OLD(int, vaccel_sess_free, struct vaccel_session *)(NULL))
ROW(NOOP, sess_has_resource_null,
    truth(OLD(bool, vaccel_sess_has_resource, struct vaccel_session *,
	      struct vaccel_resource *)(NULL, model)))
ROW(NOOP, fpga_arraycopy_null,
    OLD(int, vaccel_fpga_arraycopy, struct vaccel_session *, int[], int[], size_t)(NULL, ints, ints,
										   4))
ROW(MUTE, fpga_arraycopy_missing,
    OLD(int, vaccel_fpga_arraycopy, struct vaccel_session *, int[], int[], size_t)(&sess, ints,
										   ints, 4))
ROW(NOOP, fpga_mmult_null,
    OLD(int, vaccel_fpga_mmult, struct vaccel_session *, float[], float[], float[],
	size_t)(NULL, floats, floats, floats, 4))
ROW(MUTE, fpga_mmult_missing,
    OLD(int, vaccel_fpga_mmult, struct vaccel_session *, float[], float[], float[],
	size_t)(&sess, floats, floats, floats, 4))
ROW(NOOP, fpga_parallel_null,
    OLD(int, vaccel_fpga_parallel, struct vaccel_session *, float[], float[], float[], float[],
	size_t)(NULL, floats, floats, floats, floats, 4))
ROW(MUTE, fpga_parallel_missing,
    OLD(int, vaccel_fpga_parallel, struct vaccel_session *, float[], float[], float[], float[],
	size_t)(&sess, floats, floats, floats, floats, 4))
ROW(NOOP, fpga_vadd_null,
    OLD(int, vaccel_fpga_vadd, struct vaccel_session *, float[], float[], float[], size_t,
	size_t)(NULL, floats, floats, floats, 4, 4))
ROW(MUTE, fpga_vadd_missing,
    OLD(int, vaccel_fpga_vadd, struct vaccel_session *, float[], float[], float[], size_t,
	size_t)(&sess, floats, floats, floats, 4, 4))
ROW(NOOP, minmax_null,
    OLD(int, vaccel_minmax, struct vaccel_session *, const double *, int, int, int, double *,
	double *, double *)(NULL, doubles, 4, 0, 1, doubles, doubles, doubles))
ROW(MUTE, minmax_missing,
    OLD(int, vaccel_minmax, struct vaccel_session *, const double *, int, int, int, double *,
	double *, double *)(&sess, doubles, 4, 0, 1, doubles, doubles, doubles))
ROW(NOOP, torch_sgemm_null,
    OLD(int, vaccel_torch_sgemm, struct vaccel_session *, struct vaccel_torch_tensor **,
	struct vaccel_torch_tensor **, struct vaccel_torch_tensor **, int, int, int,
	struct vaccel_torch_tensor **)(NULL, torch, torch, torch, 1, 1, 1, torch))
ROW(MUTE, torch_sgemm_missing,
    OLD(int, vaccel_torch_sgemm, struct vaccel_session *, struct vaccel_torch_tensor **,
	struct vaccel_torch_tensor **, struct vaccel_torch_tensor **, int, int, int,
	struct vaccel_torch_tensor **)(&sess, torch, torch, torch, 1, 1, 1, torch))
