--- scripts/policies/remote-burst.lua on the simulator.
local sim = require "luaccel.sim"

describe("remote-burst.lua", function ()
  local world, sessions
  before_each(function ()
    world, sessions = sim.load { "scripts/policies/remote-burst.lua" }, {}
    for i = 1, 8 do sessions[i] = assert(world:session()) end
  end)

  it("keeps eight sessions here and sends the rest away", function ()
    for _, session in ipairs(sessions) do assert.equal("here", session.backend) end
    assert.equal("away", assert(world:session()).backend)
    sessions[1]:close()
    assert.equal("here", assert(world:session()).backend)
  end)

  it("serves here what the other agent does not take", function ()
    world.backends.away.up = false
    assert.equal("here", assert(world:session()).backend)
    world.backends.away.up, world.backends.away.open = true, 16
    local session = assert(world:session())
    assert.same({ "here", "away:refused" }, { session.backend, session.why })
  end)
end)
