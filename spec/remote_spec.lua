--- Remote agents as backends of an agent. The witnesses say in which process a call ran and which
--- bytes arrived, whatever lies between it and the caller.
local signal = require "posix.signal"
local harness = require "support.harness"
local operator = require "support.operator"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local SESSIONS = 64
local PROBED = 40 * harness.slow -- seconds: one that is down is probed after 1, 2, 4, 8 of them
-- Seconds until one that hangs is given up: 3 of silence and 5 for a probe, three times that here.
local GIVEN_UP = 24 * harness.slow

local function address(name) return "unix://" .. harness.dir .. "/" .. name .. ".sock" end

--- An agent that runs operations.
local function server(name, plugins, options)
  options = options or {}
  options.plugins, options.addresses = plugins or "witness", { address(name) }
  return harness.agent(options)
end

local POLICY = [[
backends { %s }
policy {
  name = "relay", api = 1, on_error = "reject",
  session_route = function (s) return route { %s } end,
}
]]

--- The agent between, which has these backends and this route.
local function relay(backends, route, options)
  options = options or {}
  options.addresses = { address "relay" }
  options.policy = POLICY:format(backends, route)
  return harness.agent(options)
end

local function remote(name) return ("%s = remote %q, "):format(name, address(name)) end

local function driver_of(agent)
  local driver = harness.driver { address = agent.address }
  driver:must "session s 0"
  return driver
end

--- A witness testifies that the call ran in this agent, with the driver's bytes.
local function served_by(driver, agent, size)
  local answer = driver:must("fill s " .. (size or 5000))
  local said = harness.testimony(answer)
  assert.equal(agent.pid, said.pid)
  assert.equal(answer.hash, said.hash)
end

