# The Debian packages, one a component: `cmake --build build --target package`, or `cpack` in build/.
# They come to lie in build/packages. Version and revision are those of debian/changelog's first line.
file(STRINGS debian/changelog head LIMIT_COUNT 1)
if(NOT head MATCHES "^luaccel \\(${PROJECT_VERSION}-([0-9]+)\\)")
	message(FATAL_ERROR "packaging/debian/changelog begins with \"${head}\", but this is luaccel "
		"${PROJECT_VERSION}; add an entry for it")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CMAKE_MATCH_1})
set(CPACK_PACKAGE_VENDOR luaccel)
set(CPACK_PACKAGE_CONTACT "luaccel maintainers <maintainers@luaccel.invalid>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SOURCE luaccel)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_COMPONENTS_ALL)
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

# debian_package(COMPONENT PACKAGE SECTION SUMMARY DESCRIPTION [DEPENDS D] [SUGGESTS S] [CONTROL FILES...])
# What libraries its programs need is found when the package is made, see debian/prepare.cmake.
macro(debian_package component package section summary description)
	cmake_parse_arguments(P "" "DEPENDS;SUGGESTS" "CONTROL" ${ARGN})
	list(APPEND CPACK_COMPONENTS_ALL ${component})
	string(TOUPPER ${component} name)
	set(CPACK_DEBIAN_${name}_PACKAGE_NAME ${package})
	set(CPACK_DEBIAN_${name}_PACKAGE_SECTION ${section})
	set(CPACK_DEBIAN_${name}_DESCRIPTION "${summary}\n${description}")
	set(CPACK_DEBIAN_${name}_PACKAGE_DEPENDS "${P_DEPENDS}")
	set(CPACK_DEBIAN_${name}_PACKAGE_SUGGESTS "${P_SUGGESTS}")
	list(TRANSFORM P_CONTROL PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/debian/)
	set(CPACK_DEBIAN_${name}_PACKAGE_CONTROL_EXTRA "${P_CONTROL}")
endmacro()

configure_file(debian/shlibs.in shlibs @ONLY)
set(about "luaccel gives programs in virtual machines and containers the accelerators of
their host, by the interface and the protocol of vAccel 0.8.")

debian_package(library libvaccel0 libs
	"accelerators for virtual machines and containers - library"
	"${about}\n\nThis package has the library that programs are linked with, and the plugins
noop, exec, mbench, and rpc, which carries calls to an agent."
	CONTROL triggers)
list(APPEND CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/shlibs)

debian_package(agent vaccelrt-agent net
	"accelerators for virtual machines and containers - agent"
	"${about}\n\nThis package has the agent, which serves the calls of other machines and
processes on this machine's accelerators, as policies written in Lua decide."
	DEPENDS "libvaccel0 (= ${version})" SUGGESTS libvaccel-plugin-torch
	CONTROL agent/postinst agent/prerm agent/postrm)

debian_package(development libvaccel-dev libdevel
	"accelerators for virtual machines and containers - development files"
	"${about}\n\nThis package has headers, vaccel.pc and the CMake package for building programs
and plugins."
	DEPENDS "libvaccel0 (= ${version})")

debian_package(guest vaccel-guest net
	"accelerators for virtual machines and containers - for guests"
	"${about}\n\nThis package has all that a guest takes: by its dependency the library with
the plugin that reaches the agent, and programs to try it with, their images
and other inputs."
	DEPENDS "libvaccel0 (= ${version})" CONTROL triggers)

if(LUACCEL_TORCH)
	debian_package(torch libvaccel-plugin-torch libs
		"accelerators for virtual machines and containers - plugin torch"
		"${about}\n\nThis package has the plugin that runs TorchScript models by libtorch."
		DEPENDS "libvaccel0 (= ${version})" CONTROL triggers)
endif()

set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/prepare.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/sizes.cmake)
set(CPACK_LUACCEL_SOURCE ${CMAKE_SOURCE_DIR})
include(CPack)
