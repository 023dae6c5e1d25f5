/*
 * model.c - see model.h.
 */
#include "model.h"
#include "backend.h"
#include <stdio.h>

void model_tell(struct work *work, struct vaccel_tf_status *status)
{
	work->status = status->code;
	snprintf(work->reason, sizeof(work->reason), "%s", status->message ? status->message : "");
	vaccel_tf_status_release(status);
}

static int with_status(struct work *work, struct vaccel_session *leg, struct vaccel_resource *model,
		       int (*call)(struct vaccel_session *leg, struct vaccel_resource *model,
				   struct vaccel_tf_status *status))
{
	struct vaccel_tf_status status = { 0 };
	int ret = call(leg, model, &status);

	model_tell(work, &status);
	return ret;
}

int model_load(enum model_family family, struct work *work, struct vaccel_session *leg,
	       struct vaccel_resource *model)
{
	switch (family) {
	case MODEL_TORCH:
		return vaccel_torch_model_load(leg, model);
	case MODEL_TF:
		return with_status(work, leg, model, vaccel_tf_model_load);
	case MODEL_TFLITE:
		return vaccel_tflite_model_load(leg, model);
	}
	return VACCEL_EINVAL;
}

int model_unload(enum model_family family, struct work *work, struct vaccel_session *leg,
		 struct vaccel_resource *model)
{
	switch (family) {
	case MODEL_TORCH:
		break;
	case MODEL_TF:
		return with_status(work, leg, model, vaccel_tf_model_unload);
	case MODEL_TFLITE:
		return vaccel_tflite_model_unload(leg, model);
	}
	return VACCEL_ENOTSUP;
}
