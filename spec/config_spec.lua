--- agent { ... }: settings in a file, what is wrong with one, and what a reload makes of a changed one.
local harness = require "support.harness"
local operator = require "support.operator"
local signal = require "posix.signal"
local system = require "support.system"
local wire = require "support.wire"

local POLICY = [[policy { name = "%s", api = 1, on_error = "reject" }]]

describe("agent { }", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function unix(name) return "unix://" .. harness.dir .. "/" .. name end
  local function file(text) return harness.file("agent.lua", (text:gsub("DIR", harness.dir))) end

  --- An agent whose settings all come from the file.
  local function serve(text, options)
    options = options or {}
    options.plugins = options.plugins or "noop"
    options.addresses = options.addresses or {}
    options.args = { "--config", file(text), unpack(options.args or {}) }
    return harness.agent(options)
  end

  local function check(text, args)
    local p = harness.agent_that_fails { plugins = "noop", addresses = {},
      args = { "--check", "--config", file(text), unpack(args or {}) } }
    return p.status.code, p:text()
  end

  it("sets all that flags set", function ()
    harness.file("p.lua", POLICY:format "p")
    harness.file("q.lua", POLICY:format "q")
    local agent = serve [[
      local names = {}
      for i = 1, 2 do names[i] = "unix://DIR/" .. i .. ".sock,name=n" .. i .. ",mode=0600" end
      agent {
        listen = names,
        script = { "DIR/p.lua", "DIR/q.lua" },
        vaccel_config = { plugins = "libvaccel-witness.so", log_level = 4 },
        allow = { "url", "path=/usr" },
        limit = { sessions = 3, frame_timeout = 7, ["held-peer"] = "64M", idle = "off" },
        threads = 6,
        drain_timeout = "250ms",
        control = "unix://DIR/control.sock",
      }
    ]]
    agent:says "allowed beyond the default: url, path=/usr"
    local info = operator.json "info"
    assert.same({ "n1", "n2" }, { info.listeners[1].name, info.listeners[2].name })
    assert.equal("0600", info.listeners[1].mode)
    assert.same({ "p", "q" }, { info.policies[1].name, info.policies[2].name })
    assert.equal("witness", info.backends[1].name)
    assert.equal(3, info.limits.sessions.max)
    assert.equal(7, info.limits["frame-timeout"].max)
    assert.equal(64 * 1024 * 1024, info.limits["held-peer"].max)
    assert.equal(3, info.limits.executing.max) -- half of the threads
    -- The drain's timeout.
    local driver = harness.driver { address = unix "1.sock" }
    driver:must "session a 0"
    driver:tell "say a SLEEP 60000"
    assert.is_true(system.poll(30 * harness.slow, function () return operator.json("info").operations > 0 end))
    agent:kill(signal.SIGTERM)
    agent:says "drain%-timeout has passed: leaving with 1 operations unfinished"
    assert.equal(1, agent:wait(10 * harness.slow).code)
  end)

  it("gives way to flags: of a list the whole, of limits each", function ()
    serve([[agent {
      listen = "unix://DIR/file.sock", limit = { sessions = 3, resources = 4 }, threads = 2,
      control = "unix://DIR/control.sock",
    }]], { addresses = { unix "flag.sock" }, args = { "--limit", "sessions=9", "--threads", "8" } })
    local info = operator.json "info"
    assert.equal(1, #info.listeners)
    assert.equal(unix "flag.sock", info.listeners[1].uri)
    assert.equal(9, info.limits.sessions.max)
    assert.equal(4, info.limits.resources.max)
    assert.equal(4, info.limits.executing.max)
  end)

  it("is checked with --check, and what is wrong is said with its line", function ()
    assert.equal(0, (check [[agent { listen = "unix://DIR/x.sock", threads = 3 }]]))
    assert.is_false(system.exists(harness.dir .. "/x.sock"))
    for text, words in pairs {
      ["agent {\n  threads = 0,\n}"] = "agent.lua:2: .*threads takes a number from 1 to 4096, not \"0\"",
      ["agent {\n\n  thread = 3 }"] =
        "agent.lua:3: there is no setting \"thread\"; there are: listen, script, vaccel_config, allow, limit, "
        .. "threads, loops, drain_timeout, control, metrics",
      ["-- threads = 1\nagent { --[[ threads = 2 ]]\n threads = {} }"] =
        "agent.lua:3: threads has another form, such as threads = 8",
      ["agent { limit = {\n sessions = 1,\n nonsense = 3 } }"] = "agent.lua:3: no limit is called \"nonsense\"",
      ["agent { limit = { 3 } }"] = "agent.lua:1: limit has another form, such as limit = { sessions = 100",
      ["agent { listen = {\n 'unix:///tmp/a',\n 'http://b' } }"] = "agent.lua:3: Unsupported protocol in \"http://b\"",
      ["agent { listen = { name = 'unix:///tmp/a' } }"] = "agent.lua:1: listen has another form",
      ["agent { listen = { { 'unix:///tmp/a' } } }"] = "agent.lua:1: listen is a table; it must be a string",
      ["agent { script = { [3] = 'x' } }"] = "agent.lua:1: script is neither a list nor a table of names",
      ["agent { listen = 'tcp://0.0.0.0:1' }"] = "tcp://0.0.0.0:1 is reachable from the network",
      ["agent { control = 'tcp://127.0.0.1:1' }"] = "agent.lua:1: .*control takes unix:///PATH",
      ["agent { metrics = 'tcp://1.2.3.4:1' }"] = "agent.lua:1: .*metrics takes unix:///PATH or tcp on loopback",
      ["agent { threads = print }"] = "agent.lua:1: threads is a function",
      ["agent { threads = '3\\0' }"] = "agent.lua:1: threads has a zero byte in it",
      ["agent { 3 }"] = "agent.lua:1: agent takes named settings only: threads = 8",
      ["agent { }\nagent { }"] = "agent.lua:2: agent { } is used twice",
      ["agent(3)"] = "agent.lua:1: agent takes one table",
      ["x = 1"] = "no agent { } in this file",
      ["agent {"] = "agent.lua:1: unexpected symbol near '<eof>'",
      ["agent { vaccel_config = { nonsense = 1 } }"] = "vaccel%-config knows no key \"nonsense\"",
      ["\27Lua"] = "it is compiled; only text is taken",
    } do
      local code, said = check(text)
      assert.is_true(code == 1 or code == 2, text)
      assert.matches(words, said)
    end
    local p = harness.agent_that_fails { addresses = {}, args = { "--check", "--config", "/no/such/file" } }
    assert.equal(1, p.status.code)
    assert.matches("cannot read settings /no/such/file: No such file or directory", p:text())
  end)

  it("sees nothing of the world, and not for ever", function ()
    for text, words in pairs {
      ["agent { threads = io.open('/etc/passwd') }"] = "attempt to index global 'io'",
      ["agent { threads = os.execute('true') }"] = "attempt to call field 'execute'",
      ["agent { threads = require 'ffi' }"] = "attempt to call global 'require'",
      ["agent { threads = loadstring('return 1')() }"] = "attempt to call global 'loadstring'",
      ["policy { name = 'p' }"] = "attempt to call global 'policy'",
      ["while true do end"] = "ran longer than 1000 ms",
      ["local t = {} while true do t[#t + 1] = ('x'):rep(60000) .. #t end"] = "out of memory",
      ["local t = {} for i = 1, 1000 do t[i] = 'x' .. i end agent { script = t }"] = "more than 512 settings",
    } do
      local code, said = check(text)
      assert.is_true(code == 1 or code == 2, text)
      assert.matches(words, said)
    end
  end)

  describe("read again", function ()
    it("opens and closes listeners, and leaves those alone that nobody's file names", function ()
      serve [[agent { listen = { "unix://DIR/a.sock", "unix://DIR/b.sock" }, control = "unix://DIR/control.sock" }]]
      operator.must("listen", "add", unix "mine.sock")
      local peer = wire.connect(unix "a.sock")
      local session = peer:session()
      file [[agent { listen = { "unix://DIR/b.sock", "unix://DIR/c.sock" }, control = "unix://DIR/control.sock" }]]
      operator.must "reload"
      local uris = {}
      for _, listener in ipairs(operator.json("listen", "list")) do uris[#uris + 1] = listener.uri end
      assert.same({ unix "b.sock", unix "mine.sock", unix "c.sock" }, uris)
      assert.is_false(system.exists(harness.dir .. "/a.sock"))
      assert.equal(0, peer:call("DestroySession", wire.int(1, session)).code)
      assert.is_true(wire.connect(unix "c.sock"):session() > 0)
    end)

    it("changes limits, policies and the drain's timeout, and says what needs a restart", function ()
      harness.file("p.lua", POLICY:format "p")
      local agent = serve [[agent { listen = "unix://DIR/a.sock", control = "unix://DIR/control.sock" }]]
      local peer = wire.connect(unix "a.sock")
      for _ = 1, 3 do peer:session() end
      file [[agent {
        listen = "unix://DIR/a.sock,name=other", control = "unix://DIR/elsewhere.sock", script = "DIR/p.lua",
        limit = { sessions = 3, frame = 1000 }, threads = 3, allow = "url",
      }]]
      agent:kill(signal.SIGHUP)
      for _, what in ipairs { "control has changed: needs a restart", "allow has changed: needs a restart",
        "threads has changed: needs a restart", "a%.sock: its settings have changed: needs a restart" } do
        agent:says(what)
      end
      agent:says "SIGHUP: policies loaded again"
      assert.equal("p", operator.json("info").policies[1].name)
      assert.matches("limit sessions: this connection has 3 and may have 3", peer:call("CreateSession", "").message)
      local response = peer:call("CreateSession", wire.bytes(2, ("x"):rep(2000)))
      assert.matches("exceed maximum message size of 1000", response.message)
      -- And the policy can go again.
      file [[agent { listen = "unix://DIR/a.sock", control = "unix://DIR/control.sock" }]]
      operator.must "reload"
      assert.same({}, operator.json("info").policies)
      assert.is_true(peer:session() > 0)
      agent:stop()
    end)

    it("is all or nothing", function ()
      local before = [[agent {
        listen = "unix://DIR/a.sock", control = "unix://DIR/control.sock", limit = { sessions = 5 },
      }]]
      local agent = serve(before)
      for text, words in pairs {
        [ [[agent { listen = { "unix://DIR/b.sock", "unix://DIR/no/c.sock" } }]] ] = "make the folder first",
        [ [[agent { listen = { "unix://DIR/b.sock" }, script = "DIR/none.lua" }]] ] = "cannot read policy .*none%.lua",
        [ [[agent { listen = { "unix://DIR/b.sock" }, limit = { sessions = 3 }, threads = "x" }]] ] =
          "agent%.lua:1: .*threads takes a number",
        [ [[agent { listen = { "tcp://0.0.0.0:1" }, allow = "plaintext" }]] ] = "reachable from the network",
        [ [[agent { listen = ]] ] = "agent%.lua:1: unexpected symbol",
      } do
        file(text)
        assert.matches(words, operator.fails "reload")
        local info = operator.json "info"
        assert.equal(1, #info.listeners)
        assert.equal(unix "a.sock", info.listeners[1].uri)
        assert.equal(5, info.limits.sessions.max)
        assert.is_false(system.exists(harness.dir .. "/b.sock"))
      end
      file(before)
      operator.must "reload"
      assert.is_true(wire.connect(unix "a.sock"):session() > 0)
      agent:stop()
    end)
  end)
end)
