# CPack runs this when the packages are made: what each weighs, packed and installed.
cmake_minimum_required(VERSION 3.25)
foreach(package ${CPACK_PACKAGE_FILES})
	execute_process(
		COMMAND dpkg-deb --show "--showformat=\${Package};\${Installed-Size}" ${package}
		OUTPUT_VARIABLE fields COMMAND_ERROR_IS_FATAL ANY)
	list(POP_FRONT fields name installed)
	file(SIZE ${package} packed)
	math(EXPR packed "(${packed} + 1023) / 1024")
	message("${name}: ${packed} kB, installed ${installed} kB")
endforeach()
