/*
 * rows_resource.c - rows for resources.
 */
#include "behaviour.h"

ROW(BARE, resource_init_bare, vaccel_resource_init(NULL, file_path, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_null, vaccel_resource_init(NULL, file_path, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_null_path, vaccel_resource_init(&res, NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_max, vaccel_resource_init(&res, file_path, VACCEL_RESOURCE_MAX))
ROW(NOOP, resource_init_missing,
    vaccel_resource_init(&res, "file:///nowhere/model", VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_device,
    vaccel_resource_init(&res, "file:///dev/null", VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_scheme,
    vaccel_resource_init(&res, "gopher://host/model", VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_too_long, vaccel_resource_init(&res, long_path(), VACCEL_RESOURCE_MODEL))
ROW(FULL, resource_init_limit, vaccel_resource_init(&res, file_path, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_new_bare, vaccel_resource_new(&found, file_path, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_new_null, vaccel_resource_new(NULL, file_path, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_new_null_path, vaccel_resource_new(&found, NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_new_max, vaccel_resource_new(&found, file_path, VACCEL_RESOURCE_MAX))
ROW(BARE, resource_init_multi_bare,
    vaccel_resource_init_multi(&res, PATHS(file_path), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_null,
    vaccel_resource_init_multi(NULL, PATHS(file_path), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_null_paths,
    vaccel_resource_init_multi(&res, NULL, 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_none,
    vaccel_resource_init_multi(&res, PATHS(file_path), 0, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_null_element,
    vaccel_resource_init_multi(&res, PATHS(file_path, NULL), 2, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_max,
    vaccel_resource_init_multi(&res, PATHS(file_path), 1, VACCEL_RESOURCE_MAX))
ROW(NOOP, resource_init_multi_second_dir,
    vaccel_resource_init_multi(&res, PATHS(file_path, dir_path), 2, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_dir_first,
    vaccel_resource_init_multi(&res, PATHS(dir_path, file_path), 2, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_mixed,
    vaccel_resource_init_multi(&res, PATHS(file_path, "http://127.0.0.1/x"), 2,
			       VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_multi_good,
    vaccel_resource_init_multi(&res, PATHS(file_path, file_path), 2, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_multi_new_bare,
    vaccel_resource_multi_new(&found, PATHS(file_path), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_multi_new_null,
    vaccel_resource_multi_new(NULL, PATHS(file_path), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_multi_new_none,
    vaccel_resource_multi_new(&found, PATHS(file_path), 0, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_init_from_buf_bare,
    vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_init_from_buf_null,
    vaccel_resource_init_from_buf(NULL, "x", 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_init_from_buf_null_buf,
    vaccel_resource_init_from_buf(&res, NULL, 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_init_from_buf_zero,
    vaccel_resource_init_from_buf(&res, "x", 0, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_init_from_buf_max,
    vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_MAX, NULL, true))
ROW(NOOP, resource_init_from_buf_escape,
    vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_MODEL, "../x", false))
ROW(BARE, resource_from_buf_bare,
    vaccel_resource_from_buf(&found, "x", 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_from_buf_null,
    vaccel_resource_from_buf(NULL, "x", 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_from_buf_null_buf,
    vaccel_resource_from_buf(&found, NULL, 1, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(NOOP, resource_from_buf_zero,
    vaccel_resource_from_buf(&found, "x", 0, VACCEL_RESOURCE_MODEL, NULL, true))
ROW(BARE, resource_init_from_blobs_bare,
    vaccel_resource_init_from_blobs(&res, BLOBS(&blob), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_from_blobs_null,
    vaccel_resource_init_from_blobs(NULL, BLOBS(&blob), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_from_blobs_null_blobs,
    vaccel_resource_init_from_blobs(&res, NULL, 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_from_blobs_none,
    vaccel_resource_init_from_blobs(&res, BLOBS(&blob), 0, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_init_from_blobs_max,
    vaccel_resource_init_from_blobs(&res, BLOBS(&blob), 1, VACCEL_RESOURCE_MAX))
ROW(NOOP, resource_init_from_blobs_invalid,
    vaccel_resource_init_from_blobs(&res, BLOBS(&no_blob), 1, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_from_blobs_bare,
    vaccel_resource_from_blobs(&found, BLOBS(&blob), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_from_blobs_null,
    vaccel_resource_from_blobs(NULL, BLOBS(&blob), 1, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_from_blobs_none,
    vaccel_resource_from_blobs(&found, BLOBS(&blob), 0, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_release_bare, vaccel_resource_release(&res))
ROW(NOOP, resource_release_null, vaccel_resource_release(NULL))
ROW(NOOP, resource_release_twice, vaccel_resource_release(&released))
ROW(BARE, resource_delete_bare, vaccel_resource_delete(&res))
ROW(NOOP, resource_delete_null, vaccel_resource_delete(NULL))
ROW(BARE, resource_register_bare, vaccel_resource_register(&res, &sess))
ROW(NOOP, resource_register_null, vaccel_resource_register(NULL, &sess))
ROW(NOOP, resource_register_null_session, vaccel_resource_register(stranger, NULL))
ROW(NOOP, resource_register_released, vaccel_resource_register(&released, &sess))
ROW(NOOP, resource_register_twice, vaccel_resource_register(model, &sess))
ROW(REMOTE, resource_register_callback_fails,
    (setenv("ODD_REGISTER", "28", 1), vaccel_resource_register(stranger, &sess)))
ROW(EMPTY, resource_register_no_callback,
    (load_odd("virtio no-resource-register"), vaccel_session_init(&sess, 0), make(),
     vaccel_resource_register(stranger, &sess)))
ROW(EMPTY, resource_register_no_remote_id,
    (load_odd("virtio no-remote-id"), vaccel_session_init(&sess, 0), make(),
     vaccel_resource_register(stranger, &sess)))
ROW(EMPTY, resource_register_no_remote_id_after,
    (load_odd("virtio no-remote-id"), vaccel_session_init(&sess, 0), make(),
     vaccel_resource_register(stranger, &sess),
     truth(vaccel_session_has_resource(&sess, stranger))))
ROW(BARE, resource_unregister_bare, vaccel_resource_unregister(&res, &sess))
ROW(NOOP, resource_unregister_null, vaccel_resource_unregister(NULL, &sess))
ROW(NOOP, resource_unregister_null_session, vaccel_resource_unregister(model, NULL))
ROW(NOOP, resource_unregister_released, vaccel_resource_unregister(&released, &sess))
ROW(NOOP, resource_unregister_stranger, vaccel_resource_unregister(stranger, &sess))
ROW(REMOTE, resource_unregister_callback_fails,
    (setenv("ODD_UNREGISTER", "28", 1), vaccel_resource_unregister(model, &sess)))
ROW(REMOTE, resource_unregister_callback_fails_after,
    (setenv("ODD_UNREGISTER", "28", 1), vaccel_resource_unregister(model, &sess),
     truth(vaccel_session_has_resource(&sess, model))))
ROW(EMPTY, resource_unregister_no_callback,
    (load_odd("virtio no-resource-unregister"), vaccel_session_init(&sess, 0), make(),
     vaccel_resource_register(stranger, &sess), vaccel_resource_unregister(stranger, &sess)))
ROW(BARE, resource_sync_bare, vaccel_resource_sync(&res, &sess))
ROW(NOOP, resource_sync_null, vaccel_resource_sync(NULL, &sess))
ROW(NOOP, resource_sync_null_session, vaccel_resource_sync(model, NULL))
ROW(NOOP, resource_sync_stranger, vaccel_resource_sync(stranger, &sess))
ROW(NOOP, resource_sync_file, vaccel_resource_sync(lib, &sess))
ROW(NOOP, resource_sync_local, vaccel_resource_sync(model, &sess))
ROW(EMPTY, resource_sync_no_callback,
    (load_odd("virtio no-resource-sync"), vaccel_session_init(&sess, 0), make(),
     vaccel_resource_register(stranger, &sess), vaccel_resource_sync(stranger, &sess)))
ROW(BARE, resource_get_by_id_bare, vaccel_resource_get_by_id(&found, 1))
ROW(NOOP, resource_get_by_id_null, vaccel_resource_get_by_id(NULL, model->id))
ROW(NOOP, resource_get_by_id_unknown, vaccel_resource_get_by_id(&found, 987654))
ROW(BARE, resource_get_by_type_bare, vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_get_by_type_null, vaccel_resource_get_by_type(NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_get_by_type_max, vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MAX))
ROW(EMPTY, resource_get_by_type_none, vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MODEL))
ROW(BARE, resource_get_all_by_type_bare,
    vaccel_resource_get_all_by_type(&list, &count, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_get_all_by_type_null,
    vaccel_resource_get_all_by_type(NULL, &count, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_get_all_by_type_null_count,
    vaccel_resource_get_all_by_type(&list, NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_get_all_by_type_max,
    vaccel_resource_get_all_by_type(&list, &count, VACCEL_RESOURCE_MAX))
ROW(EMPTY, resource_get_all_by_type_none,
    vaccel_resource_get_all_by_type(&list, &count, VACCEL_RESOURCE_MODEL))
ROW(NOOP, resource_refcount_null, vaccel_resource_refcount(NULL))
ROW(NOOP, resource_directory_null, vaccel_resource_directory(NULL, text, sizeof(text), NULL))
ROW(NOOP, resource_directory_null_out, vaccel_resource_directory(folder, NULL, 0, NULL))
ROW(NOOP, resource_directory_released,
    vaccel_resource_directory(&released, text, sizeof(text), NULL))
ROW(NOOP, resource_directory_file, vaccel_resource_directory(model, text, sizeof(text), NULL))
ROW(NOOP, resource_directory_small, vaccel_resource_directory(folder, text, 3, NULL))
ROW(NOOP, resource_directory, vaccel_resource_directory(folder, text, sizeof(text), NULL))
