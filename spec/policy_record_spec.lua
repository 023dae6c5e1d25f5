--- luaccel policy record and replay: what an agent decided is written down, and what other scripts would have
--- decided is said. Recording holds up nobody.
local harness = require "support.harness"
local json = require "support.json"
local on_agent = require "support.scenario_agent"
local operator = require "support.operator"
local recording = require "support.recording"
local signal = require "posix.signal"
local system = require "support.system"
local wire = require "support.wire"

local HERE = harness.source .. "/spec/"
local path, text_of, record, ended = recording.path, recording.text_of, recording.record, recording.ended
local stop, lines_of, only = recording.stop, recording.lines_of, recording.only
local replay, differences = recording.replay, recording.differences

local SCRIPT = [[
backends { gone = plugin "absent", one = plugin "witness", two = plugin "witness2" }
policy {
  name = "p", api = 1, on_error = "reject",
  peer_accept = function (peer) if peer.transport == "tcp" then return reject("no network", "EACCES") end end,
  session_route = function (s)
    if s.hint == 7 then return reject "not seven" end
    return route { "gone", "one", "two" }
  end,
  resource_admit = function (s, res)
    if res.type ~= "model" then return reject("models only", "EINVAL") end
  end,
  op_admit = quota { key = "session", rate = 20, burst = 3 },
}
]]

