/*
 * watch.c - does a backend fail too often? What breaker and canary share.
 *
 * Nobody reports operations to these objects: a backend's view counts them, and is looked at when
 * a session asks. A window is what was counted since the look that began it, so it is never
 * shorter than it was asked to be, and longer when sessions are rare.
 */
#include "registry.h"

static void begin_window(struct policy_watch *watch, const struct policy_backend_view *view,
			 uint64_t now)
{
	watch->begun = true;
	watch->began = now;
	watch->operations = view->operations;
	watch->errors = view->errors;
}

bool policy_watch_fails(struct policy_watch *watch, const struct policy_backend_view *view,
			uint64_t now, const struct policy_watch_bounds *bounds)
{
	bool over;

	/* At first, and when the backend counts from zero again. */
	if (!watch->begun || view->operations < watch->operations || view->errors < watch->errors)
		begin_window(watch, view, now);
	watch->seen = view->operations - watch->operations;
	watch->failed = view->errors - watch->errors;
	over = (double)watch->seen >= bounds->least &&
	       (double)watch->failed >= bounds->errors * (double)watch->seen;
	if (over || (double)(now - watch->began) >= bounds->window * 1e9)
		begin_window(watch, view, now);
	return over;
}
