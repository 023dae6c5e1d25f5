--- What goes wrong around a resource and what comes of it: faults_spec.lua runs every row. After
--- each the same thing works, a session that was there before works, and no descriptor, file or
--- block of the heap is left.
---
--- `rows`: title, scenario of fault_driver (support/fault_scenarios.c), its further arguments, and
---   code     what the scenario's first failing call returns; 0 for a fault that must not matter
---   says     Lua pattern in luaccel_last_error()
---   rundir   the run directory lies on a tmpfs of such a { size, inodes }, in a mount namespace
---   without  file that is missing beside libvaccel.so, or that is no library
---   again    code of the run after it, where the fault stays
---
--- `sweeps`: scenario, what of fault_driver's sweeps to do, the codes that may come and the number
--- of calls that at least are there to fail.

local EINVAL, ENOMEM, EIO, ENOENT, EACCES = 22, 12, 5, 2, 13
local ENOSPC, EROFS, EMFILE, ENOTSUP, EREMOTEIO = 28, 30, 24, 95, 121

local LARGE, FEW = { "1m", 1000 }, { "1m", 60 }

---@class FaultRow
---@field [1] string title
---@field [2] string scenario
---@field [3] string? arguments
---@field code integer
---@field says string?
---@field rundir { [1]: string, [2]: integer }?
---@field without { missing: string? , broken: string? }?
---@field again integer?

