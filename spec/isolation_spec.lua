--- One peer and another: long operations, ids, the wire itself, and the agent's own end.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local SMALL = 0.05 * 10 * harness.slow -- seconds that a small call may take
local PATIENCE = 30 * harness.slow
local RECEIVED = "session:%d+ Image classification" -- what the agent says of an operation that has come
local TYPE_URL = "type.googleapis.com/vaccel.ProtoError"

describe("the agent", function ()
  local agent

  before_each(function ()
    harness.begin()
    agent = harness.agent { plugins = "witness", env = { VACCEL_LOG_LEVEL = harness.VERBOSE },
      addresses = { "unix://" .. harness.dir .. "/agent.sock", harness.free_tcp() } }
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  describe("with a long operation", function ()
    local function sleep_order(name) return ("say %s SLEEP %d"):format(name, SMALL * 4000) end

    it("keeps other connections' calls short", function ()
      local long, short = harness.driver { address = agent.address }, harness.driver { address = agent.address }
      long:must "session a 0"
      short:must "session b 0"
      long:tell(sleep_order "a")
      agent:says(RECEIVED)
      local calls = short:must "loop b 200 64"
      print(("isolation: small calls beside a long one: median %s us, largest %s us"):format(calls.median, calls.max))
      assert.is_true(tonumber(calls.max) / 1e6 <= SMALL, calls.line)
      for _, call in ipairs { "session c 0", "say c hello", "release c" } do
        assert.is_true(short:must(call).us / 1e6 <= SMALL, call)
      end
      assert.is_true(long:answer().us / 1e6 >= SMALL * 4 - 0.01)
      long:close()
      short:close()
      agent:stop()
    end)

    it("keeps them short when there are more long ones than processors", function ()
      local long = {}
      for i = 1, 6 do
        long[i] = harness.driver { address = agent.addresses[1 + i % 2] }
        long[i]:must "session a 0"
      end
      for _, driver in ipairs(long) do driver:tell(sleep_order "a") end
      assert.is_true(process.wait_until(PATIENCE, function () return #agent:matching(RECEIVED) == #long end))
      local short = harness.driver { address = agent.address }
      assert.is_true(short:must "session b 0".us / 1e6 <= SMALL)
      local calls = short:must "loop b 50 64"
      assert.is_true(tonumber(calls.max) / 1e6 <= SMALL, calls.line)
      for _, driver in ipairs(long) do assert.is_true(driver:answer().ok) end
      agent:stop()
    end)

    it("answers another session of the same connection meanwhile, and the same session after it", function ()
      local peer = wire.connect(agent.address)
      local a, b = peer:session(), peer:session()
      local first = peer:start("ImageClassification", wire.image(a, "SLEEP 3000"))
      local second = peer:start("ImageClassification", wire.image(a, "hello"))
      local other = peer:start("ImageClassification", wire.image(b, "hello"))
      local order = {}
      for i = 1, 3 do order[i] = wire.response(peer:receive()).stream end
      assert.same({ other, first, second }, order)
      agent:stop()
    end)
  end)

  describe("keeps ids apart:", function ()
    local mine, theirs, session, resource

    before_each(function ()
      mine, theirs = wire.connect(agent.address), wire.connect(agent.addresses[2])
      session = mine:session()
      resource = mine:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      assert.is_true(session > 0 and resource > 0)
    end)

    local function not_found(response, message)
      assert.equal(wire.NOT_FOUND, response.code)
      assert.equal(message, response.message)
      assert.is_nil(response.type_url)
    end

    it("another connection's session is unknown", function ()
      local unknown = "Unknown session " .. session
      not_found(theirs:call("ImageClassification", wire.image(session, "x")), unknown)
      not_found(theirs:call("UpdateSession", wire.int(1, session) .. wire.int(2, 1)), unknown)
      not_found(theirs:call("DestroySession", wire.int(1, session)), unknown)
      not_found(theirs:call("RegisterResource", wire.register(session, { wire.blob("m", "w") })), unknown)
      assert.equal(0, mine:call("ImageClassification", wire.image(session, "x")).code)
    end)

    it("another connection's resource is unknown", function ()
      local own = theirs:session()
      local both = wire.int(1, own) .. wire.int(2, resource)
      not_found(theirs:call("RegisterResource", wire.int(3, 2) .. wire.int(4, resource) .. wire.int(5, own)),
        "Unknown resource " .. resource)
      not_found(theirs:call("UnregisterResource", wire.int(1, resource) .. wire.int(2, own)),
        "Unknown resource " .. resource)
      not_found(theirs:call("SyncResource", wire.int(1, resource)), "Unknown resource " .. resource)
      not_found(theirs:call("TorchModelLoad", both), "Unknown PyTorch model " .. resource)
      not_found(theirs:call("TorchModelRun", both .. wire.int(5, 1)), "Unknown Py model " .. resource)
      assert.equal(0, mine:call("TorchModelLoad", wire.int(1, session) .. wire.int(2, resource)).code)
    end)

    it("an id is not used again", function ()
      assert.equal(0, mine:call("DestroySession", wire.int(1, session)).code)
      not_found(mine:call("ImageClassification", wire.image(session, "x")), "Unknown session " .. session)
      assert.is_true(mine:session() > session)
    end)

    it("of two that are unknown the one is named that the original names", function ()
      not_found(mine:call("UnregisterResource", wire.int(1, 98) .. wire.int(2, 99)), "Unknown resource 98")
      not_found(mine:call("RegisterResource", wire.int(3, 2) .. wire.int(4, 98) .. wire.int(5, 99)),
        "Unknown session 99")
      not_found(mine:call("TorchModelLoad", wire.int(1, 99) .. wire.int(2, 98)), "Unknown PyTorch model 98")
      not_found(mine:call("TorchModelRun", wire.int(1, 99) .. wire.int(2, 98) .. wire.int(5, 1)), "Unknown Py model 98")
    end)
  end)

  describe("answers on the wire", function ()
    local peer
    before_each(function () peer = wire.connect(agent.address) end)

    it("with an empty status and the payload", function ()
      local response = peer:call("CreateSession", wire.int(1, 7))
      assert.equal("", response.status)
      assert.equal("0a00", wire.hex(response.body:sub(1, 2)))
      assert.equal("1202" .. "08" .. ("%02x"):format(response.fields[1][1]), wire.hex(response.body:sub(3)))
      assert.equal(0, response.flags)
    end)

    it("under both service names", function ()
      local id = peer:call("CreateSession", wire.int(1, 0), wire.ASYNC).fields[1][1]
      assert.equal(0, peer:call("ImageClassification", wire.image(id, "x"), wire.SYNC).code)
      assert.equal(0, peer:call("DestroySession", wire.int(1, id), wire.ASYNC).code)
    end)

    it("that a service or method does not exist", function ()
      for _, case in ipairs {
        { "no.such.Service", "CreateSession" }, { wire.SYNC, "NoSuchMethod" },
      } do
        local response = peer:call(case[2], "", case[1])
        assert.equal(wire.INVALID_ARGUMENT, response.code)
        assert.equal(("/%s/%s does not exist"):format(case[1], case[2]), response.message)
      end
    end)

    it("that a payload does not decode, and goes on", function ()
      local session = peer:session()
      for _, payload in ipairs { "\255\255\255", wire.varint(2 * 8 + 2) .. wire.varint(100) .. "short", "\11" } do
        local response = peer:call("ImageClassification", payload)
        assert.equal(wire.INVALID_ARGUMENT, response.code, wire.hex(payload))
        assert.is_true(#response.message > 0)
      end
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    end)

    it("that a request does not decode, and goes on", function ()
      peer:send(wire.frame { stream = 1, type = wire.REQUEST, body = "\255\255\255\255" })
      assert.equal(wire.INVALID_ARGUMENT, wire.response(peer:receive()).code)
      peer.stream = 1
      assert.equal(0, peer:call("CreateSession", wire.int(1, 0)).code)
    end)

    it("a plugin's code without a reason as the original does", function ()
      local response = peer:call("ImageClassification", wire.image(peer:session(), "CODE 22"))
      assert.equal(wire.INTERNAL, response.code)
      assert.equal("FFI error: 22", response.message)
      assert.equal(TYPE_URL, response.type_url)
      assert.equal("1016", wire.hex(response.detail))
    end)

    it("a plugin's code and reason as the original has a status", function ()
      local response = peer:call("ImageClassification", wire.image(peer:session(), "FAIL 22"))
      assert.equal(wire.INTERNAL, response.code)
      assert.equal("FFI error: 22 [witness fails as ordered (22)]", response.message)
      assert.equal("08011016", wire.hex(response.detail:sub(1, 4)))
      local status = wire.decode(wire.decode(response.detail)[3][1])
      assert.equal(22, status[3][1])
      assert.equal("witness fails as ordered", status[4][1])
    end)

    it("classification with 1024 bytes of tags", function ()
      local response = peer:call("ImageClassification", wire.image(peer:session(), "hello"))
      assert.equal(1024, #response.fields[1][1])
      assert.matches("^pid=%d+ n=1 hash=%x+ plugin=witness%z", response.fields[1][1])
    end)

    it("a registration by path with a refusal", function ()
      local session = peer:session()
      local response = peer:call("RegisterResource",
        wire.bytes(1, "/etc/passwd") .. wire.int(3, 2) .. wire.int(5, session))
      assert.equal(wire.PERMISSION_DENIED, response.code)
      assert.equal(TYPE_URL, response.type_url)
      assert.equal("08011001", wire.hex(response.detail:sub(1, 4))) -- FFI_WITH_STATUS, EPERM
      assert.matches("opens no paths", response.message)
    end)

    it("a blob whose name is a path with a refusal, and writes nothing", function ()
      local session = peer:session()
      for _, name in ipairs { "../../escaped", "a/b", "..", ".", "/" } do
        for _, kind in ipairs { 1, 2 } do
          local response = peer:call("RegisterResource", wire.register(session, { wire.blob(name, "bytes", kind) }))
          assert.equal(wire.INVALID_ARGUMENT, response.code, name)
          assert.is_true(#response.message > 0)
        end
      end
      for _, path in ipairs(system.tree(harness.dir)) do assert.is_nil(path:find("escaped", 1, true), path) end
    end)

    it("a registration of nothing", function ()
      local response = peer:call("RegisterResource", wire.int(3, 2) .. wire.int(5, peer:session()))
      assert.equal(wire.INVALID_ARGUMENT, response.code)
      assert.equal("No paths or blobs provided", response.message)
    end)

    it("an id that cannot be one", function ()
      local response = peer:call("RegisterResource",
        wire.int(3, 2) .. wire.int(4, -1) .. wire.int(5, peer:session()))
      assert.equal(wire.INTERNAL, response.code)
      assert.equal("0802", wire.hex(response.detail:sub(1, 2)))
    end)

    it("torch inputs as they came", function ()
      local session = peer:session()
      local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      local both = wire.int(1, session) .. wire.int(2, model)
      assert.equal(0, peer:call("TorchModelLoad", both).code)
      local tensor = wire.bytes(1, "abcdefgh") .. wire.bytes(2, wire.varint(1) .. wire.varint(2)) .. wire.int(3, 7)
      local response = peer:call("TorchModelRun", both .. wire.bytes(4, tensor) .. wire.int(5, 1))
      assert.equal(0, response.code, response.message)
      assert.equal(wire.hex(tensor), wire.hex(response.fields[1][1]))
    end)

    it("torch runs that ask for more than there is", function ()
      local session = peer:session()
      local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      local both = wire.int(1, session) .. wire.int(2, model)
      assert.equal(0, peer:call("TorchModelLoad", both).code)
      for _, outputs in ipairs { 0, 1, 2 ^ 40 } do
        local response = peer:call("TorchModelRun", both .. wire.int(5, outputs))
        assert.not_equal(0, response.code, tostring(outputs))
      end
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    end)
  end)

  describe("survives", function ()
    it("peers that say half a thing and leave", function ()
      local fds = agent:fds()
      local whole = wire.frame { stream = 1, type = wire.REQUEST,
        body = wire.request(wire.SYNC, "CreateSession", wire.int(1, 0)) }
      for length = 0, #whole - 1, 7 do
        local peer = wire.connect(agent.address)
        peer:send(whole:sub(1, length))
        peer:close()
      end
      process.wait_until(5 * harness.slow, function () return agent:fds() == fds end)
      assert.equal(fds, agent:fds())
      local peer = wire.connect(agent.address)
      assert.is_true(peer:session() > 0)
      agent:stop()
    end)

    it("a frame that claims more than any may", function ()
      local peer = wire.connect(agent.address)
      peer:send(wire.frame { stream = 1, type = wire.REQUEST, body = "", length = 0x7fffffff })
      local ok, frame = pcall(peer.receive, peer, 5 * harness.slow) -- an answer, or the end
      assert.is_true(ok)
      if frame then assert.not_equal(0, wire.response(frame).code) end
      local other = wire.connect(agent.address)
      assert.is_true(other:session() > 0)
      agent:stop()
    end)

    it("data frames and types that nobody knows", function ()
      local peer = wire.connect(agent.address)
      local session = peer:session()
      peer:send(wire.frame { stream = 1, type = wire.DATA, body = "x" })
      peer:send(wire.frame { stream = 1, type = 9, body = "x" })
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
      agent:stop()
    end)
  end)

  describe("told to stop", function ()
    local path
    before_each(function () path = harness.dir .. "/agent.sock" end)

    it("ends with status 0 and takes its socket and run directory along", function ()
      assert.is_true(system.exists(path))
      agent:stop()
      assert.is_false(system.exists(path))
      assert.is_false(system.exists(agent:rundir()))
    end)

    it("by SIGINT does the same", function ()
      agent:stop(signal.SIGINT)
      assert.is_false(system.exists(path))
      assert.is_false(system.exists(agent:rundir()))
    end)

    it("lets the running operation finish and refuses new sessions meanwhile", function ()
      local long, other = harness.driver { address = agent.address }, harness.driver { address = agent.address }
      long:must "session a 0"
      other:must "session b 0"
      long:tell "say a SLEEP 5000"
      agent:says(RECEIVED)
      agent:kill(signal.SIGTERM)
      agent:says "SIGTERM: draining, 1 operations are running"
      local code, reason = other:fails "session c 0"
      assert.equal(16, code)
      assert.matches("draining", reason)
      assert.equal("witness", harness.testimony(long:answer()).plugin)
      assert.same({ how = "exited", code = 0 }, agent:wait(10 * harness.slow))
      assert.is_false(system.exists(path))
      assert.is_false(system.exists(agent:rundir()))
    end)

    it("says on the wire that it is not available", function ()
      local peer = wire.connect(agent.address)
      local session = peer:session()
      peer:start("ImageClassification", wire.image(session, "SLEEP 5000"))
      agent:says(RECEIVED)
      agent:kill(signal.SIGTERM)
      agent:says "SIGTERM: draining, 1 operations are running"
      local refused = peer:call("CreateSession", wire.int(1, 0))
      assert.equal(wire.UNAVAILABLE, refused.code)
      assert.equal("08011010", wire.hex(refused.detail:sub(1, 4))) -- FFI_WITH_STATUS, EBUSY
      assert.equal(0, wire.response(assert(peer:receive())).code)
      assert.same({ how = "exited", code = 0 }, agent:wait(10 * harness.slow))
    end)

    it("twice does not wait, and says by its status that work was left", function ()
      local long = harness.driver { address = agent.address }
      long:must "session a 0"
      long:tell "say a SLEEP 60000"
      agent:says(RECEIVED)
      agent:kill(signal.SIGTERM)
      agent:says "SIGTERM: draining, 1 operations are running"
      process.wait_until(0.5, function () return agent.status end)
      assert.is_nil(agent.status)
      agent:kill(signal.SIGTERM)
      assert.same({ how = "exited", code = 1 }, agent:wait(10 * harness.slow))
      assert.equal(104, long:answer().code)
      assert.is_false(system.exists(path))
      assert.is_false(system.exists(agent:rundir()))
    end)

    it("does not wait longer than it was told to", function ()
      agent:stop()
      agent = harness.agent { plugins = "witness", args = { "--drain-timeout", "1s" },
        env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
      local long = harness.driver { address = agent.address }
      long:must "session a 0"
      long:tell "say a SLEEP 60000"
      agent:says(RECEIVED)
      local told = system.now()
      agent:kill(signal.SIGTERM)
      assert.same({ how = "exited", code = 1 }, agent:wait(10 * harness.slow))
      assert.is_true(system.now() - told >= 0.9)
      assert.equal(104, long:answer().code)
    end)
  end)

  it("takes the place of one that was killed", function ()
    local path = harness.dir .. "/agent.sock"
    agent:kill(signal.SIGKILL)
    agent:wait(5)
    assert.is_true(system.exists(path))
    agent = harness.agent { plugins = "witness" }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    assert.equal(agent.pid, harness.testimony(driver:must "say a hello").pid)
    driver:close()
    agent:stop()
  end)
end)
