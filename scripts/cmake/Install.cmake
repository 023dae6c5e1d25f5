# Where `cmake --install` puts things, and the component (Debian package, see packaging/) that each
# belongs to: install() without COMPONENT means the one that its folder has set here as default.
# There are: library, agent, development, torch, guest.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME library)

# Under /usr and /usr/local Debian looks for libraries, .pc files and CMake packages in
# lib/x86_64-linux-gnu and the like. GNUInstallDirs follows that for /usr alone, but packages are
# made from a build whose prefix is the default /usr/local.
if(CMAKE_LIBRARY_ARCHITECTURE AND EXISTS /etc/debian_version
		AND CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
	set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Libraries")
endif()
include(GNUInstallDirs)
