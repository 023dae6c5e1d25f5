// through_cgo.go - a Go program on the part of the interface that go-vaccel uses: the deprecated
// argument lists, sessions and resources, exec with a resource, images and noop. As go-vaccel does,
// it hands a copy of the session to operations on images.
//
// usage: through_cgo LIBRARY
package main

/*
#cgo CFLAGS: -Wno-deprecated-declarations
#cgo LDFLAGS: -lvaccel
#include <stdlib.h>
#include <vaccel.h>
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

func must(what string, code C.int) {
	if code != C.VACCEL_OK {
		fmt.Fprintf(os.Stderr, "%s: %d\n", what, int(code))
		os.Exit(1)
	}
}

func classify(session *C.struct_vaccel_session, image []byte) string {
	text := (*C.uchar)(C.calloc(1, 256))
	name := (*C.uchar)(C.calloc(1, 256))
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(name))
	view := *session
	must("image", C.vaccel_image_classification(&view, unsafe.Pointer(&image[0]), text, name,
		C.ulong(len(image)), 256, 256))
	return C.GoString((*C.char)(unsafe.Pointer(text)))
}

func exec(session *C.struct_vaccel_session, library *C.struct_vaccel_resource) int32 {
	in := (*C.int)(C.malloc(C.sizeof_int))
	out := (*C.int)(C.calloc(1, C.sizeof_int))
	symbol := C.CString("mytestfunc")
	defer C.free(unsafe.Pointer(in))
	defer C.free(unsafe.Pointer(out))
	defer C.free(unsafe.Pointer(symbol))
	*in = 10

	read, write := C.vaccel_args_init(1), C.vaccel_args_init(1)
	must("add", C.vaccel_add_serial_arg(read, unsafe.Pointer(in), C.sizeof_int))
	must("expect", C.vaccel_expect_serial_arg(write, unsafe.Pointer(out), C.sizeof_int))
	must("exec", C.vaccel_exec_with_resource(session, library, symbol, read.list, C.ulong(read.size),
		write.list, C.ulong(write.size)))
	result := *(*int32)(C.vaccel_extract_serial_arg(write.list, 0))
	must("delete", C.vaccel_delete_args(read))
	must("delete", C.vaccel_delete_args(write))
	return result
}

func main() {
	session := (*C.struct_vaccel_session)(C.calloc(1, C.sizeof_struct_vaccel_session))
	library := (*C.struct_vaccel_resource)(C.calloc(1, C.sizeof_struct_vaccel_resource))
	path := C.CString(os.Args[1])
	must("session", C.vaccel_sess_init(session, C.uint32_t(0)))
	must("resource", C.vaccel_resource_init(library, path, C.VACCEL_RESOURCE_LIB))
	must("register", C.vaccel_resource_register(library, session))
	must("noop", C.vaccel_noop(session))
	fmt.Printf("cgo: %s, exec %d\n", classify(session, []byte("image")), exec(session, library))
	must("unregister", C.vaccel_resource_unregister(library, session))
	must("release", C.vaccel_resource_release(library))
	must("free", C.vaccel_sess_free(session))
}
