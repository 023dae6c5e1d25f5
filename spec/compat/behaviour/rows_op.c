/*
 * rows_op.c - rows for operations, with no plugin for them, with noop, exec and mbench.
 */
#include "behaviour.h"

static struct vaccel_tf_status status;
static struct vaccel_tf_node tf_nodes[1];
static struct vaccel_tf_tensor *tf_out[1];
static struct vaccel_tflite_tensor *tflite_out[1];
static struct vaccel_torch_tensor *torch[1];

ROW(NOOP, noop_null, vaccel_noop(NULL))
ROW(MUTE, noop_missing, vaccel_noop(&sess))
ROW(NOOP, noop, vaccel_noop(&sess))
ROW(NOOP, exec_null, vaccel_exec(NULL, "lib.so", "fn", NULL, 0, NULL, 0))
ROW(MUTE, exec_missing, vaccel_exec(&sess, "lib.so", "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_null_library, vaccel_exec(&sess, NULL, "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_null_symbol, vaccel_exec(&sess, "lib.so", NULL, NULL, 0, NULL, 0))
ROW(NOOP, exec_with_resource_null, vaccel_exec_with_resource(NULL, lib, "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_with_resource_null_resource,
    vaccel_exec_with_resource(&sess, NULL, "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_with_resource_model, vaccel_exec_with_resource(&sess, model, "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_with_resource_stranger,
    vaccel_exec_with_resource(&sess, strange_lib, "fn", NULL, 0, NULL, 0))
ROW(MUTE, exec_with_resource_missing, vaccel_exec_with_resource(&sess, lib, "fn", NULL, 0, NULL, 0))
ROW(NOOP, exec_with_resource_no_path,
    (vaccel_resource_register(memory_lib, &sess),
     vaccel_exec_with_resource(&sess, memory_lib, "fn", NULL, 0, NULL, 0)))
ROW(NOOP, classification_null, vaccel_image_classification(NULL, bytes, ubytes, ubytes, 4, 4, 4))
ROW(MUTE, classification_missing,
    vaccel_image_classification(&sess, bytes, ubytes, ubytes, 4, 4, 4))
ROW(NOOP, classification_null_image,
    vaccel_image_classification(&sess, NULL, ubytes, ubytes, 4, 4, 4))
ROW(NOOP, classification_no_text, vaccel_image_classification(&sess, bytes, NULL, ubytes, 4, 0, 4))
ROW(NOOP, detection_null, vaccel_image_detection(NULL, bytes, ubytes, 4, 4))
ROW(MUTE, detection_missing, vaccel_image_detection(&sess, bytes, ubytes, 4, 4))
ROW(NOOP, detection_null_image, vaccel_image_detection(&sess, NULL, ubytes, 4, 4))
ROW(NOOP, segmentation_null, vaccel_image_segmentation(NULL, bytes, ubytes, 4, 4))
ROW(MUTE, segmentation_missing, vaccel_image_segmentation(&sess, bytes, ubytes, 4, 4))
ROW(NOOP, segmentation_null_image, vaccel_image_segmentation(&sess, NULL, ubytes, 4, 4))
ROW(NOOP, pose_null, vaccel_image_pose(NULL, bytes, ubytes, 4, 4))
ROW(MUTE, pose_missing, vaccel_image_pose(&sess, bytes, ubytes, 4, 4))
ROW(NOOP, pose_null_image, vaccel_image_pose(&sess, NULL, ubytes, 4, 4))
ROW(NOOP, depth_null, vaccel_image_depth(NULL, bytes, ubytes, 4, 4))
ROW(MUTE, depth_missing, vaccel_image_depth(&sess, bytes, ubytes, 4, 4))
ROW(NOOP, depth_null_image, vaccel_image_depth(&sess, NULL, ubytes, 4, 4))
ROW(NOOP, sgemm_null, vaccel_sgemm(NULL, 1, 1, 1, 1, floats, 1, floats, 1, 0, floats, 1))
ROW(MUTE, sgemm_missing, vaccel_sgemm(&sess, 1, 1, 1, 1, floats, 1, floats, 1, 0, floats, 1))
ROW(NOOP, tf_load_null, vaccel_tf_model_load(NULL, model, &status))
ROW(NOOP, tf_load_null_model, vaccel_tf_model_load(&sess, NULL, &status))
ROW(NOOP, tf_load_lib, vaccel_tf_model_load(&sess, lib, &status))
ROW(NOOP, tf_load_stranger, vaccel_tf_model_load(&sess, stranger, &status))
ROW(MUTE, tf_load_missing, vaccel_tf_model_load(&sess, model, &status))
ROW(NOOP, tf_load, vaccel_tf_model_load(&sess, model, NULL))
ROW(NOOP, tf_unload_null, vaccel_tf_model_unload(NULL, model, &status))
ROW(NOOP, tf_unload_null_model, vaccel_tf_model_unload(&sess, NULL, &status))
ROW(NOOP, tf_unload_lib, vaccel_tf_model_unload(&sess, lib, &status))
ROW(NOOP, tf_unload_stranger, vaccel_tf_model_unload(&sess, stranger, &status))
ROW(MUTE, tf_unload_missing, vaccel_tf_model_unload(&sess, model, &status))
ROW(NOOP, tf_run_null,
    vaccel_tf_model_run(NULL, model, NULL, NULL, NULL, 0, NULL, NULL, 0, &status))
ROW(NOOP, tf_run_null_model,
    vaccel_tf_model_run(&sess, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, &status))
ROW(NOOP, tf_run_lib, vaccel_tf_model_run(&sess, lib, NULL, NULL, NULL, 0, NULL, NULL, 0, &status))
ROW(NOOP, tf_run_stranger,
    vaccel_tf_model_run(&sess, stranger, NULL, NULL, NULL, 0, NULL, NULL, 0, &status))
ROW(MUTE, tf_run_missing,
    vaccel_tf_model_run(&sess, model, NULL, NULL, NULL, 0, NULL, NULL, 0, &status))
ROW(NOOP, tf_run_outputs,
    vaccel_tf_model_run(&sess, model, NULL, NULL, NULL, 0, tf_nodes, tf_out, 1, &status))
ROW(NOOP, tflite_load_null, vaccel_tflite_model_load(NULL, model))
ROW(NOOP, tflite_load_null_model, vaccel_tflite_model_load(&sess, NULL))
ROW(NOOP, tflite_load_lib, vaccel_tflite_model_load(&sess, lib))
ROW(NOOP, tflite_load_stranger, vaccel_tflite_model_load(&sess, stranger))
ROW(MUTE, tflite_load_missing, vaccel_tflite_model_load(&sess, model))
ROW(NOOP, tflite_unload_null, vaccel_tflite_model_unload(NULL, model))
ROW(NOOP, tflite_unload_null_model, vaccel_tflite_model_unload(&sess, NULL))
ROW(NOOP, tflite_unload_lib, vaccel_tflite_model_unload(&sess, lib))
ROW(NOOP, tflite_unload_stranger, vaccel_tflite_model_unload(&sess, stranger))
ROW(MUTE, tflite_unload_missing, vaccel_tflite_model_unload(&sess, model))
ROW(NOOP, tflite_run_null, vaccel_tflite_model_run(NULL, model, NULL, 0, NULL, 0, ubytes))
ROW(NOOP, tflite_run_null_model, vaccel_tflite_model_run(&sess, NULL, NULL, 0, NULL, 0, ubytes))
ROW(NOOP, tflite_run_lib, vaccel_tflite_model_run(&sess, lib, NULL, 0, NULL, 0, ubytes))
ROW(NOOP, tflite_run_stranger, vaccel_tflite_model_run(&sess, stranger, NULL, 0, NULL, 0, ubytes))
ROW(MUTE, tflite_run_missing, vaccel_tflite_model_run(&sess, model, NULL, 0, NULL, 0, ubytes))
ROW(NOOP, tflite_run_outputs, vaccel_tflite_model_run(&sess, model, NULL, 0, tflite_out, 1, ubytes))
ROW(NOOP, torch_load_null, vaccel_torch_model_load(NULL, model))
ROW(NOOP, torch_load_null_model, vaccel_torch_model_load(&sess, NULL))
ROW(NOOP, torch_load_lib, vaccel_torch_model_load(&sess, lib))
ROW(NOOP, torch_load_stranger, vaccel_torch_model_load(&sess, stranger))
ROW(MUTE, torch_load_missing, vaccel_torch_model_load(&sess, model))
ROW(NOOP, torch_run_null, vaccel_torch_model_run(NULL, model, NULL, NULL, 0, NULL, 0))
ROW(NOOP, torch_run_null_model, vaccel_torch_model_run(&sess, NULL, NULL, NULL, 0, NULL, 0))
ROW(NOOP, torch_run_lib, vaccel_torch_model_run(&sess, lib, NULL, NULL, 0, NULL, 0))
ROW(NOOP, torch_run_stranger, vaccel_torch_model_run(&sess, stranger, NULL, NULL, 0, NULL, 0))
ROW(MUTE, torch_run_missing, vaccel_torch_model_run(&sess, model, NULL, NULL, 0, NULL, 0))
ROW(NOOP, torch_run_outputs, vaccel_torch_model_run(&sess, model, NULL, NULL, 0, torch, 1))
ROW(EXEC, exec_plugin_no_library, vaccel_exec(&sess, "/nowhere/lib.so", "fn", NULL, 0, NULL, 0))
ROW(EXEC, exec_plugin_no_symbol,
    vaccel_exec(&sess, ODD_PLUGIN, "no_such_function", NULL, 0, NULL, 0))
ROW(EXEC, exec_plugin_function_fails,
    vaccel_exec(&sess, ODD_PLUGIN, "odd_function_fails", NULL, 0, NULL, 0))
ROW(EXEC, exec_plugin_function, vaccel_exec(&sess, ODD_PLUGIN, "odd_function", NULL, 0, NULL, 0))
ROW(EXEC, exec_plugin_no_classify,
    vaccel_image_classification(&sess, bytes, ubytes, ubytes, 4, 4, 4))
ROW(EXEC, exec_plugin_no_blob_library,
    vaccel_exec_with_resource(&sess, lib, "odd_function", NULL, 0, NULL, 0))
ROW(MBENCH, mbench_other_library,
    vaccel_exec(&sess, "lib.so", "fn", ARG_LIST(TEXT_ARG("1"), TEXT_ARG("x")), 2, NULL, 0))
ROW(MBENCH, mbench_one_argument,
    vaccel_exec(&sess, "mbench", "mbench", ARG_LIST(TEXT_ARG("1")), 1, NULL, 0))
ROW(MBENCH, mbench_zero,
    vaccel_exec(&sess, "mbench", "mbench", ARG_LIST(TEXT_ARG("0"), TEXT_ARG("x")), 2, NULL, 0))
ROW(MBENCH, mbench_too_long,
    vaccel_exec(&sess, "mbench", "mbench", ARG_LIST(TEXT_ARG("300001"), TEXT_ARG("x")), 2, NULL, 0))
ROW(MBENCH, mbench_word,
    vaccel_exec(&sess, "mbench", "mbench", ARG_LIST(TEXT_ARG("soon"), TEXT_ARG("x")), 2, NULL, 0))
ROW(MBENCH, mbench,
    vaccel_exec(&sess, "mbench", "mbench", ARG_LIST(TEXT_ARG("1"), TEXT_ARG("x")), 2, NULL, 0))
