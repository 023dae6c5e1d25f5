--- luaccel policy test: an operator's own specs, on the simulator.
local harness = require "support.harness"

local SCRIPT = [[
backends { gpu = plugin "torch", cpu = plugin "exec" }
policy {
  name = "tested", api = 1, on_error = "reject",
  session_route = function (s)
    if s.peer.cid == 7 then return reject("not you", "EBUSY") end
    if s.peer.uid then return route { "gpu", "cpu" } end
    if s.hint == 9 then log "asked" return route { "cpu", ttl = 60, deadline = 2 } end
  end,
  op_admit = quota { rate = 1, burst = 2, key = "cid" },
  op_done = function (op, result) log(op.name, result.code, result.backend, result.service_us, os.time()) end,
  session_close = function (s) log("closed", s.id, s.backend) end,
}
]]

local LIMITED = [[
backends { cpu = plugin "exec" }
policy { name = "tested", api = 1, on_error = "reject", op_admit = concurrency { limit = 1, key = "uid" } }
]]

local QUEUED = [[
backends { cpu = plugin "exec" }
policy { name = "tested", api = 1, on_error = "reject",
  op_admit = concurrency { limit = 1, key = "uid", queue = 2, wait = 5 },
  session_route = function () return route "cpu" end,
  op_done = function (op, result) log(result.code, result.queue_us) end }
]]

