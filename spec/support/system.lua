--- Small things that every spec needs of the system: clock, files, temporary directories.
local time = require "posix.time"
local stat = require "posix.sys.stat"
local dirent = require "posix.dirent"
local unistd = require "posix.unistd"
local stdlib = require "posix.stdlib"
local errno = require "posix.errno"
local ffi = require "ffi"

ffi.cdef [[
int getsockname(int fd, void *address, unsigned *size);
]]

local system = {}

--- Seconds of CLOCK_MONOTONIC, the clock of the driver's `at=`.
---@return number
function system.now()
  local t = time.clock_gettime(time.CLOCK_MONOTONIC)
  return t.tv_sec + t.tv_nsec / 1e9
end

---@param seconds number
function system.sleep(seconds)
  local whole = math.floor(seconds)
  time.nanosleep { tv_sec = whole, tv_nsec = math.floor((seconds - whole) * 1e9) }
end

--- Ask again every 10 ms until the answer is true or the time is over.
---@param seconds number
---@param ask fun(): any
---@return any last answer
function system.poll(seconds, ask)
  local deadline = system.now() + seconds
  local answer = ask()
  while not answer and system.now() < deadline do
    system.sleep(0.01)
    answer = ask()
  end
  return answer
end

--- The port of an IPv4 socket that is bound. lua-posix's getsockname() does not say how much room it
--- has for the answer, and so has none at times.
---@param fd integer
---@return integer
function system.port(fd)
  local address, size = ffi.new "uint8_t[16]", ffi.new("unsigned[1]", 16)
  assert(ffi.C.getsockname(fd, address, size) == 0, "no socket")
  return address[2] * 256 + address[3]
end

---@param path string
---@return string
function system.read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

---@param path string
---@param bytes string
---@return string path
function system.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

---@param path string
---@return boolean
function system.exists(path)
  return stat.lstat(path) ~= nil
end

--- Names in a directory, sorted; empty when it cannot be read.
---@param path string
---@return string[]
function system.list(path)
  local ok, names = pcall(dirent.dir, path)
  local found = {}
  if ok and names then
    for _, name in ipairs(names) do
      if name ~= "." and name ~= ".." then found[#found + 1] = name end
    end
  end
  table.sort(found)
  return found
end

--- Every path below a directory, without the directory itself.
---@param path string
---@return string[]
function system.tree(path)
  local found = {}
  local function walk(dir)
    for _, name in ipairs(system.list(dir)) do
      local child = dir .. "/" .. name
      found[#found + 1] = child
      local s = stat.lstat(child)
      if s and stat.S_ISDIR(s.st_mode) ~= 0 then walk(child) end
    end
  end
  walk(path)
  return found
end

---@param path string
function system.remove(path)
  local paths = system.tree(path)
  for i = #paths, 1, -1 do
    if not unistd.unlink(paths[i]) then unistd.rmdir(paths[i]) end
  end
  unistd.rmdir(path)
end

--- A new directory that everyone may enter; uid, when given, owns it.
---@param path string
---@param uid integer?
---@return string path
function system.mkdir(path, uid)
  local ok, why, code = stat.mkdir(path, 493) -- 0755
  if not ok and code ~= errno.EEXIST then error(path .. ": " .. why) end
  if uid then assert(unistd.chown(path, uid, uid)) end
  return path
end

---@return string path
function system.tempdir()
  local path = assert(stdlib.mkdtemp(((os.getenv "TMPDIR") or "/tmp") .. "/luaccel-spec-XXXXXX"))
  stat.chmod(path, 493) -- 0755: other users run programs there
  return path
end

return system
