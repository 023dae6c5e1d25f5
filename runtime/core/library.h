/*
 * library.h - libraries that lie beside libvaccel.so itself.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

/* dlopen() the file of this name in libvaccel.so's own directory; NULL when it cannot. */
void *library_beside_us(const char *name, int flags);

#endif