describe("luaccel policy test", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  --- Runs `body` as a spec; the world of SCRIPT is at hand.
  local function test(body, ...)
    local script = harness.file("p.lua", SCRIPT)
    local limited, queued = harness.file("limited.lua", LIMITED), harness.file("queued.lua", QUEUED)
    local spec = harness.file("p_spec.lua", ([[
      local sim = require "luaccel.sim"
      it("does as it says", function ()
        local limited, queued, script = %q, %q, %q
        local world = sim.load { script, plugins = { "noop" }, time = 1000 }
        %s
      end)]]):format(limited, queued, script, body))
    return harness.run({ harness.bin "luaccel", "policy", "test", spec, ... },
      { env = { PATH = os.getenv "PATH", HOME = os.getenv "HOME" } })
  end

  local holds = {
    { "routes, and what is passed over", [[
      world.backends.gpu.up = false
      local s = assert(world:session { uid = 5 })
      assert.same({ "gpu", "cpu" }, s.plan)
      assert.same({ "cpu", "p.lua:6", "gpu:down" }, { s.backend, s.where, s.why })]] },
    { "the hint, where no script decides", [[
      local s = assert(world:session { cid = 3, hint = 4 })
      assert.same({ "noop", "hint" }, { s.backend, s.where })]] },
    { "refusals of sessions", [[
      local s, refusal = world:session { cid = 7 }
      assert.is_nil(s)
      assert.same({ verdict = "reject", code = 16, where = "p.lua:5",
        text = "refused by policy tested (p.lua:5): not you" }, refusal)]] },
    { "remembered plans, on the world's clock and by its backends", [[
      local function asked()
        local s = assert(world:session { cid = 3, hint = 9 })
        assert.same({ "cpu", 2 }, { s.backend, s.deadline })
        return #world:lines()
      end
      assert.same({ 1, 0 }, { asked(), asked() })
      world:advance(61)
      assert.same({ 1, 0 }, { asked(), asked() })
      world.backends.gpu.up = false
      assert.same({ 1, 0 }, { asked(), asked() })]] },
    { "quotas on the world's clock", [[
      local s = assert(world:session { cid = 3 })
      local function go() return s:op("noop").code end
      assert.same({ 0, 0, 11 }, { go(), go(), go() })
      world:advance(0.9)
      assert.equal(11, go())
      world:advance(0.2)
      assert.equal(0, go())]] },
    { "what backends answer, and how long they take", [[
      world.backends.noop.operations = { exec = { code = 71, service = 2.5 } }
      local s = assert(world:session {})
      world.backends.gpu.up = false
      s:close()
      s = assert(world:session { cid = 3 })
      local result = s:op("exec")
      assert.same({ 71, "noop" }, { result.code, result.backend })
      s:close()
      assert.same({ "policy tested: closed 1 gpu", "policy tested: exec 71 noop 2500000 1002",
        "policy tested: closed 2 noop" }, world:lines())]] },
    { "a backend that does not know an operation", [[
      world.backends.gpu.operations = { noop = true }
      local s = assert(world:session { uid = 0 })
      assert.equal("cpu", s:op("exec").backend)
      assert.equal("gpu:refused", s.why)
      world:advance(10)
      local moved = assert(world:session { uid = 0 })
      assert.equal("gpu", moved:op("noop").backend)
      local result = moved:op("exec") -- it has been answered, and stays
      assert.same({ 95, "gpu" }, { result.code, result.backend })]] },
    { "a reload that fails, and goes on with what is there", [[
      local s = assert(world:session { cid = 3 })
      assert.has_error(function () world:reload "/nowhere.lua" end)
      assert.equal(0, s:op("noop").code)
      world:reload()
      assert.equal(0, s:op("noop").code)
      assert.equal(11, s:op("noop").code)]] },
    { "what runs while something else begins", [[
      world:reload(limited)
      local s = assert(world:session { uid = 1 })
      local first = assert(s:start "noop")
      local refused, decision = s:start "noop"
      assert.same({ nil, 11 }, { refused, decision.code })
      first:finish()
      assert.equal(0, s:op("noop").code)
      assert(s:start "noop")
      s:close() -- and what ran with it
      assert.equal(0, assert(world:session { uid = 1 }):op("noop").code)]] },
    { "what waits until something else ends", [[
      world:reload(queued)
      world.backends.cpu.service = 2
      local s, other = assert(world:session { uid = 1 }), assert(world:session { uid = 2 })
      local first, second, third = assert(s:start "noop"), assert(s:start "exec"), assert(s:start "noop")
      assert.same({ false, true, true }, { first.waiting, second.waiting, third.waiting })
      assert.has_error(function () second:finish() end)
      assert.equal(0, other:op("noop").code) -- takes 2 seconds, and holds up nobody
      local refused, decision = s:start "noop"
      assert.same({ nil, 11 }, { refused, decision.code })
      first:finish()
      assert.same({ false, true }, { second.waiting, third.waiting })
      world:advance(3)
      assert.equal("refused by policy tested (queued.lua:3): busy: at most 1 at once for each uid; waited 5 s",
        third:finish().text)
      second:finish()
      world:lines()
      s:close()]] },
    { "that it waited", [[
      world:reload(queued)
      local s = assert(world:session { uid = 1 })
      local first, second = assert(s:start "noop"), assert(s:start "noop")
      world:advance(1.5)
      first:finish()
      world:advance(0.5)
      second:finish()
      assert.same({ "policy tested: 0 0", "policy tested: 0 1500000" }, world:lines())]] },
    { "that one waits in vain where nothing else goes on", [[
      world:reload(queued)
      local s = assert(world:session { uid = 1 })
      assert(s:start "noop")
      local time = world:time()
      assert.matches("; waited 5 s$", s:op("noop").text)
      assert.equal(5, world:time() - time)]] },
    { "what waits where its session ends, and another script comes", [[
      world:reload(queued)
      local s, other = assert(world:session { uid = 1 }), assert(world:session { uid = 1 })
      local first, second, third = assert(s:start "noop"), assert(s:start "noop"), assert(other:start "noop")
      s:close() -- and what ran with it
      assert.same({ 104, false }, { second:finish().code, third.waiting })
      second = assert(other:start "noop")
      assert.is_true(second.waiting)
      world:reload(queued)
      assert.is_true(second.waiting)
      world:reload(script)
      assert.same({ false, 0, 0 }, { second.waiting, second:finish().code, third:finish().code })
      assert.is_table(first)]] },
    { "nothing at all where nothing is up", [[
      world.backends.gpu.up, world.backends.cpu.up = false, false
      local s, refusal = world:session { uid = 1 }
      assert.same({ nil, 19 }, { s, refusal.code })]] },
    { "timers, and backends that go down", [[
      local file = assert(io.open(os.getenv "TMPDIR" .. "/t.lua", "w"))
      file:write [=[
        every(10, function () log("tick", os.time()) end)
        policy { name = "t", api = 1, on_error = "reject", backend_state = function (b, up) log(b.name, up) end }]=]
      file:close()
      local w = sim.load { os.getenv "TMPDIR" .. "/t.lua", plugins = { "noop" }, time = 1000 }
      w:advance(25)
      w.backends.noop.up = false
      w:advance(5)
      w:advance(0)
      assert.same({ "policy t: tick 1010", "policy t: tick 1020", "policy t: noop false", "policy t: tick 1030" },
        w:lines())]] },
    { "what hooks read of an operation", [[
      local path = os.getenv "TMPDIR" .. "/o.lua"
      local file = assert(io.open(path, "w"))
      file:write [=[policy { name = "o", api = 1, on_error = "reject", op_admit = function (op)
        log(op.bytes_in, op.deadline, op.attempt, op.idempotent, op.session.inflight, op.session.age,
          backends.noop.inflight, backends.noop.operations, (backends.noop.p50_us or 0) > 1.8e6,
          backends.noop.supports "exec") end }]=]
      file:close()
      local w = sim.load { path, plugins = { "noop" }, backends = { noop = { service = 2 } } }
      local s = assert(w:session())
      assert(s:start("noop", { deadline = 2.5, attempt = 2 })):finish()
      local running = assert(s:start("noop", { bytes_in = 7 }))
      w.backends.noop.operations = { noop = true }
      w:advance(3)
      s:op "noop"
      running:finish()
      s:op "exec"
      assert.same({ "policy o: 0 2.5 2 true 0 0 0 0 false true", "policy o: 7 nil 1 true 0 0 0 1 true true",
        "policy o: 0 nil 1 true 1 3 1 1 true false", "policy o: 0 nil 1 false 0 5 0 3 true false" }, w:lines())]] },
    { "what runs elsewhere or is tried again, which no load of a model is", [[
      local path = script .. "e"
      local file = assert(io.open(path, "w"))
      file:write [=[backends { one = plugin "exec", two = plugin "torch" }
      policy { name = "e", api = 1, on_error = "reject",
        session_route = function () return route { "one", per_op = true } end,
        op_route = function (op) return route "two" end,
        op_failed = function (op, result) log(op.name, op.attempt, result.backend, result.code, result.bytes_out)
          return retry "one" end }]=]
      file:close()
      local w = sim.load { path, backends = { two = { operations = { torch_model_run = { code = 5 } } },
        one = { operations = { torch_model_load = { code = 6 }, torch_model_run = true } } } }
      local s = assert(w:session())
      local load, run = s:op "torch_model_load", s:op "torch_model_run"
      assert.same({ 6, "one", 1, 0, "one", 2 },
        { load.code, load.backend, load.attempts, run.code, run.backend, run.attempts })
      assert.same({ "policy e: torch_model_run 1 two 5 nil" }, w:lines())]] },
    { "the shorter of two deadlines, the plan's and the caller's", [[
      local path = os.getenv "TMPDIR" .. "/d.lua"
      local file = assert(io.open(path, "w"))
      file:write [=[policy { name = "d", api = 1, on_error = "reject",
        session_route = function () return route { "noop", deadline = 5 } end,
        op_admit = function (op) log(op.deadline) end }]=]
      file:close()
      local w = sim.load { path, plugins = { "noop" } }
      local s = assert(w:session())
      for _, deadline in ipairs { 2, 9 } do s:op("noop", { deadline = deadline }) end
      s:op "noop"
      assert.same({ "policy d: 2", "policy d: 5", "policy d: 5" }, w:lines())]] },
    { "misspelt words", [[
      assert.has_error(function () sim.load { backends = { gpu = {} } } end)
      assert.has_error(function () world:session({}):op("nooop") end)
      assert.has_error(function () world:session { cidd = 3 } end,
        'a session has no field "cidd"; it has: transport uid gid pid cid addr listener hint')
      assert.has_error(function () world:session({}):op("noop", { bytes = 3 }) end)
      assert.has_error(function () world:session({}):resource { kind = "model" } end)
      assert.has_error(function () sim.load { plugin = "noop" } end)
      assert.has_error(function () sim.load { world.scripts[1], backends = { gpu = { down = true } } } end)
      assert.has_error(function () world:advance(-1) end)]] },
    { "sessions that nobody closes", [[
      for _ = 1, 100 do assert(world:session { cid = 3 }) end
      world = nil
      collectgarbage() ]] },
  }
  for _, row in ipairs(holds) do
    it("knows " .. row[1], function ()
      local p = test(row[2])
      assert.equal(0, p.status.code, p:text())
      assert.matches("1 success", p:text "out")
    end)
  end

  it("has random numbers that the seed decides", function ()
    local dice = harness.file("dice.lua", [[policy { name = "dice", api = 1, on_error = "reject",
      op_admit = function () log(math.random(1000000)) end }]])
    local p = test(([[
      local function thrown(seed)
        local w = sim.load { %q, plugins = { "noop" }, seed = seed }
        local s = assert(w:session())
        for _ = 1, 3 do s:op "noop" end
        return w:lines()
      end
      assert.same(thrown(7), thrown(7))
      assert.is_not.same(thrown(7), thrown(8))
      assert.is_not.same(thrown(7), thrown())]]):format(dice))
    assert.equal(0, p.status.code, p:text())
  end)

  it("reads numbers of scripts", function ()
    local script = harness.file("numbers.lua", [[
      local ops = metric { name = "ops", help = "Operations.", kind = "counter", labels = { "cid", "name" } }
      policy { name = "n", api = 1, on_error = "reject",
        op_admit = function (op) ops:add(1, op.session.peer.cid, op.name) end }]])
    local p = test(([[
      local w = sim.load { %q, plugins = { "noop" } }
      assert.is_nil(w:metric "ops")
      for cid = 3, 4 do
        local s = assert(w:session { cid = cid })
        for _ = 1, cid do s:op "noop" end
      end
      s = w:session {}
      s:op "exec"
      assert.equal(8, w:metric "ops")
      assert.equal(4, w:metric("ops", { cid = 4, policy = "n" }))
      assert.equal(1, w:metric("ops", { name = "exec" }))
      assert.equal(1, w:metric("ops", { cid = "" }))
      assert.is_nil(w:metric("ops", { cid = 5 }))
      assert.is_nil(w:metric("ops", { uid = 5 }))
      assert.is_nil(w:metric "operations")
      w:reload()
      assert.equal(8, w:metric "ops")]]):format(script))
    assert.equal(0, p.status.code, p:text())
  end)

  it("fails when a spec does", function ()
    local p = test "assert.equal(1, 2)"
    assert.equal(1, p.status.code)
    assert.matches("1 failure", p:text "out")
  end)

  it("fails when a script cannot be loaded, and says why", function ()
    local p = test "sim.load { '/nowhere.lua' }"
    assert.equal(1, p.status.code)
    assert.matches("cannot read policy /nowhere.lua", p:text "out")
  end)

  it("says what is missing without busted", function ()
    local p = harness.run({ harness.bin "luaccel", "policy", "test", "x_spec.lua" },
      { env = { LUA_PATH = "/nowhere/?.lua", PATH = os.getenv "PATH" } })
    assert.equal(1, p.status.code)
    assert.matches("^luaccel: policy test needs busted", p:text "err")
  end)
end)
