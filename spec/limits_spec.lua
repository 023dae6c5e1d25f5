--- The limits of an agent, as limits.md has them: each is reached, named in its answer, and the rest
--- goes on; each is at zero again when the peer has gone.
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local ENOMEM, EUSERS = 12, 87
local MIB = 1024 * 1024

describe("a limit", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function serve(limits, options)
    options = options or {}
    options.plugins = options.plugins or "witness"
    options.args = { unpack(options.args or {}) }
    if limits then
      table.insert(options.args, "--limit")
      table.insert(options.args, limits)
    end
    options.env = { VACCEL_LOG_LEVEL = harness.VERBOSE }
    return harness.agent(options)
  end

  --- Everything of this test's peer is given back: the account is gone, and would say what is left.
  local function at_zero(agent)
    wire.close_all()
    agent:says "peer uid:%d+ of .* has gone: nothing is left of it$"
    assert.same({}, agent:matching "accounts: ")
    agent:stop()
  end

  local function refused(response, code, pattern)
    assert.equal(wire.RESOURCE_EXHAUSTED, response.code, response.message)
    local failure = assert(wire.failure(response), response.message)
    assert.equal(1, failure.kind) -- FFI_WITH_STATUS
    assert.equal(code, failure.code)
    assert.matches(pattern, response.message)
    assert.equal(response.message, failure.text)
  end

  --- The answers to all that was started on this connection, by stream.
  local function answers(peer, count)
    local by_stream = {}
    for _ = 1, count do
      local response = wire.response(assert(peer:receive(60), "the peer hung up"))
      by_stream[response.stream] = response
    end
    return by_stream
  end

  local function register(session, bytes, kind)
    return wire.register(session, { wire.blob("m", bytes, kind) })
  end

  describe("of things:", function ()
    it("sessions, by connection, by peer and in all", function ()
      for _, case in ipairs {
        { "sessions=3", "^limit sessions: this connection has 3 and may have 3$", 1 },
        { "sessions-peer=3", "^limit sessions%-peer: this peer has 3 and may have 3$", 2 },
        { "sessions-total=3", "^limit sessions%-total: the agent has 3 and may have 3$", 2 },
      } do
        local agent = serve(case[1])
        local peers = {}
        for i = 1, 4 do peers[i] = wire.connect(agent.address) end
        local function nth(i) return case[3] == 1 and peers[1] or peers[i] end
        local first = nth(1):session()
        for i = 2, 3 do nth(i):session() end
        refused(nth(4):call("CreateSession", ""), EUSERS, case[2])
        assert.equal(0, nth(1):call("DestroySession", wire.int(1, first)).code)
        nth(4):session() -- there is room again
        at_zero(agent)
      end
    end)

    it("resources, which requests sent ahead do not get beyond", function ()
      for _, case in ipairs {
        { "resources=5", "^limit resources: this connection has 5 and may have 5$" },
        { "resources-peer=5", "^limit resources%-peer: this peer has 5 and may have 5$" },
        { "resources-total=5", "^limit resources%-total: the agent has 5 and may have 5$" },
      } do
        local agent = serve(case[1])
        local peer = wire.connect(agent.address)
        local session = peer:session()
        for _ = 1, 50 do peer:start("RegisterResource", register(session, "bytes")) end
        local made, last = 0, nil
        for _, response in pairs(answers(peer, 50)) do
          if response.code == 0 then
            made, last = made + 1, response.fields[1][1]
          else
            refused(response, EUSERS, case[2])
          end
        end
        assert.equal(5, made)
        -- Again and again there is room for one that was given back, at once.
        for _ = 1, 20 do
          assert.equal(0, peer:call("UnregisterResource", wire.int(1, last) .. wire.int(2, session)).code)
          local again = peer:call("RegisterResource", register(session, "bytes"))
          assert.equal(0, again.code, again.message)
          last = again.fields[1][1]
        end
        at_zero(agent)
      end
    end)

    it("connections of one peer, and another listener's peer is another", function ()
      local other = "unix://" .. harness.dir .. "/other.sock"
      local agent = serve("connections-peer=4", { addresses = { "unix://" .. harness.dir .. "/agent.sock", other } })
      local peers = {}
      for i = 1, 4 do
        peers[i] = wire.connect(agent.address)
        peers[i]:session()
      end
      local fifth = wire.connect(agent.address)
      assert.is_nil(fifth:receive(5 * harness.slow)) -- it is hung up on
      agent:says "WARN.*refused: limit connections%-peer: this peer has 4 and may have 4"
      assert.is_true(wire.connect(other):session() > 0)
      peers[1]:close()
      assert.is_truthy(system.poll(10 * harness.slow, function ()
        local ok, id = pcall(function () return wire.connect(agent.address):session() end)
        return ok and id
      end))
      at_zero(agent)
    end)

    it("accepted in one second", function ()
      local agent = serve "accepts=5"
      local began = system.now()
      for _ = 1, 16 do wire.connect(agent.address):session() end
      local took = system.now() - began
      assert.is_true(took >= 2, ("16 came in in %.2f s"):format(took))
      at_zero(agent)
    end)

    it("requests open, of a peer", function ()
      local agent = serve("streams-peer=8", { plugins = "shared" })
      local a, b = wire.connect(agent.address), wire.connect(agent.address)
      local session, other = a:session(), b:session()
      for _ = 1, 8 do a:start("ImageClassification", wire.image(session, "SLEEP 1500 ms")) end
      process.wait_until(30 * harness.slow, function () return #agent:matching "session:%d+ Image classif" == 8 end)
      refused(b:call("ImageClassification", wire.image(other, "x")), EUSERS, "^limit streams%-peer: this peer has 9")
      for _, response in pairs(answers(a, 8)) do assert.equal(0, response.code, response.message) end
      assert.equal(0, b:call("ImageClassification", wire.image(other, "x")).code)
      at_zero(agent)
    end)

    it("executing, of a peer: the rest waits", function ()
      local agent = serve("executing=8,executing-peer=2", { plugins = "shared" })
      local peers = { wire.connect(agent.address), wire.connect(agent.address) }
      local began = system.now()
      for _, peer in ipairs(peers) do
        local session = peer:session()
        for _ = 1, 3 do peer:start("ImageClassification", wire.image(session, "SLEEP 200 ms")) end
      end
      for _, peer in ipairs(peers) do
        for _, response in pairs(answers(peer, 3)) do assert.equal(0, response.code) end
      end
      assert.is_true(system.now() - began >= 0.6 - 0.01, "more than two ran at once")
      at_zero(agent)
    end)
  end)

  describe("of bytes:", function ()
    it("resources in memory and on disk, of a peer and in all", function ()
      for _, case in ipairs {
        { "memory-peer=3M", 1, "^limit memory%-peer: this peer holds %d+ bytes and may hold 3145728" },
        { "memory-total=16M", 1, "^limit memory%-total: " },
        { "disk-peer=3M", 2, "^limit disk%-peer: this peer holds %d+ bytes and may hold 3145728" },
        { "disk-total=3M", 2, "^limit disk%-total: the agent holds" },
      } do
        local agent = serve(case[1])
        local peers = { wire.connect(agent.address), wire.connect(agent.address) }
        local sessions, made, last, why = { peers[1]:session(), peers[2]:session() }, {}, nil, nil
        for i = 1, 17 do
          local at = 1 + i % 2
          local response = peers[at]:call("RegisterResource", register(sessions[at], ("x"):rep(MIB - 100), case[2]))
          if response.code ~= 0 then
            refused(response, ENOMEM, "^limit %a+%-%a+: ")
            why = why or response.message
            last = at
            break
          end
          made[#made + 1] = { at, response.fields[1][1] }
        end
        assert.is_truthy(why, "there was room for all")
        assert.matches(case[3], why)
        assert.is_true(#made >= 3)
        for _ = 1, 5 do -- what is given back can be had at once
          local at, id = unpack(table.remove(made))
          assert.equal(0, peers[at]:call("UnregisterResource", wire.int(1, id) .. wire.int(2, sessions[at])).code)
          local again = peers[last]:call("RegisterResource", register(sessions[last], ("x"):rep(MIB - 100), case[2]))
          assert.equal(0, again.code, again.message)
          made[#made + 1] = { last, again.fields[1][1] }
        end
        at_zero(agent)
      end
    end)

    it("of frames that come, of a peer and in all: they are dropped, and a good one is served", function ()
      for _, limit in ipairs { "held-peer", "held-total" } do
        local agent = serve(limit .. "=8M")
        local good = wire.connect(agent.address)
        local session = good:session()
        local peers = {}
        for i = 1, 6 do -- each sends most of 4 MiB
          peers[i] = wire.connect(agent.address)
          peers[i]:send(wire.frame { stream = 1, type = wire.REQUEST, length = 4 * MIB, body = ("x"):rep(3 * MIB) })
        end
        local answered = 0
        for _, peer in ipairs(peers) do
          peer:send(("x"):rep(MIB))
          local response = wire.response(assert(peer:receive(), "it hung up"))
          if response.code == wire.RESOURCE_EXHAUSTED then
            refused(response, ENOMEM, "^limit held%-%a+: no room for a message of 4194304 bytes$")
            answered = answered + 1
          else
            assert.equal(wire.INVALID_ARGUMENT, response.code, response.message)
          end
        end
        assert.is_true(answered > 0, "none was dropped")
        assert.equal(0, good:call("ImageClassification", wire.image(session, "x")).code)
        at_zero(agent)
      end
    end)

    it("that decoding takes, of a peer", function ()
      local agent = serve("decoded-peer=100k", { plugins = "shared" })
      local peer = wire.connect(agent.address)
      local session = peer:session()
      local many = wire.register(session, { wire.blob("m", "x") }) .. (wire.bytes(2, "")):rep(5000)
      refused(peer:call("RegisterResource", many), ENOMEM, "^limit decoded%-peer: this peer holds %d+ bytes")
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
      at_zero(agent)
    end)

    it("of the agent: sessions are refused at 80 %, resources at 90 %, connections at 95 %", function ()
      local agent = serve "memory-total=100M,memory-peer=200M"
      local peer = wire.connect(agent.address)
      local session = peer:session()
      local function add(mib)
        local response = peer:call("RegisterResource", register(session, ("x"):rep(mib * MIB), 1))
        return response.code == 0 and response.fields[1][1] or response
      end
      local made = {}
      for i = 1, 8 do made[i] = assert(tonumber(add(10))) end
      refused(peer:call("CreateSession", ""), ENOMEM,
        "^limit memory%-total: %d+ %% of it is in use; no new session until it is less than 80 %%$")
      made[9] = assert(tonumber(add(9)))
      assert.is_number(add(6))
      refused(add(1), ENOMEM, "^limit memory%-total: 9%d %% of it is in use; no new resource")
      assert.is_nil(wire.connect(agent.address):receive(5 * harness.slow))
      agent:says "refused: limit memory%-total: 9%d %% of it is in use; no new connection"
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code) -- it takes no such memory
      for i = 1, 4 do
        assert.equal(0, peer:call("UnregisterResource", wire.int(1, made[i]) .. wire.int(2, session)).code)
      end
      assert.is_true(wire.connect(agent.address):session() > 0)
      at_zero(agent)
    end)

    it("of the agent: who is idle without a session goes first, then the longest idle", function ()
      local agent = serve "memory-total=100M,memory-peer=200M"
      local idle, keeper, holder = wire.connect(agent.address), wire.connect(agent.address), wire.connect(agent.address)
      keeper:session()
      local session = holder:session()
      assert.equal(0, holder:call("RegisterResource", register(session, ("x"):rep(96 * MIB), 1)).code)
      system.sleep(1.2)
      assert.equal(0, keeper:call("Hello", "", "luaccel.v1.Peer").code)
      assert.is_nil(wire.connect(agent.address):receive(5 * harness.slow)) -- this is what makes it look
      assert.is_nil(idle:receive(5 * harness.slow))
      assert.is_nil(holder:receive(5 * harness.slow)) -- it has asked for nothing longer than the other
      assert.is_truthy(system.poll(9 * harness.slow, function () return keeper:call("CreateSession", "").code == 0 end))
      assert.is_true(wire.connect(agent.address):session() > 0)
      at_zero(agent)
    end)
  end)

  describe("of time:", function ()
    it("a connection's first request, and between requests", function ()
      local agent = serve "first-frame=1,idle=5"
      local silent, spoken = wire.connect(agent.address), wire.connect(agent.address)
      local began = system.now()
      spoken:session()
      assert.is_nil(silent:receive(5 * harness.slow))
      assert.is_true(system.now() - began >= 0.9)
      local busy = spoken:start("ImageClassification", wire.image(1, "SLEEP 5500 ms"))
      assert.equal(busy, wire.response(assert(spoken:receive())).stream) -- who waits for an answer is not idle
      local asked = system.now()
      assert.is_nil(spoken:receive(30 * harness.slow))
      assert.is_true(system.now() - asked >= 1, "an answer had just been given")
      at_zero(agent)
    end)

    it("a frame's, from its header on", function ()
      local agent = serve "frame-timeout=1"
      local peer = wire.connect(agent.address)
      local began = system.now()
      peer:send(wire.frame { stream = 1, type = wire.REQUEST, length = 1000, body = "begins" })
      assert.is_nil(peer:receive(5 * harness.slow))
      local took = system.now() - began
      assert.is_true(took >= 0.9 and took <= 5 * harness.slow, ("%.2f s"):format(took))
      at_zero(agent)
    end)
  end)

  describe("of a deadline:", function ()
    local function timed(peer, method, payload, nanoseconds)
      peer.stream = peer.stream + 2
      peer:send(wire.frame { stream = peer.stream, type = wire.REQUEST,
        body = wire.request(wire.SYNC, method, payload) .. wire.int(4, nanoseconds) })
      return peer.stream
    end

    it("of 200 ms is answered within 0.3 s; the operation goes on, and its session waits for it", function ()
      local agent = serve(nil, { plugins = "witness" })
      local peer = wire.connect(agent.address)
      local session, other = peer:session(), peer:session()
      local worst = 0
      for _ = 1, 10 do
        local began = system.now()
        local stream = timed(peer, "ImageClassification", wire.image(session, "SLEEP 600 ms"), 200e6)
        local response = wire.response(assert(peer:receive()))
        local took = system.now() - began
        worst = math.max(worst, took)
        assert.equal(stream, response.stream)
        assert.equal(wire.DEADLINE_EXCEEDED, response.code)
        assert.equal("timeout", response.message)
        assert.is_true(took >= 0.19)
        assert.equal(0, peer:call("ImageClassification", wire.image(other, "x")).code)
        assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code) -- and nothing else came
        assert.is_true(system.now() - began >= 0.59, "the plugin saw two calls at once on one session")
      end
      print(("limits: a deadline of 200 ms is answered after %.0f ms at most, 10 times"):format(worst * 1000))
      assert.is_true(worst <= 0.3 * 10 * harness.slow)
      at_zero(agent)
    end)

    it("that passes before the operation begins: it is not run", function ()
      local log = harness.dir .. "/witness.log"
      local agent = harness.agent { plugins = "witness", env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
      local peer = wire.connect(agent.address)
      local session = peer:session()
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
      local long = peer:start("ImageClassification", wire.image(session, "SLEEP 3000 ms"))
      local late = timed(peer, "ImageClassification", wire.image(session, "x"), 100e6)
      assert.equal(late, wire.response(assert(peer:receive())).stream)
      assert.equal(long, wire.response(assert(peer:receive())).stream)
      local response = peer:call("ImageClassification", wire.image(session, "x"))
      assert.matches(" n=3 ", response.payload) -- the first, the long one, this one
      assert.is_false(system.exists(log))
      at_zero(agent)
    end)

    it("below zero is exceeded at once, a huge one and none are none", function ()
      local agent = serve()
      local peer = wire.connect(agent.address)
      local session = peer:session()
      for nanoseconds, code in pairs { [-1] = wire.DEADLINE_EXCEEDED, [-2 ^ 62] = wire.DEADLINE_EXCEEDED,
        [0] = 0, [2 ^ 62] = 0 } do
        timed(peer, "ImageClassification", wire.image(session, "SLEEP 20 ms"), nanoseconds)
        assert.equal(code, wire.response(assert(peer:receive())).code)
      end
      at_zero(agent)
    end)

    it("is the agent's when there is none, and no longer than the agent's longest", function ()
      for _, limits in ipairs { "deadline=1", "deadline-max=1" } do
        local agent = serve(limits)
        local peer = wire.connect(agent.address)
        local session = peer:session()
        local began = system.now()
        timed(peer, "ImageClassification", wire.image(session, "SLEEP 4000 ms"), limits == "deadline=1" and 0 or 3600e9)
        assert.equal(wire.DEADLINE_EXCEEDED, wire.response(assert(peer:receive())).code)
        assert.is_true(system.now() - began < 4)
        at_zero(agent)
      end
    end)

    it("frees its slot when the operation has ended, not before", function ()
      local agent = serve("streams-peer=4", { plugins = "shared" })
      local peer, other = wire.connect(agent.address), wire.connect(agent.address)
      local session, theirs = peer:session(), other:session()
      for _ = 1, 4 do timed(peer, "ImageClassification", wire.image(session, "SLEEP 3000 ms"), 50e6) end
      for _, response in pairs(answers(peer, 4)) do assert.equal(wire.DEADLINE_EXCEEDED, response.code) end
      refused(other:call("ImageClassification", wire.image(theirs, "x")), EUSERS, "^limit streams%-peer")
      assert.is_truthy(system.poll(20 * harness.slow, function ()
        return other:call("ImageClassification", wire.image(theirs, "x")).code == 0
      end))
      at_zero(agent)
    end)
  end)

  describe("of the log:", function ()
    it("lines about one peer are so many, another's are all there, and what is left out is counted", function ()
      local other = "unix://" .. harness.dir .. "/other.sock"
      local agent = harness.agent { plugins = "witness", args = { "--limit", "log=2" },
        addresses = { "unix://" .. harness.dir .. "/agent.sock", other } }
      local peer, quiet = wire.connect(agent.address), wire.connect(other)
      local mine = quiet:session()
      for _ = 1, 200 do assert.equal(0, peer:call("DestroySession", wire.int(1, peer:session())).code) end
      assert.equal(0, quiet:call("DestroySession", wire.int(1, mine)).code)
      agent:says(("Created session %d$"):format(mine))
      agent:says(("Destroyed session %d$"):format(mine))
      peer:close()
      agent:says "%d+ lines about uid:%d+ were not written: limit log allows 2 a second"
      process.pump(0.05)
      local lines = #agent:matching "session %d+"
      assert.is_true(lines >= 20 and lines <= 60, lines .. " lines")
      agent:stop()
    end)

    it("what peers call things is one line each, whatever it holds", function ()
      local agent = serve()
      local peer = wire.connect(agent.address)
      local session = peer:session()
      for _, text in ipairs {
        "a\nFORGED session 1\r\n", "\27[31mred\27[0m", ("long"):rep(2000), "\0", "\255\254", "%s%n",
      } do
        peer:call("RegisterResource", wire.register_paths(session, { text }))
        peer:call(text, "")
        peer:call("ImageClassification", wire.image(session, "FAIL 22 " .. text))
      end
      process.pump(0.1)
      for _, line in ipairs(agent.lines) do
        if line.stream == "err" then
          assert.is_nil(line.text:find "^FORGED", line.text)
          assert.is_nil(line.text:find "[%z\1-\31\127]", line.text)
        end
      end
      at_zero(agent)
    end)
  end)
end)
