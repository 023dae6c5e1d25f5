# The policy engine's tests.
add_library(policy-support STATIC ${CMAKE_CURRENT_LIST_DIR}/policy_support.c)
target_link_libraries(policy-support PUBLIC luaccel-policy cmocka)
foreach(name first hooks hostile load patterns)
	luaccel_unit_test(policy_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/policy_${name}.c LIBS policy-support)
endforeach()
target_compile_definitions(unit-policy_first PRIVATE POLICY_SCRIPTS="${CMAKE_SOURCE_DIR}/scripts/policies")
