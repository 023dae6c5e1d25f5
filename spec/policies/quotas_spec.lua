--- scripts/policies/quotas.lua on the simulator.
local sim = require "luaccel.sim"

describe("quotas.lua", function ()
  local world
  before_each(function () world = sim.load { "scripts/policies/quotas.lua" } end)

  it("takes its backends in turn, and does without one that is down", function ()
    local backends = {}
    for i = 1, 4 do backends[i] = assert(world:session { cid = 3 }).backend end
    assert.same({ "first", "second", "first", "second" }, backends)
    world.backends.second.up = false
    for _ = 1, 2 do assert.equal("first", assert(world:session { cid = 3 }).backend) end
  end)

  it("gives each guest 50 at once and 200 a second", function ()
    local one, other = assert(world:session { cid = 3 }), assert(world:session { cid = 4 })
    local function served(session, tries)
      local count = 0
      for _ = 1, tries do
        if session:op("noop").code == 0 then count = count + 1 end
      end
      return count
    end
    assert.equal(50, served(one, 60))
    assert.equal(50, served(other, 60))
    world:advance(0.1)
    assert.equal(20, served(one, 60))
    world:advance(10)
    assert.equal(50, served(one, 60))
  end)
end)
