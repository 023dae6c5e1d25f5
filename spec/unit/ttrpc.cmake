# runtime/ttrpc. The tests' own messages are generated as luaccel-proto's are.
find_program(PROTOC_C protoc-c REQUIRED)
set(ttrpc_dir ${CMAKE_CURRENT_LIST_DIR})
set(ttrpc_generated ${CMAKE_CURRENT_BINARY_DIR}/ttrpc)
file(MAKE_DIRECTORY ${ttrpc_generated})
foreach(message ttrpc_types ttrpc_defaults)
	add_custom_command(
		OUTPUT ${ttrpc_generated}/${message}.pb-c.c ${ttrpc_generated}/${message}.pb-c.h
		COMMAND ${PROTOC_C} --proto_path=${ttrpc_dir} --c_out=${ttrpc_generated} ${message}.proto
		DEPENDS ${ttrpc_dir}/${message}.proto
		VERBATIM)
	list(APPEND ttrpc_sources ${ttrpc_generated}/${message}.pb-c.c)
endforeach()

luaccel_unit_test(ttrpc_message
	SOURCES ${ttrpc_dir}/ttrpc_message.c ${ttrpc_dir}/ttrpc_random.c ${ttrpc_sources}
	LIBS luaccel-ttrpc)
target_include_directories(unit-ttrpc_message SYSTEM PRIVATE ${ttrpc_generated})
luaccel_unit_test(ttrpc_address SOURCES ${ttrpc_dir}/ttrpc_address.c LIBS luaccel-ttrpc)
luaccel_unit_test(ttrpc_shm SOURCES ${ttrpc_dir}/ttrpc_shm.c LIBS luaccel-ttrpc)
foreach(part server calls streams offers)
	luaccel_unit_test(ttrpc_${part}
		SOURCES ${ttrpc_dir}/ttrpc_${part}.c ${ttrpc_dir}/ttrpc_rig.c
			${ttrpc_dir}/ttrpc_rig_stream.c
		LIBS luaccel-ttrpc-server)
endforeach()