describe("luaccel policy record and replay", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    if harness.dir then harness.finish() end
  end)

  --- A caller does a little of everything.
  local function traffic(agent)
    local peer = wire.connect(agent.address)
    local session = peer:session()
    assert.equal(0, peer:call("RegisterResource", wire.register(session, { wire.blob("net", "secret model") })).code)
    assert.equal(wire.PERMISSION_DENIED,
      peer:call("RegisterResource", wire.register(session, { wire.blob("d", "x") }, wire.RESOURCE_DATA)).code)
    for i = 1, 5 do
      local code = peer:call("ImageClassification", wire.image(session, "secret image")).code
      assert.equal(i > 3, code ~= 0)
    end
    system.sleep(0.12) -- two more of the quota
    for _ = 1, 3 do peer:call("ImageClassification", wire.image(session, "secret image")) end
    assert.equal(wire.PERMISSION_DENIED, peer:call("CreateSession", wire.int(1, 7)).code)
    peer:call("DestroySession", wire.int(1, session))
    peer:close()
  end

  local function recorded(name, script)
    local agent = operator.agent {
      scripts = { harness.file("p.lua", script or SCRIPT) },
      addresses = { "unix://" .. harness.dir .. "/agent.sock", harness.free_tcp() },
    }
    local recorder = record(name)
    traffic(agent)
    local stranger = wire.connect(agent.addresses[2])
    assert.equal(wire.PERMISSION_DENIED, stranger:call("CreateSession", "").code)
    return stop(recorder), agent
  end

  it("writes what was asked, what was answered, and what became of it, but no payload", function ()
    local said = recorded "r"
    assert.matches("^.*/r: %d+%.%d s %(interrupted%), 2 connections, 2 sessions, 2 resources, 8 operations$", said)
    assert.is_nil(text_of "r":find "secret")
    local lines = lines_of "r"
    local first = lines[1]
    assert.same({ 1, { "p" }, { "gone", "one", "two" } }, { first.luaccel_recording, first.scripts, first.backends })
    assert.matches("^%d+%.%d+%.%d+", first.agent)
    assert.is_true(math.abs(first.time - os.time()) < 120)
    assert.same({ e = "over", why = "interrupted", lost = 0 }, lines[#lines])
    local backends = only(lines, "backend")
    assert.same({ "gone", "plugin", true }, { backends[1].b, backends[1].kind, backends[1].declared })
    assert.is_nil(backends[1].up)
    assert.same({ "one", true }, { backends[2].b, backends[2].up })
    local peers = only(lines, "accept")
    assert.same({ "unix", "pass", "tcp", "reject", 13, "127.0.0.1" }, { peers[1].peer.transport, peers[1].verdict,
      peers[2].peer.transport, peers[2].verdict, peers[2].code, peers[2].peer.addr })
    local sessions = only(lines, "session")
    assert.same({ 0, "route", { "gone", "one", "two" }, "p.lua:7" },
      { sessions[1].hint, sessions[1].verdict, sessions[1].plan, sessions[1].where })
    assert.same({ 7, "reject", "refused by policy p (p.lua:6): not seven" },
      { sessions[2].hint, sessions[2].verdict, sessions[2].text })
    assert.same("one", only(lines, "on")[1].b)
    local resources = only(lines, "resource")
    assert.same({ "model", 12, { "net" }, "pass" },
      { resources[1].type, resources[1].bytes, resources[1].names, resources[1].verdict })
    assert.same({ "data", "reject", 22 }, { resources[2].type, resources[2].verdict, resources[2].code })
    local ops, ends = only(lines, "op"), only(lines, "end")
    assert.same({ "image_classify", "one", "pass" }, { ops[1].name, ops[1].b, ops[1].verdict })
    assert.same({ "reject", 11, "p.lua:12" }, { ops[4].verdict, ops[4].code, ops[4].where })
    assert.equal(5, #ends)
    assert.same({ ops[1].o, "one", 0, ops[1]["in"] }, { ends[1].o, ends[1].b, ends[1].code, ends[1]["in"] })
    assert.is_true(ends[1].out > 0 and ends[1].service_us >= 0 and ends[1].queue_us >= 0)
    assert.equal(5, #only(lines, "done"))
    assert.equal(sessions[1].s, only(lines, "close")[1].s)
    local seen = 0
    for _, view in ipairs(only(lines, "view")) do seen = view.b == "one" and view.operations or seen end
    assert.equal(5, seen)
    for i = 3, #lines - 1 do assert.is_true(lines[i].t >= lines[i - 1].t) end
  end)

  it("finds no difference where the same script decides", function ()
    recorded "r"
    local p = replay(path "r", path "p.lua")
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
    assert.equal([[
peer_accept     2 the same, 0 different
session_route   2 the same, 0 different
resource_admit  2 the same, 0 different
op_admit        8 the same, 0 different
op_route        0 the same, 0 different
op_failed       0 the same, 0 different
0 of 14 decisions differ
]], p:text "out")
    assert.equal("", p:text "err")
  end)

  it("says where another script decides otherwise, and which lines say so", function ()
    recorded "r"
    harness.file("q.lua", (SCRIPT:gsub("burst = 3", "burst = 2"):gsub("not seven", "seven is bad")
      :gsub('res.type ~= "model"', "res.bytes > 100")))
    local p = replay(path "r", path "q.lua")
    assert.same({ how = "exited", code = 1 }, p.status, p:text())
    local said = p:text "out"
    assert.matches("^%+%d%.%d%d%d s session %d+ uid=%d+: resource_admit data: " ..
      "was EINVAL, refused by policy p %(p.lua:10%): models only; is admitted\n", said)
    assert.matches("\n%+%d%.%d%d%d s session %d+ uid=%d+: op_admit image_classify: " ..
      "was admitted; is EAGAIN, refused by policy p %(q.lua:12%): over quota: at most 20 a second", said)
    assert.matches("resource_admit  1 the same, 1 different\nop_admit        7 the same, 1 different\n" ..
      "op_route        0 the same, 0 different\nop_failed       0 the same, 0 different\n" ..
      "2 of 14 decisions differ\n$", said)
    assert.equal(1, differences("r", path "q.lua").hooks.op_admit.different)
    said = replay(path "r", path "q.lua", "--show", "1"):text "out"
    assert.matches("\nand 1 more %(%-%-show N%)\n", said)
    assert.is_nil(said:find "op_admit image")
  end)

  it("says what it assumes of what runs elsewhere, or ran nowhere", function ()
    recorded "r"
    harness.file("q.lua", (SCRIPT:gsub('route { "gone", "one", "two" }', 'route "two"')
      :gsub("op_admit = quota.-},", "op_admit = quota { rate = 1e6, burst = 1e6 },")
      :gsub("op_admit = ", [[
        op_done = function (op, result) log(result.backend, result.code, result.service_us > 0) end,
        op_admit = ]])))
    local said = differences("r", path "q.lua")
    assert.equal(1, said.hooks.session_route.different)
    assert.equal(3, said.hooks.op_admit.different)
    assert.same({ "gone", "one", "two" }, said.differences[1].was.plan)
    assert.same({ "two" }, said.differences[1].is.plan)
    table.sort(said.assumed, function (a, b) return a.count < b.count end)
    assert.same({ { op = "image_classify", backend = "two", count = 3, us = 0, how = "as none was recorded there" },
      { op = "image_classify", backend = "two", count = 5, how = "what each took elsewhere" } }, said.assumed)
    assert.equal(8, #said.lines)
    for _, line in ipairs(said.lines) do assert.matches("^policy p: two 0 ", line) end
    assert.matches("assumed: 5 image_classify on two succeed %(what each took elsewhere%)",
      replay(path "r", path "q.lua"):text "out")
  end)

  it("asks nothing more about who is refused now, and closes whom it takes now", function ()
    recorded "r"
    harness.file("q.lua", [[
      backends { one = plugin "witness" }
      policy {
        name = "q", api = 1, on_error = "reject",
        peer_accept = function (peer) if peer.transport == "unix" then return reject "no" end end,
        session_close = function (s) log("closed", s.hint) end,
      }]])
    local said = differences("r", path "q.lua")
    assert.same({ same = 0, different = 2, not_asked = 0 }, said.hooks.peer_accept)
    assert.same({ same = 0, different = 0, not_asked = 2 }, said.hooks.session_route)
    assert.same({ same = 0, different = 0, not_asked = 8 }, said.hooks.op_admit)
    assert.same({}, said.lines)
    harness.file("q.lua", (SCRIPT:gsub('if s.hint == 7 .- end\n', "\n")
      :gsub("peer_accept", 'session_close = function (s) log("closed", s.hint) end, %0')))
    said = differences("r", path "q.lua")
    assert.same({ same = 1, different = 1, not_asked = 0 }, said.hooks.session_route)
    assert.same({ "policy p: closed 7", "policy p: closed 0" }, said.lines)
  end)

  it("knows sessions that were there before, and traffic that no script decided", function ()
    local agent = operator.agent { plugins = "witness" }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    local recorder = record "r"
    assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    assert.equal(0, wire.connect(agent.address):call("CreateSession", "").code)
    stop(recorder)
    harness.file("same.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
    local said = differences("r", path "same.lua")
    assert.same({ 0, 3, {} }, { said.different, said.asked, said.notes })
    harness.file("no.lua", [[policy { name = "p", api = 1, on_error = "reject",
      op_admit = function (op) return reject(op.session.backend) end }]])
    said = differences("r", path "no.lua")
    assert.equal(1, said.different)
    assert.matches("witness$", said.differences[1].is.text)
  end)

  it("shows scripts the backends as they were", function ()
    local agent = operator.agent { plugins = "witness", policy = [[
      policy {
        name = "p", api = 1, on_error = "reject",
        op_admit = function (op)
          local b = backends.witness
          if b.operations >= 2 or b.errors > 0 or b.inflight > 0 then return reject "enough" end
        end,
      }]] }
    local recorder = record "r"
    local peer = wire.connect(agent.address)
    local session = peer:session()
    for i = 1, 3 do
      assert.equal(i == 3, peer:call("ImageClassification", wire.image(session, "x")).code ~= 0)
    end
    stop(recorder)
    assert.equal(0, differences("r", path "policy.lua").different)
    harness.file("q.lua", (system.read(path "policy.lua"):gsub(">= 2", ">= 1")))
    assert.equal(1, differences("r", path "q.lua").different)
  end)

  it("finds no difference where many come at once, and decisions hang on time and on what was before", function ()
    local agent = operator.agent { scripts = { harness.file("p.lua", [[
      backends { one = plugin "shared", two = plugin "witness2" }
      local big = quota { rate = 100, burst = 20, key = "uid" }
      local three = concurrency { limit = 3, key = "session" }
      local least = least_inflight { "one", "two" }
      local served, ticks = { one = 0, two = 0 }, 0
      policy {
        name = "p", api = 1, on_error = "reject",
        session_route = function (s)
          if s.hint == 1 then return route { "two", "one", ttl = 0.02, deadline = 5 } end
          return least:ask()
        end,
        op_admit = function (op)
          ticks = ticks + 1
          if op.session.age > 0.05 and served.one % 5 == 4 then return reject "the fifth" end
          if op.deadline and op.deadline < 4.9995 then return reject "late" end
          if op.session.inflight > 2 and backends.one.inflight > 1 then return reject("busy", "EBUSY") end
          return big:ask() or three:ask()
        end,
        op_done = function (op, result)
          served[result.backend] = served[result.backend] + 1
          if result.service_us % 7 == 3 then served.one = served.one + 1 end
        end,
        session_close = function (s) if s.hint == 1 then served.one = 0 end end,
      }]]) } }
    local recorder = record "r"
    local peers, refused = {}, {}
    for round = 1, 4 do
      for i = 1, 4 do
        local peer = wire.connect(agent.address)
        peers[i] = { wire = peer, session = peer:session(i % 2) }
      end
      for n = 1, 40 do
        for _, peer in ipairs(peers) do peer.wire:start("ImageClassification", wire.image(peer.session, "x")) end
        if n % 10 == round then system.sleep(0.01) end
      end
      for _, peer in ipairs(peers) do
        for _ = 1, 40 do
          local message = wire.response(peer.wire:receive()).message
          local why = message:match ": (%a+ ?%a*)"
          if message ~= "" then refused[why] = (refused[why] or 0) + 1 end
        end
        peer.wire:call("DestroySession", wire.int(1, peer.session))
        peer.wire:close()
      end
    end
    stop(recorder)
    assert.is_true(refused["over quota"] > 0)
    local said = differences("r", path "p.lua")
    assert.same({ {}, 672 }, { said.differences, said.asked })
    assert.same({}, said.notes)
  end)

  it("finds no difference in any scenario that policies have", function ()
    local count = 0
    harness.finish()
    for _, scenario in ipairs(dofile(HERE .. "policy_scenarios.lua")) do
      local reloads = false
      for _, step in ipairs(scenario.steps) do reloads = reloads or step[1] == "reload" end
      if not reloads then
        harness.begin()
        local recorder
        on_agent(scenario, function () recorder = record "r" end)
        assert.matches("the agent ends", ended(recorder))
        local said = differences("r", path "policy.lua")
        assert.same({}, said.differences, scenario.name)
        count = count + said.asked
        wire.close_all()
        harness.finish()
      end
    end
    assert.is_true(count > 100)
  end)

  describe("recording", function ()
    it("ends after so many seconds, with the agent, and says how it went in JSON too", function ()
      local agent = operator.agent { plugins = "noop" }
      local recorder = record("r", "--for", "0.3", "--json")
      local said = json.decode(ended(recorder))
      assert.same({ "time", 0, 0 }, { said.why, said.operations, said.lost })
      assert.is_true(said.seconds >= 0.3 and said.seconds < 10 * harness.slow)
      recorder = record "s"
      local peer = wire.connect(agent.address)
      local session = peer:session()
      agent:stop()
      assert.matches("%(the agent ends%), 1 connections, 1 sessions", ended(recorder))
      assert.equal(session, only(lines_of "s", "close")[1].s)
    end)

    it("says that the agent has gone when it is killed", function ()
      local agent = operator.agent { plugins = "noop" }
      local recorder = record "r"
      agent:kill(signal.SIGKILL)
      agent:wait(10)
      assert.matches("the agent has gone", ended(recorder))
      assert.equal("the agent has gone", lines_of "r"[3].why)
    end)

    it("is for two at once, each from when it began, and for four at most", function ()
      local agent = operator.agent { plugins = "witness" }
      local peer = wire.connect(agent.address)
      local session = peer:session()
      local function op() assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code) end
      local first = record "a"
      op()
      local second = record "b"
      op()
      stop(first)
      op()
      stop(second)
      assert.same({ 2, 2 }, { #only(lines_of "a", "op"), #only(lines_of "b", "op") })
      assert.same(only(lines_of "a", "op")[2], only(lines_of "b", "op")[1])
      local many = {}
      for i = 1, 4 do many[i] = record("m" .. i) end
      local fifth = record "m5"
      assert.equal(1, fifth:wait(10 * harness.slow).code)
      assert.matches("^luaccel: 4 record already", fifth:text "err")
      for i = 1, 4 do stop(many[i]) end
      agent:stop()
    end)

    it("goes on without one that is killed, whose file says so", function ()
      local agent = operator.agent { plugins = "witness" }
      local killed, other = record "k", record "o"
      local peer = wire.connect(agent.address)
      local session = peer:session()
      local function op() assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code) end
      op()
      assert.is_truthy(system.poll(10, function () return text_of "k":find '"done"' end))
      killed:kill(signal.SIGKILL)
      killed:wait(10)
      op()
      stop(other)
      assert.equal(2, #only(lines_of "o", "op"))
      harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
      local p = replay(path "k", path "p.lua")
      assert.equal(0, p.status.code)
      assert.matches("^luaccel: .*/k:%d+: the recording is cut here: it has no last line\n$", p:text "err")
      agent:stop()
    end)

    it("counts what does not fit, says so in the file and at the end, and holds up nobody", function ()
      local agent = operator.agent { plugins = "noop" }
      local recorder = record "r"
      recorder:freeze(10)
      local driver = harness.driver { address = agent.address }
      driver:must "session a 0"
      local slowest, count = 0, 0
      local began = system.now()
      while count < 24000 do
        slowest = math.max(slowest, tonumber(driver:must("loop a 2000 10").max or 0))
        count = count + 2000
      end
      assert.is_true(system.now() - began < 30 * harness.slow)
      assert.is_true(slowest < 1e6 * harness.slow)
      recorder:kill(signal.SIGCONT)
      assert.is_truthy(system.poll(20 * harness.slow, function ()
        driver:must "loop a 1 10"
        return text_of "r":find '"lost"'
      end))
      local said = stop(recorder)
      local lost, of = said:match "(%d+) of (%d+) lines were lost: the agent waits for no recorder"
      local lines = lines_of "r"
      local total = 0
      for _, line in ipairs(only(lines, "lost")) do total = total + line.n end
      assert.equal(tonumber(lost), total)
      assert.equal(total, lines[#lines].lost)
      assert.equal(tonumber(of) - total, #lines - 1 - #only(lines, "lost"))
      harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
      local p = replay(path "r", path "p.lua")
      assert.equal(0, p.status.code)
      assert.matches("luaccel: " .. total .. " lines were lost when it was recorded", p:text "err")
      driver:close()
      agent:stop()
    end)

    it("does not keep an agent from leaving when its recorder has stopped", function ()
      local agent = operator.agent { plugins = "noop" }
      local recorder = record "r"
      recorder:freeze(10)
      local began = system.now()
      agent:stop()
      assert.is_true(system.now() - began < 5 * harness.slow)
      recorder:kill(signal.SIGCONT)
      ended(recorder)
    end)

    it("is for those who may use the control socket", function ()
      local why = harness.lacks "users"
      if why then return pending(why) end
      local agent = operator.agent { plugins = "noop" }
      require "posix.sys.stat".chmod(path "control.sock", 438) -- 0666
      local said = operator.luaccel({ "policy", "record", "/dev/null" }, { uid = 65533,
        env = { LUACCEL_CONTROL = operator.socket() } })
      assert.equal(1, said.code)
      assert.matches("only root and the agent's user", said.err)
      local guest = wire.connect(agent.address)
      assert.equal(wire.INVALID_ARGUMENT, guest:call("Record", "", "luaccel.v1.Control").code)
    end)

    it("says what it cannot do", function ()
      operator.agent { plugins = "noop" }
      local said = operator.luaccel { "policy", "record", path "no/where" }
      assert.same({ 1, "luaccel: " .. path "no/where" .. " cannot be written: No such file or directory" },
        { said.code, said.err })
      said = operator.luaccel { "policy", "record", "/dev/full" }
      assert.same({ 1, "luaccel: /dev/full cannot be written: No space left on device" }, { said.code, said.err })
      for _, words in ipairs { { "policy", "record" }, { "policy", "record", "a", "b" },
        { "policy", "record", "a", "--for", "x" }, { "policy", "record", "a", "--for", "0" },
        { "policy", "replay" }, { "policy", "replay", "a" }, { "policy", "replay", "a", "b", "--show", "x" } } do
        assert.equal(2, operator.luaccel(words).code, table.concat(words, " "))
      end
      said = operator.luaccel({ "policy", "record", path "r" }, { env = { LUACCEL_CONTROL = "unix:///nowhere" } })
      assert.equal(3, said.code)
      assert.is_false(system.exists(path "r"))
    end)
  end)

  describe("a file that is no recording:", function ()
    local FIRST = '{"luaccel_recording":1,"agent":"1","t":0,"time":1e9,"scripts":[],"backends":[]}\n'
    local OVER = '{"e":"over","why":"time","lost":0}\n'
    local SESSION = '{"e":"session","t":1,"s":1,"c":1,"hint":0,"peer":{},"verdict":"reject","code":95,"text":"x"}\n'
    local OP = '{"e":"op","t":2,"s":1,"o":1,"name":"noop","in":1,"verdict":"pass"}\n'
    local bad = {
      { "empty", "", "1: an empty file is no recording" },
      { "text", "hello\n", "1: no JSON at byte 1: no value" },
      { "other JSON", "{}\n", "1: not a recording of luaccel policy record" },
      { "an array", "[1]\n", "1: not a recording" },
      { "a number", "1\n", "1: no object" },
      { "another version", FIRST:gsub(":1,", ":2,", 1), "1: a recording of version 2; this luaccel reads version 1" },
      { "a first line without a time", FIRST:gsub('"time":1e9,', ""), '1: the first line has no good "time"' },
      { "a time before all", FIRST:gsub("1e9", "-1e9"), '1: the first line has no good "time"' },
      { "garbage", FIRST .. "\0\1\2\n", "2: no JSON at byte 1" },
      { "deep garbage", FIRST .. ("["):rep(30000) .. "\n", "2: no JSON at byte 17: too deep" },
      { "a long line", FIRST .. ("x"):rep(1e6) .. "\n", "2: a line of more than 65536 bytes" },
      { "half a string", FIRST .. '{"e":"op\n', "2: no JSON at byte 9: a control character in a string" },
      { "a bad escape", FIRST .. '{"e":"\\x"}\n', "2: no JSON at byte 7: an escape that there is not" },
      { "two values", FIRST .. "{} {}\n", "2: no JSON at byte 4: more than one value" },
      { "no event", FIRST .. "{}\n", '2: there is no line of the kind "nil"' },
      { "an event that is none", FIRST .. '{"e":"__index","t":1}\n', '2: there is no line of the kind "__index"' },
      { "no such operation", FIRST .. OP:gsub("noop", "nope"), '2: a line "op" without a good "name"' },
      { "a negative session", FIRST .. OP:gsub('"s":1', '"s":-1'), '2: a line "op" without a good "s"' },
      { "a session of text", FIRST .. OP:gsub('"s":1', '"s":"1"'), '2: a line "op" without a good "s"' },
      { "half a number", FIRST .. OP:gsub('"s":1', '"s":1.5'), '2: a line "op" without a good "s"' },
      { "a route without a plan", FIRST .. SESSION:gsub("reject", "route"), '2: .*"session" without a good "plan"' },
      { "a refusal without a code", FIRST .. SESSION:gsub('"code":95,', ""), '2: .*"session" without a good "code"' },
      { "a peer that is none", FIRST .. SESSION:gsub("{},", "7,"), '2: a line "session" without a good "peer"' },
      { "a user that is none", FIRST .. SESSION:gsub("{},", '{"uid":1e12},'), '2: .*"session" without a good "peer"' },
      { "time that goes back", FIRST .. OP .. SESSION, "3: time goes back" },
      { "a line after the last", FIRST .. OVER .. OP, "3: a line after the last" },
      { "too many backends", FIRST .. (function ()
        local lines = {}
        for i = 1, 70 do lines[i] = ('{"e":"view","t":1,"b":"b%d"}\n'):format(i) end
        return table.concat(lines)
      end)(), "66: .*too many backends" },
    }
    for _, row in ipairs(bad) do
      it(row[1], function ()
        harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
        local p = replay(harness.file("bad", row[2]), path "p.lua")
        assert.same({ how = "exited", code = 2 }, p.status, p:text())
        assert.equal("", p:text "out")
        assert.matches("^luaccel: .*/bad:" .. row[3], p:text "err")
      end)
    end

    it("one that is not there, or whose scripts are not", function ()
      harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
      local p = replay(path "nowhere", path "p.lua")
      assert.same({ 2, true }, { p.status.code, p:text "err":find "nowhere: No such file or directory" ~= nil })
      p = replay(harness.file("r", FIRST .. OVER), path "nowhere.lua")
      assert.same({ 2, true }, { p.status.code, p:text "err":find "^luaccel: cannot read policy" ~= nil })
    end)

    it("a recording that is cut anywhere ends there, and one with bytes changed is a sentence", function ()
      harness.file("p.lua", SCRIPT)
      recorded "r"
      local whole = text_of "r"
      local from = whole:find "\n" + 1
      for i = 1, 30 do
        local at = math.floor(from + (#whole - from - 1) * i / 31)
        local p = replay(harness.file("cut", whole:sub(1, at)), path "p.lua")
        assert.is_true(p.status.how == "exited" and p.status.code < 2, p:text())
        assert.matches("/cut:%d+: the recording is cut here", p:text "err")
        p = replay(harness.file("changed", whole:sub(1, at) .. "\255" .. whole:sub(at + 2)), path "p.lua")
        assert.is_true(p.status.how == "exited", p:text())
        if p.status.code == 2 then assert.matches("/changed:%d+: ", p:text "err") end
      end
    end)
  end)
end)
