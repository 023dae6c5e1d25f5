--- Many peers, slow ones, deaf ones and greedy ones: what they cost the agent, in numbers, and that
--- the good ones do not notice. With sanitizers there is a twentieth of the 100,000 connections
--- and 2 million calls, unless LUACCEL_SCALE=full asks for all of them.
local ffi = require "ffi"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local KIB, MIB = 1024, 1024 * 1024
--- A sanitizer keeps what was freed, and its shadow; its leak check judges then.
local PLAIN = harness.sanitize == ""
local FULL = PLAIN or os.getenv "LUACCEL_SCALE" == "full"
local ROUNDS = FULL and 100000 or 5000 -- connect and close
local CALLS = FULL and 2000000 or 100000
local PATIENCE = 300 * harness.slow

ffi.cdef [[
  typedef struct { unsigned long soft, hard; } luaccel_rlimit;
  int getrlimit(int resource, luaccel_rlimit *limit);
  int setrlimit(int resource, const luaccel_rlimit *limit);
]]
local RLIMIT_NOFILE = 7

--- So many descriptors for every program from here on; false when the system does not give them.
local function raise_descriptors(number)
  local limit = ffi.new "luaccel_rlimit"
  ffi.C.getrlimit(RLIMIT_NOFILE, limit)
  if limit.soft >= number then return true end
  limit.soft = number
  if limit.hard < number then limit.hard = number end
  return ffi.C.setrlimit(RLIMIT_NOFILE, limit) == 0
end

local function resident(agent)
  return KIB * tonumber(system.read(("/proc/%d/status"):format(agent.pid)):match "VmRSS:%s*(%d+)")
end

