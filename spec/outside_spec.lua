--- What goes wrong around an agent: peers that vanish from the network without a word, a disk that
--- is full.
local ffi = require "ffi"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local unistd = require "posix.unistd"
local wire = require "support.wire"

local SMALL = 0.05 * 10 * harness.slow
local KIB = 1024

ffi.cdef [[
  int open(const char *path, int flags, ...);
  int setns(int fd, int kind);
]]
local CLONE_NEWNET = 0x40000000

local function sh(...) return os.execute((...):format(select(2, ...)) .. " 2>/dev/null") == 0 end

describe("peers that vanish", function ()
  local name, near = "luaccel-" .. unistd.getpid(), "lua" .. unistd.getpid() % 100000
  local made

  before_each(function ()
    harness.begin()
    made = unistd.geteuid() == 0 and sh("ip netns add %s", name)
      and sh("ip link add %sa type veth peer name %sb netns %s", near, near, name)
      and sh("ip addr add 10.213.77.1/30 dev %sa && ip link set %sa up", near, near)
      and sh("ip -n %s addr add 10.213.77.2/30 dev %sb && ip -n %s link set %sb up", name, near, name, near)
  end)
  after_each(function ()
    wire.close_all()
    sh("ip link del %sa", near)
    sh("ip netns del %s", name)
    harness.finish()
  end)

  --- Sockets that are made meanwhile are those of a machine on the other side of a cable.
  local function on_the_other_side(make)
    local here, there = ffi.C.open("/proc/self/ns/net", 0), ffi.C.open("/run/netns/" .. name, 0)
    assert(here >= 0 and there >= 0 and ffi.C.setns(there, CLONE_NEWNET) == 0)
    local ok, result = pcall(make)
    assert(ffi.C.setns(here, CLONE_NEWNET) == 0)
    unistd.close(here)
    unistd.close(there)
    return assert(ok and result, result)
  end

  it("idle, within a frame or with answers to come, are found out, and others are served", function ()
    if not made then
      print "SKIP network namespaces need root, ip and ss (iproute2)"
      return pending "network namespaces"
    end
    local tcp = harness.free_tcp():gsub("127%.0%.0%.1", "10.213.77.1")
    local agent = harness.agent { plugins = "witness", addresses = { "unix://" .. harness.dir .. "/agent.sock", tcp },
      args = { "--allow", "plaintext", "--limit", "frame-timeout=1,write-timeout=1,idle=8" } }
    local good = wire.connect(agent.address)
    local session = good:session()
    local fds = agent:fds()
    local peers = on_the_other_side(function ()
      local list = {}
      for i = 1, 6 do list[i] = wire.connect(tcp) end
      return list
    end)
    local sessions = {}
    for i, peer in ipairs(peers) do sessions[i] = peer:session() end
    assert.equal(fds + 6, agent:fds())
    local socket = io.popen "ss -tno state established src 10.213.77.1"
    local timers = socket:read "*a"
    socket:close()
    for seconds in timers:gmatch "keepalive,(%d+)" do assert.is_true(tonumber(seconds) <= 60, timers) end
    assert.is_truthy(timers:find "keepalive", timers)
    for i = 1, 2 do peers[i]:start("ImageClassification", wire.image(sessions[i], "SLEEP 700 ms")) end
    for i = 3, 4 do
      peers[i]:send(wire.frame { stream = 3, type = wire.REQUEST, length = 5000, body = "begins" })
    end
    assert.is_true(sh("ip link set %sa down", near))
    local began, worst = system.now(), 0
    process.wait_until(20 * harness.slow, function ()
      local asked = system.now()
      assert.equal(0, good:call("ImageClassification", wire.image(session, "x")).code)
      worst = math.max(worst, system.now() - asked)
      return agent:fds() == fds
    end)
    local took = system.now() - began
    assert.equal(fds, agent:fds())
    print(("outside: 6 half-open peers were gone after %.1f s; a good one's largest call took %.1f ms"):format(took,
      worst * 1000))
    assert.is_true(worst <= SMALL)
    agent:stop()
  end)
end)

describe("a full disk", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("fails what needs it, with the reason, and nothing else, and is no fault when it has room again", function ()
    local why = harness.lacks "mounts"
    if why then return pending(why) end
    local agent = harness.agent { plugins = "witness", within = harness.on_tmpfs("1m", 1000) }
    local peer, other = wire.connect(agent.address), wire.connect(agent.address)
    local session, theirs = peer:session(), other:session()
    local function register(bytes) -- into a file
      return peer:call("RegisterResource", wire.register(session, { wire.blob("m", ("x"):rep(bytes), 2) }))
    end
    local fds = agent:fds()
    for _ = 1, 20 do
      local refused = register(2048 * KIB)
      assert.equal(wire.INTERNAL, refused.code)
      assert.matches("No space left on device", refused.message)
      assert.equal(0, other:call("ImageClassification", wire.image(theirs, "x")).code)
      assert.equal(0, peer:call("RegisterResource", wire.register(session, { wire.blob("m", "in memory") })).code)
    end
    local fitting = register(512 * KIB) -- what did not fit is not there any more
    assert.equal(0, fitting.code, fitting.message)
    assert.not_equal(0, register(700 * KIB).code)
    assert.equal(0, peer:call("UnregisterResource", wire.int(1, fitting.fields[1][1]) .. wire.int(2, session)).code)
    assert.is_truthy(system.poll(5, function () return register(700 * KIB).code == 0 end))
    assert.is_true(agent:fds() <= fds + 1)
    peer:close()
    agent:says(("Destroyed session %d$"):format(session))
    other:close()
    agent:stop()
  end)
end)
