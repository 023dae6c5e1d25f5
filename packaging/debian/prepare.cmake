# CPack runs this when all components are staged, before it makes packages of them. Adds what Debian
# wants of a package and no other system does, and finds out which libraries each component needs.
cmake_minimum_required(VERSION 3.25)
set(debian ${CPACK_LUACCEL_SOURCE}/packaging/debian)
set(stage ${CPACK_TOPLEVEL_DIRECTORY}/${CPACK_PACKAGE_FILE_NAME})

# Modules that are loaded when they are asked for, by an http or https URL, a program's own policy and
# --metrics: their libcurl, LuaJIT and libmicrohttpd are recommended, not needed.
set(optional libluaccel-url.so libvaccel-policy.so libluaccel-metrics.so)

function(run)
	execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(documents component package)
	set(doc ${stage}/${component}/usr/share/doc/${package})
	file(MAKE_DIRECTORY ${doc})
	configure_file(${debian}/copyright ${doc}/copyright COPYONLY)
	configure_file(${debian}/changelog ${doc}/changelog.Debian COPYONLY)
	configure_file(${CPACK_LUACCEL_SOURCE}/CHANGELOG.md ${doc}/changelog COPYONLY)
	file(GLOB manuals ${stage}/${component}/usr/share/man/*/*)
	configure_file(${debian}/lintian-overrides
		${stage}/${component}/usr/share/lintian/overrides/${package} COPYONLY)
	run(gzip -9n ${doc}/changelog.Debian ${doc}/changelog ${manuals})
endfunction()

# Sets CPACK_DEBIAN_COMPONENT_PACKAGE_DEPENDS and _RECOMMENDS, by dpkg-shlibdeps.
function(libraries component name)
	file(GLOB_RECURSE files ${stage}/${component}/usr/bin/* ${stage}/${component}/usr/lib/*.so*)
	set(needed)
	set(recommended)
	foreach(file ${files})
		get_filename_component(base ${file} NAME)
		if(IS_SYMLINK ${file})
			continue()
		elseif(base IN_LIST optional)
			list(APPEND recommended ${file})
		else()
			list(APPEND needed ${file})
		endif()
	endforeach()
	if(NOT needed)
		return()
	endif()
	# What dpkg-shlibdeps wants to see: a source folder to run in, and the mark of a package's folder.
	set(work ${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps)
	file(MAKE_DIRECTORY ${work}/debian ${stage}/${component}/DEBIAN)
	file(WRITE ${work}/debian/control "")
	file(GLOB_RECURSE own ${stage}/library/*/libvaccel.so.0)
	get_filename_component(own ${own} DIRECTORY)
	execute_process(
		# libvaccel.so.0 is in no installed package; who needs it depends on libvaccel0 already.
		COMMAND dpkg-shlibdeps --ignore-missing-info --warnings=0 -O -l${own}
			-dDepends ${needed} -dRecommends ${recommended}
		WORKING_DIRECTORY ${work}
		OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
	file(REMOVE_RECURSE ${stage}/${component}/DEBIAN)
	string(REGEX REPLACE "\n$" "" found "${found}")
	string(REPLACE "\n" ";" found "${found}")
	foreach(line ${found})
		if(line MATCHES "^shlibs:(Depends|Recommends)=(.+)$")
			string(TOUPPER CPACK_DEBIAN_${name}_PACKAGE_${CMAKE_MATCH_1} variable)
			set(value ${${variable}} ${CMAKE_MATCH_2})
			list(JOIN value ", " value)
			set(${variable} ${value} PARENT_SCOPE)
		endif()
	endforeach()
endfunction()

foreach(component ${CPACK_COMPONENTS_ALL})
	string(TOUPPER ${component} name)
	documents(${component} ${CPACK_DEBIAN_${name}_PACKAGE_NAME})
	libraries(${component} ${name})
endforeach()