describe("an agent, with", function ()
  local agent, path

  before_each(function ()
    harness.begin()
    path = harness.dir .. "/agent.sock"
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function serve(limits)
    agent = harness.agent { plugins = "witness", args = limits and { "--limit", limits } }
  end

  local function swarm(...)
    local p = harness.run({ harness.bin "swarm", ... }, { seconds = PATIENCE })
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
    return p:expect("^done ", 1).text, p
  end

  --- Descriptors go back to what they were, at once or nearly.
  local function settles(fds)
    process.wait_until(10 * harness.slow, function () return agent:fds() == fds end)
    assert.equal(fds, agent:fds())
  end

  it("10,000 connections, each with a session, takes little for each", function ()
    if not raise_descriptors(13000) then
      print "SKIP 13,000 descriptors are not to be had here"
      return pending "descriptors"
    end
    serve "connections=13000,connections-peer=13000,sessions-peer=13000,sessions-total=13000"
    local fds = agent:fds()
    local p = process.spawn({ harness.bin "swarm", "idle", path, "1000", "10000" },
      { name = "swarm", env = harness.env() })
    local sizes, number = {}, { 1000, 10000 }
    for i = 1, 2 do
      p:expect(("^open %d$"):format(number[i]), PATIENCE)
      process.pump(0.1)
      assert.equal(fds + number[i], agent:fds())
      sizes[i] = resident(agent)
      if i == 2 then
        local peer = wire.connect(agent.address)
        assert.equal(0, peer:call("ImageClassification", wire.image(peer:session(), "x")).code)
        peer:close()
      end
      p:send ""
    end
    assert.equal(0, p:wait(PATIENCE).code)
    local slope = (sizes[2] - sizes[1]) / 9000
    print(("scale: %.1f MiB resident with 1,000 connections, %.1f MiB with 10,000: %.1f KiB for each")
      :format(sizes[1] / MIB, sizes[2] / MIB, slope / KIB))
    if PLAIN then assert.is_true(slope <= 16 * KIB, slope .. " bytes") end
    settles(fds)
    agent:stop()
  end)

  it(("%d connect/close rounds, and %d small calls, neither descriptors nor memory grow"):format(ROUNDS, CALLS),
    function ()
      serve()
      local fds = agent:fds()
      swarm("churn", path, "2000")
      swarm("calls", path, "20000")
      settles(fds)
      local before = resident(agent)
      local rounds = swarm("churn", path, tostring(ROUNDS))
      settles(fds)
      local between = resident(agent)
      local calls = swarm("calls", path, tostring(CALLS))
      settles(fds)
      local after = resident(agent)
      print(("scale: connections: %s, %+.0f KiB; calls: %s, %+.0f KiB; %d descriptors before and after"):format(rounds,
        (between - before) / KIB, calls, (after - between) / KIB, fds))
      if PLAIN then
        assert.is_true(between - before < 2 * MIB, "connections leave memory")
        assert.is_true(after - between < 2 * MIB, "calls leave memory")
      end
      agent:stop()
    end)

  it("frames split at each offset and written byte by byte, answers each", function ()
    serve()
    print("scale: split frames: " .. swarm("split", path))
    agent:stop()
  end)

  it("1,000 peers at 1 byte a second, a good client does not notice", function ()
    serve "connections=2000,connections-peer=2000"
    local best, line
    for _ = 1, 3 do -- the machine is another's too: the best of three
      local done, p = swarm("drip", path, "1000", "4")
      for _, which in ipairs { "^alone ", "^beside " } do print("scale: drip: " .. p:expect(which, 1).text) end
      local ratio = tonumber(done:match "ratio ([%d.]+)")
      if not best or ratio < best then best, line = ratio, done end
      if ratio < 2 then break end
    end
    print("scale: drip: " .. line)
    assert.is_true(best < 2 * 10, line)
    agent:stop()
  end)

  it("readers that never read, stops reading them, closes them, and serves the others", function ()
    serve "write-timeout=2,held=4M"
    local fds = agent:fds()
    local before = resident(agent)
    local p = process.spawn({ harness.bin "swarm", "deaf", path, "20" }, { name = "swarm", env = harness.env() })
    system.sleep(0.5)
    local peer = wire.connect(agent.address)
    local session, worst = peer:session(), 0
    local most = 0
    for _ = 1, 100 do
      local began = system.now()
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
      worst = math.max(worst, system.now() - began)
      most = math.max(most, resident(agent))
      process.pump(0.02)
    end
    peer:close()
    assert.equal(0, p:wait(PATIENCE).code)
    print(("scale: 20 deaf peers: %s; a good one's largest call %.1f ms; %+.1f MiB at most"):format(
      p:expect("^done ", 1).text, worst * 1000, (most - before) / MIB))
    assert.matches("gone 20 ", p:text())
    assert.is_true(worst <= 0.05 * 10 * harness.slow)
    if PLAIN then assert.is_true(most - before < 2 * 20 * 4 * MIB) end
    settles(fds)
    agent:stop()
  end)

  it("messages that are small on the wire and large in memory, keeps to the budget for decoding", function ()
    serve()
    local peer = wire.connect(agent.address)
    local session = peer:session()
    local count = 2 * MIB
    local rows = {
      { "2 million empty submessages", "RegisterResource", ("\18\0"):rep(count) .. wire.int(5, session) },
      { "2 million empty strings", "RegisterResource", ("\10\0"):rep(count) .. wire.int(5, session) },
      { "1.3 million unknown fields", "ImageClassification",
        wire.image(session, "x") .. ("\248\6\0"):rep(4 * MIB / 3) },
      { "2 million unknown empty strings", "ImageClassification", wire.image(session, "x") .. ("\122\0"):rep(count) },
      { "4 million packed numbers", "TorchModelRun",
        wire.model(session, 1) .. wire.bytes(4, wire.bytes(2, ("\1"):rep(4 * MIB - 64))) },
      { "2 million empty arguments", "Genop", wire.int(1, session) .. ("\18\0"):rep(count) },
    }
    for _ = 1, 2 do peer:call("ImageClassification", wire.image(session, ("x"):rep(4 * MIB))) end
    local before = resident(agent)
    for _, row in ipairs(rows) do
      local began = system.now()
      local response = peer:call(row[2], row[3])
      local took, grown = system.now() - began, resident(agent) - before
      print(("scale: %s: status %d in %.0f ms, %+.1f MiB: %s"):format(row[1], response.code, took * 1000, grown / MIB,
        response.message:sub(1, 60)))
      assert.is_true(took <= 0.5 * 10 * harness.slow, row[1])
      -- 4 MiB of frame, doubled at worst while it grows, and at most min(3 x 4 + 1, 16) MiB decoded.
      if PLAIN then assert.is_true(grown <= (8 + 16) * MIB, row[1]) end
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    end
    agent:stop()
  end)

  it("32 headers that claim 250 MiB and send 100 bytes, takes little", function ()
    serve()
    local fds = agent:fds()
    local peer = wire.connect(agent.address)
    local session = peer:session()
    peer:call("ImageClassification", wire.image(session, "x"))
    local before, claims = resident(agent), {}
    for i = 1, 32 do
      claims[i] = wire.connect(agent.address)
      claims[i]:send(wire.frame { stream = 1, type = wire.REQUEST, body = ("x"):rep(100), length = 250 * MIB })
    end
    assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    process.pump(0.1)
    local grown = resident(agent) - before
    print(("scale: 32 headers that claim 250 MiB: %+.2f MiB"):format(grown / MIB))
    if PLAIN then assert.is_true(grown < 4 * MIB, "memory is taken for what was announced") end
    for _, claim in ipairs(claims) do claim:close() end
    peer:close()
    settles(fds)
    agent:stop()
  end)

  it("operations of 1.5 s, answers other calls on the same connection and on others", function ()
    serve "executing=16"
    local long, other = wire.connect(agent.address), wire.connect(agent.address)
    local sessions, mine, theirs, worst = {}, long:session(), other:session(), 0
    for i = 1, 8 do sessions[i] = long:session() end
    for i = 1, 8 do long:start("ImageClassification", wire.image(sessions[i], "SLEEP 1500 ms")) end
    system.sleep(0.1)
    local asked = system.now()
    while system.now() - asked < 1 do
      for _, call in ipairs { { long, mine }, { other, theirs } } do
        local began = system.now()
        assert.equal(0, call[1]:call("ImageClassification", wire.image(call[2], "x")).code)
        worst = math.max(worst, system.now() - began)
      end
    end
    for _ = 1, 8 do assert.equal(0, wire.response(long:receive()).code) end
    print(("scale: beside 8 operations of 1.5 s the largest of the other calls took %.1f ms"):format(worst * 1000))
    assert.is_true(worst <= 0.05 * 10 * harness.slow, worst .. " s")
    agent:stop()
  end)

  it("64 operations of 200 ms on 64 sessions of one connection, runs them at once", function ()
    agent = harness.agent { plugins = "witness", args = { "--limit", "executing=64", "--threads", "64" } }
    local peer = wire.connect(agent.address)
    local sessions, best = {}, math.huge
    for i = 1, 64 do sessions[i] = peer:session() end
    for _ = 1, 3 do
      local began = system.now()
      for i = 1, 64 do peer:start("ImageClassification", wire.image(sessions[i], "SLEEP 200 ms")) end
      for _ = 1, 64 do assert.equal(0, wire.response(peer:receive()).code) end
      best = math.min(best, system.now() - began)
    end
    print(("scale: 64 operations of 200 ms on 64 sessions of one connection: %.0f ms"):format(best * 1000))
    assert.is_true(best <= 0.25 * 10 * harness.slow)
    agent:stop()
  end)
end)
