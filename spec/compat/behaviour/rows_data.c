/*
 * rows_data.c - rows for tensors, buffers, nodes, status, profiling, strings.
 */
#include "behaviour.h"

static const int64_t tf_dims[1], torch_dims[1];
static const int32_t tflite_dims[1];
static struct vaccel_tf_tensor tf_tensor, *tf_slot[1];
static struct vaccel_tflite_tensor tflite_tensor, *tflite_slot[1];
static struct vaccel_torch_tensor torch_tensor, *torch_slot[1];
static struct vaccel_tf_buffer tf_buffer;
static struct vaccel_torch_buffer torch_buffer;
static struct vaccel_tf_node tf_node, *tf_node_out;
static struct vaccel_tf_status status, *status_out;

ROW(BARE, tf_tensor_init_null, vaccel_tf_tensor_init(NULL, 1, tf_dims, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_init_no_dims, vaccel_tf_tensor_init(&tf_tensor, 0, tf_dims, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_init_negative, vaccel_tf_tensor_init(&tf_tensor, -1, tf_dims, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_init_null_dims, vaccel_tf_tensor_init(&tf_tensor, 1, NULL, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_new_null, vaccel_tf_tensor_new(NULL, 1, tf_dims, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_new_no_dims, vaccel_tf_tensor_new(tf_slot, 0, tf_dims, VACCEL_TF_FLOAT))
ROW(BARE, tf_tensor_allocate_null, vaccel_tf_tensor_allocate(NULL, 1, tf_dims, VACCEL_TF_FLOAT, 4))
ROW(BARE, tf_tensor_allocate_no_dims,
    vaccel_tf_tensor_allocate(tf_slot, 0, tf_dims, VACCEL_TF_FLOAT, 4))
ROW(BARE, tf_tensor_allocate_nothing,
    vaccel_tf_tensor_allocate(tf_slot, 1, tf_dims, VACCEL_TF_FLOAT, 0))
ROW(BARE, tf_tensor_release_null, vaccel_tf_tensor_release(NULL))
ROW(BARE, tf_tensor_delete_null, vaccel_tf_tensor_delete(NULL))
ROW(BARE, tf_tensor_set_data_null, vaccel_tf_tensor_set_data(NULL, bytes, 4))
ROW(BARE, tf_tensor_take_data_null, vaccel_tf_tensor_take_data(NULL, &pointer, &count))
ROW(BARE, tf_tensor_take_data_null_out, vaccel_tf_tensor_take_data(&tf_tensor, NULL, &count))
ROW(BARE, tf_tensor_take_data_null_size, vaccel_tf_tensor_take_data(&tf_tensor, &pointer, NULL))
ROW(BARE, tflite_tensor_init_null,
    vaccel_tflite_tensor_init(NULL, 1, tflite_dims, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_init_no_dims,
    vaccel_tflite_tensor_init(&tflite_tensor, 0, tflite_dims, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_init_negative,
    vaccel_tflite_tensor_init(&tflite_tensor, -1, tflite_dims, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_init_null_dims,
    vaccel_tflite_tensor_init(&tflite_tensor, 1, NULL, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_new_null,
    vaccel_tflite_tensor_new(NULL, 1, tflite_dims, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_new_no_dims,
    vaccel_tflite_tensor_new(tflite_slot, 0, tflite_dims, VACCEL_TFLITE_FLOAT32))
ROW(BARE, tflite_tensor_allocate_null,
    vaccel_tflite_tensor_allocate(NULL, 1, tflite_dims, VACCEL_TFLITE_FLOAT32, 4))
ROW(BARE, tflite_tensor_allocate_no_dims,
    vaccel_tflite_tensor_allocate(tflite_slot, 0, tflite_dims, VACCEL_TFLITE_FLOAT32, 4))
ROW(BARE, tflite_tensor_allocate_nothing,
    vaccel_tflite_tensor_allocate(tflite_slot, 1, tflite_dims, VACCEL_TFLITE_FLOAT32, 0))
ROW(BARE, tflite_tensor_release_null, vaccel_tflite_tensor_release(NULL))
ROW(BARE, tflite_tensor_delete_null, vaccel_tflite_tensor_delete(NULL))
ROW(BARE, tflite_tensor_set_data_null, vaccel_tflite_tensor_set_data(NULL, bytes, 4))
ROW(BARE, tflite_tensor_take_data_null, vaccel_tflite_tensor_take_data(NULL, &pointer, &count))
ROW(BARE, tflite_tensor_take_data_null_out,
    vaccel_tflite_tensor_take_data(&tflite_tensor, NULL, &count))
ROW(BARE, tflite_tensor_take_data_null_size,
    vaccel_tflite_tensor_take_data(&tflite_tensor, &pointer, NULL))
ROW(BARE, torch_tensor_init_null, vaccel_torch_tensor_init(NULL, 1, torch_dims, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_init_no_dims,
    vaccel_torch_tensor_init(&torch_tensor, 0, torch_dims, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_init_negative,
    vaccel_torch_tensor_init(&torch_tensor, -1, torch_dims, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_init_null_dims,
    vaccel_torch_tensor_init(&torch_tensor, 1, NULL, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_new_null, vaccel_torch_tensor_new(NULL, 1, torch_dims, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_new_no_dims,
    vaccel_torch_tensor_new(torch_slot, 0, torch_dims, VACCEL_TORCH_FLOAT))
ROW(BARE, torch_tensor_allocate_null,
    vaccel_torch_tensor_allocate(NULL, 1, torch_dims, VACCEL_TORCH_FLOAT, 4))
ROW(BARE, torch_tensor_allocate_no_dims,
    vaccel_torch_tensor_allocate(torch_slot, 0, torch_dims, VACCEL_TORCH_FLOAT, 4))
ROW(BARE, torch_tensor_allocate_nothing,
    vaccel_torch_tensor_allocate(torch_slot, 1, torch_dims, VACCEL_TORCH_FLOAT, 0))
ROW(BARE, torch_tensor_release_null, vaccel_torch_tensor_release(NULL))
ROW(BARE, torch_tensor_delete_null, vaccel_torch_tensor_delete(NULL))
ROW(BARE, torch_tensor_set_data_null, vaccel_torch_tensor_set_data(NULL, bytes, 4))
ROW(BARE, torch_tensor_take_data_null, vaccel_torch_tensor_take_data(NULL, &pointer, &count))
ROW(BARE, torch_tensor_take_data_null_out,
    vaccel_torch_tensor_take_data(&torch_tensor, NULL, &count))
ROW(BARE, torch_tensor_take_data_null_size,
    vaccel_torch_tensor_take_data(&torch_tensor, &pointer, NULL))
ROW(BARE, tf_buffer_init_null, vaccel_tf_buffer_init(NULL, NULL, 0))
ROW(BARE, tf_buffer_release_null, vaccel_tf_buffer_release(NULL))
ROW(BARE, tf_buffer_new_null, vaccel_tf_buffer_new(NULL, NULL, 0))
ROW(BARE, tf_buffer_delete_null, vaccel_tf_buffer_delete(NULL))
ROW(BARE, tf_buffer_take_data_null, vaccel_tf_buffer_take_data(NULL, &pointer, &count))
ROW(BARE, tf_buffer_take_data_null_out, vaccel_tf_buffer_take_data(&tf_buffer, NULL, &count))
ROW(BARE, tf_buffer_take_data_null_size, vaccel_tf_buffer_take_data(&tf_buffer, &pointer, NULL))
ROW(BARE, torch_buffer_init_null, vaccel_torch_buffer_init(NULL, NULL, 0))
ROW(BARE, torch_buffer_release_null, vaccel_torch_buffer_release(NULL))
ROW(BARE, torch_buffer_new_null, vaccel_torch_buffer_new(NULL, NULL, 0))
ROW(BARE, torch_buffer_delete_null, vaccel_torch_buffer_delete(NULL))
ROW(BARE, torch_buffer_take_data_null, vaccel_torch_buffer_take_data(NULL, &pointer, &count))
ROW(BARE, torch_buffer_take_data_null_out,
    vaccel_torch_buffer_take_data(&torch_buffer, NULL, &count))
ROW(BARE, torch_buffer_take_data_null_size,
    vaccel_torch_buffer_take_data(&torch_buffer, &pointer, NULL))
ROW(BARE, tf_node_init_null, vaccel_tf_node_init(NULL, "n", 0))
ROW(BARE, tf_node_init_null_name, vaccel_tf_node_init(&tf_node, NULL, 0))
ROW(BARE, tf_node_new_null, vaccel_tf_node_new(NULL, "n", 0))
ROW(BARE, tf_node_new_null_name, vaccel_tf_node_new(&tf_node_out, NULL, 0))
ROW(BARE, tf_node_release_null, vaccel_tf_node_release(NULL))
ROW(BARE, tf_node_release_id,
    (vaccel_tf_node_init(&tf_node, "n", 3), vaccel_tf_node_release(&tf_node), tf_node.id))
ROW(BARE, tf_node_delete_null, vaccel_tf_node_delete(NULL))
ROW(BARE, tf_status_init_null, vaccel_tf_status_init(NULL, 1, "m"))
ROW(BARE, tf_status_init_null_message, vaccel_tf_status_init(&status, 1, NULL))
ROW(BARE, tf_status_new_null, vaccel_tf_status_new(NULL, 1, "m"))
ROW(BARE, tf_status_new_null_message, vaccel_tf_status_new(&status_out, 1, NULL))
ROW(BARE, tf_status_release_null, vaccel_tf_status_release(NULL))
ROW(BARE, tf_status_release_code,
    (vaccel_tf_status_init(&status, 3, "m"), vaccel_tf_status_release(&status), status.code))
ROW(BARE, tf_status_delete_null, vaccel_tf_status_delete(NULL))
ROW(NOOP, prof_region_start_off, vaccel_prof_region_start(NULL))
ROW(PROF, prof_region_start_null, vaccel_prof_region_start(NULL))
ROW(NOOP, prof_region_stop_off, vaccel_prof_region_stop(NULL))
ROW(PROF, prof_region_stop_null, vaccel_prof_region_stop(NULL))
ROW(NOOP, prof_region_print_off, vaccel_prof_region_print(NULL))
ROW(PROF, prof_region_print_null, vaccel_prof_region_print(NULL))
ROW(NOOP, prof_region_init_off, vaccel_prof_region_init(NULL, "r"))
ROW(PROF, prof_region_init_null, vaccel_prof_region_init(NULL, "r"))
ROW(NOOP, prof_region_release_off, vaccel_prof_region_release(NULL))
ROW(PROF, prof_region_release_null, vaccel_prof_region_release(NULL))
ROW(PROF, prof_region_stop_none, vaccel_prof_region_stop(&region))
ROW(PROF, prof_region_start, vaccel_prof_region_start(&region))
ROW(NOOP, prof_regions_start_by_name_off, vaccel_prof_regions_start_by_name(NULL, 1, "r"))
ROW(PROF, prof_regions_start_by_name_null, vaccel_prof_regions_start_by_name(NULL, 1, "r"))
ROW(PROF, prof_regions_start_by_name_unknown,
    vaccel_prof_regions_start_by_name(&region, 1, "another"))
ROW(NOOP, prof_regions_stop_by_name_off, vaccel_prof_regions_stop_by_name(NULL, 1, "r"))
ROW(PROF, prof_regions_stop_by_name_null, vaccel_prof_regions_stop_by_name(NULL, 1, "r"))
ROW(PROF, prof_regions_stop_by_name_unknown,
    vaccel_prof_regions_stop_by_name(&region, 1, "another"))
ROW(NOOP, prof_regions_init_off, vaccel_prof_regions_init(NULL, 1))
ROW(PROF, prof_regions_init_null, vaccel_prof_regions_init(NULL, 1))
ROW(NOOP, prof_regions_release_off, vaccel_prof_regions_release(NULL, 1))
ROW(PROF, prof_regions_release_null, vaccel_prof_regions_release(NULL, 1))
ROW(NOOP, prof_regions_print_all_off, vaccel_prof_regions_print_all(NULL, 1))
ROW(PROF, prof_regions_print_all_null, vaccel_prof_regions_print_all(NULL, 1))
ROW(NOOP, prof_regions_print_all_to_buf_off,
    vaccel_prof_regions_print_all_to_buf(&string, 100, &region, 1))
ROW(NOOP, prof_enabled_off, truth(vaccel_prof_enabled()))
ROW(PROF, prof_enabled, truth(vaccel_prof_enabled()))
ROW(BARE, str_to_lower_null, vaccel_str_to_lower(NULL, text, sizeof(text), NULL))
ROW(BARE, str_to_lower_nowhere, vaccel_str_to_lower("A", NULL, 0, NULL))
ROW(BARE, str_to_lower_zero, vaccel_str_to_lower("A", text, 0, NULL))
