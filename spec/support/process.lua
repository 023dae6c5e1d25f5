--- Programs that specs start: with an environment of their own, their output line by line with the
--- time at which it came, a limit on everything that waits, and an end in any case.
---
--- A process that leaves a sanitizer's report makes process.cleanup() fail, unless the spec says
--- that it expects one.
local dirent = require "posix.dirent"
local fcntl = require "posix.fcntl"
local poll = require "posix.poll"
local signal = require "posix.signal"
local stdlib = require "posix.stdlib"
local syswait = require "posix.sys.wait"
local unistd = require "posix.unistd"
local ffi = require "ffi"
local system = require "support.system"

ffi.cdef "int prctl(int option, unsigned long arg2, ...);"
local PR_SET_PDEATHSIG = 1

signal.signal(signal.SIGPIPE, signal.SIG_IGN) -- a driver that died is an error, not our end

local REPORTS = {
  "ERROR: %a+Sanitizer", "WARNING: ThreadSanitizer", "FATAL: ThreadSanitizer", "runtime error: ",
  "Sanitizer:DEADLYSIGNAL", "Sanitizer CHECK failed",
}

---@class Line
---@field stream "out"|"err"
---@field text string
---@field at number when it came, see system.now()
---@field partial boolean? the stream ended within it

---@class Process
---@field name string
---@field pid integer
---@field lines Line[] all of its output so far, both streams in the order of arrival
---@field status { how: "exited"|"killed", code: integer }? once it has ended
local Process = {}
Process.__index = Process

local process = { Process = Process }
local all = {} ---@type Process[]

local function pipe()
  local read, write = unistd.pipe()
  for _, fd in ipairs { assert(read), write } do fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC) end
  return read, write
end

--- Only in a child that has just been forked.
local function become(argv, options, stdin, stdout, stderr)
  for name in pairs(stdlib.getenv()) do stdlib.setenv(name, nil) end
  for name, value in pairs(options.env) do stdlib.setenv(name, value) end
  signal.signal(signal.SIGPIPE, signal.SIG_DFL)
  ffi.C.prctl(PR_SET_PDEATHSIG, ffi.cast("unsigned long", signal.SIGKILL))
  unistd.dup2(stdin, 0)
  unistd.dup2(stdout, 1)
  unistd.dup2(stderr, 2)
  if options.cwd then assert(unistd.chdir(options.cwd)) end
  local arguments = { [0] = argv[1] }
  for i = 2, #argv do arguments[i - 1] = argv[i] end
  local _, why = unistd.execp(argv[1], arguments)
  io.stderr:write(argv[1], ": ", tostring(why), "\n")
  unistd._exit(127)
end

