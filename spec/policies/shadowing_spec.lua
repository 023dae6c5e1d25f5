--- scripts/policies/shadowing.lua on the simulator.
local sim = require "luaccel.sim"

describe("shadowing.lua", function ()
  local world, session
  before_each(function ()
    world = sim.load { "scripts/policies/shadowing.lua" }
    session = assert(world:session())
  end)

  local function run(count)
    for _ = 1, count do assert.equal("stable", session:op("image_classify").backend) end
  end

  local function lines() return table.concat(world:lines(), "\n") end

  it("has one operation in twenty run on the new agent too", function ()
    local seen = 0
    world.backends.new.operations = { image_classify = function () seen = seen + 1 end }
    run(100)
    assert.equal(5, seen)
    world:advance(60)
    assert.matches("0 of 5 answers were not equal", lines())
  end)

  it("says what answered otherwise, and the callers see nothing of it", function ()
    world.backends.new.operations = { image_classify = { answer = "cat" } }
    world.backends.stable.operations = { image_classify = { answer = "dog" } }
    run(20)
    assert.matches("image_classify of session 1 on new: differ code 0", lines())
    world.backends.new.operations = { image_classify = { code = 5 } }
    run(20)
    assert.matches("on new: differ code 5", lines())
    world:advance(60)
    assert.matches("2 of 2 answers were not equal", lines())
  end)

  it("goes on when the new agent is down", function ()
    world.backends.new.up = false
    run(100)
    world:advance(60)
    assert.equal("", lines())
  end)
end)
