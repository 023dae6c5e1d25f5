--- scripts/policies/time-of-day.lua on the simulator.
local sim = require "luaccel.sim"

local SUNDAY = 1767484800 -- 2026-01-04, midnight UTC
local HOUR = 3600

describe("time-of-day.lua", function ()
  local function at(time) return sim.load { "scripts/policies/time-of-day.lua", time = time } end

  it("serves batches at night and on Sundays", function ()
    for _, time in ipairs { SUNDAY - HOUR, SUNDAY + 12 * HOUR, SUNDAY + 30 * HOUR, SUNDAY + 43 * HOUR } do
      local session = assert(at(time):session { uid = 2000 })
      assert.equal(0, session:op("exec").code)
    end
  end)

  it("serves only the others by day", function ()
    local world = at(SUNDAY + 31 * HOUR)
    local _, refusal = world:session { uid = 2000 }
    assert.equal("EAGAIN", sim.code_name(refusal.code))
    assert.matches("batches run from 19 to 7 UTC and on Sundays", refusal.text)
    assert.equal("cpu", assert(world:session { uid = 1000 }).backend)
    assert.equal("cpu", assert(world:session { cid = 5 }).backend)
  end)

  it("has a batch wait from the morning on", function ()
    local world = at(SUNDAY + 30 * HOUR)
    local session = assert(world:session { uid = 2001 })
    world:advance(HOUR)
    assert.equal("EAGAIN", sim.code_name(session:op("exec").code))
    world:advance(12 * HOUR)
    assert.equal(0, session:op("exec").code)
  end)
end)
