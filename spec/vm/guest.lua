--- Guests: virtual machines that a spec boots by scripts/vm/run.sh, and talks to over their serial
--- line: to a shell there, or to a driver (the C API as a program) that the shell has started.
local signal = require "posix.signal"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

---@class Guest: Driver
---@field state string the folder of its sockets, process id and so on
---@field driving boolean? it is a driver in its shell that takes commands
---@field unplugged boolean? its machine was killed by unplug()
local Guest = setmetatable({}, { __index = harness.Driver })
Guest.__index = Guest

local guest = {}

local BUILD = os.getenv "LUACCEL_BUILD"
local BOOT, PATIENCE = 240, 150 -- seconds; every instruction is emulated, some of them twice
local RUN = harness.source .. "/scripts/vm/run.sh"
--- In the guest.
guest.MODEL = "/opt/vaccel/share/vaccel/models/torch/digits.pt"
guest.IMAGES = "/opt/vaccel/share/vaccel/images"

--- The arguments of run.sh for a guest with these options, without a program.
local function arguments(options, state)
  local argv = { RUN, "--vmm", options.vmm, "--image", BUILD .. "/vm/guest", "--state", state }
  for _, word in ipairs(options.args or {}) do argv[#argv + 1] = word end
  return argv
end

--- Start run.sh and do not wait.
---@param options { name: string, vmm: string, args: string[]?, program: string[]? }
---@return Guest
function guest.start(options)
  local state = system.mkdir(("%s/%s"):format(harness.dir, options.name))
  local argv = arguments(options, state)
  for _, word in ipairs(options.program or {}) do argv[#argv + 1] = word end
  local self = process.spawn(argv, { name = options.name, env = harness.env(), cwd = harness.dir })
  self.state = state
  return setmetatable(self, Guest)
end

--- Boot a guest with a shell, and do not wait until it is ready.
---@param options { name: string, vmm: string, cid: integer, args: string[]? }
---@return Guest
function guest.boot(options)
  local args = { "--cid", tostring(options.cid) }
  for _, word in ipairs(options.args or {}) do args[#args + 1] = word end
  local files = {
    harness.bin "driver", BUILD .. "/bench/bench-vsock", harness.data .. "/heldout.bin",
    harness.source .. "/spec/vm/shell_guest.sh",
  }
  for _, file in ipairs(files) do
    args[#args + 1] = "--file"
    args[#args + 1] = file
  end
  return guest.start {
    name = options.name, vmm = options.vmm, args = args, program = { "--", "./shell_guest.sh" },
  }
end

--- Wait until the guest's shell takes commands; a driver that was started there ends.
---@return Guest self
function Guest:ready()
  self:expect("^guest: ready", BOOT)
  if self.driving then self:leave() end
  return self
end

--- Has its machine ended, though nobody pulled the plug?
---@return boolean
function Guest:is_lost()
  return not self.unplugged and process.wait_until(5, function () return self.status end) ~= nil
end

--- Run a command line in the guest's shell.
---@param command string
---@param seconds number?
---@return string text what it printed
---@return integer status
function Guest:sh(command, seconds)
  local from = #self.lines + 1
  self:send(command)
  local stop, status = self:expect("^guest: status (%d+)$", seconds or PATIENCE, from)
  local texts = {}
  for i = from, #self.lines do
    local line = self.lines[i]
    if line == stop then break end
    if line.stream == "out" then texts[#texts + 1] = line.text .. "\n" end
  end
  return table.concat(texts), tonumber(status)
end

--- Start a driver in the shell: from now on tell(), answer(), must() and fails() talk to it.
---@param environment string? assignments: "VACCEL_RPC_ADDRESS=vsock://2:2049"
function Guest:drive(environment)
  self.read_from = #self.lines + 1
  self.driving = true
  self:send((environment or "") .. " driver 2>&1")
end

--- The driver's end; the shell takes commands again.
---@return integer status
function Guest:leave()
  local from = #self.lines + 1
  self.driving = false
  unistd.write(self.stdin, "\4") -- what ends the input at a terminal
  local _, status = self:expect("^guest: status (%d+)$", PATIENCE, from)
  return tonumber(status)
end

---@param command string
---@param seconds number?
---@return Answer
function Guest:ask(command, seconds)
  return harness.Driver.ask(self, command, seconds or PATIENCE)
end

--- Say something to QEMU's monitor: "stop", "cont".
---@param command string
function Guest:monitor(command)
  local fd = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
  assert(socket.connect(fd, { family = socket.AF_UNIX, path = self.state .. "/monitor.sock" }))
  local said = ""
  local function prompt()
    repeat said = said .. assert(unistd.read(fd, 4096)) until said:find "%(qemu%) $"
    said = ""
  end
  prompt()
  assert(unistd.write(fd, command .. "\n"))
  prompt()
  unistd.close(fd)
end

--- The hypervisor's process.
---@return integer pid
function Guest:machine()
  return tonumber(system.read(self.state .. "/pid"):match "%d+")
end

--- Pull the plug.
---@return number at when
function Guest:unplug()
  local at = system.now()
  self.unplugged = true
  signal.kill(self:machine(), signal.SIGKILL)
  self:wait(PATIENCE)
  return at
end

--- What a process has said, as a transcript to keep.
---@param name string
---@param p Process
function guest.keep(name, p)
  system.write(("%s/%s.txt"):format(os.getenv "LUACCEL_TRANSCRIPTS", name), p:text())
end

--- A line of figures for the transcript and for ctest.
---@param text string
function guest.figure(text)
  io.write("# figure: ", text, "\n")
  io.flush()
end

--- The host's labels of the held-out digits, as run_spec.sh wrote them.
---@return string
function guest.host_labels()
  local text = system.read(os.getenv "LUACCEL_TRANSCRIPTS" .. "/host-labels.txt")
  return assert(text:match "text=([%d ]+)\n")
end

return guest
