/*
 * backend_names.h - what a declared backend means, in words that an agent and an application share.
 */
#ifndef LUACCEL_POLICY_BACKEND_NAMES_H
#define LUACCEL_POLICY_BACKEND_NAMES_H

#include "policy.h"

/* The library to load: "torch" is libvaccel-torch.so; a path, or what ends in .so, is itself. */
void backend_library(const struct policy_backend *declared, char *buf, size_t size);

/*
 * The sentence for an option that the plugin did not take. `code` is what plugin_configure() gave,
 * `reason` may be empty. Returns VACCEL_EINVAL.
 */
int backend_option_refused(char *err, size_t errsize, const struct policy_backend *declared,
			   const struct policy_option *option, int code, const char *reason);

#endif