---@type FaultRow[]
local rows = {
  -- the run directory
  { "run directory full: bytes that go to a file", "bytes", "mishap=rundir-is-full",
    code = EIO, says = "Could not persist file .*: No space left on device", rundir = LARGE },
  { "run directory full: blobs that go to files", "blobs", "mishap=rundir-is-full",
    code = EIO, says = "No space left on device", rundir = LARGE },
  { "run directory full: a download", "url", "mishap=rundir-is-full",
    code = EIO,
    says = "^Could not download file from http.*/good/m.bin: writing it failed: No space left", rundir = LARGE },
  { "run directory full: the third download", "urls", "mishap=rundir-is-full",
    code = EIO, says = "No space left", rundir = LARGE },
  { "run directory full: memory needs none of it", "memory", "mishap=rundir-is-full", code = 0, rundir = LARGE },
  { "run directory full: nor does a file", "file", "mishap=rundir-is-full", code = 0, rundir = LARGE },
  { "run directory full to its last name: a session", "session", "mishap=rundir-has-no-inodes",
    code = ENOSPC, says = "Could not create rundir for session", rundir = FEW },
  { "run directory full to its last name: a resource", "bytes", "mishap=rundir-has-no-inodes",
    code = ENOSPC, says = "Could not create rundir for resource", rundir = FEW },
  { "run directory read-only: a session", "session", "mishap=rundir-is-read-only",
    code = EROFS, says = "Could not create rundir for session %d+: Read%-only file system", rundir = LARGE },
  { "run directory read-only: a resource", "bytes", "mishap=rundir-is-read-only",
    code = EROFS, says = "Could not create rundir for resource %d+: Read%-only file system", rundir = LARGE },
  { "run directory read-only between creation and use", "memory", "mishap=created:rundir-is-read-only",
    code = EROFS, says = "Could not create rundir for session", rundir = LARGE },
  { "run directory gone: a session", "session", "mishap=rundir-goes",
    code = ENOENT, says = "Could not create rundir for session" },
  { "run directory gone: a resource", "bytes", "mishap=rundir-goes",
    code = ENOENT, says = "Could not create rundir for resource" },
  { "run directory gone between creation and use", "memory", "mishap=created:rundir-goes",
    code = ENOENT, says = "Could not create rundir for session" },

  -- files that change or vanish
  { "file gone before it is registered", "file", "mishap=created:file-goes", code = EINVAL,
    says = "^Invalid file .*/file$" },
  { "file gone before it is registered, remote session", "remote-file", "mishap=created:file-goes",
    code = EINVAL, says = "^Invalid file .*/file$" },
  { "file a directory by now", "file", "mishap=created:file-becomes-directory", code = EINVAL,
    says = "^Invalid file" },
  { "file empty by now: the plugin's to judge", "file", "mishap=created:file-is-emptied", code = 0 },
  { "file empty by now, remote session", "remote-file", "mishap=created:file-is-emptied",
    code = EINVAL, says = "^File .*/file is empty" },
  { "directory gone before it is registered", "directory", "mishap=created:directory-goes",
    code = ENOENT, says = "^Could not open directory .*/sub: No such file" },
  { "directory empty by now", "directory", "mishap=created:directory-is-emptied",
    code = EINVAL, says = "^Directory .*/sub has no files" },
  { "file gone after it was registered: the plugin's to judge", "file", "mishap=registered:file-goes", code = 0 },
  { "file gone after it was mapped: its bytes are there", "remote-file", "mishap=registered:file-goes", code = 0 },
  { "file replaced after it was mapped: the old bytes", "remote-file", "mishap=registered:file-is-replaced",
    code = 0 },
  { "file longer after it was mapped: the old length", "remote-file", "mishap=registered:file-is-lengthened",
    code = 0 },
  { "file shorter after it was mapped, no SIGBUS", "remote-file", "mishap=registered:file-is-shortened",
    code = EIO, says = "^File .*/file became shorter after it was mapped; create the resource anew" },
  { "file empty after it was mapped, no SIGBUS", "remote-file", "mishap=registered:file-is-emptied",
    code = EIO, says = "became shorter" },

  -- URLs
  { "URL that nobody answers in time", "url", "how=silent", code = EREMOTEIO,
    says = "/silent/m.bin: Operation too slow" },
  { "URL whose transfer stops", "url", "how=stalls", code = EREMOTEIO, says = "/stalls/m.bin: Operation too slow" },
  { "URL that trickles", "url", "how=trickles", code = EREMOTEIO, says = "Operation too slow" },
  { "URL that breaks off", "url", "how=breaks-off", code = EREMOTEIO,
    says = "/breaks%-off/m.bin: .*99000 bytes remaining" },
  { "URL that breaks off, with a reset", "url", "how=reset", code = EREMOTEIO, says = "reset by peer" },
  { "URL that breaks off, in chunks", "url", "how=broken-chunks", code = EREMOTEIO,
    says = "transfer closed with outstanding" },
  { "URL that breaks off, third of three", "urls", "how=breaks-off", code = EREMOTEIO, says = "/breaks%-off/m.bin: " },
  { "URL that answers nothing", "url", "how=closes", code = EREMOTEIO, says = "Empty reply" },
  { "URL that answers something else than HTTP", "url", "how=garbage", code = EREMOTEIO, says = "HTTP/0.9" },
  { "URL that there is not", "url", "how=missing", code = EREMOTEIO, says = "404" },
  { "URL with chunks of no size", "url", "how=bad-chunks", code = EREMOTEIO, says = "chunked%-encoding" },
  { "URL that announces more than comes", "url", "how=breaks-off", code = EREMOTEIO, says = "bytes remaining" },
  { "URL that announces less than comes: so much is its length", "url", "how=overflows", code = 0 },
  { "URL that announces an exabyte", "url", "how=huge", code = EREMOTEIO,
    says = "larger than 1048576 bytes, which LUACCEL_URL_MAX_BYTES" },
  { "URL that announces what is no number", "url", "how=no-number", code = EREMOTEIO, says = "larger than" },
  { "URL that announces less than nothing", "url", "how=negative", code = EREMOTEIO,
    says = "Invalid Content%-Length" },
  { "URL that never ends", "url", "how=endless", code = EREMOTEIO,
    says = "larger than 1048576 bytes, which LUACCEL_URL_MAX_BYTES" },
  { "URL that never ends, in chunks", "url", "how=endless-chunks", code = EREMOTEIO, says = "larger than" },
  { "URL that never ends its headers", "url", "how=endless-headers", code = EREMOTEIO,
    says = "headers are longer than" },
  { "URL that never comes to its answer", "url", "how=endless-continue", code = EREMOTEIO,
    says = "headers are longer than" },
  { "URL that redirects in a circle", "url", "how=circle", code = EREMOTEIO, says = "5%) redirects" },
  { "URL that redirects to a file of ours", "url", "how=to-file", code = EREMOTEIO, says = 'Protocol "file"' },
  { "URL that redirects to ftp", "url", "how=to-ftp", code = EREMOTEIO, says = 'Protocol "ftp"' },
  { "URL that breaks off, for a leg of an agent's", "leg-url", "how=breaks-off",
    code = EREMOTEIO, says = "bytes remaining" },
  { "URL of an empty file", "url", "how=empty", code = 0 },
  { "URL that libcurl does not understand", "bad-url", "always=1", code = EINVAL, again = EINVAL,
    says = "^Invalid path http://a b/m" },
  { "URL without the module", "url", "always=1", code = ENOTSUP, again = ENOTSUP,
    without = { missing = "libluaccel-url.so" },
    says = "libluaccel%-url.so or libcurl is missing .*; install them" },
  { "URL without the module is not checked", "bad-url", "always=1", code = ENOTSUP, again = ENOTSUP,
    without = { missing = "libluaccel-url.so" }, says = "libluaccel%-url.so or libcurl is missing" },
  { "URL without libcurl", "url", "always=1", code = ENOTSUP, again = ENOTSUP,
    without = { broken = "libcurl.so.4" }, says = "libcurl is missing .*libcurl.so.4" },

  -- calls that fail
  { "mkdir fails for a session", "session", "call=mkdir:1:13", code = EACCES, says = "Permission denied" },
  { "mkdir fails for a resource of bytes", "bytes", "call=mkdir:1:28", code = ENOSPC,
    says = "Could not create rundir for resource" },
  { "mkdir fails when a file is registered", "file", "call=mkdir:2:28", code = ENOSPC,
    says = "Could not create rundir for resource" },
  { "open fails for bytes", "bytes", "call=open:1:24", code = EMFILE, says = "Could not create file bytes in " },
  { "open fails for a mapping", "remote-file", "call=open:1:24", code = EMFILE,
    says = "Could not open file .*/file: Too many open files" },
  { "open fails for a download", "url", "call=open:1:28", code = ENOSPC, says = "Could not create file m.bin in " },
  { "opendir fails", "directory", "call=opendir:1:13", code = EACCES, says = "Could not open directory" },
  { "write fails for bytes", "bytes", "call=write:1:5", code = EIO, says = "Could not persist file" },
  { "write fails in the middle of a download", "url", "call=write:4:5", code = EIO, says = "writing it failed" },
  { "write is short, for bytes", "bytes", "call=write:1:0", code = 0 },
  { "write is short, in a download", "url", "call=write:2:0", code = 0 },
  { "write is interrupted", "bytes", "call=write:1:4", code = 0 },
  { "mmap fails for bytes", "bytes", "call=mmap:1:12", code = ENOMEM, says = "Could not map file" },
  { "mmap fails for a file", "remote-file", "call=mmap:1:12", code = ENOMEM, says = "Could not map file" },
  { "mkdtemp fails: the next place will do", "bootstrap", "call=mkdtemp:1:30", code = 0 },
}

