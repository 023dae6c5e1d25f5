--- What luaccel policy record writes, and what luaccel policy replay makes of it.
local assert = require "luassert"
local signal = require "posix.signal"
local harness = require "support.harness"
local json = require "support.json"
local operator = require "support.operator"
local process = require "support.process"
local system = require "support.system"

local recording = {}

function recording.path(name) return harness.dir .. "/" .. name end

function recording.text_of(name)
  local path = recording.path(name)
  return system.exists(path) and system.read(path) or ""
end

--- A recorder that has begun.
---@return Process
function recording.record(name, ...)
  local p = process.spawn({ harness.bin "luaccel", "policy", "record", recording.path(name), ... }, {
    name = "record", env = harness.env { LUACCEL_CONTROL = operator.socket() }, cwd = harness.dir,
  })
  p:close_stdin()
  process.wait_until(10 * harness.slow, function () return p.status or recording.text_of(name):find "\n" end)
  return p
end

--- It ends, with the sentence that it has then.
---@param p Process
---@return string
function recording.ended(p)
  local status = p:wait(30 * harness.slow)
  assert.same({ how = "exited", code = 0 }, status, p:text())
  return (p:text "out":gsub("\n$", ""))
end

function recording.stop(p)
  p:kill(signal.SIGINT)
  return recording.ended(p)
end

--- Every line of a recording, as data; the last may be in the writing.
function recording.lines_of(name)
  local lines = {}
  for line in recording.text_of(name):gmatch "([^\n]+)\n" do lines[#lines + 1] = json.decode(line) end
  return lines
end

function recording.only(lines, event)
  local found = {}
  for _, line in ipairs(lines) do
    if line.e == event then found[#found + 1] = line end
  end
  return found
end

function recording.replay(...)
  return harness.run { harness.bin "luaccel", "policy", "replay", ... }
end

--- The differences that another script makes, as data.
function recording.differences(name, script)
  local p = recording.replay(recording.path(name), script, "--json", "--show", "1000")
  assert.is_true(p.status.code < 2, p:text())
  local said = json.decode(p:text "out")
  assert.equal(said.different > 0 and 1 or 0, p.status.code)
  return said
end

return recording
