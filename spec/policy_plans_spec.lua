--- What a plan has beside its backends, in a real agent. The script of a plan that is remembered counts
--- how often it is asked, and routes by that, so that the witness that answers says whether it was.
local signal = require "posix.signal"
local harness = require "support.harness"
local wire = require "support.wire"

local PROBED = 40 * harness.slow -- seconds: a remote that is down is probed after 1, 2, 4, 8 of them

local POLICY = [[
backends { %s }
local plans, asked = { %s }, 0
policy {
  name = "memory", api = 1, on_error = "reject",
  session_route = function (s)
    asked = asked + 1
    return plans[asked]
  end,
  backend_state = function (b, up) log(b.name .. " is " .. (up and "up" or "down")) end,
}
]]

describe("a remembered plan", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- What testifies in a session of its own.
  local function witness(driver, hint)
    driver:must(("session s %d"):format(hint or 0))
    local said = harness.testimony(driver:must "fill s 100")
    driver:must "release s"
    return said
  end

  local BOTH = [[one = plugin "witness", two = plugin "witness2"]]

  it("serves later sessions of the same peer and hint, until policies are loaded again", function ()
    local agent = harness.agent { policy = POLICY:format(BOTH,
      [[route { "one", sticky = true }, route { "two", sticky = true }]]) }
    local driver = harness.driver { address = agent.address }
    for _ = 1, 3 do assert.equal("witness", witness(driver).plugin) end
    local other = harness.driver { address = agent.address } -- another program, the same peer
    for _ = 1, 3 do assert.equal("witness2", witness(other, 8).plugin) end
    assert.equal("witness", witness(other).plugin)
    local from = #agent.lines + 1
    harness.file("policy.lua", POLICY:format(BOTH, [[route { "two", uses = 1 }, route "one"]]))
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: policies loaded again", from)
    for _, plugin in ipairs { "witness2", "witness2", "witness" } do
      assert.equal(plugin, witness(driver).plugin)
    end
    driver:close()
    other:close()
    agent:stop()
  end)

  it("is made anew when a backend goes down, and when it comes up", function ()
    local address = "unix://" .. harness.dir .. "/far.sock"
    local function server()
      return harness.agent { plugins = "witness", addresses = { address },
        env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
    end
    local far = server()
    local near = harness.agent { policy = POLICY:format(("far = remote %q, "):format(address) .. BOTH,
      [[route { "far", "one", sticky = true }, route { "two", sticky = true }, route { "far", sticky = true }]]) }
    local driver = harness.driver { address = near.address }
    for _ = 1, 2 do assert.equal(far.pid, witness(driver).pid) end
    local waiting = harness.driver { address = near.address } -- else nobody notices at once
    waiting:must "session s 0"
    local begun = #far.lines + 1
    waiting:tell "say s SLEEP 60000"
    far:says("session:%d+ Genop", begun)
    far:kill(signal.SIGKILL)
    far:wait(5)
    assert.equal(104, waiting:answer().code)
    near:says "policy memory: far is down$" -- the scripts know: plans of the moment before are forgotten too
    for _ = 1, 2 do
      local said = witness(driver)
      assert.equal(near.pid, said.pid)
      assert.equal("witness2", said.plugin)
    end
    os.remove(harness.dir .. "/far.sock")
    local from = #near.lines + 1
    far = server()
    near:expect("policy memory: far is up$", PROBED, from)
    for _ = 1, 2 do assert.equal(far.pid, witness(driver).pid) end
    driver:close()
    waiting:close()
    near:stop()
    far:stop()
  end)
end)

describe("a plan's deadline", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- The answer to an operation that takes so long, whose caller waits so long (0: for ever).
  local function run(peer, session, milliseconds, nanoseconds)
    peer.stream = peer.stream + 2
    local payload = wire.image(session, ("SLEEP %d ms"):format(milliseconds))
    peer:send(wire.frame { stream = peer.stream, type = wire.REQUEST,
      body = wire.request(wire.SYNC, "ImageClassification", payload) .. wire.int(4, nanoseconds) })
    local response = wire.response(assert(peer:receive(10 * harness.slow)))
    assert.equal(peer.stream, response.stream)
    return response
  end

  it("is each operation's, unless its caller has a shorter one", function ()
    local agent = harness.agent { policy = [[
backends { one = plugin "witness" }
policy {
  name = "patience", api = 1, on_error = "reject",
  session_route = function (s)
    if s.hint == 0 then return route { "one", deadline = 0.1, sticky = true } end
    if s.hint == 1 then return route { "one", deadline = 3600 } end
    return route "one"
  end,
  op_admit = function (op)
    if op.session.hint == 0 then assert(op.deadline < 1) end
    if op.session.hint == 2 then assert(op.deadline == nil) end
  end,
}
]] }
    local peer = wire.connect(agent.address)
    for _ = 1, 2 do -- the second plan is remembered
      local hasty = peer:session(0)
      for _, caller in ipairs { 0, 3600e9 } do
        local response = run(peer, hasty, 2000, caller)
        assert.equal(wire.DEADLINE_EXCEEDED, response.code)
        assert.equal("timeout", response.message)
      end
    end
    local patient, free = peer:session(1), peer:session(2)
    assert.equal(0, run(peer, patient, 300, 0).code)
    assert.equal(wire.DEADLINE_EXCEEDED, run(peer, patient, 2000, 100e6).code)
    assert.equal(0, run(peer, free, 300, 0).code)
    agent:stop()
  end)
end)
