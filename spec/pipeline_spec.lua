--- A peer that does not wait for answers: what it sends ahead, how much of the agent it gets, and
--- when its session may move.
local signal = require "posix.signal"
local harness = require "support.harness"
local system = require "support.system"
local wire = require "support.wire"

local OPENCV = 23
local UINT8, BUFFER = 9, 28

--- Genop arguments: { type, bytes } each.
local function args(field, list)
  local out = {}
  for i, arg in ipairs(list) do
    out[i] = wire.bytes(field, wire.bytes(1, arg[2]) .. wire.int(2, #arg[2]) .. wire.int(3, arg[1]))
  end
  return table.concat(out)
end

--- An operation that the witness does not know and noop does.
local function opencv(session)
  return wire.int(1, session) .. args(2, { { UINT8, string.char(OPENCV) }, { BUFFER, "image" } })
    .. args(3, { { BUFFER, ("."):rep(64) } })
end

--- The answers to these streams, by stream.
local function answers(peer, streams)
  local by_stream = {}
  for _ = 1, #streams do
    local response = wire.response(assert(peer:receive(), "the peer hung up"))
    by_stream[response.stream] = response
  end
  return by_stream
end

describe("a peer that sends ahead", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("has nothing of a session that could not be created", function ()
    local agent = harness.agent { plugins = "refuse" }
    local peer = wire.connect(agent.address)
    local streams = { peer:start("CreateSession", wire.int(1, 0)) }
    for id = 1, 3 do
      streams[#streams + 1] = peer:start("ImageClassification", wire.image(id, "x"))
      streams[#streams + 1] = peer:start("RegisterResource", wire.register(id, { wire.blob("m", "m") }))
    end
    local by_stream = answers(peer, streams)
    assert.matches("refuse takes no sessions", by_stream[streams[1]].message)
    for i = 2, #streams do
      local code, message = by_stream[streams[i]].code, by_stream[streams[i]].message
      assert.is_true(code == wire.NOT_FOUND or message:find "FFI error: 104" ~= nil, message)
    end
    agent:says "session %d+ peer=uid:%d+ was not created: code 16: refuse takes no sessions"
    agent:stop()
  end)

  it("can have a resource back that it gave up in between", function ()
    local agent = harness.agent { plugins = "witness" }
    for _ = 1, 3 do
      local peer = wire.connect(agent.address)
      local session = peer:session()
      local resource = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "bytes") })).fields[1][1]
      local both = wire.int(1, resource) .. wire.int(2, session)
      local streams = { -- each finds the resource, whatever those before it do
        peer:start("ImageClassification", wire.image(session, "SLEEP 200 ms")),
        peer:start("UnregisterResource", both),
        peer:start("RegisterResource", wire.int(3, 2) .. wire.int(4, resource) .. wire.int(5, session)),
      }
      local by_stream = answers(peer, streams)
      for _, stream in ipairs(streams) do assert.equal(0, by_stream[stream].code) end
      assert.equal(0, peer:call("SyncResource", wire.int(1, resource)).code)
      assert.equal(0, peer:call("UnregisterResource", both).code)
      assert.equal(wire.NOT_FOUND, peer:call("SyncResource", wire.int(1, resource)).code)
      peer:close()
    end
    agent:stop()
  end)

  it("leaves room for others, and takes what waits along when it goes", function ()
    local agent = harness.agent { plugins = "shared", args = { "--threads", "4" },
      env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
    local flood, other = wire.connect(agent.address), wire.connect(agent.address)
    local session = flood:session()
    for _ = 1, 60 do flood:start("ImageClassification", wire.image(session, "SLEEP 1000 ms")) end
    agent:says "session:%d+ Image classification"
    local asked = system.now()
    local mine = other:session()
    assert.equal(0, other:call("ImageClassification", wire.image(mine, "hello")).code)
    assert.is_true(system.now() - asked <= 0.05 * 10 * harness.slow, "another peer's call waited")
    flood:close()
    local left = system.now()
    agent:says("Destroyed session " .. session .. "$")
    assert.is_true(system.now() - left <= 10, "what waited was run for nobody")
    agent:stop()
  end)

  it("does not keep a draining agent", function ()
    local agent = harness.agent { plugins = "witness", env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    local long = peer:start("ImageClassification", wire.image(session, "SLEEP 3000 ms"))
    agent:says "session:%d+ Image classification"
    agent:kill(signal.SIGTERM)
    agent:says "SIGTERM: draining, 1 operations are running"
    local late = peer:start("ImageClassification", wire.image(session, "x"))
    local by_stream = answers(peer, { long, late })
    assert.equal(0, by_stream[long].code)
    assert.matches("draining", by_stream[late].message)
    assert.same({ how = "exited", code = 0 }, agent:wait(10 * harness.slow))
  end)

  it("is told so in UTF-8, whatever it said", function ()
    local agent = harness.agent { plugins = "witness" }
    local peer = wire.connect(agent.address)
    assert.equal("/no \195\169 ? ?/X does not exist", peer:call("X", "", "no \195\169 \233 \195").message)
    agent:stop()
  end)

  it("and stays with a policy, drains to nothing", function ()
    local agent = harness.agent { policy = [[
backends { one = plugin "witness" }
policy { name = "p", api = 1, on_error = "reject", session_route = function (s) return route "one" end }
]] }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    assert.equal(0, peer:call("RegisterResource", wire.register(session, { wire.blob("m", "bytes") })).code)
    agent:kill(signal.SIGTERM)
    assert.same({ how = "exited", code = 0 }, agent:wait(10 * harness.slow))
    assert.is_false(system.exists(harness.dir .. "/agent.sock"))
  end)
end)

describe("an operation that the session's backend does not know", function ()
  local agent, peer, session

  before_each(function ()
    harness.begin()
    agent = harness.agent { policy = [[
backends { one = plugin "witness", two = plugin "noop" }
policy { name = "p", api = 1, on_error = "reject",
  session_route = function (s) return route { "one", "two" } end,
  op_done = function (op, result) log("done", op.name, "on", result.backend, result.code) end }
]] }
    peer = wire.connect(agent.address)
    session = peer:session()
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("moves the session before its first answer", function ()
    assert.equal(0, peer:call("Genop", opencv(session)).code)
    agent:says "backend two serves, not one %(one:refused: "
    agent:says "done opencv on two 0$"
    agent:stop()
  end)

  it("fails after it, and the session gets its answers from where it got them", function ()
    assert.matches("plugin=witness", peer:call("ImageClassification", wire.image(session, "x")).payload)
    assert.matches("FFI error: 95", peer:call("Genop", opencv(session)).message)
    assert.matches("plugin=witness", peer:call("ImageClassification", wire.image(session, "x")).payload)
    agent:says "done opencv on one 95$"
    agent:stop()
  end)
end)
