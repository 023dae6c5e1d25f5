--- What luaccel policy record and replay make of single operations: op_route, op_failed, and what runs beside.
local harness = require "support.harness"
local operator = require "support.operator"
local process = require "support.process"
local recording = require "support.recording"
local wire = require "support.wire"

local path, record, stop, lines_of = recording.path, recording.record, recording.stop, recording.lines_of
local only, replay, differences = recording.only, recording.replay, recording.differences

local TENSOR = wire.tensor { data = wire.numbers("float", 1), dims = { 1 }, type = 7 }

--- `frail` fails, `mute` does not have the operation, `refuse` takes no session, `absent` cannot be loaded.
local function policy(body)
  return ([[
backends { witness = plugin "witness", witness2 = plugin "witness2", frail = plugin "frail", mute = plugin "mute",
  refuse = plugin "refuse", gone = plugin "absent" }
policy {
  name = "p", api = 1, on_error = "reject",
%s
}
]]):format(body)
end

local ROUTES = [[
  session_route = function () return route { "witness", per_op = true } end,
  op_route = function (op)
    if op.bytes_in > 4000 then error "too big" end
    if op.bytes_in > 3000 then return mirror "witness2" end
    if op.bytes_in > 2000 then return route { "gone", "mute", "witness2" } end
    if op.bytes_in > 1000 then return route "frail" end
  end,
  op_failed = function (op, result)
    if op.attempt == 1 then return retry { "gone", "frail", "witness" } end
    if op.attempt == 2 then return retry "witness2" end
  end]]

