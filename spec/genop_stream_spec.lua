--- GenopStream, byte for byte: what existing clients of the asynchronous agent send when arguments do
--- not fit into one request, and everything that could be sent instead. The witness answers with a
--- hash of what it was given, which must be that of the same operation in one request.
local harness = require "support.harness"
local system = require "support.system"
local wire = require "support.wire"

local BUFFER, RAW, TEXT = wire.ARG.BUFFER, wire.ARG.RAW, wire.ARG.UCHAR_ARRAY
local CHUNK = 4194304 - 64 -- of existing clients

local function bytes(length)
  local pattern = {}
  for i = 1, 251 do pattern[i] = string.char(i % 256) end
  local text = table.concat(pattern)
  return text:rep(math.ceil(length / #text)):sub(1, length)
end

describe("GenopStream", function ()
  local agent, peer, session

  local function serve(options)
    options.plugins = "witness"
    agent = harness.agent(options)
    peer = wire.connect(agent.address)
    session = peer:session()
  end

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function number(operation) return wire.arg(wire.ARG.UINT8, string.char(operation)) end
  local function room() return wire.arg(TEXT, ("\0"):rep(200)) end
  local CLASSIFY = number(wire.OP.CLASSIFY)

  --- Send the requests, end the stream, and take the response.
  local function stream(requests, extra)
    local id = peer:begin("GenopStream", nil, extra)
    for _, request in ipairs(requests) do peer:data(id, request) end
    return peer:finish(id)
  end

  local function hash_of(response)
    assert.equal(0, response.code, response.message)
    local said = wire.written(response)
    assert.equal(2, #said)
    return assert(said[2]:match "hash=(%x+)", "no testimony")
  end

  local function unary_hash(image)
    return hash_of(peer:call("Genop", wire.genop(session, wire.OP.CLASSIFY, { wire.arg(BUFFER, image) },
      { room(), room() })))
  end

  describe("of the witness", function ()
    before_each(function () serve {} end)

    it("in one request is Genop", function ()
      local answer = stream { wire.genop_part(session, { CLASSIFY, wire.arg(BUFFER, "an image") }, { room(), room() }) }
      assert.equal(unary_hash "an image", hash_of(answer))
      assert.equal("", answer.status)
      assert.equal(0, answer.flags)
    end)

    it("as the existing client sends it: read args, an image in chunks after what was pending, write args",
      function ()
        local image = bytes(3 * CHUNK + 1000)
        local requests = { wire.genop_part(session, { CLASSIFY }) }
        for _, chunk in ipairs(wire.chunks(BUFFER, image, CHUNK)) do
          requests[#requests + 1] = wire.genop_part(session, { chunk })
        end
        assert.equal(5, #requests)
        requests[#requests + 1] = wire.genop_part(session, nil, { room(), room() })
        assert.equal(unary_hash(image), hash_of(stream(requests)))
      end)

    it("with an empty request before chunks, one chunk that is all, and write args in chunks", function ()
      local requests = { wire.genop_part(session, {}), wire.genop_part(session, { CLASSIFY }) }
      requests[3] = wire.genop_part(session, wire.chunks(BUFFER, "all of it", 9))
      for _, chunk in ipairs(wire.chunks(TEXT, ("\0"):rep(150), 50)) do
        requests[#requests + 1] = wire.genop_part(session, nil, { chunk })
      end
      requests[#requests + 1] = wire.genop_part(session, nil, { room() })
      local answer = stream(requests)
      assert.equal(unary_hash "all of it", hash_of(answer))
      assert.equal(150, #wire.written(answer)[1], "a write argument comes back whole")
      local arg = wire.decode(answer.fields[1][1])
      assert.same({ 150, TEXT }, { arg[2][1], arg[3][1] })
      assert.is_nil(arg[5], "chunks are no matter of the answer")
      assert.is_nil(arg[6])
    end)

    it("ends with its last message too, or in its request", function ()
      local whole = wire.genop_part(session, { CLASSIFY, wire.arg(BUFFER, "x") }, { room(), room() })
      local id = peer:begin "GenopStream"
      peer:data(id, whole, wire.CLOSED)
      local answer = wire.response(peer:receive())
      assert.equal(unary_hash "x", hash_of(answer))
      peer.stream = peer.stream + 2
      peer:send(wire.frame { stream = peer.stream, type = wire.REQUEST, flags = wire.OPEN,
        body = wire.request(wire.ASYNC, "GenopStream", whole) })
      answer = peer:finish(peer.stream)
      assert.equal(unary_hash "x", hash_of(answer))
    end)

    it("goes on beside other calls and other streams", function ()
      local first, second = peer:begin "GenopStream", peer:begin "GenopStream"
      local one, two = wire.chunks(BUFFER, bytes(3000), 1000), wire.chunks(BUFFER, bytes(6000), 2000)
      peer:data(first, wire.genop_part(session, { CLASSIFY }))
      peer:data(second, wire.genop_part(session, { CLASSIFY }))
      for part = 1, 3 do
        peer:data(first, wire.genop_part(session, { one[part] }))
        assert.equal(0, peer:call("UpdateSession", wire.int(1, session), wire.ASYNC).code)
        peer:data(second, wire.genop_part(session, { two[part] }))
      end
      peer:data(second, wire.genop_part(session, nil, { room(), room() }))
      peer:data(first, wire.genop_part(session, nil, { room(), room() }))
      local answers = { peer:finish(second), peer:finish(first) }
      assert.equal(unary_hash(bytes(6000)), hash_of(answers[1]))
      assert.equal(unary_hash(bytes(3000)), hash_of(answers[2]))
    end)

    it("has the checks of Genop", function ()
      local answer = stream { wire.genop_part(session, { CLASSIFY, wire.arg(BUFFER, "x", 9) }, { room(), room() }) }
      assert.equal(wire.INTERNAL, answer.code)
      assert.truthy(answer.message:find "^Conversion failed")
      answer = stream { wire.genop_part(session, { number(99) }) }
      assert.equal(22, wire.failure(answer).code)
      answer = stream { wire.genop_part(session, { number(wire.OP.EXEC) }) }
      assert.equal(wire.PERMISSION_DENIED, answer.code)
    end)

    --- What is refused: the requests, and a part of the reason.
    local function refused(what, reason, requests)
      it("is refused: " .. what, function ()
        local list = requests()
        local answer = stream(list)
        assert.equal(wire.INVALID_ARGUMENT, answer.code, answer.message)
        assert.truthy(answer.message:find(reason, 1, true), answer.message)
        assert.is_nil(answer.detail)
        assert.is_string(unary_hash "the connection goes on")
      end)
    end

    local function image_chunks(count) return wire.chunks(BUFFER, bytes(count * 100), 100) end

    refused("a stream without a request", "ends before its first request", function () return {} end)
    refused("one that ends amid chunks", "ends after chunk 2 of 3", function ()
      local chunks = image_chunks(3)
      return { wire.genop_part(session, { CLASSIFY }), wire.genop_part(session, { chunks[1] }),
        wire.genop_part(session, { chunks[2] }) }
    end)
    refused("chunks that begin in the middle", "chunk 2 of 3 comes first", function ()
      return { wire.genop_part(session, { image_chunks(3)[2] }) }
    end)
    refused("a chunk left out", "chunk 3 of 3 comes after chunk 1", function ()
      local chunks = image_chunks(3)
      return { wire.genop_part(session, { chunks[1] }), wire.genop_part(session, { chunks[3] }) }
    end)
    refused("a chunk twice", "chunk 1 of 3 comes after chunk 1", function ()
      local chunks = image_chunks(3)
      return { wire.genop_part(session, { chunks[1] }), wire.genop_part(session, { chunks[1] }) }
    end)
    refused("chunks with something else between", "chunk 1 of 3 is followed by something else", function ()
      return { wire.genop_part(session, { image_chunks(3)[1] }), wire.genop_part(session, { CLASSIFY }) }
    end)
    refused("chunks of two arguments", "mixed", function ()
      return { wire.genop_part(session, { image_chunks(3)[1] }), wire.genop_part(session, { image_chunks(4)[2] }) }
    end)
    refused("chunks of two types", "mixed", function ()
      return { wire.genop_part(session, { wire.chunks(BUFFER, bytes(200), 100)[1] }),
        wire.genop_part(session, { wire.chunks(RAW, bytes(200), 100)[2] }) }
    end)
    refused("chunks to read and to write", "mixed", function ()
      local chunks = image_chunks(2)
      return { wire.genop_part(session, { chunks[1] }), wire.genop_part(session, nil, { chunks[2] }) }
    end)
    refused("a chunk that is not alone", "not alone", function ()
      return { wire.genop_part(session, { CLASSIFY, image_chunks(2)[1] }) }
    end)
    refused("chunks with more than their size", "have more", function ()
      local chunk = wire.arg(BUFFER, bytes(200), 150) .. wire.int(5, 2) .. wire.int(6, 1)
      return { wire.genop_part(session, { chunk }) }
    end)
    refused("chunks with less than their size", "have fewer", function ()
      local function chunk(part) return wire.arg(BUFFER, bytes(50), 150) .. wire.int(5, 2) .. wire.int(6, part) end
      return { wire.genop_part(session, { chunk(1) }), wire.genop_part(session, { chunk(2) }) }
    end)
    refused("an argument to read after one to write", "to read comes after one to write", function ()
      return { wire.genop_part(session, nil, { room() }), wire.genop_part(session, { CLASSIFY }) }
    end)
    refused("two sessions", "comes after session", function ()
      local other = peer:session()
      return { wire.genop_part(session, { CLASSIFY }), wire.genop_part(other, nil, { room() }) }
    end)
    refused("what is no genop.Request", "malformed", function () return { "\255\255" } end)

    it("names a session of the connection's own", function ()
      local id = peer:begin "GenopStream"
      peer:data(id, wire.genop_part(session + 1000, { CLASSIFY }))
      local answer = wire.response(peer:receive())
      assert.same({ wire.NOT_FOUND, "Unknown session " .. session + 1000 }, { answer.code, answer.message })
      -- what was on its way is skipped
      peer:data(id, wire.genop_part(session, { CLASSIFY }))
      peer:data(id, "", wire.CLOSED + wire.NO_DATA)
      assert.is_string(unary_hash "x")
      answer = stream { wire.genop_part(0, { CLASSIFY }) }
      assert.equal("Invalid argument: Invalid ID: 0", answer.message)
    end)

    it("is a method of the asynchronous service alone, and the only one that streams", function ()
      local id = peer:begin("GenopStream", wire.SYNC)
      local answer = wire.response(peer:receive())
      assert.equal(id, answer.stream)
      assert.equal("/vaccel.sync.agent.AgentService/GenopStream does not exist", answer.message)
      peer:begin "Genop"
      answer = wire.response(peer:receive())
      assert.same({ 12, "Genop takes one request and no stream of them" }, { answer.code, answer.message })
    end)

    it("is cut off by its deadline while it is collected", function ()
      local deadline = wire.int(4, 200 * 1000000)
      local began = system.now()
      peer:begin("GenopStream", nil, deadline)
      local answer = wire.response(peer:receive())
      assert.same({ 4, "timeout" }, { answer.code, answer.message })
      local took = system.now() - began
      assert.is_true(took > 0.19 and took < 3 * harness.slow, "it took " .. took .. " s")
      peer:begin("GenopStream", nil, wire.int(4, -1))
      answer = wire.response(peer:receive())
      assert.same({ 4, "timeout" }, { answer.code, answer.message })
    end)

    it("leaves nothing when the peer goes amid chunks", function ()
      for _ = 1, 20 do
        local other = wire.connect(agent.address)
        local theirs = other:session()
        local id = other:begin "GenopStream"
        other:data(id, wire.genop_part(theirs, { wire.chunks(BUFFER, bytes(4000), 1000)[1] }))
        other:close()
      end
      assert.is_string(unary_hash "x")
      agent:stop()
    end)
  end)

  it("as long as one request may be, and no longer", function ()
    serve { args = { "--limit", "frame=1M" } }
    local function of(size)
      local requests = { wire.genop_part(session, { CLASSIFY }) }
      for _, chunk in ipairs(wire.chunks(BUFFER, bytes(size), 100000)) do
        requests[#requests + 1] = wire.genop_part(session, { chunk })
      end
      requests[#requests + 1] = wire.genop_part(session, nil, { room(), room() })
      return requests
    end
    assert.equal(unary_hash(bytes(1000000)), hash_of(stream(of(1000000))))
    local answer = stream(of(1048577))
    assert.equal(wire.RESOURCE_EXHAUSTED, answer.code)
    assert.truthy(answer.message:find("limit frame", 1, true))
    assert.equal(12, wire.failure(answer).code)
    -- also in many arguments, whatever is announced
    local requests = {}
    for i = 1, 12 do requests[i] = wire.genop_part(session, { wire.arg(BUFFER, bytes(100000)) }) end
    assert.truthy(stream(requests).message:find("limit frame", 1, true))
    local huge = wire.arg(BUFFER, "x", 0xffffffff) .. wire.int(5, 2) .. wire.int(6, 1)
    assert.truthy(stream({ wire.genop_part(session, { huge }) }).message:find("limit frame", 1, true))
    assert.is_string(unary_hash "x")
  end)

  it("that stops is ended, as a frame is", function ()
    serve { args = { "--limit", "frame-timeout=1" } }
    local id = peer:begin "GenopStream"
    peer:data(id, wire.genop_part(session, { CLASSIFY }))
    local answer = wire.response(peer:receive())
    assert.equal(4, answer.code)
    assert.truthy(answer.message:find("limit frame-timeout", 1, true))
    assert.is_string(unary_hash "x")
  end)
end)

describe("GetProfiler", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local REGIONS = { "read_args", "write_args", "sess.genop", "resp_write_args" }

  --- Samples of each region: name -> list of { start, time }.
  local function profile(response)
    assert.equal(0, response.code, response.message)
    if not response.fields[1] then return nil end
    local profiler = wire.decode(response.fields[1][1])
    assert.equal("vaccel-rpc-agent", profiler[1][1])
    local regions = {}
    for _, entry in ipairs(profiler[2]) do
      local pair = wire.decode(entry)
      local samples = {}
      for i, sample in ipairs(wire.decode(pair[2][1])[1]) do
        local fields = wire.decode(sample)
        samples[i] = { start = fields[1][1], time = fields[2][1] }
      end
      regions[pair[1][1]] = samples
    end
    return regions
  end

  local function classify(peer, session, order)
    local room = wire.arg(TEXT, ("\0"):rep(100))
    return peer:call("Genop", wire.genop(session, wire.OP.CLASSIFY, { wire.arg(BUFFER, order) }, { room, room }))
  end

  for how, options in pairs {
    ["the environment"] = { env = { VACCEL_PROFILING_ENABLED = "1" } },
    ["--vaccel-config"] = { args = { "--vaccel-config", "plugins=libvaccel-witness.so,profiling_enabled=true" } },
  } do
    it("has the samples of each Genop until its session ends, with profiling on by " .. how, function ()
      options.plugins = not options.args and "witness" or nil
      local agent = harness.agent(options)
      local peer = wire.connect(agent.address)
      local session, other = peer:session(), peer:session()
      local function get(of, service) return profile(peer:call("GetProfiler", wire.int(1, of), service)) end
      assert.is_nil(get(session))
      for _ = 1, 3 do assert.equal(0, classify(peer, session, "SLEEP 20 ").code) end
      peer:call("ImageClassification", wire.image(session, "x"))
      for _, service in ipairs { wire.SYNC, wire.ASYNC } do
        local regions = get(session, service)
        for _, name in ipairs(REGIONS) do
          local samples = regions["[vaccel-rpc-agent] genop > " .. name]
          assert.equal(3, #samples, name)
          for i = 2, 3 do assert.is_true(samples[i].start > samples[i - 1].start) end
        end
        for _, sample in ipairs(regions["[vaccel-rpc-agent] genop > sess.genop"]) do
          assert.is_true(sample.time > 19e6 and sample.time < 1e9 * harness.slow, sample.time .. " ns")
        end
      end
      assert.is_nil(get(other))
      assert.is_nil(get(session + 1000))
      assert.is_nil(profile(wire.connect(agent.address):call("GetProfiler", wire.int(1, session))),
        "another connection's session")
      assert.equal("Invalid argument: Invalid ID: 0", peer:call("GetProfiler", "").message)
      assert.equal(0, peer:call("DestroySession", wire.int(1, session)).code)
      assert.is_nil(get(session))
      agent:stop()
    end)
  end

  it("of an operation that failed has what was measured", function ()
    local agent = harness.agent { plugins = "witness", env = { VACCEL_PROFILING_ENABLED = "1" } }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    assert.equal(wire.INTERNAL, classify(peer, session, "CODE 5 ").code)
    local regions = profile(peer:call("GetProfiler", wire.int(1, session)))
    assert.equal(1, #regions["[vaccel-rpc-agent] genop > sess.genop"])
    assert.is_nil(regions["[vaccel-rpc-agent] genop > resp_write_args"])
  end)

  it("has nothing with profiling off", function ()
    local agent = harness.agent { plugins = "witness" }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    assert.equal(0, classify(peer, session, "x").code)
    assert.is_nil(profile(peer:call("GetProfiler", wire.int(1, session))))
  end)
end)
