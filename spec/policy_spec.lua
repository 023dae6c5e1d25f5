--- The operator's decisions: who is refused, who is served where, and what happens when a backend
--- is not there. The witnesses say in which process a call ran and which bytes arrived.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

--- Users that need no entry in a passwd file.
local ALICE, BOB = 20001, 20002

describe("a policy", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- The image that one run of classify sends, and that nobody else has.
  local function classify(agent, options)
    options = options or {}
    local image = harness.file("image.bin", options.image or ("image of " .. agent.pid))
    return harness.run({ harness.bin "classify", image, "1" }, {
      uid = options.uid, env = { VACCEL_PLUGINS = "libvaccel-rpc.so", VACCEL_RPC_ADDRESS = agent.address },
    })
  end

  --- A witness testifies that the call ran in this agent, on that plugin, with the driver's bytes.
  local function served_by(driver, agent, plugin)
    local answer = driver:must "fill s 5000"
    local said = harness.testimony(answer)
    assert.equal(agent.pid, said.pid)
    assert.equal(plugin, said.plugin)
    assert.equal(answer.hash, said.hash)
    return said
  end

  --- Log lines, from `from` on, which say that `backend` does not serve.
  local function fallback_lines(agent, from, serving, failed)
    return #agent:matching(("session %%d+: backend %s serves, not %s "):format(serving, failed), from)
  end

  describe("that refuses a session", function ()
    local refusing = [[
policy {
  name = "gate", api = 1, on_error = "reject",
  session_route = function (s)
    if s.hint == 1 then return reject("no CPU sessions today", 11) end
    return reject { code = 13, reason = "closed for maintenance" }
  end,
}
]]

    it("gives the C program its code and its reason, and says so in the log", function ()
      local agent = harness.agent { plugins = "witness", policy = refusing }
      local p = classify(agent)
      assert.equal("exited", p.status.how)
      assert.not_equal(0, p.status.code)
      local said = "refused by policy gate (policy.lua:5): closed for maintenance"
      assert.truthy(p:text("err"):find("13", 1, true), p:text())
      assert.truthy(p:text("err"):find(said, 1, true), p:text())
      assert.is_nil(p:text("out"):find "Initialized session")
      agent:says "refused by policy gate %(policy%.lua:5%): closed for maintenance"
      agent:stop()
    end)

    it("gives the code as the return value and the reason by luaccel_last_error", function ()
      local agent = harness.agent { plugins = "witness", policy = refusing }
      local driver = harness.driver { address = agent.address }
      local code, reason = driver:fails "session s 1"
      assert.equal(11, code)
      assert.equal("refused by policy gate (policy.lua:4): no CPU sessions today", reason)
      code, reason = driver:fails "session s 0"
      assert.equal(13, code)
      assert.equal("refused by policy gate (policy.lua:5): closed for maintenance", reason)
      driver:close()
      agent:stop()
    end)

    it("leaves nothing behind", function ()
      local agent = harness.agent { plugins = "witness", policy = refusing,
        env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
      local driver = harness.driver { address = agent.address }
      driver:fails "session s 0"
      local fds, dirs = agent:fds(), agent:rundirs()
      for _ = 1, 50 do driver:fails "session s 0" end
      assert.equal(fds, agent:fds())
      assert.same(dirs, agent:rundirs())
      driver:close()
      agent:stop()
    end)
  end)

  describe("that routes by user", function ()
    local by_user = ([[
backends { first = plugin "%%s", second = plugin "%%s" }
policy {
  name = "users", api = 1, on_error = "reject",
  session_route = function (s)
    if s.peer.transport ~= "unix" then return reject("unix only", 1) end
    if s.peer.uid == %d then return route "first" end
    if s.peer.uid == %d then return route "second" end
    return reject("nobody knows you", 13)
  end,
}
]]):format(ALICE, BOB)

    --- An agent whose socket every user may open.
    local function start(first, second)
      return harness.agent {
        policy = by_user:format(first, second),
        addresses = { "unix://" .. harness.dir .. "/agent.sock,mode=0666" },
      }
    end

    local function address(agent) return (agent.address:gsub(",.*", "")) end

    local function driver_of(agent, uid)
      local driver = harness.driver { address = address(agent), uid = uid }
      driver:must "session s 0"
      return driver
    end

    it("sends each user's session where it says", function ()
      local why = harness.lacks "users"
      if why then return pending(why) end
      local agent = start("witness", "witness2")
      local alice, bob = driver_of(agent, ALICE), driver_of(agent, BOB)
      assert.equal(1, served_by(alice, agent, "witness").n)
      assert.equal(1, served_by(bob, agent, "witness2").n)
      assert.equal(2, served_by(alice, agent, "witness").n)
      local other = harness.driver { address = address(agent) }
      local code, reason = other:fails "session s 0"
      assert.equal(13, code)
      assert.equal("refused by policy users (policy.lua:8): nobody knows you", reason)
      for _, driver in ipairs { alice, bob, other } do driver:close() end
      agent:says(("session 1 peer=uid:%d backend=first .*plan=policy%%.lua:6 ops=2 err=0"):format(ALICE))
      agent:says(("session 2 peer=uid:%d backend=second .*plan=policy%%.lua:7 ops=1 err=0"):format(BOB))
      agent:stop()
    end)

    it("sends one to noop and another to torch", function ()
      local why = harness.lacks "users torch"
      if why then return pending(why) end
      local agent = start("noop", "torch")
      local data = harness.data
      local alice, bob = driver_of(agent, ALICE), driver_of(agent, BOB)
      local image = "classify s " .. data .. "/images/digit-7.png"
      assert.equal("This is a dummy classification tag!", alice:must(image).text)
      bob:must("resource m path " .. data .. "/digits.pt")
      bob:must "register m s"
      assert.matches("^7", bob:must(image).text)
      alice:close()
      bob:close()
      agent:stop()
    end)
  end)

  describe("with fallbacks", function ()
    local function plan(first, second)
      return ([[
backends { first = plugin "%s", second = plugin "%s" }
policy {
  name = "plan", api = 1, on_error = "reject",
  session_route = function (s) return route { "first", "second" } end,
}
]]):format(first, second)
    end

    local function start(first, second)
      local agent = harness.agent { policy = plan(first, second) }
      local driver = harness.driver { address = agent.address }
      return agent, driver, #agent.lines + 1
    end

    it("uses the first while it serves, and says nothing", function ()
      local agent, driver, from = start("witness", "witness2")
      driver:must "session s 0"
      served_by(driver, agent, "witness")
      driver:close()
      agent:stop()
      assert.equal(0, #agent:matching("serves, not", from))
    end)

    it("goes on without a backend that cannot be loaded", function ()
      local agent, driver, from = start("doesnotexist", "witness")
      driver:must "session s 0"
      served_by(driver, agent, "witness")
      served_by(driver, agent, "witness")
      driver:close()
      agent:says "session 1 .*backend=second want=first why=first:down"
      agent:stop()
      assert.equal(1, fallback_lines(agent, from, "second", "first"))
      assert.equal(1, #agent:matching "^.*backend first is down: .*libvaccel%-doesnotexist%.so")
    end)

    it("goes on when the first refuses the session", function ()
      local agent, driver, from = start("refuse", "witness")
      driver:must "session s 0"
      served_by(driver, agent, "witness")
      driver:close()
      agent:says "session 1 .*backend=second want=first why=first:refused"
      agent:stop()
      assert.equal(1, fallback_lines(agent, from, "second", "first"))
      assert.equal(1, #agent:matching("refuse takes no sessions", from))
    end)

    it("goes on when the first refuses the resource", function ()
      local agent, driver, from = start("picky", "witness")
      driver:must "session s 0"
      assert.equal("picky", harness.testimony(driver:must "say s hello").plugin)
      driver:must("resource m memory " .. harness.file("model.bin", "weights"))
      driver:must "register m s"
      served_by(driver, agent, "witness")
      driver:must "load s m"
      driver:must "unregister m s"
      driver:close()
      agent:stop()
      assert.equal(1, fallback_lines(agent, from, "second", "first"))
      assert.equal(1, #agent:matching("picky takes no resources", from))
    end)

    it("goes on when the first does not know the operation", function ()
      local agent, driver, from = start("mute", "witness")
      driver:must "session s 0"
      served_by(driver, agent, "witness")
      served_by(driver, agent, "witness")
      driver:close()
      agent:stop()
      assert.equal(1, fallback_lines(agent, from, "second", "first"))
    end)

    it("takes registered resources and loaded models along", function ()
      local log = harness.dir .. "/witness.log"
      local agent = harness.agent { policy = plan("mute", "witness"), env = { WITNESS_LOG = log } }
      local driver = harness.driver { address = agent.address }
      driver:must "session s 0"
      driver:must("resource m memory " .. harness.file("model.bin", "weights"))
      driver:must "register m s"
      assert.same({}, harness.witness_log(log))
      driver:must "load s m" -- mute cannot
      served_by(driver, agent, "witness")
      local events = {}
      for i, entry in ipairs(harness.witness_log(log)) do events[i] = entry.event .. " " .. entry.session end
      assert.same({ "register 1", "load 1" }, events)
      driver:must "unregister m s"
      driver:close()
      agent:stop()
    end)

    it("goes on with every kind of operation, leaving nothing of the first attempt", function ()
      local input = harness.file("in.f32", ("\0"):rep(4 * 6))
      local model = harness.file("model.bin", "weights")
      for _, operation in ipairs {
        "named s " .. input, "load s m", ("run s m %s 2x3 1 %s/out"):format(input, harness.dir),
      } do
        local agent, driver, from = start("mute", "witness")
        driver:must "session s 0"
        driver:must("resource m memory " .. model)
        driver:must "register m s"
        driver:must(operation)
        served_by(driver, agent, "witness")
        driver:must "unregister m s"
        driver:close()
        agent:stop()
        assert.equal(1, fallback_lines(agent, from, "second", "first"), operation)
        process.cleanup()
      end
      assert.equal(system.read(input), system.read(harness.dir .. "/out0"))
    end)

    it("gives the backend's own error, not the next backend, when an operation fails", function ()
      local agent, driver, from = start("witness", "witness2")
      driver:must "session s 0"
      local code, reason = driver:fails "say s FAIL 5 now"
      assert.equal(5, code)
      assert.truthy(reason:find("witness fails as ordered", 1, true), reason)
      served_by(driver, agent, "witness")
      driver:close()
      agent:stop()
      assert.equal(0, #agent:matching("serves, not", from))
    end)

    it("refuses when none is left, naming the reason", function ()
      local agent, driver = start("doesnotexist", "refuse")
      local code, reason = driver:fails "session s 0"
      assert.equal(16, code)
      assert.truthy(reason:find("refuse takes no sessions", 1, true), reason)
      driver:close()
      agent:stop()
    end)
  end)

  describe("that admits operations", function ()
    it("refuses by size, with code and reason, and serves what is smaller", function ()
      local agent = harness.agent { plugins = "witness", policy = [[
policy {
  name = "sizes", api = 1, on_error = "reject",
  op_admit = function (op)
    if op.name == "image_classify" and op.bytes_in > 10000 then
      return reject(("%d bytes are too many"):format(op.bytes_in), 12)
    end
  end,
}
]] }
      local driver = harness.driver { address = agent.address }
      driver:must "session s 0"
      served_by(driver, agent, "witness")
      local code, reason = driver:fails "fill s 20000"
      assert.equal(12, code)
      assert.matches("^refused by policy sizes %(policy%.lua:5%): 20%d%d%d bytes are too many$", reason)
      assert.equal(2, served_by(driver, agent, "witness").n) -- the refused one never got there
      driver:close()
      agent:stop()
    end)
  end)

  describe("whose hook fails", function ()
    local function broken(on_error, body)
      return ([[
backends { main = plugin "witness", spare = plugin "witness2" }
policy {
  name = "broken", api = 1, on_error = %s,
  session_route = function (s) %s end,
}
]]):format(on_error, body or [[error "out of ideas"]])
    end

    it("rejects with on_error = \"reject\"", function ()
      local agent = harness.agent { policy = broken '"reject"' }
      local driver = harness.driver { address = agent.address }
      local code, reason = driver:fails "session s 0"
      assert.is_true(code ~= 0)
      assert.matches("policy broken", reason)
      agent:says "policy broken %(policy%.lua:4%): session_route failed: out of ideas"
      driver:close()
      agent:stop()
    end)

    it("and reads a field that nobody has is told so", function ()
      local agent = harness.agent { policy = broken('"reject"', "if s.peer.user == 0 then return end") }
      local driver = harness.driver { address = agent.address }
      local code, reason = driver:fails "session s 0"
      assert.is_true(code ~= 0)
      assert.matches("policy%.lua:4.*user", reason)
      driver:close()
      agent:stop()
    end)

    it("acts as if the hook were not there with on_error = \"allow\"", function ()
      local agent = harness.agent { plugins = "noop", policy = broken '"allow"' }
      local driver = harness.driver { address = agent.address }
      driver:must "session s 0"
      assert.equal("This is a dummy classification tag!", driver:must "say s hello".text)
      agent:says "policy broken %(policy%.lua:4%): session_route failed: out of ideas"
      driver:close()
      agent:stop()
    end)

    it("uses the default with on_error = { default = ... }", function ()
      local agent = harness.agent { policy = broken '{ default = "spare" }' }
      local driver = harness.driver { address = agent.address }
      driver:must "session s 0"
      served_by(driver, agent, "witness2")
      driver:close()
      agent:stop()
    end)

    it("is stopped when it does not come back", function ()
      local agent = harness.agent { policy = broken('{ default = "spare" }', "while true do end") }
      local driver = harness.driver { address = agent.address }
      local answer = driver:must "session s 0"
      assert.is_true(answer.us < 2e6 * harness.slow, answer.line) -- the budget is 20 ms, 200 ms by the clock
      served_by(driver, agent, "witness2")
      driver:close()
      agent:stop()
    end)
  end)

  it("hears of the ends of operations and sessions", function ()
    local agent = harness.agent { plugins = "witness", policy = [[
policy {
  name = "book", api = 1, on_error = "allow",
  op_done = function (op, result)
    log(("done %s %d on %s code %d"):format(op.name, op.session.id, result.backend, result.code))
  end,
  session_close = function (s) log("closed " .. s.id) end,
}
]] }
    local driver = harness.driver { address = agent.address }
    driver:must "session s 0"
    driver:must "say s hello"
    driver:fails "say s FAIL 5 now"
    driver:must "release s"
    agent:says "done image_classify 1 on witness code 0$"
    agent:says "done image_classify 1 on witness code 5$"
    agent:says "closed 1$"
    driver:must "session s 0"
    driver:kill(signal.SIGKILL)
    agent:says "closed 2$"
    agent:stop()
  end)

  it("is told once of a session that no backend took, though its peer has left meanwhile", function ()
    local agent = harness.agent { args = { "--threads", "1" }, env = { VACCEL_LOG_LEVEL = harness.VERBOSE }, policy = [[
backends { busy = plugin "witness", closed = plugin "refuse" }
policy { name = "p", api = 1, on_error = "reject",
  session_route = function (s) if s.hint == 1 then return route "closed" end return route "busy" end,
  session_close = function (s) log("closed " .. s.id) end,
}
]] }
    local peer, leaving = wire.connect(agent.address), wire.connect(agent.address)
    local session = peer:session()
    local long = "SLEEP " .. 3000 * math.min(harness.slow, 3)
    peer:start("ImageClassification", wire.image(session, long)) -- on the only worker
    agent:says "session:%d+ Image classification" -- and there before the others
    local created = leaving:start("CreateSession", wire.int(1, 1))
    local destroyed = leaving:start("DestroySession", wire.int(1, session + 1)) -- which is a guess
    local codes = {}
    for _ = 1, 2 do
      local response = wire.response(leaving:receive())
      codes[response.stream] = response.code
    end
    assert.same({ [created] = wire.INTERNAL, [destroyed] = wire.OK }, codes)
    assert.equal(0, wire.response(peer:receive()).code)
    peer:call("DestroySession", wire.int(1, session))
    agent:says "closed 1$"
    assert.equal(1, #agent:matching "closed 2$")
    agent:stop()
  end)

  it("ends while it moves with a resource, which the new backend does not take up then", function ()
    local agent = harness.agent { args = { "--threads", "1" }, policy = [[
backends { busy = plugin "witness2", mute = plugin "mute", other = plugin "witness" }
policy { name = "p", api = 1, on_error = "reject",
  session_route = function (s) if s.hint == 1 then return route { "mute", "other" } end return route "busy" end,
}
]] }
    local function busy(milliseconds)
      local peer = wire.connect(agent.address)
      return peer, wire.image(peer:session(), "SLEEP " .. milliseconds * math.min(harness.slow, 3))
    end
    local first, first_image = busy(1000)
    local second, second_image = busy(3000)
    local leaving = wire.connect(agent.address)
    local session = leaving:session(1)
    local registered = leaving:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") }))
    -- In this order on the only worker.
    first:start("ImageClassification", first_image)
    leaving:start("TorchModelLoad", wire.model(session, registered.fields[1][1]))
    leaving:call("UpdateSession", wire.int(1, session)) -- so the load has been taken up
    second:start("ImageClassification", second_image)
    assert.equal(0, wire.response(first:receive()).code)
    system.sleep(0.5 * harness.slow) -- mute has refused; what moves the session waits for the second
    leaving:start("DestroySession", wire.int(1, session))
    assert.equal(0, wire.response(second:receive()).code)
    local codes = { wire.response(leaving:receive()).code, wire.response(leaving:receive()).code }
    table.sort(codes)
    assert.same({ wire.OK, wire.INTERNAL }, codes)
    assert.equal(0, #agent:matching "backend other serves")
    agent:stop()
  end)

  it("is asked by every script, and the first plan wins", function ()
    local first = harness.file("first.lua", [[
backends { a = plugin "witness" }
policy { name = "first", api = 1, on_error = "reject",
  session_route = function (s) if s.hint ~= 1 then return route "a" end end }
]])
    local second = harness.file("second.lua", [[
backends { b = plugin "witness2" }
policy { name = "second", api = 1, on_error = "reject",
  session_route = function (s)
    if s.hint == 2 then return reject("not this hint", 1) end
    return route "b"
  end }
]])
    local agent = harness.agent { scripts = { first, second } }
    local driver = harness.driver { address = agent.address }
    driver:must "session s 0"
    served_by(driver, agent, "witness")
    driver:must "session t 1"
    assert.equal("witness2", harness.testimony(driver:must "say t hello").plugin)
    local code, reason = driver:fails "session u 2"
    assert.equal(1, code)
    assert.equal("refused by policy second (second.lua:4): not this hint", reason)
    driver:close()
    agent:stop()
  end)

  describe("on SIGHUP", function ()
    local function policy(backend)
      return ([[
backends { one = plugin "witness", two = plugin "witness2" }
policy { name = "reload", api = 1, on_error = "reject",
  session_route = function (s) return route "%s" end }
]]):format(backend)
    end

    local agent, driver
    before_each(function ()
      agent = harness.agent { policy = policy "one" }
      driver = harness.driver { address = agent.address }
      driver:must "session s 0"
    end)

    local function reload(script)
      local from = #agent.lines + 1
      system.write(harness.dir .. "/policy.lua", script)
      agent:kill(signal.SIGHUP)
      return from
    end

    --- What a new session is served by, once that is `plugin`.
    local function new_session_on(plugin)
      local number = 0
      return process.wait_until(5 * harness.slow, function ()
        number = number + 1
        local name = ("n%d_%d"):format(number, driver.pid)
        driver:must(("session %s 0"):format(name))
        local on = harness.testimony(driver:must(("say %s hello"):format(name))).plugin
        driver:must("release " .. name)
        return on == plugin
      end)
    end

    it("is replaced by a good script; sessions stay where they are", function ()
      assert.is_true(new_session_on "witness")
      reload(policy "two")
      assert.is_true(new_session_on "witness2")
      served_by(driver, agent, "witness")
      driver:close()
      agent:stop()
    end)

    it("brings up a backend that could not be loaded before", function ()
      local late = harness.dir .. "/libvaccel-late.so"
      local script = ([[
backends { one = plugin "witness", late = plugin "%s" }
policy { name = "reload", api = 1, on_error = "reject",
  session_route = function (s) return route { "late", "one" } end }
]]):format(late)
      reload(script)
      agent:says "backend late is down: .*cannot open shared object file"
      assert.is_true(new_session_on "witness")
      assert.equal(0, os.execute(("cp %s/spec/libvaccel-witness2.so %s"):format(harness.build, late)))
      reload(script)
      assert.is_true(new_session_on "witness2")
      driver:close()
      agent:stop()
    end)

    it("takes nothing of a script that is refused", function ()
      local why = harness.lacks "torch"
      if why then return pending(why) end
      local function script(threads, more)
        return ([[
backends { one = plugin "witness", net = plugin "torch" { threads = %d } %s }
policy { name = "reload", api = 1, on_error = "reject" }
]]):format(threads, more)
      end
      local from = reload(script(2, ', zero = plugin "noop" { speed = 9 }'))
      agent:says("the policy in force stays: .*backend zero: option speed", from)
      from = reload(script(1, "")) -- net never was what that script said
      agent:says("policies loaded again", from)
      driver:close()
      agent:stop()
    end)

    it("refuses an option as often as it is asked for", function ()
      local script = [[
backends { one = plugin "witness", deaf = plugin "noop" { speed = 9 } }
policy { name = "reload", api = 1, on_error = "reject" }
]]
      for _ = 1, 2 do
        local from = reload(script)
        agent:says("the policy in force stays: .*backend deaf: option speed", from)
      end
      assert.is_true(new_session_on "witness")
      driver:close()
      agent:stop()
    end)

    for what, script in pairs {
      ["a syntax error"] = "policy { name = ",
      ["an unknown backend"] = policy "three",
      ["an unknown hook"] = policy("two"):gsub("session_route", "session_rout"),
      ["no on_error"] = policy("two"):gsub('on_error = "reject",', ""),
    } do
      it("stays when the new script has " .. what .. ", and the log says why", function ()
        local from = reload(script)
        agent:says("policy%.lua:%d", from)
        assert.is_true(new_session_on "witness")
        served_by(driver, agent, "witness")
        driver:close()
        agent:stop()
      end)
    end
  end)
end)
