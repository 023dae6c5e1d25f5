--- The wire as vAccel 0.8 has it, fact by fact, from outside of the agent: section by section of what
--- was measured of the original. What other specs show is named there, and not shown twice.
local poll = require "posix.poll"
local unistd = require "posix.unistd"
local harness = require "support.harness"
local wire = require "support.wire"

local EINVAL = 22
local FFI = 0 -- ErrorType
local TYPE_URL = "type.googleapis.com/vaccel.ProtoError"

describe("the wire:", function ()
  local agent, peer

  local function serve(options)
    options = options or {}
    options.plugins = options.plugins or "noop"
    agent = harness.agent(options)
    peer = wire.connect(agent.address)
  end

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- A request by hand, on a stream of that number, and its response.
  local function ask(stream, service, method, payload, flags)
    peer:send(wire.frame { stream = stream, type = wire.REQUEST, flags = flags,
      body = wire.request(service, method, payload) })
    local response = wire.response(assert(peer:receive(), "the agent hung up"))
    assert.equal(stream, response.stream)
    return response
  end

  -- 1. Framing. Cuts, oversize, one write: unit-ttrpc_server; streams: unit-ttrpc_streams and
  -- genop_stream_spec; what does not decode, unknown names of the synchronous service: isolation_spec.
  describe("1: framing", function ()
    before_each(function () serve() end)

    it("the bytes of an existing client's first call, and ours", function ()
      peer:send("\0\0\0\51\0\0\0\1\1\0\10\30vaccel.sync.agent.AgentService\18\13CreateSession\26\2\8\7")
      assert.equal(1, poll.rpoll(peer.fd, 5000))
      local bytes = unistd.read(peer.fd, 100)
      assert.equal("0000000600000001020" .. "0" .. "0a00" .. "1202" .. "08", wire.hex(bytes:sub(1, 15)))
      assert.equal(16, #bytes, "header and body came apart")
    end)

    it("the synchronous service takes and echoes any number of a stream", function ()
      for _, stream in ipairs { 0, 2, 2, 1, 1, 7, 5, 0xffffffff, 3, 0 } do
        assert.equal(0, ask(stream, wire.SYNC, "CreateSession", "").code, stream)
      end
    end)

    it("the asynchronous service refuses even ones, and those that were used", function ()
      local ODD = "StreamID must be odd for client initiated streams"
      local RISE = "StreamID cannot be re-used and must increment"
      for _, case in ipairs {
        { 0, ODD }, { 2, ODD }, { 1 }, { 1, RISE }, { 1001 },
        { 999 }, -- two threads of a client, the one a little late
        { 999, RISE }, { 3, RISE }, { 1003 }, { 1001, RISE },
      } do
        local response = ask(case[1], wire.ASYNC, "CreateSession", "")
        assert.equal(case[2] and wire.INVALID_ARGUMENT or 0, response.code, case[1])
        assert.equal(case[2] or "", response.message)
      end
    end)

    it("the sixteenth breach closes the connection", function ()
      for _ = 1, 15 do assert.equal(wire.INVALID_ARGUMENT, ask(2, wire.ASYNC, "CreateSession", "").code) end
      peer:send(wire.frame { stream = 2, type = wire.REQUEST, body = wire.request(wire.ASYNC, "CreateSession", "") })
      repeat local frame = peer:receive() until not frame
      peer = wire.connect(agent.address)
      assert.is_true(peer:session() > 0)
    end)

    it("what the asynchronous service says of a method that it has not, and of a deadline that has passed", function ()
      local response = ask(1, wire.ASYNC, "NoSuchMethod", "")
      assert.same({ 12, "NoSuchMethod method" }, { response.code, response.message })
      peer:send(wire.frame { stream = 3, type = wire.REQUEST,
        body = wire.request(wire.ASYNC, "CreateSession", "") .. wire.int(4, -1) })
      response = wire.response(peer:receive())
      assert.same({ 4, "timeout" }, { response.code, response.message })
    end)

    it("a frame as long as the limit, one longer by a byte, and the next call", function ()
      agent:stop()
      serve { args = { "--limit", "frame=100000" } }
      local session = peer:session()
      local function classify(length)
        local empty = #wire.request(wire.SYNC, "ImageClassification", wire.image(session, ("x"):rep(90000))) - 90000
        return ask(9, wire.SYNC, "ImageClassification", wire.image(session, ("x"):rep(length - empty)))
      end
      assert.equal(0, classify(100000).code)
      local refused = classify(100001)
      assert.same({ wire.INVALID_ARGUMENT, "message length 100001 exceed maximum message size of 100000" },
        { refused.code, refused.message })
      assert.equal(0, classify(50000).code)
    end)

    it("metadata is taken, and no answer has any; more than 64 pairs or 8 KiB are refused", function ()
      local function create(pairs_of, length)
        local body = wire.request(wire.SYNC, "CreateSession", "")
        for i = 1, pairs_of do
          body = body .. wire.bytes(5, wire.bytes(1, "k" .. i) .. wire.bytes(2, ("v"):rep(length)))
        end
        peer.stream = peer.stream + 2
        peer:send(wire.frame { stream = peer.stream, type = wire.REQUEST, body = body })
        return wire.response(peer:receive())
      end
      assert.equal(0, create(64, 100).code)
      assert.equal(wire.RESOURCE_EXHAUSTED, create(65, 1).code)
      assert.equal(wire.RESOURCE_EXHAUSTED, create(1, 9000).code)
    end)
  end)

  -- What a plain agent sees of our client. Its calls: unit-rpc-*.
  it("1: our client sends no deadline of its own and no metadata, and a Hello first", function ()
    local path = harness.dir .. "/plain.sock"
    local listener = wire.listen(path)
    local driver = harness.driver { address = "unix://" .. path }
    driver:tell "session a 7"
    local ours = wire.accept(listener)
    local hello = ours:receive()
    local request = wire.decode(hello.body)
    assert.same({ 1, wire.REQUEST, 0, "luaccel.v1.Peer", "Hello" },
      { hello.stream, hello.type, hello.flags, request[1][1], request[2][1] })
    ours:answer(1, nil, wire.INVALID_ARGUMENT, "/luaccel.v1.Peer/Hello does not exist")
    local create = ours:receive()
    assert.same({ 3, wire.REQUEST, 0 }, { create.stream, create.type, create.flags })
    assert.equal(wire.hex(wire.request(wire.SYNC, "CreateSession", wire.int(1, 7))), wire.hex(create.body))
    -- without a status, which is taken too
    ours:send(wire.frame { stream = 3, type = wire.RESPONSE, body = wire.bytes(2, wire.int(1, 42)) })
    assert.is_true(driver:answer().ok)
    driver:tell "release a"
    local destroy = ours:receive()
    assert.equal(wire.hex(wire.request(wire.SYNC, "DestroySession", wire.int(1, 42))), wire.hex(destroy.body))
    ours:answer(5, "")
    assert.is_true(driver:answer().ok)
    driver:close()
    unistd.close(listener)
  end)

  -- 2. Methods. What each does: models_spec, isolation_spec, badinput_wire_spec.
  it("2: each method under both names, and none beyond", function ()
    serve()
    for _, method in ipairs {
      "CreateSession", "UpdateSession", "DestroySession", "RegisterResource", "UnregisterResource", "SyncResource",
      "ImageClassification", "TensorflowModelLoad", "TensorflowModelUnload", "TensorflowModelRun",
      "TensorflowLiteModelLoad", "TensorflowLiteModelUnload", "TensorflowLiteModelRun", "TorchModelLoad",
      "TorchModelRun", "Genop", "GetProfiler",
    } do
      for _, service in ipairs { wire.SYNC, wire.ASYNC } do
        local response = peer:call(method, "", service)
        assert.is_nil(response.message:find("does not exist", 1, true), method)
        assert.not_equal(12, response.code, method)
      end
    end
    for _, method in ipairs { "Noop", "Exec", "Sgemm", "Minmax", "ImageDetection", "TorchSgemm", "TorchModelUnload" } do
      assert.equal("/vaccel.sync.agent.AgentService/" .. method .. " does not exist", peer:call(method, "").message)
    end
  end)

  -- 3. Messages. Fields of models and their types: models_spec, unit-rpc-tf; of Genop: genop_stream_spec.
  it("3: numbers of enumerations that nobody knows go to the library as they are", function ()
    serve()
    local session = peer:session()
    for _, register in ipairs {
      wire.register(session, { wire.blob("m", "x") }, 9), wire.register(session, { wire.blob("m", "x", 9) }),
    } do
      local response = peer:call("RegisterResource", register)
      assert.equal(wire.INTERNAL, response.code, response.message)
      assert.equal(EINVAL, wire.failure(response).code)
    end
  end)

  -- 4. Sessions and resources. Ids that are another's: isolation_spec; tensors, Genop's arguments: badinput_wire_spec;
  -- GetProfiler: genop_stream_spec.
  describe("4: sessions and resources", function ()
    local session

    before_each(function ()
      serve { env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
      session = peer:session()
    end)

    local function register(payload)
      local response = peer:call("RegisterResource", payload)
      return response.fields[1] and response.fields[1][1], response
    end

    --- Registering an object that exists.
    local function again(id, with)
      return (select(2, register(wire.int(3, 2) .. wire.int(4, id) .. wire.int(5, with))))
    end

    local function sync(id)
      local blobs = {}
      local response = peer:call("SyncResource", wire.int(1, id))
      assert.equal(0, response.code, response.message)
      for i, blob in ipairs(response.fields[1] or {}) do blobs[i] = wire.decode(blob) end
      return blobs
    end

    it("UpdateSession fails for no session that is known, and for any other", function ()
      for _, flags in ipairs { 0, 7, 0xffffffff } do
        assert.equal(0, peer:call("UpdateSession", wire.int(1, session) .. wire.int(2, flags)).code)
      end
      local response = peer:call("UpdateSession", wire.int(1, session + 1))
      assert.same({ wire.NOT_FOUND, "Unknown session " .. session + 1 }, { response.code, response.message })
      assert.is_nil(response.detail)
    end)

    it("an existing resource is registered again, as often as one likes, its other fields ignored", function ()
      local id = register(wire.register(session, { wire.blob("m", "weights") }))
      for _ = 1, 3 do assert.equal(id, again(id, session).fields[1][1]) end
      local response = peer:call("RegisterResource",
        wire.register(session, { wire.blob("n", "others") }) .. wire.int(4, id))
      assert.equal(id, response.fields[1][1])
      assert.equal("weights", sync(id)[1][3][1])
    end)

    it("a resource outlives its session, and serves another", function ()
      local id = register(wire.register(session, { wire.blob("m", "weights") }))
      assert.equal(0, peer:call("DestroySession", wire.int(1, session)).code)
      local other = peer:session()
      assert.equal(id, again(id, other).fields[1][1])
      assert.equal(0, peer:call("TorchModelLoad", wire.model(other, id)).code)
    end)

    it("a resource goes when its last session has unregistered it", function ()
      local id = register(wire.register(session, { wire.blob("m", "weights") }))
      local other = peer:session()
      again(id, other)
      local function unregister(from) return peer:call("UnregisterResource", wire.int(1, id) .. wire.int(2, from)) end
      assert.equal(0, unregister(session).code)
      assert.equal(0, unregister(other).code)
      assert.equal("Unknown resource " .. id, unregister(other).message)
    end)

    it("blobs win over paths", function ()
      local id = register(wire.bytes(1, "/etc/hostname") .. wire.register(session, { wire.blob("m", "weights") }))
      assert.equal("weights", sync(id)[1][3][1])
    end)

    it("a BUFFER stays in memory, a MAPPED one is a file of its name, a FILE is refused", function ()
      local function files_of(name)
        local found = 0
        for _, path in ipairs(agent:rundirs()) do if path:find(name, 1, true) then found = found + 1 end end
        return found
      end
      assert.is_number(register(wire.register(session, { wire.blob("buffer-blob", "x", 1) })))
      assert.is_number(register(wire.register(session, { wire.blob("mapped-blob", "x", 2) })))
      assert.same({ 0, 1 }, { files_of "buffer-blob", files_of "mapped-blob" })
      local id, response = register(wire.register(session, { wire.blob("file-blob", "x", 0) }))
      assert.is_nil(id)
      assert.same({ wire.INTERNAL, EINVAL }, { response.code, wire.failure(response).code })
    end)

    it("a blob's size is that of its data, whatever it says; no data is EINVAL, no name is none", function ()
      local lying = wire.int(1, 1) .. wire.bytes(2, "m") .. wire.bytes(3, "weights") .. wire.int(4, 3)
      local id = register(wire.register(session, { lying }))
      assert.same({ "weights", 7 }, { sync(id)[1][3][1], sync(id)[1][4][1] })
      local _, response = register(wire.register(session, { wire.blob("m", "") }))
      assert.equal(EINVAL, wire.failure(response).code)
      assert.is_number(register(wire.register(session, { wire.blob("", "weights") })))
    end)

    it("SyncResource has data and size of each blob, and nothing else", function ()
      local id = register(wire.register(session, { wire.blob("one", "first"), wire.blob("two", "second", 2) }))
      local blobs = sync(id)
      assert.same({ { [3] = { "first" }, [4] = { 5 } }, { [3] = { "second" }, [4] = { 6 } } }, blobs)
      local response = peer:call("SyncResource", wire.int(1, id + 1))
      assert.same({ wire.NOT_FOUND, "Unknown resource " .. id + 1 }, { response.code, response.message })
    end)
  end)

  -- 5. Errors. Every NOT_FOUND, conversion, plugin's codes: isolation_spec, models_spec, badinput_wire_spec; what our
  -- client makes of each: unit-rpc-session.
  it("5: details are one Any of a type that nobody has to know, with the bytes of the original", function ()
    serve { plugins = "witness" }
    local session = peer:session()
    local response = peer:call("ImageClassification", wire.image(session, "CODE 95"))
    assert.same({ wire.INTERNAL, "FFI error: 95", TYPE_URL, "105f" },
      { response.code, response.message, response.type_url, wire.hex(response.detail) })
    assert.equal(FFI, wire.failure(response).kind)
    response = peer:call("DestroySession", wire.int(1, 0))
    assert.equal("08021a0f220d" .. wire.hex "Invalid ID: 0", wire.hex(response.detail))
    response = peer:call("Genop", wire.genop(session, wire.OP.DETECT, { wire.arg(wire.ARG.BUFFER, "x", 9) }))
    assert.equal("08061a", wire.hex(response.detail:sub(1, 3)))
    assert.matches("^Conversion failed: ", response.message)
  end)

  -- 6. GenopStream: genop_stream_spec, unit-rpc-genop_stream.

  -- 7. Addresses. Their syntax: unit-ttrpc_address; options: unit-agent_options; stale files, IPv6, CIDs:
  -- differences_spec; signals: isolation_spec.
  describe("7: addresses", function ()
    it("unix in the abstract namespace, tcp in letters of any case, at both ends", function ()
      local tcp = harness.free_tcp()
      local abstract = "unix://@luaccel-spec-" .. unistd.getpid()
      harness.agent { plugins = "noop", addresses = { abstract, (tcp:gsub("^tcp", "TCP")) } }
      for _, address in ipairs { abstract, tcp, (tcp:gsub("^tcp", "Tcp")) } do
        local driver = harness.driver { address = address }
        driver:must "session a 0"
        driver:close()
      end
    end)

    it("what is none is named, and nothing starts", function ()
      for address, why in pairs {
        ["127.0.0.1:65500"] = "://", ["http://127.0.0.1:80"] = "http", ["UNIX:///x"] = "UNIX",
        ["tcp://127.0.0.1"] = "HOST:PORT", ["vsock://2:port"] = "vsock",
      } do
        local failed = harness.agent_that_fails { plugins = "noop", addresses = { address } }
        assert.is_true(failed.status.code ~= 0, address)
        assert.is_truthy(failed:text "err":find(why, 1, true), failed:text())
      end
    end)

    it("an unknown key or a bad value of --vaccel-config is a usage error", function ()
      for _, config in ipairs { "colour=red", "log_level=loud", "profiling_enabled=1", "version_ignore=yes" } do
        local failed = harness.agent_that_fails { args = { "--vaccel-config", config } }
        assert.same({ how = "exited", code = 2 }, failed.status, failed:text())
      end
    end)
  end)

  -- 8. Operations side by side, locks, limits: isolation_spec, differences_spec, threads_spec.
  it("8: answers come as operations end, not as they came", function ()
    serve { plugins = "witness" }
    local slow, fast = peer:session(), peer:session()
    local late = peer:start("ImageClassification", wire.image(slow, "SLEEP 3000"))
    local early = peer:start("ImageClassification", wire.image(fast, "x"))
    assert.equal(early, wire.response(peer:receive()).stream)
    assert.equal(late, wire.response(peer:receive()).stream)
  end)
end)
