# The policy engine's tests.
add_library(policy-support STATIC ${CMAKE_CURRENT_LIST_DIR}/policy_support.c)
target_link_libraries(policy-support PUBLIC luaccel-policy cmocka)
foreach(name asked backends balance cache concurrency first hooks hostile jit library load metrics patterns queue reference remember
	settings shared tags tally timers watchdog)
	luaccel_unit_test(policy_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/policy_${name}.c LIBS policy-support)
endforeach()
foreach(name first library)
	target_compile_definitions(unit-policy_${name} PRIVATE POLICY_SCRIPTS="${CMAKE_SOURCE_DIR}/scripts/policies")
endforeach()
target_compile_definitions(unit-policy_reference PRIVATE POLICY_REFERENCE="${CMAKE_SOURCE_DIR}/docs/policies/reference.md")
target_include_directories(unit-policy_tally PRIVATE ${CMAKE_SOURCE_DIR}/runtime/include)
