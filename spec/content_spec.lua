--- Uploads and shared content, by peers that do it by hand: what a guess tells, what a broken upload
--- leaves, what the limits say. digest.h, content.h and service_upload.c have the rules.
local stat = require "posix.sys.stat"
local harness = require "support.harness"
local signal = require "posix.signal"
local system = require "support.system"
local upload = require "support.upload"
local wire = require "support.wire"

local EPERM, ENOMEM, EINVAL, ENOSPC, EUSERS = 1, 12, 22, 28, 87
local MIB = 1024 * 1024

--- Bytes that nothing else of this spec has.
local function bytes(size, seed)
  local block = {}
  math.randomseed(seed or 1)
  for i = 1, 4096 do block[i] = string.char(math.random(0, 255)) end
  local text = table.concat(block)
  return text:rep(math.ceil(size / #text)):sub(1, size)
end

describe("content", function ()
  local agent

  local function serve(options)
    options = options or {}
    options.plugins = "witness"
    options.env = { VACCEL_LOG_LEVEL = harness.VERBOSE }
    agent = harness.agent(options)
    return upload.connect(agent.address)
  end

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- Nothing of what was uploaded is left, for sessions that go on.
  local function nothing_is_left()
    local left
    local gone = system.poll(5 * harness.slow, function ()
      left = {}
      for _, path in ipairs(agent:rundirs()) do
        if not path:find "/session%.%d+$" then left[#left + 1] = path end
      end
      return #left == 0
    end)
    assert.is_true(gone, table.concat(left, "\n"))
  end

  --- Everything that was charged has been given back.
  local function at_zero()
    wire.close_all()
    agent:says "peer uid:%d+ of .* has gone: nothing is left of it$"
    assert.same({}, agent:matching "accounts: ")
    nothing_is_left()
    agent:stop()
  end

  local function contents()
    local found = {}
    for _, path in ipairs(agent:rundirs()) do
      if path:find "/content%.%d+$" then found[#found + 1] = path end
    end
    return found
  end

  local function accepted(answer)
    assert.equal(0, answer.code, answer.message)
    return assert(answer.id)
  end

  local function sync(peer, id)
    local response = peer.wire:call("SyncResource", wire.int(1, id))
    assert.equal(0, response.code, response.message)
    local list = {}
    for i, blob in ipairs(response.fields[1]) do list[i] = wire.decode(blob)[3][1] end
    return list
  end

  describe("that is uploaded", function ()
    it("is asked for in pieces and comes to rest whole", function ()
      local peer = serve()
      local data = bytes(2 * MIB + 77)
      local stream = peer:offer { peer:blob(data) }
      local terms = peer:answer()
      assert.same({ 0 }, terms.wanted)
      assert.same({ upload.WINDOW, upload.PIECE }, { terms.window, terms.piece_max })
      local sent = 0
      for at = 1, #data, upload.PIECE do
        local piece = data:sub(at, at + upload.PIECE - 1)
        peer:piece(stream, piece)
        sent = sent + #piece
        assert.equal(sent, peer:answer().written)
      end
      peer:close(stream)
      local id = accepted(peer:outcome())
      local path = ("%s/resource.%d/m.pt"):format(agent:rundir(), id)
      assert.is_true(system.read(path) == data)
      assert.same({ data }, sync(peer, id))
      at_zero()
    end)

    it("is a buffer without a file, or several blobs of both kinds", function ()
      local peer = serve()
      local one, two, small = bytes(MIB, 1), bytes(100000, 2), "a note"
      local note = upload.blob { size = #small, name = "two", type = upload.BUFFER }
      local stream = peer:offer { peer:blob(one, "one"), note, peer:blob(two, "three", upload.BUFFER) }
      assert.same({ 0, 1, 2 }, peer:answer().wanted)
      peer:piece(stream, one:sub(1, upload.PIECE))
      peer:piece(stream, one:sub(upload.PIECE + 1))
      peer:piece(stream, small)
      peer:piece(stream, two)
      peer:close(stream)
      local id = accepted(peer:outcome())
      local dir = ("%s/resource.%d"):format(agent:rundir(), id)
      assert.same({ "one" }, system.list(dir))
      assert.same({ one, small, two }, sync(peer, id))
      at_zero()
    end)

    it("is what a plugin sees in the model", function ()
      local peer = serve()
      for _, kind in ipairs { upload.BUFFER, upload.MAPPED } do
        local data = "FAIL 95\0" .. bytes(100000)
        local id = accepted(peer:upload(data, peer:blob(data, "m.pt", kind)))
        local loaded = peer.wire:call("TensorflowModelLoad", wire.model(peer.session, id))
        assert.equal(95, assert(wire.failure(loaded), loaded.message).code)
      end
      at_zero()
    end)

    it("holds up nobody on its connection", function ()
      local peer = serve()
      local data = bytes(MIB)
      local stream = peer:offer { peer:blob(data) }
      peer:answer()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:answer()
      assert.equal(0, peer.wire:call("ImageClassification", wire.image(peer.session, "x")).code)
      peer:piece(stream, data:sub(upload.PIECE + 1))
      peer:close(stream)
      accepted(peer:outcome())
      at_zero()
    end)
  end)

  describe("that is here", function ()
    it("is not sent again, kept once, and gone with its last holder", function ()
      local first = serve()
      local second = upload.connect(agent.address)
      local data = bytes(3 * MIB)
      local a, sent = first:upload(data)
      assert.is_true(sent)
      local b, again = second:upload(data, second:blob(data, "another name"))
      assert.is_false(again)
      assert.not_equal(accepted(a), accepted(b))
      assert.equal(1, #contents())
      local s = stat.lstat(contents()[1])
      assert.equal(3, s.st_nlink) -- its own, and one for each resource
      assert.equal(256, s.st_mode % 512) -- nobody writes to it
      assert.same({ data }, sync(second, b.id))
      first.wire:close()
      assert.is_true(system.poll(5 * harness.slow, function () return stat.lstat(contents()[1]).st_nlink == 2 end))
      assert.same({ data }, sync(second, b.id))
      second.wire:call("UnregisterResource", wire.int(1, b.id) .. wire.int(2, second.session))
      nothing_is_left()
      assert.is_true(select(2, second:upload(data)), "it is not here any more")
      at_zero()
    end)

    it("serves a buffer and a file alike, in one resource too", function ()
      local peer = serve()
      local data = bytes(200000)
      accepted(peer:upload(data))
      local stream = peer:offer { peer:blob(data, "a", upload.BUFFER), peer:blob(data, "b"), peer:blob(data, "b") }
      local answer = peer:answer()
      assert.is_true(answer.last, "nothing is wanted")
      assert.same({ data, data, data }, sync(peer, accepted(answer)))
      assert.is_number(stream)
      assert.equal(1, #contents())
      at_zero()
    end)

    it("when two send it at once, is kept once", function ()
      local first = serve()
      local second = upload.connect(agent.address)
      local data = bytes(200000)
      local one, two = first:offer { first:blob(data) }, second:offer { second:blob(data) }
      for peer, stream in pairs { [first] = one, [second] = two } do
        assert.same({ 0 }, peer:answer().wanted)
        peer:piece(stream, data)
        peer:answer()
        peer:close(stream)
        accepted(peer:outcome())
      end
      assert.is_true(system.poll(5 * harness.slow, function () return #contents() == 1 end))
      at_zero()
    end)

    it("is a library for each of its holders: a process loads one file once", function ()
      local first = serve { args = { "--allow", "lib" } }
      local second = upload.connect(agent.address)
      local data = bytes(200000)
      for _, peer in ipairs { first, second } do
        local answer, sent = peer:upload(data, nil, wire.LIB)
        assert.is_true(sent)
        local path = ("%s/resource.%d/m.pt"):format(agent:rundir(), accepted(answer))
        assert.equal(320, stat.lstat(path).st_mode % 512) -- executable
      end
      assert.equal(2, #contents())
      at_zero()
    end)
  end)

  describe("to a peer that guesses", function ()
    local data = bytes(16 * MIB)
    local holder, guesser, address, proof

    before_each(function ()
      holder = serve()
      accepted(holder:upload(data))
      guesser = upload.connect(agent.address)
      address, proof = holder:claim(data)
    end)

    --- What an offer of such a blob is answered, byte for byte; the upload is broken off.
    local function told(blob)
      local peer = upload.connect(agent.address)
      blob.size = blob.size or #data
      if type(blob.proof) == "function" then blob.proof = blob.proof(peer) end
      peer:offer { upload.blob(blob) }
      local body = peer:answer().body
      peer.wire:close()
      return wire.hex(body)
    end

    it("nothing is told: what is not here and what is not proved are one answer", function ()
      local absent = told { address = ("a"):rep(32), proof = ("p"):rep(32) }
      assert.equal(absent, told { address = address, proof = ("p"):rep(32) })
      assert.equal(absent, told { address = address, proof = proof }) -- overheard, of another connection
      assert.equal(absent, told { address = address, proof = address })
      assert.equal(absent, told { address = ("a"):rep(32), proof = proof })
      assert.equal(absent, told { address = address, proof = function (peer)
        return select(2, peer:claim(data))
      end, size = #data - 1 })
      local stream = guesser:offer { guesser:blob(data) }
      local right = guesser:answer()
      assert.is_true(right.last, "the right proof is another answer")
      assert.is_number(stream)
    end)

    it("a digest that was made without the agent's key is nothing", function ()
      for _, key in ipairs { "", ("\0"):rep(32) } do
        local root = upload.hmac(key, data)
        local nonce = guesser.nonce
        guesser:offer { upload.blob { size = #data, address = upload.hmac(root, "address"),
          proof = upload.hmac(root, "proof" .. nonce) } }
        assert.same({ 0 }, guesser:answer().wanted)
      end
    end)

    it("nor does the time tell: nothing is hashed to answer", function ()
      local function time(blob)
        local started = system.now()
        local stream = guesser:offer { upload.blob(blob) }
        assert.same({ 0 }, guesser:answer().wanted)
        local took = system.now() - started
        guesser:close(stream)
        guesser:outcome()
        return took
      end
      local absent = { size = #data, address = ("a"):rep(32), proof = ("p"):rep(32) }
      local wrong = { size = #data, address = address, proof = ("p"):rep(32) }
      -- Hashing what is here would take 10 ms, each time. A busy machine adds to some, so the least count.
      local least = { absent = math.huge, wrong = math.huge }
      for _ = 1, 200 do
        least.absent = math.min(least.absent, time(absent))
        least.wrong = math.min(least.wrong, time(wrong))
      end
      local difference = math.abs(least.absent - least.wrong)
      assert.is_true(difference < 0.001 * harness.slow, ("%.3f ms"):format(difference * 1000))
    end)

    it("and bytes that are not those of the address are refused, and not kept", function ()
      local other = bytes(#data, 9)
      local answer = guesser:upload(other, upload.blob { size = #data, address = ("a"):rep(32), proof = proof })
      assert.equal(wire.INVALID_ARGUMENT, answer.code)
      assert.matches("blob 0 are not those that were offered", answer.message)
      assert.is_true(system.poll(5 * harness.slow, function () return #contents() == 1 end))
    end)
  end)

  describe("of a broken upload leaves nothing:", function ()
    local peer, data, stream

    local function begin(blob, limit)
      peer = serve { args = { "--limit", limit or "frame-timeout=60" } }
      data = bytes(MIB)
      stream = peer:offer { blob or peer:blob(data) }
      assert.same({ 0 }, peer:answer().wanted)
    end

    local function refused(pattern, code)
      local answer = peer:outcome()
      assert.equal(code or wire.INVALID_ARGUMENT, answer.code, answer.message)
      assert.matches(pattern, answer.message)
      nothing_is_left()
      assert.equal(0, peer.wire:call("ImageClassification", wire.image(peer.session, "x")).code)
      at_zero()
    end

    it("the peer goes", function ()
      begin()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:answer()
      at_zero()
    end)

    it("the peer goes while its pieces are written", function ()
      begin()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:piece(stream, data:sub(upload.PIECE + 1))
      peer:close(stream)
      at_zero()
    end)

    it("it is too short", function ()
      begin()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:close(stream)
      refused "it ends before the last byte of blob 0"
    end)

    it("it is too long, by a byte of a piece", function ()
      begin()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:piece(stream, data:sub(upload.PIECE - 1))
      refused "Upload: a piece of 524290 bytes comes where 1 to 524288 may"
    end)

    it("it is too long, by a piece", function ()
      begin()
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:piece(stream, data:sub(upload.PIECE + 1))
      peer:piece(stream, "x")
      refused "a piece comes after the last byte that was wanted"
    end)

    it("a piece is empty, or larger than may be", function ()
      begin()
      peer:piece(stream, "")
      refused "a piece of 0 bytes comes where 1 to 524288 may"
      begin()
      peer:piece(stream, data)
      refused "a piece of 1048576 bytes"
    end)

    it("more pieces are under way than may be", function ()
      begin(upload.blob { size = 64 * MIB })
      local piece = wire.frame { stream = stream, type = wire.DATA, body = wire.bytes(2, ("x"):rep(upload.PIECE)) }
      local sent = pcall(function () for _ = 1, 60 do peer.wire:send(piece) end end)
      assert.is_true(sent)
      local answer
      repeat answer = peer:answer() until answer.last or answer.written == 60 * upload.PIECE
      -- It is refused, unless every piece was written before the ninth had come.
      if answer.last then assert.matches("more than 8 pieces are under way", answer.message) end
      at_zero()
    end)

    it("what comes is no message", function ()
      begin()
      peer.wire:data(stream, "\255\255\255")
      refused "Upload: "
    end)

    it("nothing more comes", function ()
      begin(nil, "frame-timeout=1")
      peer:piece(stream, data:sub(1, upload.PIECE))
      refused("limit frame%-timeout: nothing more of the upload came for 1 s", wire.DEADLINE_EXCEEDED)
    end)

    it("its session goes", function ()
      begin()
      assert.equal(0, peer.wire:call("DestroySession", wire.int(1, peer.session)).code)
      peer:piece(stream, data:sub(1, upload.PIECE))
      peer:piece(stream, data:sub(upload.PIECE + 1))
      peer:close(stream)
      local answer = peer:outcome()
      assert.equal(wire.NOT_FOUND, answer.code)
      at_zero()
    end)

    it("the disk is full", function ()
      local why = harness.lacks "mounts" if why then return pending(why) end
      peer = serve { within = harness.on_tmpfs("1m", 100) }
      local inside = ("/proc/%d/root%s"):format(agent.pid, agent:rundir())
      stream = peer:offer { upload.blob { size = 2 * MIB } }
      peer:answer()
      for _ = 1, 4 do peer:piece(stream, ("x"):rep(upload.PIECE)) end
      local answer = peer:outcome()
      assert.equal(ENOSPC, wire.failure(answer.response).code)
      assert.matches("cannot keep the bytes in its run directory: No space left on device", answer.message)
      assert.is_true(system.poll(5 * harness.slow, function () return #system.tree(inside) == 1 end)) -- the session's
      accepted(peer:upload(bytes(MIB / 2)))
      at_zero()
    end)

    it("the agent is told to stop, which does not wait for it", function ()
      begin()
      agent:kill(signal.SIGTERM)
      agent:wait(10 * harness.slow)
      assert.equal(0, agent.status.code)
      assert.is_false(system.exists(agent:rundir()))
    end)
  end)

  describe("is refused, as in RegisterResource:", function ()
    local function refused(blob, options)
      local peer = serve(options and options.agent)
      peer:offer(type(blob) == "table" and blob or { blob }, options and options.kind, options and options.session)
      local answer = peer:answer()
      assert.is_true(answer.last)
      at_zero()
      return answer
    end

    it("names that are paths", function ()
      local answer = refused(upload.blob { size = 5, name = "../x" })
      assert.equal(wire.INVALID_ARGUMENT, answer.code)
      assert.matches("not one path component", answer.message)
    end)

    it("libraries", function ()
      local answer = refused(upload.blob { size = 5 }, { kind = wire.LIB })
      assert.equal(wire.PERMISSION_DENIED, answer.code)
      assert.equal(EPERM, wire.failure(answer.response).code)
    end)

    it("what has no bytes, and blobs of other types", function ()
      for _, blob in ipairs { { size = 0 }, { size = 5, type = 0 }, { size = 5, type = 9 } } do
        assert.equal(EINVAL, wire.failure(refused(upload.blob(blob)).response).code)
      end
    end)

    it("types that no resource has", function ()
      for _, kind in ipairs { 3, 10, 2 ^ 31 } do
        assert.equal(EINVAL, wire.failure(refused(upload.blob { size = 5 }, { kind = kind }).response).code)
      end
    end)

    it("sessions of others", function ()
      assert.equal(wire.NOT_FOUND, refused(upload.blob { size = 5 }, { session = 4711 }).code)
    end)

    it("offers of nothing, and half digests", function ()
      assert.matches("no blob is offered", refused({}).message)
      assert.matches("32 bytes each", refused(upload.blob { size = 5, address = ("a"):rep(32) }).message)
      assert.matches("32 bytes each", refused(upload.blob { size = 5, address = "a", proof = "p" }).message)
    end)

    it("streams without an offer, and peers without a Hello", function ()
      local peer = serve()
      peer:close(peer.wire:begin("Upload", upload.PEER))
      assert.matches("it ends before its offer", peer:answer().message)
      local plain = setmetatable({ wire = wire.connect(agent.address), session = 1 }, getmetatable(peer))
      plain:offer { upload.blob { size = 5 } }
      assert.matches("it comes before Hello", plain:answer().message)
      at_zero()
    end)
  end)

  describe("is within the limits:", function ()
    local function limited(answer, code, pattern)
      assert.is_true(answer.last)
      assert.equal(wire.RESOURCE_EXHAUSTED, answer.code, answer.message)
      assert.equal(code, wire.failure(answer.response).code)
      assert.matches(pattern, answer.message)
    end

    it("what is claimed is refused before it comes, by its limit", function ()
      local peer = serve { args = { "--limit", "disk-peer=1M,memory-peer=1M" } }
      peer:offer { upload.blob { size = 2 * MIB } }
      limited(peer:answer(), ENOMEM, "limit disk%-peer")
      peer:offer { upload.blob { size = 2 * MIB, type = upload.BUFFER } }
      limited(peer:answer(), ENOMEM, "limit memory%-peer")
      peer:offer { upload.blob { size = 2 ^ 52 }, upload.blob { size = 2 ^ 52 } }
      limited(peer:answer(), ENOMEM, "limit disk%-peer")
      at_zero()
    end)

    it("what two claim and both may is refused when it comes", function ()
      local peer = serve { args = { "--limit", "disk-peer=1M" } }
      local half = ("x"):rep(upload.PIECE)
      local first = peer:offer { upload.blob { size = MIB } }
      peer:answer()
      local second = peer:offer { upload.blob { size = MIB } }
      peer:answer()
      for _, stream in ipairs { first, second } do
        peer:piece(stream, half)
        assert.is_false(peer:answer().last)
      end
      peer:piece(first, half)
      limited(peer:answer(), ENOMEM, "limit disk%-peer")
      peer:piece(second, half)
      peer:answer()
      peer:close(second)
      accepted(peer:outcome())
      at_zero()
    end)

    it("each holder is charged in full", function ()
      local peer = serve { args = { "--limit", "disk-peer=1M" } }
      local data = bytes(600 * 1024)
      accepted(peer:upload(data))
      limited(peer:upload(data), ENOMEM, "limit disk%-peer")
      at_zero()
    end)

    it("resources are counted", function ()
      local peer = serve { args = { "--limit", "resources=1" } }
      accepted(peer:upload(bytes(100)))
      limited(peer:upload(bytes(100)), EUSERS, "limit resources")
      at_zero()
    end)

    it("a deadline by default is one for progress", function ()
      local peer = serve { args = { "--limit", "deadline=4" } }
      local data = bytes(MIB)
      local stream = peer:offer { peer:blob(data) }
      peer:answer()
      for at = 1, #data, MIB / 4 do
        system.sleep(1.2)
        peer:piece(stream, data:sub(at, at + MIB / 4 - 1))
        assert.is_false(peer:answer().last)
      end
      peer:close(stream)
      accepted(peer:outcome())
      stream = peer:offer { upload.blob { size = MIB } }
      peer:answer()
      peer:piece(stream, "x")
      assert.equal(wire.DEADLINE_EXCEEDED, peer:outcome().code)
      at_zero()
    end)
  end)
end)
