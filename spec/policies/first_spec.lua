--- scripts/policies/first.lua on the simulator: what an operator who starts from it can rely on.
local sim = require "luaccel.sim"

local MIB = 1024 * 1024

describe("first.lua", function ()
  local world
  before_each(function () world = sim.load { "scripts/policies/first.lua" } end)

  it("serves guests that are listed, and others not", function ()
    assert.same({ "cpu", "test" }, assert(world:session { cid = 42 }).plan)
    local _, refusal = world:session { cid = 5 }
    assert.equal("EPERM", sim.code_name(refusal.code))
    assert.matches("guest 5 is not on the list", refusal.text)
  end)

  it("serves listed users, and has the others try", function ()
    assert.equal("cpu", assert(world:session { uid = 1000 }).backend)
    assert.equal("test", assert(world:session { uid = 33 }).backend)
  end)

  it("goes on without its first backend", function ()
    world.backends.cpu.up = false
    assert.equal("test", assert(world:session { cid = 42 }).backend)
  end)

  it("refuses the network", function ()
    local _, refusal = world:session { addr = "10.0.0.9" }
    assert.equal("EACCES", sim.code_name(refusal.code))
  end)

  it("refuses models of those who may not bring any, and images that are too large", function ()
    local guest, other = assert(world:session { cid = 3 }), assert(world:session { uid = 33 })
    assert.equal(0, guest:op("torch_model_load", { bytes_in = 100 * MIB }).code)
    assert.equal("EPERM", sim.code_name(other:op("torch_model_load").code))
    assert.equal(0, guest:op("image_classify", { bytes_in = 16 * MIB }).code)
    assert.equal("EINVAL", sim.code_name(guest:op("image_classify", { bytes_in = 16 * MIB + 1 }).code))
  end)

  it("tells of operations that fail", function ()
    world.backends.cpu.operations = { image_pose = { code = 71 } }
    assert(world:session { cid = 3 }):op "image_pose"
    assert.same({ "policy first: session 1 image_pose on cpu failed with 71" }, world:lines())
  end)
end)
