# A text file as a C array: cmake -DIN=file.lua -DOUT=file.c -DNAME=symbol -P embed.cmake
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "const unsigned char ${NAME}[] = {\n${bytes}\n};\nconst unsigned ${NAME}_size = ${size};\n")
