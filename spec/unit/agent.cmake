luaccel_unit_test(agent_strand SOURCES ${CMAKE_CURRENT_LIST_DIR}/agent_strand.c LIBS luaccel-agent)
luaccel_unit_test(agent_idmap SOURCES ${CMAKE_CURRENT_LIST_DIR}/agent_idmap.c LIBS luaccel-agent)
luaccel_unit_test(agent_pool SOURCES ${CMAKE_CURRENT_LIST_DIR}/agent_pool.c LIBS luaccel-agent)
luaccel_unit_test(agent_options SOURCES ${CMAKE_CURRENT_LIST_DIR}/agent_options.c LIBS luaccel-agent)
