# The core of libvaccel.so: public interface, records, plugins, legs. The plugins that the tests
# need are built here; the noop plugin is the real one.

function(core_fake_plugin name)
	add_library(core-fake-${name} MODULE ${CMAKE_CURRENT_SOURCE_DIR}/core_fake_plugin.c)
	target_link_libraries(core-fake-${name} PRIVATE vaccel)
	target_compile_definitions(core-fake-${name} PRIVATE FAKE_NAME="${name}" ${ARGN})
	set_target_properties(core-fake-${name} PROPERTIES
		PREFIX libvaccel- OUTPUT_NAME fake-${name}
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/spec)
endfunction()
core_fake_plugin(local FAKE_TYPE=VACCEL_PLUGIN_GPU)
core_fake_plugin(remote FAKE_TYPE=VACCEL_PLUGIN_REMOTE FAKE_VIRTIO)
core_fake_plugin(old FAKE_TYPE=VACCEL_PLUGIN_CPU FAKE_VERSION="1.0.0")
core_fake_plugin(near FAKE_TYPE=VACCEL_PLUGIN_CPU FAKE_VERSION="v0.7.1-5-gabc")
core_fake_plugin(nameless FAKE_TYPE=VACCEL_PLUGIN_CPU FAKE_NAMELESS)
core_fake_plugin(broken FAKE_TYPE=VACCEL_PLUGIN_CPU FAKE_BROKEN)
core_fake_plugin(ops FAKE_TYPE=VACCEL_PLUGIN_FPGA FAKE_OPS)
target_sources(core-fake-ops PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/core_fake_ops.c)
core_fake_plugin(none FAKE_TYPE=VACCEL_PLUGIN_CPU FAKE_NO_PLUGIN)

function(core_test name)
	luaccel_unit_test(core-${name} SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/core_${name}.c ${ARGN}
		LIBS vaccel Threads::Threads ${CMAKE_DL_LIBS})
	target_include_directories(unit-core-${name} PRIVATE
		${CMAKE_SOURCE_DIR}/runtime/core ${CMAKE_CURRENT_SOURCE_DIR})
	target_compile_definitions(unit-core-${name} PRIVATE
		NOOP_PLUGIN="${CMAKE_BINARY_DIR}/lib/libvaccel-noop.so"
		FAKE_PLUGIN_DIR="${CMAKE_BINARY_DIR}/spec")
	add_dependencies(unit-core-${name} vaccel-noop core-fake-local core-fake-remote
		core-fake-old core-fake-near core-fake-nameless core-fake-broken core-fake-none
		core-fake-ops)
endfunction()
core_test(str)
core_test(config)
core_test(log)
core_test(error)
core_test(blob)
core_test(session)
core_test(resource)
core_test(url ${CMAKE_SOURCE_DIR}/spec/support/fault_server.c)
target_include_directories(unit-core-url PRIVATE ${CMAKE_SOURCE_DIR}/spec/support)
core_test(remote)
core_test(plugin)
core_test(leg)
core_test(ops)
core_test(ops_args)
core_test(ops_genop)
core_test(tensors)
core_test(prof)
core_test(threads)
core_test(process)
core_test(arg_array)
core_test(arg_bytes)
core_test(arg_list)
# They test the deprecated calls themselves.
foreach(part session remote ops_args arg_list)
	target_compile_options(unit-core-${part} PRIVATE -Wno-deprecated-declarations)
endforeach()
