--- Operations that wait until others have ended, in a real agent and in a program with a policy.
local signal = require "posix.signal"
local harness = require "support.harness"
local json = require "support.json"
local operator = require "support.operator"
local process = require "support.process"
local wire = require "support.wire"

local POLICY = [[
backends { one = plugin "witness" }
policy {
  name = "p", api = 1, on_error = "reject",
  session_route = function (s) return route { "one", deadline = s.hint > 0 and s.hint / 1000 or nil } end,
  op_admit = concurrency { %s },
  op_done = function (op, result) log("done", op.session.id, result.code, result.queue_us > 100000) end,
}
]]
local BUSY = "refused by policy p (policy.lua:5): busy: at most 1 at once"
local LONG = 300 * harness.slow -- milliseconds
local EAGAIN, ESESS = 11, 104

local function agent_with(options, args)
  return operator.agent { policy = POLICY:format(options), args = args }
end

--- Begin an operation and be sure that the agent has it: what comes behind it has been answered.
local function start(peer, session, ms)
  local stream = peer:start("ImageClassification", wire.image(session, ("SLEEP %d x"):format(ms or 1)))
  peer:session()
  return stream
end

--- A peer with a session in which an operation has begun.
local function one_more(agent, ms, hint)
  local peer = wire.connect(agent.address)
  local session = peer:session(hint)
  start(peer, session, ms)
  return peer, session
end

local function answer(peer)
  return wire.response(assert(peer:receive(30 * harness.slow), "the peer hung up"))
end

local function succeeds(peer)
  local response = answer(peer)
  assert.same({ 0, "" }, { response.code, response.message })
end

local function fails(peer, code, message)
  local response = answer(peer)
  local failure = assert(wire.failure(response), response.message)
  assert.same({ code, message }, { failure.status or failure.code, response.message })
end

local function operations()
  return json.decode(operator.must("info", "--json")).operations
end

