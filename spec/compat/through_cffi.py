"""Our headers as vaccel-python reads them: as text.

usage: through_cffi.py INCLUDE LIBDIR FUNCTIONS, in a directory to build in

Its build preprocesses vaccel.h, drops what cffi's parser does not know by looking for a few
words, and makes an extension of the rest; what it drops, and how, is in transform(). Here the
extension is built, loaded and used, and has to have every function of the table.
"""

import re
import subprocess
import sys

import cffi

DEPRECATED = re.compile(r'__attribute__\s*\(\(deprecated(?:\("[^"]*"\))?\)\)\s*')
INCOMPLETE = re.compile(r"\b(?:_Atomic|atomic_\w+|pthread_mutex_t)\b")
EXTERN = re.compile(r"\bextern\b")
INLINE = re.compile(r"\bstatic\s+inline\b")
LINE_MARK = re.compile(r'# \d+ "([^"]*)"')


def without_inlines(text):
    """The text without functions that have a body in it."""
    kept = []
    while found := INLINE.search(text):
        kept.append(text[: found.start()])
        end = text.index("{", found.end()) + 1
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        text = text[end:].lstrip(";")
    return "".join(kept) + text


def transform(preprocessed, word):
    """What is left for cffi of a preprocessed file, from files with this word in their path."""
    declarations = []
    ours = True
    for line in without_inlines(DEPRECATED.sub("", preprocessed)).splitlines():
        mark = LINE_MARK.match(line)
        if mark:
            ours = word in mark[1]
        elif line.startswith("#") or not ours or EXTERN.search(line):
            continue
        elif INCOMPLETE.search(line):
            declarations.append("...;")
        else:
            declarations.append(line)
    return "\n".join(declarations)


def preprocess(include, header, *flags):
    command = ["cc", "-I", include, *flags, "-E", "-"]
    return subprocess.run(
        command, input=f'#include "{header}"', text=True, check=True, stdout=subprocess.PIPE
    ).stdout


def build(include, libdir):
    builder = cffi.FFI()
    builder.set_source(
        "bound",
        '#include "vaccel.h"\n#include "luaccel.h"',
        libraries=["vaccel"],
        include_dirs=[include],
        library_dirs=[libdir],
        extra_compile_args=["-Wno-deprecated-declarations"],  # the whole interface is bound
    )
    builder.cdef(transform(preprocess(include, "vaccel.h"), "vaccel"))
    builder.cdef(transform(preprocess(include, "luaccel.h", "-DLUACCEL_PRINTF(f,a)="), "luaccel.h"))
    builder.compile()


def functions_of(table):
    with open(table, encoding="ascii") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    types = [pair.split("/")[0] for pair in rows.pop()[1].split(", ")]
    for header, name, *_ in rows[1:]:
        if header.startswith("vaccel/"):  # slog.h is on no path with "vaccel" in it
            yield from [name.replace("NAME", kind) for kind in types] if "NAME" in name else [name]


def main():
    include, libdir, table = sys.argv[1:]
    build(include, libdir)
    sys.path.insert(0, ".")
    from bound import ffi, lib

    names = list(functions_of(table))
    missing = [name for name in names if not hasattr(lib, name)]
    assert not missing, missing
    assert ffi.sizeof("struct vaccel_session") == 4264 and ffi.sizeof("struct vaccel_resource") == 152
    assert ffi.offsetof("struct vaccel_session", "plugin") == 4248
    assert lib.VACCEL_ENOTSUP == 95 and lib.VACCEL_OP_OPENCV == 23

    session = ffi.new("struct vaccel_session **")
    assert lib.vaccel_session_new(session, 0) == lib.VACCEL_OK
    assert session[0].id > 0
    assert lib.vaccel_noop(session[0]) == lib.VACCEL_OK
    assert lib.vaccel_session_delete(session[0]) == lib.VACCEL_OK

    reason = ffi.new("char[]", 200)
    assert lib.vaccel_resource_new(ffi.new("struct vaccel_resource **"), b"/none", 0) != lib.VACCEL_OK
    assert b"/none" in ffi.string(reason, lib.luaccel_last_error(reason, 200))
    print(f"cffi: {len(names)} functions")


main()