describe("a remote agent", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("runs what its session asks for", function ()
    local far = server "far"
    local near = relay(remote "far", [["far"]])
    near:says "backend far: agent at unix://.*/far.sock$"
    local driver = driver_of(near)
    served_by(driver, far)
    served_by(driver, far, 8 * 1024 * 1024)
    local code, reason = driver:fails "say s FAIL 28"
    assert.equal(28, code)
    assert.matches("witness fails as ordered", reason)
    driver:must "release s"
    driver:close()
    near:says "session 1 peer=.* backend=far want=far plan=policy.lua:4 ops=3 err=1"
    near:stop()
    far:stop()
  end)

  it("has the session's resources, their bytes and their loads", function ()
    local log = harness.dir .. "/witness.log"
    local far = server("far", "witness", { env = { WITNESS_LOG = log } })
    local near = relay(remote "far", [["far"]])
    local driver = driver_of(near)
    local model = harness.file("model.bin", ("0123456789abcdef"):rep(4 * 1024 * 1024))
    driver:must("resource m memory " .. model)
    driver:must "register m s"
    driver:must "load s m"
    local input = harness.file("in.bin", ("\0\0\128\63"):rep(4))
    driver:must("run s m " .. input .. " 1x4 1 " .. harness.dir .. "/out")
    driver:must "unregister m s"
    driver:must "release s"
    driver:close()
    local events = {}
    for _, entry in ipairs(harness.witness_log(log)) do
      assert.equal(far.pid, tonumber(entry.pid))
      events[#events + 1] = entry.event
    end
    assert.same({ "register", "load", "unregister" }, events)
    near:stop()
    far:stop()
  end)

  it("is one of several, each for its users", function ()
    local why = harness.lacks "users"
    if why then return pending(why) end
    local first, second, third = server "first", server "second", server "third"
    local near = harness.agent {
      plugins = "witness2",
      addresses = { address "relay" .. ",mode=0666" },
      policy = ("backends { %s }\n"):format(remote "first" .. remote "second" .. remote "third") .. [[
local by_user = { [20001] = route "first", [20002] = route "second", [20003] = route "third" }
policy {
  name = "users", api = 1, on_error = "reject",
  session_route = function (s) return by_user[s.peer.uid] or route "witness2" end,
}
]],
    }
    for uid, far in pairs { [20001] = first, [20002] = second, [20003] = third, [0] = near } do
      local driver = harness.driver { address = address "relay", uid = uid }
      driver:must "session s 0"
      for _ = 1, 3 do served_by(driver, far) end
      driver:close()
    end
    near:stop()
    for _, far in ipairs { first, second, third } do far:stop() end
  end)

  it("that does not know an operation makes way for a backend that does", function ()
    local far = server("far", "mute")
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far", "cpu"]])
    local driver = driver_of(near)
    driver:must "noop s"
    driver:must "release s"
    driver:must "session s 0"
    served_by(driver, near)
    near:says "session 2: backend cpu serves, not far %(far:refused"
    driver:close()
    near:stop()
    far:stop()
  end)

  it("is tried when the plugin before it does not know the operation", function ()
    local far = server "far"
    local near = relay(remote "far" .. [[cpu = plugin "mute"]], [["cpu", "far"]])
    local driver = driver_of(near)
    served_by(driver, far)
    driver:close()
    near:stop()
    far:stop()
  end)

  it("may be a plain vAccel agent", function ()
    local path = address("plain"):match "^unix://(.*)"
    local plain = process.spawn({ "luajit", harness.source .. "/spec/support/plain_agent.lua", path },
      { name = "plain", env = { PATH = os.getenv "PATH", LUA_PATH = harness.source .. "/spec/?.lua;" .. package.path,
        LUA_CPATH = package.cpath }, cwd = harness.dir })
    plain:expect("^ready", 10)
    local near = relay(remote "plain", [["plain"]])
    local driver = driver_of(near)
    assert.equal("plain 3", driver:must("tags s 64 abc").text)
    local code = driver:fails "noop s"
    assert.equal(95, code)
    driver:must("resource m memory " .. harness.file("model.bin", "bytes"))
    driver:must "register m s"
    driver:must "release s"
    driver:close()
    plain:expect("vaccel.sync.agent.AgentService/DestroySession", 5 * harness.slow)
    near:stop()
  end)

  it("is what hints choose when there is no plugin", function ()
    local far = server "far"
    local near = harness.agent { addresses = { address "relay" }, policy = ("backends { %s }\n"):format(remote "far") ..
      [[policy { name = "none", api = 1, on_error = "reject" }]] }
    local driver = driver_of(near)
    served_by(driver, far)
    driver:must "release s"
    driver:must "session s 0x4000" -- VACCEL_PLUGIN_REMOTE
    served_by(driver, far)
    driver:close()
    near:stop()
    far:stop()
  end)

  it("leaves nothing behind on either agent", function ()
    local verbose = { VACCEL_LOG_LEVEL = harness.VERBOSE }
    local far = server("far", "witness", { env = verbose })
    local near = relay(remote "far", [["far"]], { env = verbose })
    local before = {}
    local model = harness.file("model.bin", ("x"):rep(100000))
    for round = 1, 4 do
      local driver = driver_of(near)
      driver:must("resource m memory " .. model)
      driver:must "register m s"
      served_by(driver, far)
      if round % 2 == 0 then driver:must "release s" end
      driver:close()
      for name, agent in pairs { near = near, far = far } do
        system.poll(5 * harness.slow, function () return #agent:rundirs() == 0 end)
        assert.same({}, agent:rundirs(), name)
        if round > 1 then
          local fds = before[name]
          system.poll(5 * harness.slow, function () return agent:fds() <= fds end)
          assert.is_true(agent:fds() <= fds, name)
        end
        before[name] = before[name] or agent:fds()
      end
    end
    near:stop()
    far:stop()
  end)

  it(("serves %d sessions at once"):format(SESSIONS), function ()
    local far = server "far"
    local near = relay(remote "far", [["far"]])
    local drivers = {}
    for i = 1, SESSIONS / 8 do drivers[i] = harness.driver { address = near.address } end
    for _, driver in ipairs(drivers) do
      for i = 1, 8 do driver:tell(("session s%d 0"):format(i)) end
      for i = 1, 8 do driver:tell(("fill s%d 10000"):format(i)) end
    end
    for _, driver in ipairs(drivers) do
      for _ = 1, 8 do assert.is_true(driver:answer().ok) end
      for _ = 1, 8 do
        local answer = driver:answer()
        assert.is_true(answer.ok, answer.line)
        local said = harness.testimony(answer)
        assert.equal(far.pid, said.pid)
        assert.equal(answer.hash, said.hash)
      end
      driver:close()
    end
    near:stop()
    far:stop()
  end)
end)

describe("a remote agent that is not there", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("makes way for the next, and serves when it has come", function ()
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far", "cpu"]])
    near:says "backend far is down: cannot connect to unix://.*/far.sock"
    local driver = driver_of(near)
    served_by(driver, near)
    near:says "session 1: backend cpu serves, not far %(far:down"
    local far = server "far"
    near:expect("backend far is up", PROBED)
    served_by(driver, near) -- where it is, it stays
    driver:must "release s"
    driver:must "session s 0"
    served_by(driver, far)
    driver:close()
    assert.equal(1, #near:matching "backend far is down")
    near:stop()
    far:stop()
  end)

  it("is an error at start when nothing else is left", function ()
    local p = harness.agent_that_fails { policy = POLICY:format(remote "far", [["far"]]) }
    assert.equal(1, p.status.code)
    assert.matches("backend far is down: cannot connect to", p:text())
    assert.matches("no backend is up: mend one of those above, or declare another", p:text())
  end)

  it("refuses its sessions at once, and says why", function ()
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far"]])
    local driver = harness.driver { address = near.address }
    local code, reason = driver:fails "session s 0"
    assert.equal(19, code)
    assert.matches("no backend can serve the session: far:down: cannot connect to", reason)
    driver:close()
    near:stop()
  end)

  it("has a wrong address when the script is loaded", function ()
    for uri, said in pairs {
      ["pigeon://loft"] = "policy.lua:1: backend far: .*pigeon://loft",
      ["tcp://nowhere"] = "policy.lua:1: backend far: .*tcp://nowhere",
      ["vsock://2"] = "policy.lua:1: backend far: .*vsock://2",
    } do
      local p = harness.agent_that_fails { plugins = "witness",
        policy = POLICY:format(("far = remote %q"):format(uri), [["far"]]) }
      assert.equal(1, p.status.code)
      assert.matches(said, p:text())
    end
  end)

  it("is warned of where others can listen in", function ()
    local near = relay([[far = remote "tcp://192.0.2.1:9", ]] .. [[cpu = plugin "witness"]], [["cpu"]])
    near:says "backend far: tcp://192.0.2.1:9: nothing is encrypted: anyone on that network can"
    near:says "backend far is down: "
    near:stop()
  end)
end)

describe("a remote agent that goes", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("gives ESESS to what was in flight, and is back after its restart", function ()
    local far = server("far", "witness", { env = { VACCEL_LOG_LEVEL = harness.VERBOSE } })
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far", "cpu"]])
    local waiting, other = driver_of(near), driver_of(near)
    waiting:tell "say s SLEEP 60000"
    far:says "session:%d+ Genop"
    local killed = system.now()
    far:kill(signal.SIGKILL)
    far:wait(5)
    local answer = waiting:answer()
    assert.equal(104, answer.code)
    assert.is_true(answer.at - killed < 10 * harness.slow)
    near:says "backend far is down: the connection to the agent at .* is lost"
    assert.equal(104, (other:fails "say s abc"))
    other:must "release s"
    other:must "session s 0"
    served_by(other, near)
    os.remove(far.address:match "^unix://(.*)")
    far = server "far"
    near:expect("backend far is up", PROBED)
    waiting:must "release s"
    waiting:must "session s 0"
    served_by(waiting, far)
    waiting:close()
    other:close()
    near:stop()
    far:stop()
  end)

  it("at rest makes way for the next before anybody notices", function ()
    local far = server "far"
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far", "cpu"]])
    local driver = driver_of(near)
    served_by(driver, far)
    driver:must "release s"
    far:stop()
    driver:must "session s 0"
    served_by(driver, near)
    near:says "session 2: backend cpu serves, not far %(far:refused: cannot reach the agent"
    driver:close()
    near:stop()
  end)

  it("and comes back at rest is the same to its next session", function ()
    local far = server "far"
    local near = relay(remote "far" .. [[cpu = plugin "witness"]], [["far", "cpu"]])
    local driver = driver_of(near)
    driver:must "release s"
    far:stop()
    far = server "far"
    driver:must "session s 0"
    served_by(driver, far)
    assert.equal(0, #near:matching "is down")
    driver:close()
    near:stop()
    far:stop()
  end)

  it("that hangs holds up nobody else, and is given up", function ()
    local hung, fine = server "hung", server "fine"
    local near = harness.agent {
      addresses = { address "relay" }, args = { "--threads", "4" },
      policy = ("backends { %s }\n"):format(remote "hung" .. remote "fine" .. [[cpu = plugin "witness2"]]) .. [[
policy {
  name = "hints", api = 1, on_error = "reject",
  session_route = function (s)
    if s.hint == 1 then return route { "hung", "cpu" } end
    if s.hint == 2 then return route "fine" end
    return route "cpu"
  end,
}
]],
    }
    local stuck, free = {}, harness.driver { address = near.address }
    for i = 1, 6 do
      stuck[i] = harness.driver { address = near.address }
      stuck[i]:must "session s 1"
    end
    hung:freeze(10)
    for i = 1, 6 do stuck[i]:tell "say s abc" end
    local late = harness.driver { address = near.address }
    late:tell "session s 1"
    local last
    for _, hint in ipairs { "2", "4" } do
      free:must("session s " .. hint)
      served_by(free, hint == "2" and fine or near)
      last = free:must "release s"
    end
    for i = 1, 6 do
      local answer = stuck[i]:answer(GIVEN_UP)
      assert.equal(104, answer.code)
      assert.is_true(last.at < answer.at)
    end
    near:says "backend hung is down: the agent at .* does not answer"
    assert.is_true(late:answer(GIVEN_UP).ok)
    served_by(late, near)
    stuck[1]:must "release s"
    stuck[1]:must "session s 1"
    served_by(stuck[1], near)
    near:says "session %d+: backend cpu serves, not hung %(hung:down: " -- nobody has waited for it
    hung:kill(signal.SIGCONT)
    near:expect("backend hung is up", GIVEN_UP)
    for i = 1, 6 do stuck[i]:close() end
    late:close()
    free:close()
    near:stop()
    fine:stop()
    hung:stop()
  end)

  it("answers slowly and is not given up", function ()
    local far = server "far"
    local near = relay(remote "far", [["far"]])
    local driver = driver_of(near)
    assert.is_true(driver:ask("say s SLEEP 8000", GIVEN_UP).ok)
    assert.equal(0, #near:matching "is down")
    driver:close()
    near:stop()
    far:stop()
  end)
end)

describe("remote agents and a reload", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function reload(near, backends, route)
    local from = #near.lines + 1
    system.write(harness.dir .. "/policy.lua", POLICY:format(backends, route))
    near:kill(signal.SIGHUP)
    local line = near:says("SIGHUP: ", from)
    return line.text
  end

  it("may come, stay, change and go, with their sessions as they were", function ()
    local first, second = server "first", server "second"
    local near = relay(remote "first", [["first"]])
    local old = driver_of(near)
    assert.matches("loaded again", reload(near, remote "first" .. remote "second", [["second"]]))
    local young = driver_of(near)
    served_by(old, first)
    served_by(young, second)
    local threads = near:threads()
    assert.matches("loaded again", reload(near, remote "second", [["second"]]))
    served_by(old, first)
    served_by(young, second)
    -- another address under the name that it had
    assert.matches("loaded again", reload(near, ("second = remote %q"):format(first.address), [["second"]]))
    near:says("backend second: agent at unix://.*/first.sock")
    local last = driver_of(near)
    served_by(last, first)
    served_by(young, second)
    old:close()
    young:close()
    last:close()
    system.poll(10 * harness.slow, function () return near:threads() <= threads end)
    assert.is_true(near:threads() <= threads)
    near:stop()
    first:stop()
    second:stop()
  end)

  it("that fails changes nothing", function ()
    local first = server "first"
    local near = relay(remote "first", [["first"]])
    for _, bad in ipairs { [[x = remote "pigeon://loft", ]], [[x = plugin "rpc" { a = 1 }, ]], "first = nil, = " } do
      assert.matches("the policy in force stays", reload(near, bad .. remote "x2", [["x2"]]))
      local driver = driver_of(near)
      served_by(driver, first)
      driver:close()
    end
    near:stop()
    first:stop()
  end)

  it("may not make a plugin of a remote", function ()
    local first = server "first"
    local near = relay(remote "first", [["first"]])
    assert.matches('backend first runs as "remote unix://.*" and is declared as "plugin witness"',
      reload(near, [[first = plugin "witness"]], [["first"]]))
    near:stop()
    first:stop()
  end)
end)

describe("remotes that lead round in a circle", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("are refused when an agent is its own remote", function ()
    local near = relay(remote "relay" .. [[cpu = plugin "witness"]], [["relay"]])
    near:expect("backend relay is up", PROBED) -- it was probed before it listened
    local driver = harness.driver { address = near.address }
    local code, reason = driver:fails "session s 0"
    assert.equal(40, code)
    assert.matches("has come back to an agent that handed it on", reason)
    driver:close()
    near:stop()
  end)

  it("are refused when two point at each other, and a fallback serves", function ()
    local one = harness.agent { addresses = { address "one" }, scripts = { harness.file("one.lua",
      POLICY:format(remote "two" .. [[cpu = plugin "witness"]], [["two", "cpu"]])) } }
    local two = harness.agent { addresses = { address "two" }, scripts = { harness.file("two.lua",
      POLICY:format(remote "one" .. [[cpu = plugin "witness"]], [["one", "cpu"]])) } }
    one:expect("backend two is up", PROBED)
    local driver = driver_of(one)
    served_by(driver, two)
    two:says "backend cpu serves, not one %(one:refused: the session has come back"
    driver:close()
    two:stop()
    one:stop()
  end)

  it("are not chains", function ()
    local far = server "far"
    local middle = harness.agent { addresses = { address "middle" },
      scripts = { harness.file("middle.lua", POLICY:format(remote "far", [["far"]])) } }
    local near = relay(remote "middle", [["middle"]])
    local driver = driver_of(near)
    served_by(driver, far)
    driver:close()
    near:stop()
    middle:stop()
    far:stop()
  end)
end)

describe("scripts/policies/remote-burst.lua", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  --- The script with our backends, and room for two.
  local function script()
    return operator.script("remote-burst", {
      ['plugin "witness"'] = 'plugin "torch" { threads = 2 }',
      [('remote %q'):format(address "away")] = 'remote "tcp://10.0.0.5:65500"',
      ["local room = 2"] = "local room = 8",
    })
  end

  it("sends away what is too much, and has it back when there is room", function ()
    local away = server "away"
    local here = harness.agent { addresses = { address "here" }, policy = script() }
    local drivers = {}
    for i, agent in ipairs { here, here, away, away } do
      drivers[i] = driver_of(here)
      served_by(drivers[i], agent)
    end
    -- The policy hears of the end after the peer does, so the next session may come too early.
    assert.is_true(system.poll(5 * harness.slow, function ()
      drivers[1]:must "release s"
      drivers[1]:must "session s 0"
      return harness.testimony(drivers[1]:must "fill s 5000").pid == here.pid
    end))
    away:kill(signal.SIGKILL)
    away:wait(5)
    local late = driver_of(here)
    served_by(late, here)
    for _, driver in ipairs(drivers) do driver:close() end
    late:close()
    here:stop()
  end)
end)

describe("what an agent in between costs", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("is one more call over a socket", function ()
    local BOUND = 4 -- times a call to the agent itself
    local far = server "far"
    local near = relay(remote "far", [["far"]])
    local direct, relayed = driver_of(far), driver_of(near)
    local ratio = math.huge
    for _ = 1, 3 do
      local alone = tonumber(direct:must("loop s 2000 64").median)
      local through = tonumber(relayed:must("loop s 2000 64").median)
      if through / alone < ratio then
        ratio = through / alone
        print(("a call of 64 bytes: %d us to the agent, %d us through another: %.2f times"):format(
          alone, through, ratio))
      end
    end
    assert.is_true(ratio < 10 * BOUND * harness.slow)
    direct:close()
    relayed:close()
    near:stop()
    far:stop()
  end)
end)
