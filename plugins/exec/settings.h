/*
 * settings.h - what the environment says about opening and closing libraries. Read at each use, so
 * that a program may change it.
 */
#ifndef EXEC_SETTINGS_H
#define EXEC_SETTINGS_H

#include <stdbool.h>

/* VACCEL_EXEC_DLOPEN_MODE: RTLD_NOW, or RTLD_LAZY when it says so. */
int setting_dlopen_mode(void);

/* VACCEL_EXEC_DLCLOSE_ENABLED, or by its older name VACCEL_EXEC_DLCLOSE. */
bool setting_dlclose_enabled(bool otherwise);

#endif