describe("luaccel policy record and replay", function ()
  local agent, recorder

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    if agent then agent:stop() end
    agent = nil
    harness.finish()
  end)

  local function start(script, options)
    options = options or {}
    options.scripts = script and { harness.file("p.lua", script) }
    agent = operator.agent(options)
    recorder = record "r"
    return wire.connect(agent.address)
  end

  --- One operation of so many bytes or so; its code.
  local function classify(peer, session, bytes, order)
    local image = (order or "") .. ("x"):rep(bytes)
    local response = peer:call("ImageClassification", wire.image(session, image))
    local failure = response.code ~= 0 and wire.failure(response)
    return failure and (failure.status or failure.code) or 0
  end

  --- The other script's, under which the same was recorded as under p.lua.
  local function against(script)
    harness.file("q.lua", script)
    return differences("r", path "q.lua")
  end

  local function same(count) return { same = count, different = 0, not_asked = 0 } end

  --- A session that goes every way that ROUTES has.
  local function all_ways(peer)
    local session = peer:session()
    assert.equal(0, classify(peer, session, 10))
    assert.equal(0, classify(peer, session, 1500)) -- frail, frail, witness2
    assert.equal(0, classify(peer, session, 2500)) -- witness2
    assert.equal(0, classify(peer, session, 3500)) -- witness, and witness2
    assert.equal(1, classify(peer, session, 4500))
    assert.equal(44, classify(peer, session, 10, "FAIL 44 ")) -- witness, frail, witness2
    assert.is_truthy(process.wait_until(5 * harness.slow, function () return #only(lines_of "r", "mirror") == 1 end))
    peer:call("DestroySession", wire.int(1, session))
  end

  it("writes what op_route and op_failed were asked, and what became of it", function ()
    local peer = start(policy(ROUTES))
    all_ways(peer)
    stop(recorder)
    local lines = lines_of "r"
    local routes, failures, ends = only(lines, "route"), only(lines, "failed"), only(lines, "end")
    assert.is_true(only(lines, "session")[1].per_op)
    assert.same({ "pass", "route", "route", "mirror", "reject", "pass" }, { routes[1].verdict, routes[2].verdict,
      routes[3].verdict, routes[4].verdict, routes[5].verdict, routes[6].verdict })
    assert.same({ "witness", { "gone", "mute", "witness2" }, "p.lua:9" },
      { routes[3].b, routes[3].plan, routes[3].where })
    assert.same({ 1, "refused by policy p (p.lua:7): op_route failed: too big", only(lines, "op")[5].o },
      { routes[5].code, routes[5].text, routes[5].o })
    assert.equal(5, #failures)
    local first, second = failures[1], failures[2]
    assert.same({ 1, "frail", "witness", 5, "retry", { "gone", "frail", "witness" }, "p.lua:13", ends[2].o },
      { first.attempt, first.b, first.home, first.code, first.verdict, first.plan, first.where, first.o })
    assert.same({ 2, "frail", { "witness2" } }, { second.attempt, second.b, second.plan })
    assert.same({ 1, "witness", 44, 2, "frail", 44 }, { failures[3].attempt, failures[3].b, failures[3].code,
      failures[4].attempt, failures[4].b, failures[4].code })
    assert.same({ 3, "witness2", "pass" }, { failures[5].attempt, failures[5].b, failures[5].verdict })
    local ran = {}
    for i, line in ipairs(ends) do ran[i] = { line.b, line.code, line.attempt } end
    assert.same({ { "witness", 0 }, { "witness2", 0, 3 }, { "witness2", 0 }, { "witness", 0 }, { nil, 1 },
      { "witness2", 44, 3 } }, ran)
    local mirror = only(lines, "mirror")[1]
    assert.same({ ends[4].o, "witness2", "differ", 0 }, { mirror.o, mirror.b, mirror.mirror, mirror.code })
    local known = record "s"
    peer:session()
    local later = record "t"
    stop(known)
    stop(later)
    assert.same({ 1, true }, { #only(lines_of "t", "known"), only(lines_of "t", "known")[1].per_op })
  end)

  it("finds no difference where the same script decides where operations run, and again after failures", function ()
    all_ways(start(policy(ROUTES)))
    stop(recorder)
    local said = differences("r", path "p.lua")
    assert.same({ {}, {}, same(6), same(5) },
      { said.differences, said.notes, said.hooks.op_route, said.hooks.op_failed })
    assert.matches("op_route        6 the same, 0 different\nop_failed       5 the same, 0 different\n",
      replay(path "r", path "p.lua"):text "out")
  end)

  it("finds no difference where what is decided hangs on all that was told before", function ()
    local peer = start(policy [[
  session_route = function (s)
    if s.hint == 1 then return route { "refuse", "witness", per_op = true, deadline = 5 } end
    return route { "witness", "witness2", per_op = true }
  end,
  op_admit = concurrency { limit = 3, queue = 200, wait = 5 },
  op_route = function (op)
    local tags = op.session.tags
    local n = (tags.n or 0) + 1
    tags.n = n
    if op.deadline and math.floor(op.deadline * 1e4) % 2 == 1 then n = n + 1 end
    if n % 13 == 12 then error "one in thirteen" end
    if n % 3 == 0 then return route { "refuse", "frail" } end
    if n % 3 == 1 then return route { "mute", op.session.inflight > 1 and "frail" or "witness2" } end
    if backends.frail.errors % 3 == 1 or op.backend ~= "witness" then return mirror "witness2" end
  end,
  op_failed = function (op, result)
    local tags = op.session.tags
    tags.n = tags.n + result.service_us % 2 + result.queue_us % 2
    if op.deadline and math.floor(op.deadline * 1e4) % 2 == 1 then tags.n = tags.n + 1 end
    if tags.n % 4 == 3 then return end
    if op.attempt < 3 then return retry { op.attempt == 2 and op.backend or result.backend, "gone" } end
    return retry { "gone", "mute" }
  end,
  op_done = function (op, result)
    local tags = op.session.tags
    tags.n = tags.n + op.attempt + (result.backend == "witness2" and 1 or 0) + result.queue_us % 2
    if result.mirror then tags.n = tags.n + (result.mirror == "equal" and 1 or 2) + result.service_us % 2 end
  end]])
    for round = 1, 3 do
      local peers = {}
      for i = 1, 4 do
        local other = i == 1 and peer or wire.connect(agent.address)
        peers[i] = { wire = other, session = other:session(i % 2) }
      end
      for n = 1, 40 do
        for i, other in ipairs(peers) do
          other.wire:start("ImageClassification", wire.image(other.session, n % 9 == i and "FAIL 5 x" or "x"))
        end
      end
      for _, other in ipairs(peers) do
        for _ = 1, 40 do wire.response(other.wire:receive()) end
        if round < 3 then other.wire:call("DestroySession", wire.int(1, other.session)) end
      end
    end
    stop(recorder)
    local said = differences("r", path "p.lua")
    assert.same({}, said.differences)
    assert.same({}, said.notes)
    assert.same(same(480), said.hooks.op_admit)
    assert.same(same(480), said.hooks.op_route)
    assert.is_true(said.hooks.op_failed.same > 100)
    assert.is_true(#only(lines_of "r", "mirror") > 0)
  end)

  it("finds no difference where models are routed, and generic operations", function ()
    local peer = start(policy(ROUTES:gsub("op.bytes_in > 1000", "op.name:find '^torch'")),
      { args = { "--allow", "exec" } })
    local session = peer:session()
    local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
    assert.equal(0, peer:call("TorchModelLoad", wire.model(session, model)).code)
    assert.equal(0, peer:call("TorchModelRun", wire.torch_run(session, model, { TENSOR }, 1)).code)
    local arg, ARG = wire.arg, wire.ARG
    local function int64(n) return arg(ARG.INT64, wire.numbers("int64_t", n)) end
    local function floats(...) return arg(ARG.FLOAT32_ARRAY, wire.numbers("float", ...)) end
    local function float(n) return arg(ARG.FLOAT32, wire.numbers("float", n)) end
    assert.equal(0, peer:call("Genop", wire.genop(session, wire.OP.SGEMM,
      { int64(1), int64(2), int64(1), float(1), floats(3), int64(1), floats(5, 7), int64(2), float(2), int64(2) },
      { floats(10, 20) })).code)
    peer:call("Genop", wire.genop(session, wire.OP.EXEC,
      { arg(ARG.STRING, "f\0"), arg(ARG.STRING, "f\0") }, { arg(ARG.BUFFER, ("\0"):rep(9)) }))
    stop(recorder)
    local said = differences("r", path "p.lua")
    assert.same({ {}, same(4) }, { said.differences, said.hooks.op_admit })
    assert.is_true(said.hooks.op_route.same == 2 and said.hooks.op_failed.same >= 2)
  end)

  it("finds no difference where answers were kept, and takes none of these for how long a run takes", function ()
    local peer = start [[
backends { calm = plugin "calm", two = plugin "calm2" }
local answers, hits = cache { bytes = 1e6 }, 0
policy {
  name = "p", api = 1, on_error = "reject",
  session_route = function () return route { "calm", cache = answers } end,
  op_admit = function () if hits == 2 then return reject "twice is enough" end end,
  op_done = function (op, result) if result.cached then hits = hits + 1 end end,
}]]
    local session, done = peer:session(), 0
    assert.is_truthy(process.wait_until(5 * harness.slow, function ()
      -- The first ones may come before the cache is ready.
      if classify(peer, session, 5, "SLEEP 20 ") ~= 0 then return true end
      done = done + 1 -- of which the policy hears when the agent is idle
      assert(process.wait_until(5 * harness.slow, function () return #only(lines_of "r", "done") == done end))
    end))
    stop(recorder)
    local cached = 0
    for _, line in ipairs(only(lines_of "r", "end")) do cached = cached + (line.cached and 1 or 0) end
    assert.equal(2, cached)
    assert.equal(0, differences("r", path "p.lua").different)
    local said = against [[backends { calm = plugin "calm", two = plugin "calm2" }
policy { name = "p", api = 1, on_error = "reject", op_admit = function () end,
  session_route = function (s) return route { "calm", "two" } end }]]
    assert.equal("calm", said.assumed[1].backend)
    assert.is_true(said.assumed[1].us > 15000)
  end)

  it("says where another op_route sends operations, and what it assumes of them", function ()
    all_ways(start(policy(ROUTES)))
    stop(recorder)
    harness.file("q.lua", (policy(ROUTES):gsub('{ "gone", "mute", "witness2" }', '"witness"')
      :gsub('error "too big"', 'return route "witness2"'):gsub('return route "frail"', 'error "none"')
      :gsub("op_failed =", 'op_done = function (op, r) log(op.attempt, r.backend, r.code, r.mirror) end,\n  %0')))
    local p = replay(path "r", path "q.lua")
    assert.equal(1, p.status.code)
    local said = p:text "out"
    local about = "%+%d%.%d%d%d s session %d+ uid=%d+: op_route image_classify: "
    assert.matches("^" .. about .. "was frail %(p.lua:10%); " ..
      "is EPERM, refused by policy p %(q.lua:10%): op_route failed: none\n" ..
      about .. "was gone, mute, witness2 %(p.lua:9%); is witness %(q.lua:9%)\n" ..
      about .. "was EPERM, refused by policy p %(p.lua:7%): op_route failed: too big; is witness2 %(q.lua:7%)\n", said)
    assert.matches("assumed: 1 image_classify on witness succeed in [%d.]+ ms %(the median of those there%)\n", said)
    assert.matches("assumed: 1 image_classify on witness2 succeed in [%d.]+ ms %(the median of those there%)\n", said)
    assert.matches("op_route        3 the same, 3 different\n" ..
      "op_failed       3 the same, 0 different, 2 not asked\n", said)
    local told = differences("r", path "q.lua").lines
    table.sort(told)
    assert.same({ "policy p (q.lua:10): op_route failed: none", "policy p: 1 nil 1 nil",
      "policy p: 1 witness 0 nil", "policy p: 1 witness 0 nil", "policy p: 1 witness 0 nil",
      "policy p: 1 witness2 0 differ", "policy p: 1 witness2 0 nil", "policy p: 3 witness2 44 nil" }, told)
  end)

  it("says where another op_failed tries again, or no more", function ()
    all_ways(start(policy(ROUTES)))
    stop(recorder)
    local ops = only(lines_of "r", "op")
    --- What becomes of the two that failed when the script is another.
    local function changed(from, to)
      local script, count = policy(ROUTES):gsub(from, to)
      assert.equal(1, count)
      local said, told = against((script:gsub("op_failed =",
        "op_done = function (op, r) log(op.id, op.attempt, r.backend, r.code) end, %0"))), {}
      for _, line in ipairs(said.lines) do
        local id, text = line:match "^policy p: (%d+) (.*)"
        if tonumber(id) == ops[2].o then told[1] = text end
        if tonumber(id) == ops[6].o then told[2] = text end
      end
      return said.hooks.op_failed, told, said
    end
    local counts, told, said = changed('if op.attempt == 1', 'if result.code == 44 and op.attempt == 1')
    assert.same({ { same = 3, different = 1, not_asked = 1 }, { "1 frail 5", "3 witness2 44" } }, { counts, told })
    assert.same({ code = "EIO", backend = "frail" }, said.differences[1].failure)
    assert.matches("^%+%d%.%d%d%d s session %d+ uid=%d+: op_failed image_classify, EIO on frail: " ..
      "was tried again on gone, frail, witness %(p.lua:13%); is not tried again\n",
      replay(path "r", path "q.lua"):text "out")
    counts, told, said = changed('{ "gone", "frail", "witness" }', '{ "mute", "witness" }')
    assert.same({ { same = 0, different = 2, not_asked = 3 }, { "2 witness 0", "2 witness 0" } }, { counts, told })
    assert.same({ "retry", { "mute", "witness" } }, { said.differences[1].is.verdict, said.differences[1].is.plan })
    -- Others in the list, but the first that can is the same.
    counts, told, said = changed('{ "gone", "frail", "witness" }', '{ "frail", "gone" }')
    assert.same({ { same = 3, different = 2, not_asked = 0 }, { "3 witness2 0", "3 witness2 44" } }, { counts, told })
    assert.same({}, said.assumed)
    -- Nowhere is not tried again.
    counts, told = changed('retry "witness2"', 'retry "gone"')
    assert.same({ { same = 2, different = 2, not_asked = 1 }, { "2 frail 5", "2 frail 44" } }, { counts, told })
  end)

  it("asks both of what no script was asked about", function ()
    local peer = start(nil, { plugins = "witness witness2 frail" })
    local session = peer:session()
    assert.equal(0, classify(peer, session, 10))
    assert.equal(5, classify(peer, session, 10, "FAIL 5 "))
    peer:call("DestroySession", wire.int(1, session))
    stop(recorder)
    assert.equal(1, #only(lines_of "r", "failed"))
    local said = against [[policy { name = "p", api = 1, on_error = "reject" }]]
    assert.same({ 0, same(0), same(1) }, { said.different, said.hooks.op_route, said.hooks.op_failed })
    said = against [[policy { name = "p", api = 1, on_error = "reject",
      op_failed = function (op, r) return retry "witness2" end,
      op_done = function (op, r) log(op.attempt, r.backend, r.code) end }]]
    assert.same({ same = 0, different = 1, not_asked = 0 }, said.hooks.op_failed)
    table.sort(said.lines) -- an agent tells op_done when it is idle, so in no fixed order
    assert.same({ "policy p: 1 witness 0", "policy p: 2 witness2 0" }, said.lines)
    said = against [[policy { name = "p", api = 1, on_error = "reject",
      session_route = function () return route { "witness", per_op = true } end,
      op_route = function (op) return op.id % 2 == 0 and route "frail" or mirror "witness2" end,
      op_failed = function () return retry "witness2" end,
      op_done = function (op, r) log(op.attempt, r.backend, r.code) end }]]
    assert.same({ same = 1, different = 1, not_asked = 0 }, said.hooks.op_route)
    assert.equal(1, said.hooks.op_failed.different + said.hooks.op_failed.not_asked)
    assert.same({ { "pass" }, { "route", { "frail" } } },
      { { said.differences[1].was.verdict }, { said.differences[1].is.verdict, said.differences[1].is.plan } })
  end)

  it("leaves operations where their session is when the route does not say per_op any more", function ()
    all_ways(start(policy(ROUTES)))
    stop(recorder)
    local said = against((policy(ROUTES):gsub(", per_op = true", "")))
    assert.same(same(1), said.hooks.session_route)
    assert.same({ same = 3, different = 3, not_asked = 0 }, said.hooks.op_route)
    assert.same({ same = 3, different = 0, not_asked = 2 }, said.hooks.op_failed)
    assert.same("pass", said.differences[1].is.verdict)
  end)

  it("goes by where an operation runs, not by where its session is", function ()
    all_ways(start(policy(ROUTES)))
    stop(recorder)
    local said = against((policy(ROUTES):gsub('{ "witness", per_op', '{ "witness2", per_op')
      :gsub("op_failed =", [[
        op_done = function (op, r) log(op.attempt, op.session.backend, r.backend, r.code) end, %0]])))
    assert.same({ same = 0, different = 1, not_asked = 0 }, said.hooks.session_route)
    assert.same(same(6), said.hooks.op_route)
    assert.same({ same = 2, different = 0, not_asked = 3 }, said.hooks.op_failed)
    table.sort(said.lines)
    assert.same({ "policy p (q.lua:7): op_route failed: too big", "policy p: 1 witness2 nil 1",
      "policy p: 1 witness2 witness2 0", "policy p: 1 witness2 witness2 0", "policy p: 1 witness2 witness2 0",
      "policy p: 1 witness2 witness2 0", "policy p: 3 witness2 witness2 0" }, said.lines)
    assert.equal(3, said.assumed[1].count)
  end)

  it("routes what was refused then, and asks nothing about what is refused now", function ()
    local admits = [[
  op_admit = function (op) if op.bytes_in > 2000 then return reject "no" end end,
]]
    local peer = start(policy(admits .. ROUTES))
    local session = peer:session()
    assert.equal(0, classify(peer, session, 1500))
    assert.equal(1, classify(peer, session, 2500))
    assert.equal(1, classify(peer, session, 4500))
    peer:call("DestroySession", wire.int(1, session))
    stop(recorder)
    local said = against(policy(ROUTES .. ",\n  op_done = function (op, r) log(op.attempt, r.backend, r.code) end"))
    assert.same({ same(1), same(2) }, { said.hooks.op_route, said.hooks.op_failed })
    table.sort(said.lines)
    assert.same({ "policy p (q.lua:7): op_route failed: too big", "policy p: 1 nil 1", "policy p: 1 witness2 0",
      "policy p: 3 witness2 0" }, said.lines)
    said = against(policy((admits .. ROUTES):gsub("> 2000 then return reject", "> 100 then return reject")))
    assert.same({ { same = 0, different = 0, not_asked = 1 }, { same = 0, different = 0, not_asked = 2 } },
      { said.hooks.op_route, said.hooks.op_failed })
  end)

  it("says which operations had begun before the recording", function ()
    local peer = start(policy(ROUTES))
    stop(recorder)
    local session = peer:session()
    peer:start("ImageClassification", wire.image(session, ("SLEEP %d "):format(500 * harness.slow)))
    peer:start("ImageClassification", wire.image(session, "FAIL 5 "))
    recorder = record "r"
    for _ = 1, 2 do wire.response(peer:receive()) end
    stop(recorder)
    local p = replay(path "r", path "p.lua")
    assert.equal(0, p.status.code, p:text())
    assert.matches("op_route        0 the same, 0 different, 1 not asked\n" ..
      "op_failed       0 the same, 0 different, 3 not asked\n", p:text "out")
    assert.matches("4 lines are about sessions or operations whose beginning is not in the recording", p:text "err")
  end)

  describe("a line about an operation that is not as it should be:", function ()
    local FIRST = '{"luaccel_recording":1,"agent":"1","t":0,"time":1e9,"scripts":[],"backends":[]}\n'
    local ROUTE = '{"e":"route","t":1,"s":1,"o":1,"b":"a","verdict":"route","plan":["a"]}\n'
    local FAILED = '{"e":"failed","t":1,"s":1,"o":1,"attempt":1,"home":"a","b":"a","code":5,"queue_us":1,' ..
      '"service_us":1,"verdict":"retry","plan":["a"]}\n'
    local MIRROR = '{"e":"mirror","t":1,"s":1,"o":1,"b":"a","mirror":"equal","code":0,"queue_us":1,"service_us":1,' ..
      '"out":1}\n'
    local bad = {
      { "no plan", ROUTE:gsub(',"plan":%["a"%]', ""), "plan" },
      { "a plan of nothing", ROUTE:gsub('%["a"%]', "[]"), "plan" },
      { "a mirror of nothing", ROUTE:gsub('"verdict":"route","plan":%["a"%]', '"verdict":"mirror"'), "plan" },
      { "a verdict of another hook", ROUTE:gsub('"route","plan"', '"retry","plan"'), "verdict" },
      { "a refusal without a code", ROUTE:gsub('"verdict":"route"', '"verdict":"reject"'), "code" },
      { "no operation", ROUTE:gsub('"o":1', '"o":-1'), "o" },
      { "a backend that is no name", ROUTE:gsub('"b":"a"', '"b":7'), "b" },
      { "no such verdict", FAILED:gsub('"retry"', '"reject"'), "verdict" },
      { "a retry without a plan", FAILED:gsub(',"plan":%["a"%]', ""), "plan" },
      { "attempt 0", FAILED:gsub('"attempt":1', '"attempt":0'), "attempt" },
      { "half an attempt", FAILED:gsub('"attempt":1', '"attempt":1.5'), "attempt" },
      { "a failure of nothing", FAILED:gsub('"code":5,', ""), "code" },
      { "a failure on no backend", FAILED:gsub('"b":"a"', '"b":""'), "b" },
      { "a time before all", FAILED:gsub('"service_us":1', '"service_us":-1'), "service_us" },
      { "a comparison that is none", MIRROR:gsub('"equal"', '"same"'), "mirror" },
      { "a mirror of no session", MIRROR:gsub('"s":1,', ""), "s" },
    }
    for _, row in ipairs(bad) do
      it(row[1], function ()
        harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
        local p = replay(harness.file("bad", FIRST .. row[2]), path "p.lua")
        assert.same({ how = "exited", code = 2 }, p.status, p:text())
        assert.matches('^luaccel: .*/bad:2: a line "%a+" without a good "' .. row[3] .. '"', p:text "err")
      end)
    end

    it("one that is good, about nobody", function ()
      harness.file("p.lua", [[policy { name = "p", api = 1, on_error = "reject" }]])
      local p = replay(harness.file("good", FIRST .. ROUTE .. FAILED .. MIRROR), path "p.lua")
      assert.same({ how = "exited", code = 0 }, p.status, p:text())
      assert.matches("op_route        0 the same, 0 different, 1 not asked\n" ..
        "op_failed       0 the same, 0 different, 1 not asked\n", p:text "out")
      assert.matches("2 lines are about sessions or operations whose beginning is not in the recording", p:text "err")
    end)
  end)
end)