describe("operations that wait", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("go on in the order of their coming, over all connections", function ()
    local agent = agent_with "limit = 1, queue = 100, wait = 60"
    local first, id = one_more(agent, LONG)
    local peers, order = {}, { id }
    for i = 1, 10 do peers[i], order[i + 1] = one_more(agent) end
    succeeds(first)
    for i = 1, 10 do succeeds(peers[i]) end
    agent:expect(("policy p: done %d 0 true"):format(order[11]), 20 * harness.slow)
    local said = {}
    for i, line in ipairs(agent:matching "policy p: done ") do -- the first has not waited
      said[i] = tonumber(line.text:match("done (%d+) 0 " .. tostring(i > 1)))
    end
    assert.same(order, said)
    agent:stop()
  end)

  it("are refused when the queue is full, and when their time is over", function ()
    local agent = agent_with "limit = 1, queue = 1, wait = 0.2"
    local first = one_more(agent, 4 * LONG)
    local second = one_more(agent)
    local third = wire.connect(agent.address)
    local response = third:call("ImageClassification", wire.image(third:session(), "x"))
    assert.same({ EAGAIN, BUSY .. ", and 1 wait" }, { wire.failure(response).code, response.message })
    fails(second, EAGAIN, BUSY .. "; waited 0.2 s")
    local fourth = one_more(agent)
    fails(fourth, EAGAIN, BUSY .. "; waited 0.2 s")
    succeeds(first)
    agent:stop()
  end)

  it("hold up nobody with another key", function ()
    local agent = agent_with 'limit = 1, queue = 100, wait = 60, key = "session"'
    local peer, session = one_more(agent, LONG)
    local waiting = start(peer, session)
    local other = peer:session()
    local stream = peer:start("ImageClassification", wire.image(other, "x"))
    assert.equal(stream, answer(peer).stream)
    succeeds(peer)
    assert.equal(waiting, answer(peer).stream)
    agent:stop()
  end)

  it("leave when their peer goes, a hundred at once", function ()
    local agent = agent_with "limit = 1, queue = 100, wait = 600"
    local first = one_more(agent, LONG)
    local gone = wire.connect(agent.address)
    local sessions = {}
    for i = 1, 10 do sessions[i] = gone:session() end
    for i = 1, 99 do gone:start("ImageClassification", wire.image(sessions[i % 10 + 1], "x")) end
    start(gone, sessions[1])
    assert.equal(101, operations())
    gone:close()
    assert.is_true(process.wait_until(10 * harness.slow, function () return operations() == 1 end))
    local last = one_more(agent)
    succeeds(first)
    succeeds(last)
    agent:stop()
  end)

  it("leave when their session ends", function ()
    local agent = agent_with "limit = 1, queue = 1, wait = 600"
    local first = one_more(agent, LONG)
    local peer, session = one_more(agent)
    local destroyed = peer:start("DestroySession", wire.int(1, session))
    fails(peer, ESESS, ("session %d has ended"):format(session))
    local response = answer(peer)
    assert.same({ destroyed, 0 }, { response.stream, response.code })
    local last = one_more(agent) -- there is room in the queue
    succeeds(first)
    succeeds(last)
    agent:stop()
  end)

  it("leave when their deadline passes", function ()
    local agent = agent_with "limit = 1, queue = 1, wait = 600"
    local first = one_more(agent, 4 * LONG)
    local peer = one_more(agent, 1, 100)
    assert.equal(wire.DEADLINE_EXCEEDED, answer(peer).code)
    assert.is_true(process.wait_until(10 * harness.slow, function () return operations() == 1 end))
    local last = one_more(agent)
    succeeds(first)
    succeeds(last)
    agent:stop()
  end)

  local function reload(agent, options)
    local from = #agent.lines + 1
    harness.file("policy.lua", POLICY:format(options))
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: ", from)
  end

  it("are asked about anew after a reload, in their order, over all loops", function ()
    local agent = agent_with("limit = 1, queue = 100, wait = 600", { "--loops", "3" })
    local first = one_more(agent, 4 * LONG)
    local peers = {}
    for i = 1, 4 do peers[i] = one_more(agent, 4 * LONG) end
    reload(agent, "nonsense") -- nothing happens
    reload(agent, "limit = 1, queue = 2, wait = 600") -- there is room for two
    fails(peers[3], EAGAIN, BUSY .. ", and 2 wait")
    fails(peers[4], EAGAIN, BUSY .. ", and 2 wait")
    reload(agent, "limit = 2, queue = 2, wait = 600") -- one goes on
    reload(agent, "limit = 1, queue = 2, wait = 0.001") -- the other has waited longer than that
    fails(peers[2], EAGAIN, BUSY .. "; waited 0.001 s")
    succeeds(first)
    succeeds(peers[1])
    agent:stop()
  end)

  it("are let in by scripts that do not limit, and refused by those that forbid", function ()
    local agent = agent_with "limit = 1, queue = 100, wait = 600"
    local first = one_more(agent, 4 * LONG)
    local second, id = one_more(agent)
    local from = #agent.lines + 1
    harness.file("policy.lua", 'policy { name = "p", api = 1, on_error = "reject" }')
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: policies loaded again", from)
    succeeds(second)
    reload(agent, "limit = 1, queue = 100, wait = 600")
    start(second, id)
    from = #agent.lines + 1
    harness.file("policy.lua", 'policy { name = "p", api = 1, on_error = "reject",\n'
      .. 'op_admit = function (op) return reject "closed" end }')
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: policies loaded again", from)
    fails(second, 1, "refused by policy p (policy.lua:2): closed")
    succeeds(first)
    agent:stop()
  end)

  it("finish when the agent drains", function ()
    local agent = agent_with "limit = 1, queue = 100, wait = 600"
    local peers = {}
    for i = 1, 5 do peers[i] = one_more(agent, LONG / 5) end
    agent:kill(signal.SIGTERM)
    for i = 1, 5 do succeeds(peers[i]) end
    for i = 1, 5 do peers[i]:close() end
    assert.same({ how = "exited", code = 0 }, agent:wait(20 * harness.slow))
  end)

  it("end with the agent", function ()
    local agent = agent_with "limit = 1, queue = 100, wait = 600"
    for _ = 1, 20 do one_more(agent, LONG) end
    agent:kill(signal.SIGINT)
    agent:says "SIGINT: draining"
    agent:kill(signal.SIGINT)
    assert.same({ how = "exited", code = 1 }, agent:wait(20 * harness.slow))
  end)

  it("are threads of a program that has its own policy", function ()
    local function throng(threads, options)
      local run = harness.run({ harness.bin "throng", tostring(threads), ("SLEEP %d"):format(LONG) }, { env = {
        VACCEL_POLICY = harness.file("policy.lua", POLICY:format(options)),
      } })
      assert.same({ how = "exited", code = 0 }, run.status, run:text())
      local said, longest = {}, 0
      for _, line in ipairs(run.lines) do
        local code, seconds, reason = line.text:match "^(%d+) ([%d.]+) (.*)$"
        if code then
          said[#said + 1] = ("%s %s"):format(code, reason)
          longest = math.max(longest, tonumber(seconds))
        end
      end
      table.sort(said)
      return said, longest
    end
    local said, longest = throng(4, "limit = 2, queue = 2, wait = 60")
    assert.same({ "0 ", "0 ", "0 ", "0 " }, said)
    assert.is_true(longest >= 1.9 * LONG / 1000, longest)
    assert.same({ "0 ", "11 " .. BUSY .. ", and 1 wait", "11 " .. BUSY .. "; waited 0.05 s" },
      (throng(3, "limit = 1, queue = 1, wait = 0.05")))
  end)
end)
