--- scripts/policies/canary.lua on the simulator.
local sim = require "luaccel.sim"

describe("canary.lua", function ()
  local world
  before_each(function () world = sim.load { "scripts/policies/canary.lua" } end)

  --- How many of so many new sessions the new agent has, and one of them.
  local function tried(sessions)
    local count, one = 0, nil
    for _ = 1, sessions do
      local session = assert(world:session())
      if session.backend == "new" then count, one = count + 1, session end
    end
    return count, one
  end

  it("has one session in twenty try the new agent", function ()
    assert.equal(5, (tried(100)))
  end)

  it("stops that when one operation in fifty fails, also over a reload", function ()
    local _, session = tried(20)
    world.backends.new.operations = { noop = true, exec = { code = 5 } }
    for i = 1, 100 do session:op(i % 33 == 0 and "exec" or "noop") end
    assert.equal(0, (tried(100)))
    assert.matches("canary: backend new is given up: 3 of 100 operations failed", table.concat(world:lines(), "\n"))
    world:reload()
    assert.equal(0, (tried(100)))
  end)

  it("lets a few failures pass", function ()
    local _, session = tried(20)
    world.backends.new.operations = { noop = true, exec = { code = 5 } }
    for i = 1, 300 do session:op(i % 60 == 0 and "exec" or "noop") end
    assert.equal(5, (tried(100)))
  end)

  it("serves all when the new agent is down", function ()
    world.backends.new.up = false
    for _ = 1, 40 do assert.equal("stable", assert(world:session()).backend) end
  end)
end)
