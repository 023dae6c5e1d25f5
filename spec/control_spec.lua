--- The control socket: who may use it, what it does, and that it answers whatever guests do.
local harness = require "support.harness"
local operator = require "support.operator"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local system = require "support.system"
local wire = require "support.wire"

local UNIMPLEMENTED = 12
--- Milliseconds of an operation that runs while several programs ask about it.
local LONG = math.min(8000 * harness.slow, 20000)
local PROMPT = 0.2 * 10 * harness.slow -- an answer that nothing holds up

describe("the control socket", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("is there when it is asked for, by flag or environment, and only then", function ()
    local path = harness.dir .. "/control.sock"
    harness.agent({ plugins = "noop" }):stop()
    assert.is_false(system.exists(path))
    local agent = harness.agent { plugins = "noop", env = { LUACCEL_CONTROL = operator.socket() } }
    agent:says "control socket: unix://"
    assert.is_true(system.exists(path))
    agent:stop()
    assert.is_false(system.exists(path))
    operator.agent { plugins = "noop" }
    assert.equal(384, bit.band(stat.stat(path).st_mode, 511)) -- 0600
  end)

  it("of one agent is not taken by another", function ()
    operator.agent { plugins = "noop" }
    local second = harness.agent_that_fails {
      plugins = "noop", addresses = { "unix://" .. harness.dir .. "/second.sock" },
      args = { "--control", operator.socket() },
    }
    assert.equal(1, second.status.code)
    assert.matches("cannot listen on unix://.*control%.sock: .*an agent runs there already", second:text())
  end)

  it("serves root and the agent's user, and tells others so", function ()
    local why = harness.lacks "users"
    if why then return pending(why) end
    system.mkdir(harness.dir .. "/own", 65534)
    local uri = "unix://" .. harness.dir .. "/own/control.sock"
    harness.agent {
      plugins = "noop", uid = 65534, args = { "--control", uri },
      addresses = { "unix://" .. harness.dir .. "/own/agent.sock" },
    }
    local env = { LUACCEL_CONTROL = uri }
    assert.equal(0, operator.luaccel({ "info" }, { env = env }).code)
    assert.equal(0, operator.luaccel({ "info" }, { env = env, uid = 65534 }).code)
    local shut_out = operator.luaccel({ "info" }, { env = env, uid = 65533 })
    assert.equal(1, shut_out.code)
    assert.matches("only root and the agent's user may control it", shut_out.err)
    -- Also when somebody has opened the file to all.
    stat.chmod(harness.dir .. "/own/control.sock", 438) -- 0666
    for _, command in ipairs { "info", "drain", "reload", "sessions" } do
      local refused = operator.luaccel({ command }, { env = env, uid = 65533 })
      assert.equal(1, refused.code)
      assert.matches("only root and the agent's user %(uid:65534%) may control it, not uid:65533", refused.err)
    end
    assert.is_false(operator.luaccel({ "--json", "info" }, { env = env }).out:find '"draining":true' ~= nil)
  end)

  it("takes what peers of guests ask for as unknown, and guests cannot reach it", function ()
    local agent = operator.agent { plugins = "noop" }
    local guest = wire.connect(agent.address)
    local response = guest:call("Drain", "", "luaccel.v1.Control")
    assert.equal(wire.INVALID_ARGUMENT, response.code)
    local stranger = wire.connect(operator.socket())
    assert.equal(UNIMPLEMENTED, stranger:call("CreateSession", "").code)
    assert.is_false(operator.json("info").draining)
  end)

  it("refuses a recording that is asked for by a single request, which would never end", function ()
    operator.agent { plugins = "noop" }
    local answer = wire.connect(operator.socket()):call("Record", "", "luaccel.v1.Control")
    assert.same({ UNIMPLEMENTED, "Record is a stream and no single request" }, { answer.code, answer.message })
  end)

  it("answers when guests have all their connections, and operations run", function ()
    local agent = operator.agent {
      plugins = "witness", args = { "--limit", "connections=3", "--threads", "1" },
    }
    local peers = {}
    for i = 1, 3 do
      peers[i] = wire.connect(agent.address)
      peers[i]:session()
    end
    local driver_refused = wire.connect(agent.address)
    assert.is_nil(driver_refused:receive(5 * harness.slow))
    for _ = 1, 10 do
      local began = system.now()
      local info = operator.json "info"
      assert.is_true(system.now() - began < PROMPT)
      assert.equal(3, info.connections)
      assert.same({ max = 3, used = 3 }, info.limits.connections)
    end
  end)

  it("answers while the agent drains, which it begins only once", function ()
    local agent = operator.agent { plugins = "witness" }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:tell("say a SLEEP " .. LONG)
    assert.is_truthy(system.poll(30 * harness.slow, function () return operator.json("info").operations > 0 end))
    assert.matches("^draining, 1 operations are running$", operator.must "drain")
    assert.is_true(operator.json("info").draining)
    assert.matches("^draining, 1 operations are running$", operator.must "drain")
    assert.equal(1, #operator.json "sessions")
    assert.matches("the agent is draining", operator.fails "reload")
    assert.matches("the agent is draining",
      operator.fails("listen", "add", "unix://" .. harness.dir .. "/late.sock"))
    assert.is_true(driver:answer().ok)
    agent:wait(10 * harness.slow)
    assert.same({ how = "exited", code = 0 }, agent.status)
    assert.is_false(system.exists(harness.dir .. "/control.sock"))
    assert.equal(3, operator.luaccel({ "info" }).code)
  end)

  it("gives the word before the agent leaves, a hundred times", function ()
    for _ = 1, 100 / harness.slow do
      local agent = operator.agent { plugins = "noop" }
      assert.matches("^draining, 0 operations are running$", operator.must "drain")
      assert.equal(0, agent:wait(10 * harness.slow).code)
    end
  end)

  it("ends a session, and leaves its connection and the others alone", function ()
    local agent = operator.agent { plugins = "witness" }
    local peer = wire.connect(agent.address)
    local first, second = peer:session(), peer:session()
    assert.equal("session " .. first .. " ends", operator.must("close", tostring(first)))
    agent:says("session " .. first .. " peer=.* end=operator$")
    assert.equal(wire.NOT_FOUND, peer:call("DestroySession", wire.int(1, first)).code)
    assert.equal(0, peer:call("DestroySession", wire.int(1, second)).code)
    assert.equal("luaccel: there is no session " .. first, operator.fails("close", tostring(first)))
    assert.is_true(peer:session() > second)
    agent:stop()
  end)

  it("says what is wrong with a reload, and SIGHUP writes the same", function ()
    local path = harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
    local agent = operator.agent { plugins = "noop", scripts = { path } }
    assert.equal("loaded again", operator.must "reload")
    agent:says "luaccel reload: policies loaded again"
    system.write(path, "policy {\n  nane = 3 }")
    assert.matches([[^luaccel: p.lua:1: policy has no hook or option "nane"]], operator.fails "reload")
    agent:says "luaccel reload: the policy in force stays: p%.lua:1: policy has no hook"
    agent:kill(signal.SIGHUP)
    agent:says "SIGHUP: the policy in force stays: p%.lua:1: policy has no hook"
    assert.equal("p", operator.json("info").policies[1].name)
    assert.equal(2, operator.json("info").generation)
  end)

  describe("listeners:", function ()
    it("one that is removed takes no more, and its connections stay", function ()
      local agent = operator.agent { plugins = "witness" }
      local peer = wire.connect(agent.address)
      local session = peer:session()
      operator.must("listen", "rm", agent.address)
      assert.is_false(system.exists(harness.dir .. "/agent.sock"))
      assert.has_error(function () wire.connect(agent.address) end)
      assert.equal(0, peer:call("DestroySession", wire.int(1, session)).code)
      assert.is_true(peer:session() > session)
      assert.matches("the agent does not listen at unix://", operator.fails("listen", "rm", agent.address))
      operator.must("listen", "add", agent.address)
      assert.is_true(wire.connect(agent.address):session() > 0)
    end)

    it("one that is added has a name that policies know", function ()
      local agent = operator.agent { plugins = "noop", policy = [[
        policy {
          name = "p", api = 1, on_error = "reject",
          session_route = function (s)
            if s.peer.listener ~= "added" then return reject(s.peer.listener) end
            return route "noop"
          end,
        }
      ]] }
      local added = "unix://" .. harness.dir .. "/added.sock"
      assert.equal("listens at " .. added, operator.must("listen", "add", added .. ",name=added"))
      assert.is_true(wire.connect(added):session() > 0)
      assert.equal(wire.PERMISSION_DENIED, wire.connect(agent.address):call("CreateSession", "").code)
      assert.same({ { uri = agent.address, name = agent.address, mode = "", owner = "" },
        { uri = added, name = "added", mode = "", owner = "" } }, operator.json("listen", "list"))
    end)

    it("a port that was chosen is said, and known by either name", function ()
      operator.agent { plugins = "noop" }
      local uri = operator.must("listen", "add", "tcp://127.0.0.1:0"):match "^listens at (tcp://127%.0%.0%.1:%d+)$"
      assert.is_true(wire.connect(uri):session() > 0)
      operator.must("listen", "rm", uri)
      operator.must("listen", "add", "tcp://127.0.0.1:0")
      operator.must("listen", "rm", "tcp://127.0.0.1:0")
    end)

    it("what cannot be had is refused with the words of the start", function ()
      local agent = operator.agent { plugins = "noop" }
      local nowhere = "unix://" .. harness.dir .. "/no/folder.sock"
      for uri, words in pairs {
        [agent.address] = "an agent runs there already; stop it or choose another address",
        [operator.socket()] = "an agent runs there already; stop it or choose another address",
        ["tcp://0.0.0.0:1"] = "is reachable from the network, unencrypted and for anyone; %-%-allow plaintext",
        [nowhere] = "make the folder first",
        ["http://x"] = "use unix:///PATH",
        [nowhere .. ",colour=red"] = "an address takes name=N, .* not \"colour=red\"",
      } do
        assert.matches(words, operator.fails("listen", "add", uri))
      end
      assert.equal(1, #operator.json("listen", "list"))
    end)

    it("a jailed hypervisor's user can connect where it owns the socket, and nobody else", function ()
      local why = harness.lacks "users"
      if why then return pending(why) end
      operator.agent { plugins = "noop" }
      local jail = "unix://" .. harness.dir .. "/jail.sock"
      operator.must("listen", "add", jail .. ",name=vm7,mode=0600,owner=65533:65533")
      local listed = operator.json("listen", "list")[2]
      assert.same({ uri = jail, name = "vm7", mode = "0600", owner = "65533:65533" }, listed)
      assert.equal(0, operator.luaccel({ "ping", jail }, { uid = 65533 }).code)
      local other = operator.luaccel({ "ping", jail }, { uid = 65532 })
      assert.equal(3, other.code)
      assert.matches("Permission denied", other.err)
    end)

    it("an owner that the agent may not give is refused, and nothing is left", function ()
      local why = harness.lacks "users"
      if why then return pending(why) end
      system.mkdir(harness.dir .. "/own", 65534)
      local env = { LUACCEL_CONTROL = "unix://" .. harness.dir .. "/own/control.sock" }
      harness.agent {
        plugins = "noop", uid = 65534, args = { "--control", env.LUACCEL_CONTROL },
        addresses = { "unix://" .. harness.dir .. "/own/agent.sock" },
      }
      local said = operator.luaccel(
        { "listen", "add", "unix://" .. harness.dir .. "/own/jail.sock,owner=0:0" }, { env = env })
      assert.equal(1, said.code)
      assert.matches("cannot be given to owner 0:0: Operation not permitted", said.err)
      assert.is_false(system.exists(harness.dir .. "/own/jail.sock"))
    end)
  end)
end)