--- Start a program.
---@param argv string[] program (searched in PATH) and arguments
---@param options { name: string, env: table<string, string>, cwd: string?, reports: boolean?, uid: integer? }
---  env is the whole environment; reports: a sanitizer's report is expected; uid: run as that
---  user (and group) by setpriv
---@return Process
function process.spawn(argv, options)
  local stdin, stdin_write = pipe()
  local stdout_read, stdout = pipe()
  local stderr_read, stderr = pipe()
  if options.uid then
    local id = tostring(options.uid)
    local as = { "setpriv", "--reuid=" .. id, "--regid=" .. id, "--clear-groups", "--pdeathsig=KILL" }
    for _, word in ipairs(argv) do as[#as + 1] = word end
    argv = as
  end
  io.stdout:flush() -- or the child would write it again
  io.stderr:flush()
  local pid = assert(unistd.fork())
  if pid == 0 then
    pcall(become, argv, options, stdin, stdout, stderr)
    unistd._exit(126)
  end
  unistd.close(stdin)
  unistd.close(stdout)
  unistd.close(stderr)
  local self = setmetatable({
    name = options.name, pid = pid, lines = {}, stdin = stdin_write,
    streams = { [stdout_read] = { name = "out", rest = "" }, [stderr_read] = { name = "err", rest = "" } },
    reports_expected = options.reports,
  }, Process)
  all[#all + 1] = self
  return self
end

function Process:take(fd)
  local stream = self.streams[fd]
  local bytes = unistd.read(fd, 65536)
  local at = system.now()
  if not bytes or bytes == "" then
    if stream.rest ~= "" then
      self.lines[#self.lines + 1] = { stream = stream.name, text = stream.rest, at = at, partial = true }
    end
    unistd.close(fd)
    self.streams[fd] = nil
    return
  end
  local text = stream.rest .. bytes
  local from = 1
  while true do
    local stop = text:find("\n", from, true)
    if not stop then break end
    self.lines[#self.lines + 1] = { stream = stream.name, text = text:sub(from, stop - 1), at = at }
    from = stop + 1
  end
  stream.rest = text:sub(from)
end

function Process:reap()
  if self.status then return end
  local pid, how, code = syswait.wait(self.pid, syswait.WNOHANG)
  if pid == self.pid and how ~= "running" then self.status = { how = how, code = code } end
end

--- Take in what all processes have written; wait at most so long for something to come.
---@param seconds number
function process.pump(seconds)
  local fds, owners = {}, {}
  for _, p in ipairs(all) do
    for fd in pairs(p.streams) do
      fds[fd] = { events = { IN = true } }
      owners[fd] = p
    end
  end
  if next(fds) == nil then
    system.sleep(math.min(seconds, 0.005))
  else
    poll.poll(fds, math.max(0, math.ceil(seconds * 1000)))
    for fd, state in pairs(fds) do
      local got = state.revents
      if got and (got.IN or got.HUP or got.ERR) then owners[fd]:take(fd) end
    end
  end
  for _, p in ipairs(all) do p:reap() end
end

--- Wait until `ask` answers, taking in output meanwhile.
---@param seconds number
---@param ask fun(): any
---@return any answer nil or false when the time is over
function process.wait_until(seconds, ask)
  local deadline = system.now() + seconds
  while true do
    local answer = ask()
    local left = deadline - system.now()
    if answer or left <= 0 then return answer end
    process.pump(math.min(left, 0.02))
  end
end

--- What it wrote, as one string.
---@param stream "out"|"err"|nil both without it
---@return string
function Process:text(stream)
  local texts = {}
  for _, line in ipairs(self.lines) do
    if not stream or line.stream == stream then texts[#texts + 1] = line.text .. "\n" end
  end
  return table.concat(texts)
end

--- Lines that match a Lua pattern.
---@param pattern string
---@param from integer? the first line to look at
---@return Line[]
function Process:matching(pattern, from)
  local found = {}
  for i = from or 1, #self.lines do
    if self.lines[i].text:find(pattern) then found[#found + 1] = self.lines[i] end
  end
  return found
end

--- The first line that matches, waiting for it; an error with all output when it does not come.
---@param pattern string
---@param seconds number
---@param from integer? the first line to look at
---@return Line line
---@return string ... captures
function Process:expect(pattern, seconds, from)
  local line = process.wait_until(seconds, function ()
    local found = self:matching(pattern, from)[1]
    return found or (self.status and next(self.streams) == nil and "ended")
  end)
  if type(line) ~= "table" then
    error(("%s %s without a line like `%s` in %g s; it said:\n%s"):format(self.name,
      self.status and ("ended (%s %d)"):format(self.status.how, self.status.code) or "runs",
      pattern, seconds, self:text()), 2)
  end
  return line, line.text:match(pattern)
end

--- Write a line to its stdin.
---@param text string
function Process:send(text)
  assert(self.stdin, self.name .. ": stdin is closed")
  local ok, why = unistd.write(self.stdin, text .. "\n")
  if not ok then error(("%s does not take input (%s); it said:\n%s"):format(self.name, why, self:text()), 2) end
end

function Process:close_stdin()
  if self.stdin then unistd.close(self.stdin) end
  self.stdin = nil
end

---@param number integer
function Process:kill(number)
  if not self.status then signal.kill(self.pid, number) end
end

local function thread_states(pid)
  local states = {}
  for tid in dirent.files(("/proc/%d/task"):format(pid)) do
    local file = tid:match "^%d+$" and io.open(("/proc/%d/task/%s/stat"):format(pid, tid))
    if file then
      states[#states + 1] = file:read "*a":match "%) (%u)"
      file:close()
    end
  end
  return table.concat(states)
end

--- Stop it, every thread: one alone takes the signal, and the others run on until it has.
---@param seconds number
function Process:freeze(seconds)
  self:kill(signal.SIGSTOP)
  assert(process.wait_until(seconds, function ()
    return thread_states(self.pid):match "^T+$"
  end), "the process does not stop")
end

--- Wait for its end; an error when the time is over.
---@param seconds number
---@return { how: "exited"|"killed", code: integer } status
function Process:wait(seconds)
  local ended = process.wait_until(seconds, function () return self.status end)
  if not ended then
    error(("%s does not end in %g s; it said:\n%s"):format(self.name, seconds, self:text()), 2)
  end
  process.wait_until(1, function () return next(self.streams) == nil end)
  return self.status
end

--- The sanitizer's report in its output, if there is one.
---@return string?
function Process:report()
  for _, pattern in ipairs(REPORTS) do
    if #self:matching(pattern) > 0 then return self:text() end
  end
end

--- End what still runs and forget all; an error with the reports of sanitizers that nobody expected.
function process.cleanup()
  for _, p in ipairs(all) do
    p:close_stdin()
    p:kill(signal.SIGKILL)
  end
  local reports = {}
  for _, p in ipairs(all) do
    pcall(p.wait, p, 10)
    for fd in pairs(p.streams) do unistd.close(fd) end
    p.streams = {}
    local report = p:report()
    if report and not p.reports_expected then reports[#reports + 1] = p.name .. ":\n" .. report end
  end
  all = {}
  if #reports > 0 then error("a sanitizer reported\n" .. table.concat(reports, "\n"), 0) end
end

return process
