--- scripts/policies/gpu-first.lua on the simulator.
local sim = require "luaccel.sim"

describe("gpu-first.lua", function ()
  local world
  before_each(function () world = sim.load { "scripts/policies/gpu-first.lua" } end)

  it("takes the GPU, and the processor when that is down or refuses", function ()
    assert.equal("gpu", assert(world:session()).backend)
    world.backends.gpu.open = 16
    assert.equal("cpu", assert(world:session()).backend)
    world.backends.gpu.open, world.backends.gpu.up = nil, false
    assert.equal("cpu", assert(world:session()).backend)
  end)

  it("begins on the processor while the GPU has sixteen operations", function ()
    local session, running = assert(world:session()), {}
    for i = 1, 16 do running[i] = assert(session:start "image_classify") end
    assert.equal("cpu", assert(world:session()).backend)
    running[1]:finish()
    assert.equal("gpu", assert(world:session()).backend)
  end)
end)
