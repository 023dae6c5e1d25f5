// through_cxx.cc - a C++ program as users of the interface write them: it includes vaccel.h, and
// links and runs against the library.
#include <vaccel.h>

#include <cstdio>
#include <string>
#include <vector>

int main()
{
	struct vaccel_session session;
	struct vaccel_resource resource;
	std::vector<float> values = { 1, 2, 3 };
	struct vaccel_arg_array args;
	std::string bytes = "bytes";
	unsigned char text[64] = "";
	size_t count = 0;
	float *back;
	char name[VACCEL_ENUM_STR_MAX];

	int failed = vaccel_session_init(&session, VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_DEBUG) ||
		     vaccel_noop(&session) ||
		     vaccel_resource_init_from_buf(&resource, bytes.data(), bytes.size(),
						   VACCEL_RESOURCE_DATA, "name", true) ||
		     vaccel_resource_register(&resource, &session) ||
		     vaccel_image_classification(&session, bytes.data(), text, nullptr,
						 bytes.size(), sizeof(text), 0) ||
		     vaccel_arg_array_init(&args, 0) ||
		     vaccel_arg_array_add_float_array(&args, values.data(), values.size()) ||
		     vaccel_arg_array_get_float_array(&args, &back, &count);
	if (failed || resource.refcount != 1 || count != 3 || back != values.data())
		return 1;
	failed = vaccel_arg_array_release(&args) || vaccel_resource_release(&resource) ||
		 vaccel_session_release(&session);
	vaccel_info("through the log macro");
	std::printf("C++: %s: %s\n",
		    vaccel_op_type_name(VACCEL_OP_IMAGE_CLASSIFY, name, sizeof(name)),
		    reinterpret_cast<const char *>(text));
	return failed;
}
