# Flags that every target of ours gets, the sanitizers, and the helpers that the folders share.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Werror)

set(LUACCEL_SANITIZE "" CACHE STRING "asan, tsan, fuzz (clang alone) or nothing")
set_property(CACHE LUACCEL_SANITIZE PROPERTY STRINGS "" asan tsan fuzz)
set(level -O1)
if(LUACCEL_SANITIZE STREQUAL "asan")
	set(sanitizer -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(LUACCEL_SANITIZE STREQUAL "tsan")
	set(sanitizer -fsanitize=thread)
elseif(LUACCEL_SANITIZE STREQUAL "fuzz")
	option(LUACCEL_FUZZ_COMPARISONS "Let libFuzzer see what numbers code compares; a fifth slower" OFF)
	# Beside asan's: what libFuzzer steers by, and what coverage is counted with.
	set(sanitizer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined
		-fprofile-instr-generate -fcoverage-mapping)
	if(NOT LUACCEL_FUZZ_COMPARISONS)
		list(APPEND sanitizer -fno-sanitize-coverage=trace-cmp)
	endif()
	set(level -O2)
elseif(NOT LUACCEL_SANITIZE STREQUAL "")
	message(FATAL_ERROR
		"LUACCEL_SANITIZE is \"${LUACCEL_SANITIZE}\"; it can be asan, tsan, fuzz or empty")
endif()
if(LUACCEL_SANITIZE)
	add_compile_options(${sanitizer} -fno-omit-frame-pointer ${level})
	# The C++ runtime must be there before a plugin brings it, or the first exception aborts.
	add_link_options(${sanitizer})
	link_libraries(-Wl,--push-state,--no-as-needed -lstdc++ -Wl,--pop-state)
else()
	add_link_options(-Wl,-z,defs -Wl,--as-needed)
endif()

# What sanitizers are told, as the environment of every test. Suppressions are only for code that is not ours;
# why intercept_tls_get_addr is off: spec/support/idle_threads.c.
set(sanitizer_environment
	"ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:intercept_tls_get_addr=0"
	"UBSAN_OPTIONS=print_stacktrace=1"
	"LSAN_OPTIONS=report_objects=1:print_suppressions=0:suppressions=${CMAKE_SOURCE_DIR}/spec/support/lsan.supp"
	"TSAN_OPTIONS=second_deadlock_stack=1:history_size=4:suppressions=${CMAKE_SOURCE_DIR}/spec/support/tsan.supp")

# luaccel_plugin(NAME SOURCES...): build/lib/libvaccel-NAME.so, a link to libvaccel-NAME.so.0.8.0 as
# vAccel installs its plugins. A plugin sees the public headers alone (rpc also links the transport).
function(luaccel_plugin name)
	add_library(vaccel-${name} SHARED ${ARGN})
	target_link_libraries(vaccel-${name} PRIVATE vaccel)
	set_target_properties(vaccel-${name} PROPERTIES VERSION ${VACCEL_VERSION} SOVERSION 0)
	install(TARGETS vaccel-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# luaccel_unit_test(NAME SOURCES... LIBS...): a cmocka program, run by ctest under the label unit.
function(luaccel_unit_test name)
	cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
	add_executable(unit-${name} ${T_SOURCES})
	target_link_libraries(unit-${name} PRIVATE ${T_LIBS} cmocka)
	set_target_properties(unit-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/spec)
	add_test(NAME unit-${name} COMMAND unit-${name})
	set_tests_properties(unit-${name} PROPERTIES LABELS unit TIMEOUT 120
		ENVIRONMENT "${sanitizer_environment}"
		ENVIRONMENT_MODIFICATION "VACCEL_BOOTSTRAP_ENABLED=set:0")
endfunction()
