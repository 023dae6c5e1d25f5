/*
 * classifier.h - a model that describes what images it takes and what its classes are called.
 */
#ifndef TORCH_CLASSIFIER_H
#define TORCH_CLASSIFIER_H

#include "fault.h"
#include "labels.h"
#include "preprocess.h"
#include "torch_bridge.h"
#include <stdbool.h>
#include <stddef.h>

/* Read-only once made, so that any number of threads can classify with it. */
struct classifier {
	const struct torch_bridge *bridge;
	struct bridge_module *module; /* borrowed, as is its name */
	const char *name;
	bool described; /* false: it has no luaccel/preprocess and takes no images */
	struct preprocess pre;
	struct labels labels; /* none: classes are called by their number */
};

/*
 * Read the module's description and run it twice on an empty image: libtorch compiles in the first
 * two runs, and a description that does not fit is found now. EINVAL or ENOMEM with the reason in
 * *fault. The caller releases *classifier, before the module, with classifier_release().
 */
int classifier_init(struct classifier *classifier, const struct torch_bridge *bridge,
		    struct bridge_module *module, const char *name, struct fault *fault);

void classifier_release(struct classifier *classifier);

/*
 * Classify an encoded image and write the tag, "LABEL (PROBABILITY)", cut to `size` as snprintf
 * does. EINVAL or ENOMEM with the reason in *fault; *tag is then untouched.
 */
int classifier_run(const struct classifier *classifier, const void *image, size_t size_image,
		   char *tag, size_t size, struct fault *fault);

#endif
