--- What specs stand on: an agent, drivers (the C API as a program) and other programs of this
--- build, each spec in a directory of its own.
---
---     local harness = require "support.harness"
---     describe("...", function ()
---       before_each(harness.begin)
---       after_each(harness.finish)
---       it("...", function ()
---         local agent = harness.agent { plugins = "witness", policy = [[...]] }
---         local driver = harness.driver { address = agent.address }
---         driver:must "session a 0"
---       end)
---     end)
---
--- ctest says which build by LUACCEL_BUILD and LUACCEL_SANITIZE.
local fcntl = require "posix.fcntl"
local signal = require "posix.signal"
local unistd = require "posix.unistd"
local process = require "support.process"
local system = require "support.system"

local harness = {}

---@type string
harness.build = os.getenv "LUACCEL_BUILD" or "build"
if harness.build:sub(1, 1) ~= "/" then harness.build = unistd.getcwd() .. "/" .. harness.build end
harness.source = unistd.getcwd()
harness.sanitize = os.getenv "LUACCEL_SANITIZE" or ""
--- The digits, and the model that knows them.
---@type string
harness.data = harness.source .. "/examples/data"
--- How much slower a program may be than what contract.md says, under this build. Times in specs
--- are ten times the figure, times this.
harness.slow = ({ asan = 3, tsan = 10 })[harness.sanitize] or 1

--- LUACCEL_SPEC_LOOPS=3: agents of specs have so many loops, unless a spec says otherwise.
---@type string?
harness.loops = os.getenv "LUACCEL_SPEC_LOOPS"

--- For an agent's env: its debug log, which names its run directory.
harness.VERBOSE = "4"

