# The rpc plugin, driven through the public API against a scripted agent.
add_library(rpc-fake STATIC rpc_fake.c)
target_link_libraries(rpc-fake PUBLIC vaccel luaccel-ttrpc luaccel-proto luaccel-digest Threads::Threads)
target_compile_definitions(rpc-fake PRIVATE RPC_PLUGIN="$<TARGET_FILE:vaccel-rpc>")
add_dependencies(rpc-fake vaccel-rpc)

foreach(part session loss agents resource ops genop genop_stream tf upload)
	luaccel_unit_test(rpc-${part} SOURCES rpc_${part}.c LIBS rpc-fake)
endforeach()
# Its sessions are opened as an agent opens them.
target_include_directories(unit-rpc-agents PRIVATE ${CMAKE_SOURCE_DIR}/runtime/core)
target_compile_definitions(unit-rpc-agents PRIVATE RPC_PLUGIN="$<TARGET_FILE:vaccel-rpc>")
# The FPGA operations and minmax are deprecated for applications, and travel all the same.
target_compile_options(unit-rpc-genop PRIVATE -Wno-deprecated-declarations)

add_executable(unit-rpc-name rpc_name.c)
target_link_libraries(unit-rpc-name PRIVATE rpc-fake cmocka)
set_target_properties(unit-rpc-name PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/spec)
add_test(NAME unit-rpc-name-rpc
	COMMAND unit-rpc-name $<TARGET_FILE:vaccel-rpc> tcp://127.0.0.1:65500)
add_test(NAME unit-rpc-name-vsock
	COMMAND unit-rpc-name $<TARGET_FILE_DIR:vaccel-rpc>/libvaccel-vsock.so vsock://2:2048)
set_tests_properties(unit-rpc-name-rpc unit-rpc-name-vsock PROPERTIES LABELS unit TIMEOUT 60
	ENVIRONMENT "${sanitizer_environment}"
	ENVIRONMENT_MODIFICATION "VACCEL_BOOTSTRAP_ENABLED=set:0")
