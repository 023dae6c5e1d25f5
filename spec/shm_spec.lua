--- Memory that the agent and our own client share on a unix socket: used by long calls alone, with
--- the bytes as they were, bounded, charged, and gone with its connection, however that ends.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local MIB = 1024 * 1024
local ARENA = 4 * MIB
local PATIENCE = 120 * harness.slow
local GONE = 5 * harness.slow -- seconds until nothing is left of a client
local KILLS = harness.sanitize == "" and 40 or 8
local HELLO = wire.int(1, 1) .. wire.bytes(2, "test") .. wire.bytes(4, "shm")

--- Bytes of shared memory that a program has mapped, and in how many pieces.
local function mapped(pid)
  local bytes, pieces = 0, 0
  for first, last in system.read(("/proc/%d/maps"):format(pid)):gmatch "(%x+)%-(%x+) [^\n]*/memfd:luaccel" do
    bytes = bytes + tonumber(last, 16) - tonumber(first, 16)
    pieces = pieces + 1
  end
  return bytes, pieces
end

describe("shared memory", function ()
  local agent

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function serve(options)
    options = options or {}
    options.plugins = "witness"
    options.env = { VACCEL_LOG_LEVEL = harness.VERBOSE }
    agent = harness.agent(options)
  end

  local function client(address)
    local driver = harness.driver { address = address or agent.address }
    driver:must "session a 0"
    return driver
  end

  local function fill(driver, size)
    local answer = driver:must("fill a " .. size)
    assert.equal(assert(answer.hash), answer.text:match "hash=(%x+)", answer.line)
  end

  --- Long enough to be offered it; the next call uses it.
  local function fill_long(driver)
    for _ = 1, 3 do fill(driver, MIB) end
  end

  local function bulk(threads, rounds, bytes, address)
    local p = harness.run({ harness.bin "bulk", threads, rounds, bytes }, { seconds = PATIENCE, env = {
      VACCEL_PLUGINS = harness.plugins "rpc", VACCEL_RPC_ADDRESS = address or agent.address,
    } })
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
  end

  --- Nothing is left of any peer, on any account.
  local function at_zero()
    agent:says "peer uid:%d+ of .* has gone: nothing is left of it$"
    assert.equal(0, (mapped(agent.pid)))
    assert.same({}, agent:matching "accounts: ")
  end

  it("comes with the first long call, and goes with its connection", function ()
    serve()
    local driver = client()
    local fds = agent:fds()
    for _ = 1, 20 do fill(driver, 1000) end
    assert.equal(0, (mapped(agent.pid)))
    fill_long(driver)
    local bytes, pieces = mapped(agent.pid)
    assert.equal(1, pieces)
    assert.is_true(bytes <= ARENA and bytes > ARENA - 16384, bytes)
    assert.equal(bytes, (mapped(driver.pid)))
    assert.equal(fds, agent:fds()) -- nobody keeps the descriptor
    for _, size in ipairs { 1, 65535, 65536, 2 * MIB, 12 * MIB } do fill(driver, size) end
    driver:close()
    at_zero()
  end)

  it("carries what many threads of two clients send and get", function ()
    serve()
    local other = harness.driver { address = agent.address }
    other:must "session a 0"
    fill_long(other)
    bulk("8", "20", tostring(300000))
    bulk("4", "3", tostring(6 * MIB))
    fill_long(other)
    assert.equal(1, select(2, mapped(agent.pid)))
    other:close()
    at_zero()
  end)

  it("is not there for a plain peer, which sees nothing of it", function ()
    serve()
    local peer = wire.connect(agent.address)
    local session = peer:session()
    for _ = 1, 3 do
      local response = peer:call("ImageClassification", wire.image(session, ("x"):rep(MIB)))
      assert.equal(0, response.code)
    end
    assert.equal(0, (mapped(agent.pid)))
  end)

  it("is not missed when its descriptor is lost", function ()
    serve()
    local peer = wire.connect(agent.address) -- receives bytes alone
    assert.equal(0, peer:call("Hello", HELLO, "luaccel.v1.Peer").code)
    local session = peer:session()
    local request = wire.request("vaccel.sync.agent.AgentService", "ImageClassification",
      wire.image(session, ("x"):rep(MIB)))
    local offers = 0
    for stream = 101, 111, 2 do
      peer:send(wire.frame { stream = stream, type = wire.REQUEST, body = request })
      local frame = assert(peer:receive(PATIENCE))
      if frame.type == 128 then
        assert.equal(0, frame.stream)
        assert.equal(0, #frame.body)
        offers = offers + 1
        frame = assert(peer:receive(PATIENCE))
      end
      assert.same({ wire.RESPONSE, stream, 0 }, { frame.type, frame.stream, frame.flags })
      assert.equal(0, wire.response(frame).code)
    end
    assert.equal(1, offers)
    peer:close()
    at_zero()
  end)

  it("is never offered where bytes are relayed, nor where the operator says so", function ()
    local hybrid = "unix://" .. harness.dir .. "/vaccel.sock_2048"
    local off = "unix://" .. harness.dir .. "/off.sock"
    local tcp = harness.free_tcp()
    serve { addresses = { hybrid, off .. ",shm=off", tcp } }
    for _, address in ipairs { hybrid, off, tcp } do
      local driver = client(address)
      fill_long(driver)
      assert.equal(0, (mapped(agent.pid)))
      driver:close()
    end
  end)

  it("is bounded for each peer and in all, and those who get none go on", function ()
    for _, limit in ipairs { "shm=1M,shm-peer=2M", "shm=1M,shm-total=2M", "shm=off", "shm=1k" } do
      serve { args = { "--limit", limit } }
      local drivers = {}
      for i = 1, 4 do
        drivers[i] = client()
        fill_long(drivers[i])
      end
      local bytes, pieces = mapped(agent.pid)
      assert.equal(limit:match "1M" and 2 or 0, pieces, limit)
      assert.is_true(bytes <= 2 * MIB)
      if pieces == 2 then -- what a connection gives back another may have
        drivers[1]:close()
        process.wait_until(GONE, function () return select(2, mapped(agent.pid)) == 1 end)
        fill_long(drivers[4])
        assert.equal(2, select(2, mapped(agent.pid)))
        drivers[2]:close()
      end
      agent:stop()
    end
  end)

  it("is gone when a client was killed within a call", function ()
    serve()
    local warm = client()
    warm:close()
    local fds = agent:fds()
    for i = 1, KILLS do
      local p = process.spawn({ harness.bin "bulk", "4", "100000", tostring(3 * MIB) }, {
        name = "bulk", cwd = harness.dir, env = harness.env {
          VACCEL_PLUGINS = harness.plugins "rpc", VACCEL_RPC_ADDRESS = agent.address,
        },
      })
      process.wait_until(PATIENCE, function () return mapped(agent.pid) > 0 end)
      system.sleep(math.random() * 0.05)
      p:kill(signal.SIGKILL)
      p:wait(5)
      process.wait_until(GONE, function () return mapped(agent.pid) == 0 and agent:fds() <= fds end)
      assert.equal(0, (mapped(agent.pid)), "kill " .. i)
      assert.is_true(agent:fds() <= fds, "kill " .. i)
    end
    fill_long(client())
    agent:stop()
    assert.same({}, agent:matching "accounts: ")
  end)

  it("is not a forked child's, which has its own", function ()
    serve()
    local driver = client()
    fill_long(driver)
    local child = driver:must(("fork session b 0 ; fill b %d ; fill b %d ; release b"):format(MIB, MIB))
    assert.equal("0", child.status, child.line)
    assert.equal(1, select(2, mapped(driver.pid)))
    fill_long(driver)
    driver:close()
    at_zero()
  end)
end)
