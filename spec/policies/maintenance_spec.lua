--- scripts/policies/maintenance.lua on the simulator.
local sim = require "luaccel.sim"

local PATH = "scripts/policies/maintenance.lua"

--- The script as an operator changes it; where it is.
local function closing(backends)
  local file = assert(io.open(PATH))
  local text, changes = file:read("*a"):gsub("local closing = {}", "local closing = { " .. backends .. " }")
  file:close()
  assert.equal(1, changes)
  local path = os.tmpname()
  file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

describe("maintenance.lua", function ()
  local world, path
  before_each(function () world = sim.load { PATH } end)
  after_each(function () if path then os.remove(path) end end)

  local function close(backends)
    path = closing(backends)
    world:reload(path)
  end

  local function new_backends()
    local found = {}
    for i = 1, 4 do found[i] = assert(world:session()).backend end
    return found
  end

  it("takes the backends in turn as long as none closes", function ()
    assert.same({ "first", "second", "first", "second" }, new_backends())
  end)

  it("lets what runs there end, and sends what is new elsewhere", function ()
    local stays = { assert(world:session()), assert(world:session()) }
    close "first = true"
    assert.same({ "second", "second", "second", "second" }, new_backends())
    for _, session in ipairs(stays) do assert.equal(0, session:op("noop").code) end
    world:advance(599)
    assert.equal(0, stays[1]:op("noop").code)
    world:advance(1)
    local late = stays[1]:op "noop"
    assert.equal("EAGAIN", sim.code_name(late.code))
    assert.matches("first is being serviced: open a new session", late.text)
    assert.equal(0, stays[2]:op("noop").code)
  end)

  it("refuses when all is closed", function ()
    close "first = true, second = true"
    local _, refusal = world:session()
    assert.equal("EAGAIN", sim.code_name(refusal.code))
  end)
end)
