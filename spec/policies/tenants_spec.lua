--- scripts/policies/tenants.lua on the simulator.
local sim = require "luaccel.sim"

describe("tenants.lua", function ()
  local world
  before_each(function () world = sim.load { "scripts/policies/tenants.lua" } end)

  local function served(session, tries)
    local count = 0
    for _ = 1, tries do
      if session:op("noop").code == 0 then count = count + 1 end
    end
    return count
  end

  it("puts each tenant on its own backend, and the others on the shared one", function ()
    for cid, backend in pairs { [3] = "blue", [4] = "blue", [7] = "green", [8] = "shared" } do
      assert.same({ backend }, assert(world:session { cid = cid }).plan)
    end
    assert.equal("shared", assert(world:session { uid = 0 }).backend)
  end)

  it("gives a tenant's guests one rate, and each other guest its own", function ()
    assert.equal(50, served(assert(world:session { cid = 3 }), 60))
    assert.equal(0, served(assert(world:session { cid = 4 }), 60))
    assert.equal(25, served(assert(world:session { cid = 7 }), 60))
    for cid = 8, 9 do assert.equal(5, served(assert(world:session { cid = cid }), 60)) end
  end)

  it("keeps over a reload who a session is, and what it has used up", function ()
    local session = assert(world:session { cid = 3 })
    assert.equal(50, served(session, 60))
    world:reload()
    assert.equal(0, served(session, 1))
    world:advance(0.1)
    assert.equal(20, served(session, 60))
  end)
end)