local PASSED_ON = { "PATH", "HOME", "LANG", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" }
local PATIENCE = 30 * harness.slow -- seconds for what has no limit of its own

--- Programs that root runs as other users must be theirs to read, which those of a clone under a
--- private home are not. Then everything runs from a public copy, which goes with this process.
local function use_public_copy()
  local as_other = "setpriv --reuid=65534 --regid=65534 --clear-groups "
  if unistd.geteuid() ~= 0 or os.execute(as_other .. "true 2>/dev/null") ~= 0
    or os.execute(as_other .. "test -r " .. harness.build .. "/bin/classify") == 0 then
    return
  end
  local copy = system.tempdir()
  local programs = "$(find spec -maxdepth 1 -type f -perm -u+x ! -name 'unit-*')"
  local made = os.execute(("cd %s && mkdir %s/build && cp -r --parents bin share lib/*.so* %s %s/build")
    :format(harness.build, copy, programs, copy)) + os.execute(("cp -r %s %s"):format(harness.data, copy))
  assert(made == 0, "no public copy of the programs could be made")
  harness.build, harness.data = copy .. "/build", copy .. "/data"
  harness.copy = newproxy(true)
  getmetatable(harness.copy).__gc = function () system.remove(copy) end
end
use_public_copy()

--- The directory of the spec that runs, made by harness.begin().
---@type string
harness.dir = nil
local started = 0

local agents = {} ---@type Agent[]
local ports = {} ---@type integer[] sockets that keep the ports of free_tcp() from everybody else

function harness.begin()
  harness.dir = system.tempdir()
  started = 0
end

--- Agents that a spec left running end as operators end them: so do leak checks come to their word.
local function stop_agents()
  local left = agents
  agents = {}
  for _, agent in ipairs(left) do
    agent:reap()
    if not agent.status then agent:stop() end
  end
end

function harness.finish()
  local stopped, why = pcall(stop_agents)
  local clean, reports = pcall(process.cleanup)
  system.remove(harness.dir)
  harness.dir = nil
  for _, fd in ipairs(ports) do unistd.close(fd) end
  ports = {}
  if not clean then error(reports, 0) end
  if not stopped then error(why, 0) end
end

local function has_program(name)
  for folder in os.getenv("PATH"):gmatch "[^:]+" do
    if system.exists(folder .. "/" .. name) then return true end
  end
  return false
end

--- What a spec may need from outside, and what to say when it is not there.
local NEEDS = {
  users = function ()
    if unistd.geteuid() ~= 0 then return "other users need root" end
    return not has_program "setpriv" and "other users need setpriv (util-linux)"
  end,
  mounts = function ()
    if unistd.geteuid() ~= 0 then return "mounts need root" end
    return os.execute "unshare -m mount -t tmpfs tmpfs /mnt 2>/dev/null" ~= 0
      and "nothing can be mounted here, even by root"
  end,
  torch = function ()
    return not system.exists(harness.build .. "/lib/libvaccel-torch.so") and "the torch plugin is not built"
  end,
  python = function ()
    return os.execute "/usr/bin/python3 -c 'import torch, PIL' 2>/dev/null" ~= 0
      and "the reference needs python3-torch and python3-pil"
  end,
  cffi = function ()
    return os.execute "/usr/bin/python3 -c 'import cffi, distutils' 2>/dev/null" ~= 0
      and "cffi's reading needs python3-cffi and python3-dev"
  end,
  clang = function () return not has_program "clang" and "the second compiler is clang" end,
  bindgen = function ()
    return not system.exists "/usr/bin/bindgen" and "bindgen's reading needs bindgen and libclang"
  end,
  go = function () return not system.exists "/usr/bin/go" and "cgo's reading needs golang-go" end,
}

--- Why a spec cannot run here; says so on the terminal too. To be used as
--- `local why = harness.lacks "torch" if why then return pending(why) end`.
---@param needs string names in NEEDS, "users mounts"
---@return string? why nil when all is there
function harness.lacks(needs)
  for need in needs:gmatch "%S+" do
    local why = NEEDS[need]()
    if why then
      print("SKIP " .. why)
      return why
    end
  end
end

---@param name string
---@return string path of a program of this build
function harness.bin(name)
  local path = harness.build .. "/bin/" .. name
  return system.exists(path) and path or harness.build .. "/spec/" .. name
end

--- A file in the spec's directory.
---@param name string
---@param bytes string
---@return string path
function harness.file(name, bytes)
  return system.write(harness.dir .. "/" .. name, bytes)
end

--- The whole environment of a program: nothing of ours but what it needs.
---@param extra table<string, string>?
---@param uid integer? who will own the run directory
---@return table<string, string>
function harness.env(extra, uid)
  started = started + 1
  local env = {
    LD_LIBRARY_PATH = harness.build .. "/lib:" .. harness.build .. "/spec",
    XDG_RUNTIME_DIR = system.mkdir(("%s/run-%d"):format(harness.dir, started), uid),
    TMPDIR = harness.dir,
    OMP_WAIT_POLICY = "passive",
  }
  for _, name in ipairs(PASSED_ON) do env[name] = os.getenv(name) end
  for name, value in pairs(extra or {}) do env[name] = value end
  return env
end

--- The file names of plugins as VACCEL_PLUGINS wants them.
---@param names string? "noop witness"
---@return string?
function harness.plugins(names)
  return names and names:gsub("%S+", "libvaccel-%0.so"):gsub(" ", ":")
end

--- Run a program to its end.
---@param argv string[] program of this build (or of the system) and arguments
---@param options { env: table<string, string>?, uid: integer?, seconds: number?, name: string? }?
---@return Process ended
function harness.run(argv, options)
  options = options or {}
  local p = process.spawn(argv, {
    name = options.name or argv[1]:match "[^/]*$", env = harness.env(options.env, options.uid),
    uid = options.uid, cwd = harness.dir,
  })
  p:close_stdin()
  p:wait(options.seconds or PATIENCE)
  return p
end

---@class Agent: Process
---@field address string the first one
---@field addresses string[]
local Agent = setmetatable({}, { __index = process.Process })
Agent.__index = Agent

local function entries(path)
  local names = system.list(path)
  return #names
end

--- Descriptors that are open.
---@return integer
function Agent:fds() return entries(("/proc/%d/fd"):format(self.pid)) end

---@return integer
function Agent:threads() return entries(("/proc/%d/task"):format(self.pid)) end

--- Its run directory, which only its debug log names: for agents that were started with VERBOSE.
---@return string path
function Agent:rundir()
  local _, path = self:expect("Created top%-level rundir: (.*)$", PATIENCE)
  return path
end

--- Paths in its run directory: one for each session and resource. VERBOSE agents only.
---@return string[]
function Agent:rundirs() return system.tree(self:rundir()) end

--- Tell it to stop and wait for its end. Status 0 is asked for.
---@param number integer? the signal; SIGTERM without it
function Agent:stop(number)
  self:kill(number or signal.SIGTERM)
  local status = self:wait(PATIENCE)
  if status.how ~= "exited" or status.code ~= 0 then
    error(("the agent %s %d; it said:\n%s"):format(status.how, status.code, self:text()), 2)
  end
end

--- A log line that matches, from now on or from line `from`.
---@param pattern string
---@param from integer?
---@return Line, string ...
function Agent:says(pattern, from) return self:expect(pattern, PATIENCE, from) end

---@class AgentOptions
---@field plugins string? "witness noop": VACCEL_PLUGINS
---@field policy string? text of a script
---@field scripts string[]? scripts on disk
---@field addresses string[]? unix:///…/agent.sock without it
---@field args string[]? further arguments
---@field env table<string, string>?
---@field uid integer?
---@field within string[]? words before its own, as of harness.on_tmpfs()

--- Words before a program's, for a mount namespace in which its run directory is on a file system of
--- so many bytes and names. Needs "mounts".
---@param size string "1m"
---@param names integer
---@return string[]
function harness.on_tmpfs(size, names)
  local script = [[mkdir -p "$0" && mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"]]
  return { "unshare", "-m", "sh", "-c", script, "/run/user/" .. unistd.getuid(),
    ("size=%s,nr_inodes=%d"):format(size, names) }
end

local function agent_process(options)
  local argv = { unpack(options.within or {}) }
  local function add(...) for _, word in ipairs { ... } do argv[#argv + 1] = word end end
  add(harness.bin "vaccelrt-agent")
  if harness.loops then add("--loops", harness.loops) end
  for _, address in ipairs(options.addresses) do add("-a", address) end
  if options.policy then add("--script", harness.file("policy.lua", options.policy)) end
  for _, script in ipairs(options.scripts or {}) do add("--script", script) end
  add(unpack(options.args or {}))
  local env = harness.env(options.env, options.uid)
  env.VACCEL_PLUGINS = env.VACCEL_PLUGINS or harness.plugins(options.plugins)
  local p = process.spawn(argv, { name = "agent", env = env, uid = options.uid, cwd = harness.dir })
  p:close_stdin()
  return p
end

--- Start an agent and wait until it serves.
---@param options AgentOptions
---@return Agent
function harness.agent(options)
  options.addresses = options.addresses or { "unix://" .. harness.dir .. "/agent.sock" }
  local agent = setmetatable(agent_process(options), Agent)
  agent.addresses = options.addresses
  agent.address = options.addresses[1]
  agents[#agents + 1] = agent
  agent:expect("^.*Server is running, press Ctrl %+ C to exit", PATIENCE)
  return agent
end

--- Start an agent that is not to get as far as serving; it has ended when this returns.
---@param options AgentOptions
---@return Process
function harness.agent_that_fails(options)
  options.addresses = options.addresses or { "unix://" .. harness.dir .. "/agent.sock" }
  local p = agent_process(options)
  p:wait(PATIENCE)
  return p
end

--- A tcp address on this host where nothing listens now, and which the system gives to nobody until
--- harness.finish(): a socket is bound there, with SO_REUSEADDR as listeners of ours have it, so that one
--- of them can be there too.
---@return string
function harness.free_tcp()
  local socket = require "posix.sys.socket"
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  assert(socket.setsockopt(fd, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
  assert(socket.bind(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = 0 }))
  ports[#ports + 1] = fd
  return "tcp://127.0.0.1:" .. system.port(fd)
end

---@class Driver: Process
local Driver = setmetatable({}, { __index = process.Process })
Driver.__index = Driver
harness.Driver = Driver

---@class Answer
---@field ok boolean
---@field code integer 0 when ok
---@field us number what the call took
---@field at number when it ended, in seconds of system.now()
---@field text string tags, or the reason of a failure
---@field line string
--- and further `name=value` of the driver's answer, as strings

local function parse(line)
  if line:find "^MISUSE" then error("driver: " .. line, 3) end
  local answer = { line = line, ok = line:find "^OK" ~= nil, code = 0 }
  if not answer.ok then answer.code = assert(tonumber(line:match "^ERR (%d+)"), line) end
  local head, text = line:match "^(.-) text=(.*)$"
  for name, value in (head or line):gmatch "(%w+)=(%S+)" do answer[name] = value end
  answer.text = text
  answer.us = tonumber(answer.us)
  answer.at = tonumber(answer.at) / 1e6
  return answer
end

--- Send a command and do not wait.
---@param command string
function Driver:tell(command)
  self.read_from = self.read_from or 1
  self:send(command)
end

--- The next answer, for commands that were told. CHURN and CHILD lines are left out (see lines).
---@param seconds number?
---@return Answer
function Driver:answer(seconds)
  local found
  process.wait_until(seconds or PATIENCE, function ()
    while self.read_from <= #self.lines do
      local line = self.lines[self.read_from]
      self.read_from = self.read_from + 1
      local kind = line.stream == "out" and not line.partial and line.text:match "^(%u+) "
      if kind == "OK" or kind == "ERR" or kind == "MISUSE" then
        found = line.text
        return true
      end
    end
    return self.status and next(self.streams) == nil
  end)
  if not found then
    error(("the driver does not answer (%s); it said:\n%s"):format(
      self.status and self.status.how .. " " .. self.status.code or "it runs", self:text()), 2)
  end
  return parse(found)
end

---@param command string
---@param seconds number?
---@return Answer
function Driver:ask(command, seconds)
  self:tell(command)
  return self:answer(seconds)
end

--- Ask for something that has to work.
---@param command string
---@return Answer
function Driver:must(command)
  local answer = self:ask(command)
  if not answer.ok then error(("%s: %s"):format(command, answer.line), 2) end
  return answer
end

--- Ask for something that has to fail.
---@param command string
---@return integer code
---@return string reason
function Driver:fails(command)
  local answer = self:ask(command)
  if answer.ok then error(("%s should fail: %s"):format(command, answer.line), 2) end
  return answer.code, answer.text
end

--- End of input, and the driver's end with status 0.
function Driver:close()
  self:close_stdin()
  local status = self:wait(PATIENCE)
  if status.how ~= "exited" or status.code ~= 0 then
    error(("the driver %s %d; it said:\n%s"):format(status.how, status.code, self:text()), 2)
  end
end

--- Start a driver.
---@param options { address: string?, plugins: string?, env: table<string, string>?, uid: integer? }
---  address: through the rpc plugin; plugins: in process
---@return Driver
function harness.driver(options)
  local env = harness.env(options.env, options.uid)
  env.VACCEL_PLUGINS = env.VACCEL_PLUGINS or harness.plugins(options.plugins or "rpc")
  env.VACCEL_RPC_ADDRESS = options.address
  local p = process.spawn({ harness.bin "driver" },
    { name = "driver", env = env, uid = options.uid, cwd = harness.dir })
  return setmetatable(p, Driver)
end

--- The parts of what a witness says: { pid = , n = , hash = , plugin = }.
---@param answer Answer
---@return { pid: integer, n: integer, hash: string, plugin: string }
function harness.testimony(answer)
  local pid, n, hash, plugin = answer.text:match "^pid=(%d+) n=(%d+) hash=(%x+) plugin=(%S+)$"
  assert(pid, "no testimony: " .. answer.line)
  return { pid = tonumber(pid), n = tonumber(n), hash = hash, plugin = plugin }
end

--- What the witnesses wrote to a WITNESS_LOG: one table a line.
---@param path string
---@return table[]
function harness.witness_log(path)
  local found = {}
  if not system.exists(path) then return found end
  for line in system.read(path):gmatch "[^\n]+" do
    local entry = {}
    for name, value in line:gmatch "(%w+)=(%S+)" do entry[name] = value end
    found[#found + 1] = entry
  end
  return found
end

--- Run the reference in Python (support/torch_reference.py).
---@param ... string its arguments
---@return Process ended with status 0
function harness.python(...)
  local p = harness.run({ "/usr/bin/python3", harness.source .. "/spec/support/torch_reference.py", ... },
    { name = "torch_reference.py", seconds = 120 * harness.slow })
  if p.status.code ~= 0 then error("torch_reference.py failed:\n" .. p:text(), 2) end
  return p
end

return harness
