--- Hooks beside those of sessions and operations, in a real agent.
local signal = require "posix.signal"
local harness = require "support.harness"
local wire = require "support.wire"

--- The agent is told to load `text`, and has: the line that says so.
local function reload(agent, text)
  local from = #agent.lines + 1
  harness.file("policy.lua", text)
  agent:kill(signal.SIGHUP)
  local said = agent:says("SIGHUP: policies loaded again", from)
  while agent.lines[from] ~= said do from = from + 1 end
  return from
end

describe("peer_accept", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function script(body)
    return ([[policy {
  name = "door", api = 1, on_error = "reject",
  peer_accept = function (peer)
    assert(peer.transport == "unix" and peer.uid and peer.pid and peer.cid == nil)
    %s
  end,
}]]):format(body)
  end

  local CLOSED = script 'return reject("closed", "EBUSY")'
  local SAID = "refused by policy door (policy.lua:5): closed"

  it("gives a refused program its code and its reason, and says so in the log", function ()
    local agent = harness.agent { plugins = "witness", policy = CLOSED }
    local driver = harness.driver { address = agent.address }
    for _ = 1, 2 do
      local code, reason = driver:fails "session s 0"
      assert.equal(16, code)
      assert.equal(SAID, reason)
    end
    agent:says "connection from .* refused by policy door %(policy%.lua:5%): closed: code 16"
    driver:close()
    agent:stop()
  end)

  it("answers every request of a refused peer so, and keeps the connection", function ()
    local agent = harness.agent { plugins = "witness", policy = CLOSED }
    local peer = wire.connect(agent.address)
    for _, method in ipairs { "CreateSession", "NoSuchMethod", "RegisterResource" } do
      local response = peer:call(method, "")
      assert.equal(wire.PERMISSION_DENIED, response.code)
      assert.equal(SAID, response.message)
    end
    assert.equal(wire.PERMISSION_DENIED, peer:call("Hello", "", "luaccel.v1.Peer").code)
    assert.equal(0, #agent:matching "session %d+")
    agent:stop()
  end)

  it("is asked again when policies have been loaded again, about those that were refused", function ()
    local agent = harness.agent { plugins = "witness", policy = CLOSED }
    local refused = wire.connect(agent.address)
    assert.equal(wire.PERMISSION_DENIED, refused:call("CreateSession", "").code)
    reload(agent, script "")
    assert.equal(0, refused:call("CreateSession", "").code)
    reload(agent, CLOSED)
    assert.equal(0, refused:call("CreateSession", "").code)
    assert.equal(wire.PERMISSION_DENIED, wire.connect(agent.address):call("CreateSession", "").code)
    agent:stop()
  end)

  it("lets nobody in by its own failure", function ()
    local agent = harness.agent { plugins = "witness", policy = script "while true do end" }
    local code, reason = harness.driver { address = agent.address }:fails "session s 0"
    assert.equal(1, code)
    assert.equal("refused by policy door (policy.lua:5): peer_accept failed: ran longer than 20 ms", reason)
    agent:stop()
  end)
end)

describe("resource_admit", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- What it was shown is in the log: id, type, bytes, digest and names.
  local POLICY = [[policy {
  name = "goods", api = 1, on_error = "reject",
  resource_admit = function (s, res)
    log(("%s %s %s %s [%s]"):format(s.tags.n or 0, tostring(res.id), res.type, tostring(res.bytes),
      table.concat(res.names, " ")))
    s.tags.n = (s.tags.n or 0) + 1
    if res.names[1] == "forbidden" or res.bytes == 2 * 1024 * 1024 then return reject("not that one", "EBUSY") end
    if res.names[1] == "loop" then while true do end end
  end,
}]]
  local SAID = "refused by policy goods (policy.lua:7): not that one"

  local function start(args)
    return harness.agent { plugins = "witness", policy = POLICY, args = args }
  end

  it("sees what is registered, and refuses it with code and reason", function ()
    local agent = start()
    local peer = wire.connect(agent.address)
    local session = peer:session()
    local first = peer:call("RegisterResource",
      wire.register(session, { wire.blob("net.pt", "12345"), wire.blob("labels", "123") }))
    assert.equal(0, first.code)
    agent:says "policy goods: 0 nil model 8 %[net%.pt labels%]$"
    local data = wire.register(session, { wire.blob("d", "1") }, wire.RESOURCE_DATA)
    assert.equal(0, peer:call("RegisterResource", data).code)
    agent:says "policy goods: 1 nil data 1 %[d%]$"
    local refused = peer:call("RegisterResource", wire.register(session, { wire.blob("forbidden", "1") }))
    assert.equal(wire.PERMISSION_DENIED, refused.code)
    assert.equal(SAID, refused.message)
    agent:says "session %d+ peer=.* resource refused by policy goods .* not that one: code 16"
    -- With another session it is asked about again, and has an id now.
    local id = first.fields[1][1]
    local other = peer:session()
    assert.equal(0, peer:call("RegisterResource", wire.register(other, {}) .. wire.int(4, id)).code)
    agent:says(("policy goods: 0 %d model 8 %%[net%%.pt labels%%]$"):format(id))
    agent:stop()
  end)

  it("sees paths as the peer names them, each time", function ()
    local agent = start { "--allow", "path=" .. harness.dir }
    local path = "file://" .. harness.file("model.bin", "bytes")
    local peer = wire.connect(agent.address)
    local first = peer:call("RegisterResource", wire.register_paths(peer:session(), { path }))
    assert.equal(0, first.code)
    local id = first.fields[1][1]
    assert.equal(0, peer:call("RegisterResource", wire.register(peer:session(), {}) .. wire.int(4, id)).code)
    local shown = ("model nil [%s]"):format(path):gsub("%p", "%%%0")
    agent:says("policy goods: 0 nil " .. shown)
    agent:says(("policy goods: 0 %d "):format(id) .. shown)
    agent:stop()
  end)

  it("refuses an upload before its bytes come", function ()
    local agent = start()
    local driver = harness.driver { address = agent.address }
    driver:must "session s 0"
    driver:must("resource m blob " .. harness.file("m", ("x"):rep(2 * 1024 * 1024)))
    local code, reason = driver:fails "register m s"
    assert.equal(16, code)
    assert.equal(SAID, reason)
    driver:must("resource n blob " .. harness.file("n", ("x"):rep(2 * 1024 * 1024 + 1)))
    driver:must "register n s"
    agent:says "policy goods: 1 nil model 2097153 %[blob%.bin%]$"
    driver:close()
    agent:stop()
  end)

  it("lets nothing in by its own failure", function ()
    local agent = start()
    local peer = wire.connect(agent.address)
    local session = peer:session()
    local response = peer:call("RegisterResource", wire.register(session, { wire.blob("loop", "1") }))
    assert.equal(wire.PERMISSION_DENIED, response.code)
    assert.equal("refused by policy goods (policy.lua:8): resource_admit failed: ran longer than 20 ms",
      response.message)
    local blobs = {}
    for i = 1, 1025 do blobs[i] = wire.blob("n" .. i, "1") end
    response = peer:call("RegisterResource", wire.register(session, blobs))
    assert.matches("the resource has 1025 files; scripts are shown 1024 at most", response.message)
    assert.equal(0, peer:call("RegisterResource", wire.register(session, { wire.blob("ok", "1") })).code)
    agent:stop()
  end)
end)

describe("timers", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("run in an agent that has nothing else to do, and go with their script", function ()
    local agent = harness.agent { plugins = "witness", policy = [[
policy { name = "clock", api = 1, on_error = "reject" }
local n = 0
every(0.02, function () n = n + 1 log("old " .. n) end)
after(0.01, function () log "once" end)
]] }
    agent:says "policy clock: once$"
    agent:says "policy clock: old 3$"
    assert.equal(1, #agent:matching "policy clock: once$")
    local from = reload(agent, [[
policy { name = "clock", api = 1, on_error = "reject" }
local n = 0
every(0.02, function () n = n + 1 log("new " .. n) end)
]])
    agent:says("policy clock: new 3$", from)
    assert.equal(0, #agent:matching("policy clock: old", from))
    agent:stop()
  end)

  it("can be set by hooks, and hold up nobody by being set aside", function ()
    local agent = harness.agent { plugins = "witness", policy = [[
policy {
  name = "clock", api = 1, on_error = "reject",
  session_close = function (s)
    local id = s.id
    after(0.02, function () log("after " .. id) end)
  end,
}
every(0.01, function () while true do end end)
]] }
    agent:says "policy clock: every is set aside for 10 s after three overruns$"
    local driver = harness.driver { address = agent.address }
    driver:must "session s 0"
    driver:must "release s"
    agent:says "policy clock: after %d+$"
    driver:close()
    agent:stop()
  end)
end)

describe("backend_state", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function script(backends)
    return ([[
backends { %s }
policy {
  name = "watch", api = 1, on_error = "reject",
  backend_state = function (b, up) log(("%%s is %%s"):format(b.name, up and "up" or "down")) end,
}
]]):format(backends)
  end

  it("is told when a remote agent goes and comes back", function ()
    local address = "unix://" .. harness.dir .. "/far.sock"
    local far = harness.agent { plugins = "witness", addresses = { address } }
    local near = harness.agent { policy = script(('far = remote "%s"'):format(address)) }
    near:says "backend far: agent at"
    local driver = harness.driver { address = near.address }
    driver:must "session s 0"
    driver:must "fill s 100"
    far:stop()
    driver:fails "fill s 100"
    near:says "policy watch: far is down$"
    harness.agent { plugins = "witness", addresses = { address } }
    near:expect("policy watch: far is up$", 30 * harness.slow)
    assert.equal(1, #near:matching "policy watch: far is up$")
    assert.equal(1, #near:matching "policy watch: far is down$")
    near:stop()
  end)

  it("is told of a plugin whose file comes later, without a reload", function ()
    local late = harness.dir .. "/libvaccel-late.so"
    local agent = harness.agent { plugins = "witness", policy = script(('late = plugin "%s"'):format(late)) }
    agent:says "policy watch: late is down$"
    assert.equal(0, os.execute(("cp %s/spec/libvaccel-witness2.so %s.new"):format(harness.build, late)))
    os.rename(late .. ".new", late)
    agent:expect("policy watch: late is up$", 60 * harness.slow)
    assert.equal(1, #agent:matching "policy watch: late is down$")
    agent:stop()
  end)

  it("is told of plugins that cannot be loaded, and of those that a reload brings up", function ()
    local agent = harness.agent { plugins = "witness", policy = script 'gone = plugin "absent"' }
    agent:says "policy watch: gone is down$"
    assert.equal(0, #agent:matching "policy watch: witness is")
    local from = reload(agent, script 'gone = plugin "absent", new = plugin "witness2"')
    agent:says("policy watch: gone is down$", from)
    agent:says("policy watch: new is up$", from)
    agent:stop()
  end)
end)
