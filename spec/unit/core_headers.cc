// The public headers in C++17: they compile, and sizes are those of C.
#include <luaccel.h>
#include <luaccel_core.h>
#include <slog.h>
#include <vaccel.h>

static_assert(sizeof(struct vaccel_session) == 4264, "session");
static_assert(sizeof(struct vaccel_resource) == 152, "resource");
static_assert(sizeof(struct vaccel_blob) == 56, "blob");
static_assert(sizeof(struct vaccel_plugin) == 224, "plugin");
static_assert(sizeof(SLogConfig) == 2312, "slog config");

extern "C" const char *cxx_op_name()
{
	return vaccel_op_type_to_str(VACCEL_OP_TORCH_MODEL_RUN);
}
