--- The program luaccel: its command line, its exit status, its listings for people and for programs.
local harness = require "support.harness"
local json = require "support.json"
local operator = require "support.operator"
local unistd = require "posix.unistd"
local wire = require "support.wire"

describe("luaccel", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("says what it can do, and which it is", function ()
    local help = operator.must "--help"
    for _, command in ipairs { "info", "sessions", "session ID", "close ID", "drain", "reload", "listen list",
      "listen add URI", "listen rm URI", "ping URI", "policy record FILE", "policy replay FILE SCRIPT..." } do
      assert.is_truthy(help:find("\n  " .. command, 1, true), command)
    end
    assert.matches("^luaccel %d+%.%d+%.%d+", operator.must "--version")
  end)

  it("ends with 2 when it is called wrongly, and says how", function ()
    for _, words in ipairs {
      {}, { "nonsense" }, { "listen" }, { "listen", "nonsense" }, { "session" }, { "close" }, { "ping" },
      { "info", "more" }, { "session", "1", "2" }, { "session", "x" }, { "session", "0" }, { "close", "-1" },
      { "session", "99999999999999999999" }, { "--count", "0", "ping", "unix:///x" }, { "--nonsense", "info" },
      { "ping", "http://x" }, { "--control", "nonsense", "info" },
    } do
      local said = operator.luaccel(words)
      assert.equal(2, said.code, table.concat(words, " "))
      assert.equal("", said.out)
      assert.is_true(#said.err > 0)
    end
  end)

  it("ends with 3 when nobody answers", function ()
    local nobody = "unix://" .. harness.dir .. "/nobody.sock"
    for _, words in ipairs { { "info" }, { "--control", nobody, "drain" }, { "ping", nobody } } do
      local said = operator.luaccel(words)
      assert.equal(3, said.code, said.err)
      assert.matches("No such file or directory", said.err)
    end
  end)

  it("ends with 1 when its output cannot be written", function ()
    operator.agent { plugins = "noop" }
    local p = harness.run({ "sh", "-c", harness.bin "luaccel" .. " info > /dev/full" },
      { env = { LUACCEL_CONTROL = operator.socket() } })
    assert.equal(1, p.status.code)
  end)

  it("finds the agent by option, environment, then this user's run directory", function ()
    harness.agent { plugins = "noop", args = { "--control", "unix://" .. harness.dir .. "/x.sock" } }
    local there, nowhere = "unix://" .. harness.dir .. "/x.sock", "unix://" .. harness.dir .. "/y.sock"
    assert.equal(0, operator.luaccel({ "info" }, { env = { LUACCEL_CONTROL = there } }).code)
    assert.equal(3, operator.luaccel({ "info" }, { env = { LUACCEL_CONTROL = nowhere } }).code)
    assert.equal(0, operator.luaccel({ "--control", there, "info" }, { env = { LUACCEL_CONTROL = nowhere } }).code)
    local said = operator.luaccel({ "info" }, { env = {} })
    if said.code == 3 then -- otherwise this machine has an agent
      assert.matches("unix://" .. harness.dir:gsub("%-", "%%-") .. "/run%-%d+/luaccel/control%.sock", said.err)
    end
  end)

  it("lists the agent", function ()
    local agent = operator.agent { plugins = "noop", policy = [[
      backends { gone = plugin "there-is-no-such-plugin" }
      policy { name = "p", api = 1, on_error = "reject" }
    ]], args = { "--limit", "sessions=7,idle=60" } }
    local peer = wire.connect(agent.address)
    peer:session()
    peer:session()
    local info = operator.json "info"
    assert.equal(agent.pid, info.pid)
    assert.is_true(info.uptime > 0 and info.uptime < 60)
    assert.matches("LuaJIT 2%.1.*can be stopped", info.lua)
    assert.same({ connections = 1, sessions = 2, operations = 0, generation = 1, draining = false }, {
      connections = info.connections, sessions = info.sessions, operations = info.operations,
      generation = info.generation, draining = info.draining,
    })
    assert.same({ { name = "p", file = harness.dir .. "/policy.lua" } }, info.policies)
    local noop, gone = unpack(info.backends)
    assert.equal("noop", noop.name)
    assert.is_true(noop.up)
    assert.equal("noop", noop.operations[1])
    assert.equal("gone", gone.name)
    assert.is_false(gone.up)
    assert.matches("libvaccel%-there%-is%-no%-such%-plugin%.so", gone.why)
    assert.same({ max = 7, used = 2 }, info.limits.sessions)
    assert.same({ max = 60 }, info.limits.idle)
    assert.same({ max = 0 }, info.limits.deadline)
    local text = operator.must "info"
    assert.matches("process " .. agent.pid, text)
    assert.matches("backend gone: plugin there%-is%-no%-such%-plugin, down: ", text)
    assert.matches("\n  sessions +7 +2 used\n", text)
    assert.matches("\n  held +272M +0 used\n", text)
    assert.matches("\n  deadline +off\n", text)
    assert.matches("\nlistens at " .. agent.address:gsub("%-", "%%-"), text)
  end)

  it("lists sessions, in the order of their ids, each with its peer, backend, plan and use", function ()
    local agent = operator.agent { plugins = "witness noop", policy = [[
      policy {
        name = "p", api = 1, on_error = "reject",
        session_route = function (s) return route { "witness", "noop" } end,
      }
    ]] }
    assert.same({}, operator.json "sessions")
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:must "say a hello"
    local other = wire.connect(agent.address)
    other:session()
    local list = operator.json "sessions"
    assert.equal(2, #list)
    assert.is_true(list[1].id < list[2].id)
    local first = list[1]
    assert.equal("uid:" .. unistd.geteuid(), first.peer)
    assert.equal(agent.address, first.listener)
    assert.equal("witness", first.backend)
    assert.same({ "witness", "noop" }, first.plan)
    assert.equal("policy.lua:3", first.decided)
    assert.equal(1, first.operations)
    assert.equal(0, first.errors)
    assert.is_false(first.running)
    assert.is_true(first.age >= list[2].age)
    assert.same({ first.id }, { operator.json("session", tostring(first.id)).id })
    local row = operator.must("sessions"):match "\n( *%d+ [^\n]*)"
    assert.matches("^ *" .. first.id .. " +uid:%d+ +witness +%d+ +1 +0 +witness,noop %(policy%.lua:3%)$", row)
    local one = operator.must("session", tostring(first.id))
    assert.matches("operations  1, 0 of them errors", one)
    assert.matches("plan        witness,noop %(policy%.lua:3%)", one)
    assert.matches("there is no session 999999", operator.fails("session", "999999"))
  end)

  it("shows a session that is at work", function ()
    local agent = operator.agent { plugins = "witness" }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:tell("say a SLEEP " .. math.min(8000 * harness.slow, 20000)) -- while several programs ask about it
    local deadline = os.time() + 30 * harness.slow
    repeat local list = operator.json "sessions" until list[1] and list[1].running or os.time() > deadline
    assert.is_true(operator.json("sessions")[1].running)
    assert.equal(1, operator.json("info").backends[1].inflight)
    driver:answer()
  end)

  it("writes JSON whatever names are made of", function ()
    local agent = operator.agent { plugins = "noop" }
    local uri = "unix://" .. harness.dir .. "/odd.sock"
    operator.must("listen", "add", uri .. ',name=a"b\\c\tdé')
    assert.equal('a"b\\c\tdé', operator.json("listen", "list")[2].name)
    operator.must("listen", "rm", uri)
    operator.must("listen", "add", uri .. ",name=\255\128x") -- no UTF-8: made into some on the way
    assert.equal("??x", operator.json("listen", "list")[2].name)
    assert.matches("listens at " .. agent.address:gsub("%-", "%%-"), operator.must "info")
  end)

  it("lists ten thousand sessions", function ()
    local agent = operator.agent { plugins = "noop",
      args = { "--limit", "sessions=20000,sessions-peer=20000,sessions-total=20000,log=1" } }
    local peer = wire.connect(agent.address)
    local count = 10000 / harness.slow
    for _ = 1, count do peer:session() end
    local list = operator.json "sessions"
    assert.equal(math.floor(count), #list)
    for i = 2, #list do assert.is_true(list[i - 1].id < list[i].id) end
  end)

  describe("ping", function ()
    it("says how fast an agent of ours answers, and which it is", function ()
      local agent = harness.agent { plugins = "noop" }
      local said = operator.must("--count", "20", "ping", agent.address)
      assert.matches(": luaccel %d+%.%d+%.%d+, 20 times, round trip %d+%.%d+/%d+%.%d+/%d+%.%d+ ms", said)
      local answer = operator.json("ping", agent.address)
      assert.is_true(answer.luaccel)
      assert.equal(5, answer.count)
      assert.is_true(0 < answer.least and answer.least <= answer.mean and answer.mean <= answer.most)
    end)

    it("says why an agent refuses us", function ()
      local agent = harness.agent { plugins = "noop", policy = [[
        policy {
          name = "door", api = 1, on_error = "reject",
          peer_accept = function (peer) return reject "closed" end,
        }
      ]] }
      assert.equal(("luaccel: %s: refused by policy door (policy.lua:3): closed"):format(agent.address),
        operator.fails("ping", agent.address))
    end)

    it("says when an agent is a plain vAccel one", function ()
      local path = harness.dir .. "/plain.sock"
      local listener = wire.listen(path)
      local p = require("support.process").spawn({ harness.bin "luaccel", "--json", "--count", "1", "ping",
        "unix://" .. path }, { name = "luaccel", env = harness.env(), cwd = harness.dir })
      local plain = wire.accept(listener, 5 * harness.slow)
      local request = assert(plain:receive())
      -- As its library answers for a service that is not there.
      plain:send(wire.frame { stream = request.stream, type = wire.RESPONSE,
        body = wire.bytes(1, wire.int(1, wire.INVALID_ARGUMENT) .. wire.bytes(2, "/luaccel.v1.Peer/Hello: none")) })
      assert.equal(0, p:wait(5 * harness.slow).code)
      local answer = json.decode(p.lines[1].text)
      assert.is_false(answer.luaccel)
      assert.equal("", answer.version)
    end)
  end)
end)
