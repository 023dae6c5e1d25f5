--- Where an operation runs when that is not simply where its session is: op_route, op_failed, mirror.
local signal = require "posix.signal"
local harness = require "support.harness"
local operator = require "support.operator"
local process = require "support.process"
local prometheus = require "support.prometheus"
local system = require "support.system"
local wire = require "support.wire"

local TENSOR = wire.tensor { data = wire.numbers("float", 1), dims = { 1 }, type = 7 }
--- A session that is at home on witness, and asks where its operations run.
local PER_OP = [[session_route = function () return route { "witness", per_op = true } end,
]]
local DONE = [[op_done = function (op, result)
  log("done", op.name, op.id, "attempt", op.attempt, "on", result.backend, "code", result.code, "mirror", result.mirror)
end]]

--- A policy with backends of these plugins under their own names, and these hooks.
local function policy(plugins, body, on_error)
  local declared = {}
  for name in plugins:gmatch "%S+" do declared[#declared + 1] = ("%s = plugin %q"):format(name, name) end
  return ('backends { %s }\npolicy { name = "p", api = 1, on_error = %s,\n%s,\n%s }')
    :format(table.concat(declared, ", "), on_error or '"reject"', body, DONE)
end

--- Where an image's operation ran, by what its answer testifies; or its code and reason.
local function classify(peer, session, image)
  local response = peer:call("ImageClassification", wire.image(session, image or "x"))
  if response.code ~= 0 then
    local failure = wire.failure(response)
    return failure.status or failure.code, failure.text
  end
  local text = response.fields[1][1]
  return text:match "plugin=(%w+)" or text:match "hash=%x+"
end

describe("an operation", function ()
  local agent, peer

  local function start(script, options)
    options = options or {}
    options.policy = script
    agent = operator.agent(options)
    peer = wire.connect(agent.address)
    return peer:session()
  end

  --- What op_done has logged of ended operations, once there are so many.
  local function done(count)
    local lines = {}
    assert.truthy(process.wait_until(5 * harness.slow, function ()
      lines = agent:matching "policy p: done"
      return #lines >= count
    end), agent:text())
    for i, line in ipairs(lines) do lines[i] = line.text:match "policy p: done (.*)" end
    return lines
  end

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    if agent then agent:stop() end
    agent = nil
    harness.finish()
  end)

  describe("with op_route", function ()
    local ROUTES = PER_OP .. [[op_route = function (op)
  if op.bytes_in > 1000 then return route "witness2" end
  if op.bytes_in > 500 then return route { "mute", "witness2" } end
end]]

    it("runs where that says, and its session stays where it is", function ()
      local session = start(policy("witness witness2 mute", ROUTES))
      for _ = 1, 2 do
        assert.equal("witness", classify(peer, session))
        assert.equal("witness2", classify(peer, session, ("x"):rep(2000)))
        assert.equal("witness2", classify(peer, session, ("x"):rep(600)), "mute does not have it")
      end
      assert.truthy(operator.must("session", tostring(session), "--json"):find '"backend":"witness"')
      assert.truthy(done(6)[2]:find "attempt 1 on witness2 code 0 mirror nil")
      peer:call("DestroySession", wire.int(1, session))
      agent:says "session %d+ .* backend=witness want=witness .*ops=6 err=0"
    end)

    it("is not asked where the session's route does not say per_op", function ()
      local session = start(policy("witness witness2 mute", (ROUTES:gsub(", per_op = true", ""))))
      assert.equal("witness", classify(peer, session, ("x"):rep(2000)))
    end)

    it("is not asked for what may not run twice", function ()
      local session = start(policy("witness witness2 mute", ROUTES), { args = { "--allow", "exec" } })
      local read = { wire.arg(wire.ARG.STRING, ("x"):rep(2000) .. "\0"), wire.arg(wire.ARG.STRING, "f\0") }
      local room = wire.arg(wire.ARG.BUFFER, ("\0"):rep(99))
      local response = peer:call("Genop", wire.genop(session, wire.OP.EXEC, read, { room }))
      assert.equal(0, response.code)
      assert.truthy(wire.written(response)[1]:find "plugin=witness\0")
    end)

    it("fails when none of the backends can", function ()
      local session = start(policy("witness mute", PER_OP .. [[op_route = function () return route "mute" end]]))
      local code, why = classify(peer, session)
      assert.equal(19, code)
      assert.equal("no backend can serve the operation: policy.lua:4 names mute, which is down or does not have it",
        why)
    end)

    it("obeys on_error when it fails", function ()
      local broken = PER_OP .. [[op_route = function (op) return op.nothing.at.all end]]
      local session = start(policy("witness witness2", broken))
      local code, why = classify(peer, session)
      assert.equal(1, code)
      assert.truthy(why:find("refused by policy p (policy.lua:4): op_route failed: ", 1, true), why)
      agent:stop()
      session = start(policy("witness witness2", broken, '{ default = "witness2" }'))
      assert.equal("witness2", classify(peer, session))
      agent:stop()
      session = start(policy("witness witness2", broken, '"allow"'))
      assert.equal("witness", classify(peer, session))
    end)

    it("may not answer with what is a session's", function ()
      local session = start(policy("witness witness2", PER_OP .. [[
op_route = function () return route { "witness2", sticky = true } end]]))
      local code, why = classify(peer, session)
      assert.equal(1, code)
      assert.truthy(why:find("which are of a session's route", 1, true), why)
    end)

    it("goes on with its sessions when the script is loaded anew without it", function ()
      local session = start(policy("witness witness2 mute", ROUTES))
      assert.equal("witness2", classify(peer, session, ("x"):rep(2000)))
      harness.file("policy.lua", policy("witness witness2 mute",
        'session_route = function () return route "witness2" end'))
      local from = #agent.lines + 1
      agent:kill(signal.SIGHUP)
      agent:says("SIGHUP: policies loaded again", from)
      assert.equal("witness", classify(peer, session, ("x"):rep(2000)))
    end)

    it("has the session's models", function ()
      local session = start(policy("witness witness2", PER_OP .. [[
op_route = function () return route "witness2" end]]), { env = { WITNESS_LOG = harness.dir .. "/witness.log" } })
      local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      local function run() return peer:call("TorchModelRun", wire.torch_run(session, model, { TENSOR }, 1)) end
      assert.equal(0, peer:call("TorchModelLoad", wire.model(session, model)).code)
      for _ = 1, 2 do assert.equal(0, run().code) end
      assert.truthy(done(3)[3]:find "torch_model_run %d+ attempt 1 on witness2 code 0")
      local function events(plugin)
        local names = {}
        for event in system.read(harness.dir .. "/witness.log"):gmatch("event=(%w+)[^\n]* plugin=" .. plugin .. "\n") do
          names[#names + 1] = event
        end
        return names
      end
      assert.same({ "register", "load" }, events "witness2")
      assert.equal(0, peer:call("UnregisterResource", wire.int(1, model) .. wire.int(2, session)).code)
      assert.truthy(process.wait_until(5 * harness.slow, function () return #events "witness2" == 3 end))
      assert.same({ "register", "load", "unregister" }, events "witness2")
      model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      assert.equal(0, run().code)
      peer:close()
      assert.truthy(process.wait_until(5 * harness.slow, function () return #events "witness2" == 5 end))
      assert.same({ "register", "unregister" }, { unpack(events "witness2", 4) })
    end)
  end)

  describe("with op_failed", function ()
    local AGAIN = [[session_route = function () return route "frail" end,
op_failed = function (op, result)
  log("failed", op.attempt, result.backend, result.code, op.backend)
  return retry { "mute", "witness" }
end]]

    it("is tried again where that says, and the caller has the success", function ()
      local session = start(policy("frail witness mute", AGAIN))
      for _ = 1, 2 do assert.equal("witness", classify(peer, session)) end
      agent:says "policy p: failed 1 frail 5 frail"
      assert.truthy(done(2)[2]:find "attempt 2 on witness code 0")
      peer:call("DestroySession", wire.int(1, session))
      agent:says "session %d+ .* backend=frail want=frail .*ops=2 err=0"
    end)

    it("is tried four times at most, and fails as it failed last", function ()
      local session = start(policy("frail witness", [[session_route = function () return route "witness" end,
op_failed = function (op, result)
  log("failed", op.attempt, result.backend, result.code)
  return retry(op.attempt == 2 and "frail" or "witness")
end]]))
      assert.equal(44, (classify(peer, session, "FAIL 44")))
      assert.truthy(done(1)[1]:find "attempt 4 on witness code 44")
      local lines = agent:matching "policy p: failed"
      assert.equal(3, #lines)
      for i, text in ipairs { "1 witness 44", "2 witness 44", "3 frail 44" } do
        assert.truthy(lines[i].text:find("failed " .. text .. "$"), lines[i].text)
      end
    end)

    it("fails as it did when that says nothing, or fails itself", function ()
      local session = start(policy("frail", [[session_route = function () return route "frail" end,
op_failed = function (op, result) if op.bytes_in > 1000 then error "no" end end]]))
      assert.equal(5, (classify(peer, session)))
      local code, why = classify(peer, session, ("x"):rep(2000))
      assert.equal(5, code)
      assert.equal("", why or "")
      agent:says "policy%.lua:4%): op_failed failed: no"
    end)

    it("has the arguments that it had at first", function ()
      local arg, ARG = wire.arg, wire.ARG
      local session = start(policy("frail witness", [[session_route = function () return route "frail" end,
op_failed = function () return retry "witness" end]]))
      local function int64(n) return arg(ARG.INT64, wire.numbers("int64_t", n)) end
      local function floats(...) return arg(ARG.FLOAT32_ARRAY, wire.numbers("float", ...)) end
      local function float(n) return arg(ARG.FLOAT32, wire.numbers("float", n)) end
      local response = peer:call("Genop", wire.genop(session, wire.OP.SGEMM,
        { int64(1), int64(2), int64(1), float(1), floats(3), int64(1), floats(5, 7), int64(2), float(2), int64(2) },
        { floats(10, 20) }))
      assert.equal(0, response.code, response.message)
      assert.equal(wire.numbers("float", 35, 55), wire.written(response)[1])
    end)

    it("runs a model elsewhere", function ()
      local session = start(policy("frail witness", [[session_route = function () return route "frail" end,
op_failed = function () return retry "witness" end]]))
      local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      assert.equal(0, peer:call("TorchModelLoad", wire.model(session, model)).code)
      assert.equal(0, peer:call("TorchModelRun", wire.torch_run(session, model, { TENSOR }, 1)).code)
      assert.truthy(done(2)[2]:find "torch_model_run %d+ attempt 2 on witness code 0")
    end)

    it("is not tried again for a caller who has gone", function ()
      local session = start(policy("frail witness", [[session_route = function () return route "frail" end,
op_failed = function () log "failed" return retry "witness" end]]))
      peer:start("ImageClassification", wire.image(session, "SLEEP 300"))
      system.sleep(0.1)
      peer:close()
      agent:says "session %d+ .* end=gone"
      assert.same({}, agent:matching "policy p: failed")
    end)

    it("ends with its session when that ends during the second attempt", function ()
      local session = start(policy("frail witness", [[session_route = function () return route "frail" end,
op_failed = function (op) log "failed" return retry "witness" end]]))
      peer:start("ImageClassification", wire.image(session, "SLEEP 200"))
      agent:says "policy p: failed"
      peer:close()
      agent:says "session %d+ .* ops=1 err=[01] .* end=gone" -- 1: it had not begun there
    end)

    it("is tried again when its backend, another agent, is killed under it", function ()
      local address = "unix://" .. harness.dir .. "/far.sock"
      local far = harness.agent { plugins = "witness2", addresses = { address } }
      local session = start(([[backends { far = remote %q, witness = plugin "witness" }
policy { name = "p", api = 1, on_error = "reject", session_route = function () return route "far" end,
op_failed = function () return retry "witness" end, %s }]]):format(address, DONE))
      assert.equal("witness2", classify(peer, session))
      peer:start("ImageClassification", wire.image(session, "SLEEP 2000"))
      system.sleep(0.3)
      far:kill(signal.SIGKILL)
      far:wait(5)
      assert.truthy(done(2)[2]:find "attempt 2 on witness code 0")
    end)
  end)

  describe("with a mirror", function ()
    local function on_both(first, second)
      return policy(first .. " " .. second, ([[session_route = function () return route { %q, per_op = true } end,
op_route = function () return mirror %q end]]):format(first, second))
    end

    --- The mirror's end, as op_done has it.
    local function compared(count)
      local found = {}
      for _, line in ipairs(done(count)) do
        if not line:find "mirror nil" then found[#found + 1] = line end
      end
      return found
    end

    it("runs on both, and equal answers are found equal", function ()
      local session = start(on_both("calm", "calm2"))
      for _ = 1, 3 do assert.truthy(classify(peer, session):find "hash=") end
      local lines = compared(6)
      assert.equal(3, #lines)
      for _, line in ipairs(lines) do assert.truthy(line:find "attempt 1 on calm2 code 0 mirror equal", line) end
      assert.same({}, agent:matching "its mirror")
    end)

    it("finds other answers different, and says so", function ()
      local session = start(on_both("witness", "witness2"))
      assert.equal("witness", classify(peer, session))
      assert.truthy(compared(2)[1]:find "on witness2 code 0 mirror differ")
      agent:says "Image classification: witness answered with code 0, its mirror witness2 with code 0: differ$"
    end)

    it("finds a failure different, and tells the caller nothing of it", function ()
      local session = start(on_both("witness", "frail"))
      assert.equal("witness", classify(peer, session))
      assert.truthy(compared(2)[1]:find "on frail code 5 mirror differ")
      assert.equal(44, (classify(peer, session, "FAIL 44")))
      assert.truthy(compared(4)[2]:find "on frail code 44 mirror equal")
    end)

    it("says that it did not run where no session can be had", function ()
      local session = start(on_both("witness", "refuse"))
      assert.equal("witness", classify(peer, session))
      assert.truthy(compared(2)[1]:find "mirror failed")
    end)

    it("compares what models answer, and what generic operations write", function ()
      local session = start(on_both("calm", "calm2"))
      local model = peer:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      assert.equal(0, peer:call("TorchModelLoad", wire.model(session, model)).code)
      assert.equal(0, peer:call("TorchModelRun", wire.torch_run(session, model, { TENSOR }, 1)).code)
      local image, out = wire.arg(wire.ARG.BUFFER, "image"), wire.arg(wire.ARG.UCHAR_ARRAY, ("\0"):rep(99))
      local response = peer:call("Genop", wire.genop(session, wire.OP.DETECT, { image }, { out }))
      assert.equal(0, response.code, response.message)
      assert.truthy(wire.written(response)[1]:find "hash=")
      local lines = compared(5)
      assert.truthy(lines[1]:find "torch_model_run .* mirror equal", lines[1])
      assert.truthy(lines[2]:find "image_detect .* mirror equal", lines[2])
    end)

    it("goes on when the session ends, and the agent leaves after it", function ()
      local session = start(on_both("calm", "witness"))
      peer:start("ImageClassification", wire.image(session, "SLEEP 300"))
      system.sleep(0.1)
      peer:close()
      agent:says "session %d+ .* end=gone"
      agent:stop()
      session = start(on_both("calm", "witness"))
      peer:start("ImageClassification", wire.image(session, "SLEEP 300"))
      system.sleep(0.1)
    end)

    it("that hangs holds up nobody, and keeps no more than a few", function ()
      local address = "unix://" .. harness.dir .. "/far.sock"
      local far = harness.agent { plugins = "calm", addresses = { address } }
      local metrics = "unix://" .. harness.dir .. "/metrics.sock"
      local session = start(([[backends { far = remote %q, calm = plugin "calm" }
policy { name = "p", api = 1, on_error = "reject",
session_route = function () return route { "calm", per_op = true } end,
op_route = function () return mirror "far" end }]]):format(address), { args = { "--metrics", metrics } })
      local function mirrored(outcome)
        local _, _, body = prometheus.http(metrics, "GET /metrics HTTP/1.0\r\n\r\n")
        return prometheus.value(prometheus.parse(body), "mirrored_total", { backend = "far", outcome = outcome })
      end
      local function come_to(count)
        return process.wait_until(5 * harness.slow, function () return mirrored "equal" == count end)
      end
      classify(peer, session)
      assert.truthy(come_to(1))
      far:freeze(5)
      local began = system.now()
      for _ = 1, 20 do assert.truthy(classify(peer, session)) end
      assert.is_true(system.now() - began < 2 * harness.slow)
      assert.equal(12, mirrored "dropped")
      far:kill(signal.SIGCONT)
      assert.truthy(come_to(9))
      far:stop()
    end)
  end)
end)
