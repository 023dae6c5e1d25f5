/*
 * rows_blob.c - rows for blobs.
 */
#include "behaviour.h"

ROW(BARE, blob_init_null, vaccel_blob_init(NULL, file_path))
ROW(BARE, blob_init_null_path, vaccel_blob_init(&other_blob, NULL))
ROW(BARE, blob_init_directory, vaccel_blob_init(&other_blob, dir_path))
ROW(BARE, blob_init_missing, vaccel_blob_init(&other_blob, "/nowhere/file"))
ROW(BARE, blob_new_null, vaccel_blob_new(NULL, file_path))
ROW(BARE, blob_new_null_path, vaccel_blob_new(&blob_out, NULL))
ROW(BARE, blob_new_directory, vaccel_blob_new(&blob_out, dir_path))
ROW(BARE, blob_init_from_buf_null,
    vaccel_blob_init_from_buf(NULL, bytes, 4, false, "n", NULL, false))
ROW(BARE, blob_init_from_buf_null_buf,
    vaccel_blob_init_from_buf(&other_blob, NULL, 4, false, "n", NULL, false))
ROW(BARE, blob_init_from_buf_zero,
    vaccel_blob_init_from_buf(&other_blob, bytes, 0, false, "n", NULL, false))
ROW(BARE, blob_init_from_buf_null_name,
    vaccel_blob_init_from_buf(&other_blob, bytes, 4, false, NULL, NULL, false))
ROW(BARE, blob_init_from_buf_no_dir,
    vaccel_blob_init_from_buf(&other_blob, bytes, 4, false, "n", "/nowhere", false))
ROW(BARE, blob_from_buf_null, vaccel_blob_from_buf(NULL, bytes, 4, false, "n", NULL, false))
ROW(BARE, blob_from_buf_null_buf, vaccel_blob_from_buf(&blob_out, NULL, 4, false, "n", NULL, false))
ROW(BARE, blob_from_buf_zero, vaccel_blob_from_buf(&blob_out, bytes, 0, false, "n", NULL, false))
ROW(BARE, blob_from_buf_null_name,
    vaccel_blob_from_buf(&blob_out, bytes, 4, false, NULL, NULL, false))
ROW(BARE, blob_from_buf_no_dir,
    vaccel_blob_from_buf(&blob_out, bytes, 4, false, "n", "/nowhere", false))
ROW(BARE, blob_persist_null, vaccel_blob_persist(NULL, dir_path, "n", false))
ROW(BARE, blob_persist_no_data, vaccel_blob_persist(&no_blob, dir_path, "n", false))
ROW(BARE, blob_persist_bad_type, ({
	    blob.type = VACCEL_BLOB_MAX;
	    vaccel_blob_persist(&blob, dir_path, "n", false);
    }))
ROW(BARE, blob_persist_null_name, vaccel_blob_persist(&blob, dir_path, NULL, false))
ROW(BARE, blob_persist_no_dir, vaccel_blob_persist(&blob, "/nowhere", "n", false))
ROW(BARE, blob_persist_escape, vaccel_blob_persist(&blob, dir_path, "../n", false))
ROW(BARE, blob_persist_file,
    (vaccel_blob_persist(&blob, dir_path, "n", true),
     vaccel_blob_persist(&blob, dir_path, "n", true)))
ROW(BARE, blob_read_null, vaccel_blob_read(NULL))
ROW(BARE, blob_read_bad_type, ({
	    file_blob.type = VACCEL_BLOB_MAX;
	    vaccel_blob_read(&file_blob);
    }))
ROW(BARE, blob_read_no_path, vaccel_blob_read(&no_blob))
ROW(BARE, blob_read_empty, ({
	    vaccel_blob_init(&other_blob, empty_path);
	    vaccel_blob_read(&other_blob);
    }))
ROW(BARE, blob_read_twice, (vaccel_blob_read(&file_blob), vaccel_blob_read(&file_blob)))
ROW(BARE, blob_data_null, address(vaccel_blob_data(NULL, &count)))
ROW(BARE, blob_data_none, address(vaccel_blob_data(&no_blob, &count)))
ROW(BARE, blob_path_null, address(vaccel_blob_path(NULL)))
ROW(BARE, blob_path_buffer, address(vaccel_blob_path(&blob)))
ROW(BARE, blob_valid_null, truth(vaccel_blob_valid(NULL)))
ROW(BARE, blob_valid_none, truth(vaccel_blob_valid(&no_blob)))
ROW(BARE, blob_valid, truth(vaccel_blob_valid(&blob)))
ROW(BARE, blob_release_null, vaccel_blob_release(NULL))
ROW(BARE, blob_release_twice, (vaccel_blob_release(&blob), vaccel_blob_release(&blob)))
ROW(BARE, blob_delete_null, vaccel_blob_delete(NULL))
