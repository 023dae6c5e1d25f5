/*
 * rows_session.c - rows for sessions.
 */
#include "behaviour.h"

ROW(BARE, session_init_bare, vaccel_session_init(&other, 0))
ROW(NOOP, session_init_null, vaccel_session_init(NULL, 0))
ROW(EMPTY, session_init_no_plugin, vaccel_session_init(&other, 0))
ROW(NOOP, session_init_remote_without, vaccel_session_init(&other, VACCEL_PLUGIN_REMOTE))
ROW(NOOP, session_init_other_hint, vaccel_session_init(&other, VACCEL_PLUGIN_FPGA))
ROW(FULL, session_init_limit, vaccel_session_init(&other, 0))
ROW(REMOTE, session_init_remote, vaccel_session_init(&other, 0))
ROW(EMPTY, session_init_no_callback,
    (load_odd("virtio no-session-init"), vaccel_session_init(&other, 0)))
ROW(EMPTY, session_init_callback_fails,
    (load_odd("virtio session-init-fails"), vaccel_session_init(&other, 0)))
ROW(BARE, session_new_bare, vaccel_session_new(&out, 0))
ROW(NOOP, session_new_null, vaccel_session_new(NULL, 0))
ROW(EMPTY, session_new_no_plugin, vaccel_session_new(&out, 0))
ROW(FULL, session_new_limit, vaccel_session_new(&out, 0))
ROW(BARE, session_release_bare, vaccel_session_release(&other))
ROW(NOOP, session_release_null, vaccel_session_release(NULL))
ROW(NOOP, session_release_twice, (vaccel_session_release(&sess), vaccel_session_release(&sess)))
ROW(EMPTY, session_release_no_callback,
    (load_odd("virtio no-session-release"), vaccel_session_init(&other, 0),
     vaccel_session_release(&other)))
ROW(EMPTY, session_release_callback_fails,
    (load_odd("virtio session-release-fails"), vaccel_session_init(&other, 0),
     vaccel_session_release(&other)))
ROW(BARE, session_delete_bare, vaccel_session_delete(&other))
ROW(NOOP, session_delete_null, vaccel_session_delete(NULL))
ROW(BARE, session_get_by_id_bare, vaccel_session_get_by_id(&out, 1))
ROW(NOOP, session_get_by_id_null, vaccel_session_get_by_id(NULL, sess.id))
ROW(NOOP, session_get_by_id_zero, vaccel_session_get_by_id(&out, 0))
ROW(NOOP, session_get_by_id_unknown, vaccel_session_get_by_id(&out, 987654))
ROW(NOOP, session_get_by_id_released, ({
	    const vaccel_id_t id = sess.id;
	    vaccel_session_release(&sess);
	    vaccel_session_get_by_id(&out, id);
    }))
ROW(NOOP, session_has_resource_null, truth(vaccel_session_has_resource(NULL, model)))
ROW(NOOP, session_has_resource_null_resource, truth(vaccel_session_has_resource(&sess, NULL)))
ROW(NOOP, session_has_resource_stranger, truth(vaccel_session_has_resource(&sess, stranger)))
ROW(NOOP, session_has_resource, truth(vaccel_session_has_resource(&sess, model)))
ROW(NOOP, session_resource_by_id_null, vaccel_session_resource_by_id(NULL, &found, model->id))
ROW(NOOP, session_resource_by_id_null_out, vaccel_session_resource_by_id(&sess, NULL, model->id))
ROW(NOOP, session_resource_by_id_zero, vaccel_session_resource_by_id(&sess, &found, 0))
ROW(NOOP, session_resource_by_id_stranger,
    vaccel_session_resource_by_id(&sess, &found, stranger->id))
ROW(NOOP, session_resource_by_type_null,
    vaccel_session_resource_by_type(NULL, &found, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resource_by_type_null_out,
    vaccel_session_resource_by_type(&sess, NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resource_by_type_max,
    vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_MAX))
ROW(NONE, session_resource_by_type_none,
    vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resources_by_type_null,
    vaccel_session_resources_by_type(NULL, &list, &count, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resources_by_type_null_out,
    vaccel_session_resources_by_type(&sess, NULL, &count, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resources_by_type_null_count,
    vaccel_session_resources_by_type(&sess, &list, NULL, VACCEL_RESOURCE_MODEL))
ROW(NOOP, session_resources_by_type_max,
    vaccel_session_resources_by_type(&sess, &list, &count, VACCEL_RESOURCE_MAX))
ROW(NONE, session_resources_by_type_none,
    vaccel_session_resources_by_type(&sess, &list, &count, VACCEL_RESOURCE_MODEL))
