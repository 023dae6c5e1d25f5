# The plugins noop, exec and mbench, and the libraries that exec's tests let it call.

# plugins_library(NAME DEFINITIONS...): libunit-NAME.so
function(plugins_library name)
	add_library(unit-${name} MODULE ${CMAKE_CURRENT_SOURCE_DIR}/plugins_library.c)
	target_include_directories(unit-${name} PRIVATE ${CMAKE_SOURCE_DIR}/runtime/include)
	target_compile_definitions(unit-${name} PRIVATE ${ARGN})
	set_target_properties(unit-${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/spec)
	# Its counters are the program's, and what it needs comes with another file of the resource.
	target_link_options(unit-${name} PRIVATE -Wl,-z,undefs)
endfunction()
plugins_library(library)
plugins_library(library-closed)
plugins_library(library-shared)
plugins_library(library-needs NEEDS)
plugins_library(library-gives GIVES)

function(plugins_test name)
	luaccel_unit_test(plugins-${name} SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/plugins_${name}.c
		LIBS vaccel Threads::Threads ${CMAKE_DL_LIBS})
	target_compile_definitions(unit-plugins-${name} PRIVATE ${ARGN})
endfunction()
plugins_test(noop NOOP_PLUGIN="${CMAKE_BINARY_DIR}/lib/libvaccel-noop.so")
plugins_test(noop_lines NOOP_PLUGIN="${CMAKE_BINARY_DIR}/lib/libvaccel-noop.so")
plugins_test(mbench MBENCH_PLUGIN="${CMAKE_BINARY_DIR}/lib/libvaccel-mbench.so")
plugins_test(exec EXEC_PLUGIN="${CMAKE_BINARY_DIR}/lib/libvaccel-exec.so"
	LIBRARY_DIR="$<TARGET_FILE_DIR:unit-library>"
	LIBRARY_NAME="$<TARGET_FILE_NAME:unit-library>"
	LIBRARY="$<TARGET_FILE:unit-library>"
	LIBRARY_CLOSED="$<TARGET_FILE:unit-library-closed>"
	LIBRARY_SHARED="$<TARGET_FILE:unit-library-shared>"
	LIBRARY_NEEDS="$<TARGET_FILE:unit-library-needs>"
	LIBRARY_GIVES="$<TARGET_FILE:unit-library-gives>")
set_target_properties(unit-plugins-exec PROPERTIES ENABLE_EXPORTS ON)
add_dependencies(unit-plugins-noop vaccel-noop)
add_dependencies(unit-plugins-noop_lines vaccel-noop)
add_dependencies(unit-plugins-mbench vaccel-mbench)
add_dependencies(unit-plugins-exec vaccel-exec unit-library unit-library-closed
	unit-library-shared unit-library-needs unit-library-gives)

# The type of the exec examples, which agents deserialise for strangers.
luaccel_unit_test(plugins-mydata
	SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/plugins_mydata.c ${CMAKE_SOURCE_DIR}/examples/common/mydata.c
	LIBS vaccel)
target_include_directories(unit-plugins-mydata PRIVATE ${CMAKE_SOURCE_DIR}/examples/common)