---@type { [1]: string, [2]: string, codes: integer[], least: integer, how: string? }[]
local sweeps = {
  { "session", "malloc:12", codes = { ENOMEM }, least = 2 },
  { "session", "mkdir:28", codes = { ENOSPC }, least = 1 },
  { "file", "malloc:12", codes = { ENOMEM }, least = 10 },
  { "file", "mkdir:28", codes = { ENOSPC }, least = 3 },
  { "files", "malloc:12", codes = { ENOMEM }, least = 15 },
  { "remote-file", "malloc:12", codes = { ENOMEM }, least = 10 },
  { "remote-file", "open:24", codes = { EMFILE }, least = 1 },
  { "directory", "malloc:12", codes = { ENOMEM }, least = 10 },
  -- asprintf() keeps a larger block when it cannot make it smaller: 0.
  { "bytes", "malloc:12", codes = { 0, ENOMEM }, least = 10 },
  { "bytes", "mkdir:28", codes = { ENOSPC }, least = 3 },
  { "bytes", "open:24", codes = { EMFILE }, least = 2 },
  { "memory", "malloc:12", codes = { ENOMEM }, least = 10 },
  { "blobs", "malloc:12", codes = { 0, ENOMEM }, least = 20 },
  { "blobs", "open:24", codes = { EMFILE }, least = 3 },
  { "blobs", "mmap:12", codes = { ENOMEM }, least = 2 },
  { "leg", "malloc:12", codes = { ENOMEM }, least = 10 },
  { "leg-url", "malloc:12", codes = { 0, ENOMEM, EREMOTEIO }, least = 50 },
  { "leg-url", "mkdir:28", codes = { ENOSPC }, least = 2 },
  { "url", "mkdir:28", codes = { ENOSPC }, least = 3 },
  { "url", "write:28", codes = { EIO }, least = 5 },
  { "urls", "open:24", codes = { EMFILE }, least = 3 },
  -- libcurl does without some of what it does not get, or takes the server to be at fault.
  { "urls", "malloc:12", codes = { 0, ENOMEM, EREMOTEIO }, least = 100 },
  { "urls", "malloc:12", how = "breaks-off", codes = { ENOMEM, EREMOTEIO }, least = 100 },
  -- The run directory has more than one place; a plugin that cannot be loaded is not there.
  { "bootstrap", "mkdir:28", codes = { 0, ENOSPC }, least = 3 },
  { "bootstrap", "malloc:12", codes = { 0, ENOENT, ENOMEM }, least = 10 },
}

return { rows = rows, sweeps = sweeps }
