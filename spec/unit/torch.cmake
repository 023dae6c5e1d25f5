# The torch plugin: its images and descriptions alone, then the plugin itself through libvaccel.
if(NOT TARGET vaccel-torch)
	return()
endif()

foreach(part image preprocess)
	luaccel_unit_test(torch-${part}
		SOURCES ${CMAKE_CURRENT_LIST_DIR}/torch_${part}.c ${CMAKE_CURRENT_LIST_DIR}/torch_files.c
		LIBS vaccel-torch-images)
	target_compile_definitions(unit-torch-${part} PRIVATE
		TORCH_IMAGES="${CMAKE_CURRENT_LIST_DIR}/torch_images")
endforeach()

add_library(torch-host STATIC ${CMAKE_CURRENT_LIST_DIR}/torch_host.c
	${CMAKE_CURRENT_LIST_DIR}/torch_files.c)
target_include_directories(torch-host PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(torch-host PUBLIC vaccel Threads::Threads ${CMAKE_DL_LIBS} m)
target_compile_definitions(torch-host PUBLIC TORCH_PLUGIN="$<TARGET_FILE:vaccel-torch>"
	TORCH_REFERENCE="${CMAKE_SOURCE_DIR}/spec/support/torch_reference.py"
	EXAMPLE_DATA="${CMAKE_SOURCE_DIR}/examples/data")
add_dependencies(torch-host vaccel-torch)
foreach(part plugin models)
	luaccel_unit_test(torch-${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/torch_${part}.c LIBS torch-host)
endforeach()
