# Planted bugs: copies of single files of ours, in which one token is another. Each must be found
# by its fuzz target within a minute; the option LUACCEL_FUZZ_PLANTED leaves them out.
option(LUACCEL_FUZZ_PLANTED "Build each fuzz target a second time, with a bug planted" ON)

# plant_bug(OUT FILE FROM TO): ${OUT} becomes the path of a copy of FILE that has TO for FROM.
function(plant_bug out file from to)
	set(path ${CMAKE_SOURCE_DIR}/${file})
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
	file(READ ${path} text)
	string(FIND "${text}" "${from}" first)
	string(FIND "${text}" "${from}" last REVERSE)
	if(first LESS 0 OR NOT first EQUAL last)
		message(FATAL_ERROR "${file} has no line, or several, for the bug to plant: ${from}")
	endif()
	string(REPLACE "${from}" "${to}" text "${text}")
	get_filename_component(name ${file} NAME)
	set(copy ${CMAKE_CURRENT_BINARY_DIR}/planted/${name})
	file(GENERATE OUTPUT ${copy} CONTENT "${text}")
	set(${out} ${copy} PARENT_SCOPE)
endfunction()
