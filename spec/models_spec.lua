--- Models and generic operations on the wire, message by message: what arrives at the plugin, what
--- comes back, and where it ran when a session has moved.
local harness = require "support.harness"
local system = require "support.system"
local wire = require "support.wire"

local FLOATS = wire.numbers("float", 1, 2, 3, 4)

describe("models on the wire:", function ()
  local agent, peer, log

  before_each(function ()
    harness.begin()
    log = harness.dir .. "/witness.log"
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function start(options)
    options.env = { WITNESS_LOG = log }
    agent = harness.agent(options)
    peer = wire.connect(agent.address)
  end

  local function must(method, payload)
    local response = peer:call(method, payload)
    assert.equal(0, response.code, method .. ": " .. response.message)
    return response
  end

  local function model(session, bytes, kind)
    return must("RegisterResource", wire.register(session, { wire.blob("m", bytes or "weights", kind) })).fields[1][1]
  end

  --- { code, message } of a vaccel.Status.
  local function status(response, field)
    local fields = wire.decode(assert(response.fields[field], "no status")[1])
    return { fields[3] and fields[3][1] or 0, fields[4] and fields[4][1] or "" }
  end

  local function testimony(text) return harness.testimony { text = text, line = text } end

  local function tensors(response)
    local list = {}
    for i, bytes in ipairs(response.fields[1] or {}) do
      local fields = wire.decode(bytes)
      list[i] = { data = fields[1] and fields[1][1] or "", dims = wire.hex(fields[2][1]), type = fields[3][1] }
    end
    return list
  end

  local function events()
    local list = {}
    for i, entry in ipairs(harness.witness_log(log)) do list[i] = entry.plugin .. " " .. entry.event end
    return list
  end

  describe("through the witness", function ()
    local session

    before_each(function ()
      start { plugins = "witness" }
      session = peer:session()
    end)

    it("TensorFlow: load, run and unload, each with its status", function ()
      local id = model(session)
      local loaded = must("TensorflowModelLoad", wire.model(session, id))
      assert.is_nil(loaded.fields[1])
      local code, said = unpack(status(loaded, 2))
      assert.equal(0, code)
      assert.equal(agent.pid, testimony(said).pid)

      local function run(node)
        return must("TensorflowModelRun", wire.tf_run(session, id, {
          from = { "x", node }, to = { "a", "b" }, options = "opt", tensors = {
            wire.tensor { data = FLOATS, dims = { 2, 2 } }, wire.tensor { data = "\1\2", dims = { 1, 2 }, type = 4 },
          },
        }))
      end
      local ran = run "y"
      assert.same({ { data = FLOATS, dims = "0202", type = 1 }, { data = "\1\2", dims = "0102", type = 4 } },
        tensors(ran))
      local first = testimony(status(ran, 2)[2])
      -- The nodes have arrived: another one gives another hash.
      assert.are_not.equal(first.hash, testimony(status(run "z", 2)[2]).hash)

      assert.equal(0, status(must("TensorflowModelUnload", wire.model(session, id)), 1)[1])
      assert.same({ "witness register", "witness tf_load", "witness tf_run", "witness tf_run", "witness tf_unload" },
        events())
    end)

    it("TensorFlow: a failure has the plugin's status in its details", function ()
      local bad = peer:call("TensorflowModelLoad", wire.model(session, model(session, "FAIL 61")))
      assert.equal(wire.INTERNAL, bad.code)
      assert.equal("FFI error: 61 [the graph does as it was told (9)]", bad.message)
      assert.same({ kind = 1, code = 61, status = 9, text = "the graph does as it was told" }, wire.failure(bad))
      local run = peer:call("TensorflowModelRun", wire.tf_run(session, model(session), {
        from = { "FAIL 5" }, to = { "y" }, tensors = { wire.tensor { data = FLOATS, dims = { 4 } } },
      }))
      assert.same({ kind = 1, code = 5, status = 9, text = "the graph does as it was told" }, wire.failure(run))
    end)

    it("TensorFlow Lite: load, run and unload; types are C's numbers", function ()
      local id = model(session)
      assert.equal("", must("TensorflowLiteModelLoad", wire.model(session, id)).payload)
      local ran = must("TensorflowLiteModelRun", wire.tflite_run(session, id,
        { wire.tensor { data = "\9\8\7", dims = { 3 }, type = 9 }, wire.tensor { data = FLOATS, dims = { 4 } } }, 2))
      assert.same({ { data = "\9\8\7", dims = "03", type = 9 }, { data = FLOATS, dims = "04", type = 1 } },
        tensors(ran))
      assert.same({ 7, "" }, status(ran, 2))
      assert.same({}, tensors(must("TensorflowLiteModelRun", wire.tflite_run(session, id, {}, 0))))
      assert.equal("", must("TensorflowLiteModelUnload", wire.model(session, id)).payload)
      assert.same({ "witness register", "witness tflite_load", "witness tflite_run", "witness tflite_run",
        "witness tflite_unload" }, events())
    end)

    it("TensorFlow Lite: a failing run has its status byte in its details, a failing load has none", function ()
      local run = peer:call("TensorflowLiteModelRun", wire.tflite_run(session, model(session),
        { wire.tensor { data = "FAIL 61", dims = { 7 }, type = 3 } }, 1))
      assert.equal("FFI error: 61 [ (9)]", run.message)
      assert.equal("0801103d1a021809", wire.hex(run.detail))
      local load = peer:call("TensorflowLiteModelLoad", wire.model(session, model(session, "FAIL 61")))
      assert.equal("FFI error: 61", load.message)
      assert.equal("103d", wire.hex(load.detail))
    end)

    it("a model of one family may be loaded by another, as in C", function ()
      local id = model(session)
      must("TensorflowModelLoad", wire.model(session, id))
      must("TorchModelLoad", wire.model(session, id))
      must("TorchModelRun", wire.torch_run(session, id, { wire.tensor { data = FLOATS, dims = { 4 }, type = 7 } }, 1))
      assert.same({ "witness register", "witness tf_load", "witness load" }, events())
    end)

    it("a model that is not registered with the session is EPERM, with a status for TensorFlow", function ()
      local other = peer:session()
      local id = model(other)
      for _, method in ipairs {
        "TensorflowModelLoad", "TensorflowModelUnload", "TensorflowLiteModelLoad", "TensorflowLiteModelUnload",
        "TorchModelLoad",
      } do
        local failure = wire.failure(peer:call(method, wire.model(session, id)))
        assert.equal(1, failure.code, method)
        assert.matches("not registered", failure.text)
      end
    end)
  end)

  describe("generic operations:", function ()
    before_each(function () start { plugins = "witness" } end)

    local function doubles(...) return wire.arg(wire.ARG.RAW, wire.numbers("double", ...)) end
    local function int32(number) return wire.arg(wire.ARG.INT32, wire.numbers("int32_t", number)) end

    local function minmax(session)
      return wire.genop(session, wire.OP.MINMAX, {
        doubles(5, 6), int32(2), int32(3), int32(4),
      }, { doubles(0, 0), doubles(0), doubles(0) })
    end

    --- The witness refuses numbers that are not aligned; where they are in a frame is chance.
    it("numbers are where C reads them, wherever the frame has them, and results come back", function ()
      local session = peer:session()
      for length = 0, 15 do -- an unknown field moves all the others
        local response = must("Genop", wire.bytes(15, ("x"):rep(length)) .. minmax(session))
        assert.same({ wire.numbers("double", 5, 6), wire.numbers("double", 3), wire.numbers("double", 4) },
          wire.written(response))
      end
    end)

    it("arguments that are written come back with their type, whole", function ()
      local session = peer:session()
      local response = must("Genop", wire.genop(session, wire.OP.POSE, { wire.arg(wire.ARG.BUFFER, "an image") },
        { wire.arg(wire.ARG.UCHAR_ARRAY, ("\0"):rep(100)) }))
      local arg = wire.decode(response.fields[1][1])
      assert.equal(100, #arg[1][1])
      assert.equal(100, arg[2][1])
      assert.equal(wire.ARG.UCHAR_ARRAY, arg[3][1])
      assert.equal(agent.pid, testimony(arg[1][1]:match "^[^%z]*").pid)
    end)
  end)

  it("through noop: its words come back as TensorFlow's status", function ()
    start { plugins = "noop" }
    local session = peer:session()
    local id = model(session)
    local said = { 0, "Operation handled by noop plugin" }
    assert.same(said, status(must("TensorflowModelLoad", wire.model(session, id)), 2))
    local ran = must("TensorflowModelRun", wire.tf_run(session, id, {
      from = { "in" }, to = { "out" }, tensors = { wire.tensor { data = FLOATS, dims = { 1, 4 } } },
    }))
    assert.same({ { data = FLOATS, dims = "0104", type = 1 } }, tensors(ran))
    assert.same(said, status(ran, 2))
    assert.same(said, status(must("TensorflowModelUnload", wire.model(session, id)), 1))
  end)

  --- Outputs are freed when they have been sent: weakness 4 of the original. What 60 runs of 1 MiB
  --- leave behind would be 60 MiB.
  it("outputs do not stay in the agent", function ()
    start { plugins = "witness" }
    local session = peer:session()
    local id = model(session)
    local tensor = wire.tensor { data = ("x"):rep(2 ^ 20), dims = { 2 ^ 20 }, type = 3 }
    local function runs(count)
      for _ = 1, count do
        must("TensorflowModelRun", wire.tf_run(session, id, { from = { "x" }, to = { "y" }, tensors = { tensor } }))
        must("TensorflowLiteModelRun", wire.tflite_run(session, id, { tensor }, 1))
        must("TorchModelRun", wire.torch_run(session, id, { tensor }, 1))
      end
    end
    local function resident()
      return tonumber(system.read(("/proc/%d/status"):format(agent.pid)):match "VmRSS:%s*(%d+) kB") / 1024
    end
    runs(5)
    local before = resident()
    runs(20)
    -- A sanitizer keeps what was freed for a while; what leaks it reports itself.
    if harness.sanitize == "" then
      assert.is_true(resident() - before < 30, ("%d MiB became %d MiB"):format(before, resident()))
    end
    agent:stop()
  end)

  it("a session that moves has its models loaded again, those that were unloaded not", function ()
    -- `models` classifies no image: at the first one the session moves to the witness.
    start { plugins = "models witness", policy = [[
      policy { name = "p", api = 1, on_error = "reject", session_route = function ()
        return route { "models", "witness" }
      end }
    ]] }
    local session = peer:session()
    local both, gone, never = model(session), model(session), model(session)
    must("TensorflowModelLoad", wire.model(session, both))
    must("TensorflowLiteModelLoad", wire.model(session, both))
    must("TensorflowModelLoad", wire.model(session, gone))
    must("TensorflowModelUnload", wire.model(session, gone))
    assert.equal(0, peer:call("ImageClassification", wire.image(session, "hello")).code)
    agent:says "session %d+: backend witness serves, not models"
    local repeated = {}
    for _, entry in ipairs(harness.witness_log(log)) do
      if entry.plugin == "witness" then repeated[#repeated + 1] = entry.event .. " " .. entry.resource end
    end
    assert.same({ "register " .. both, "register " .. gone, "register " .. never, "tf_load " .. both,
      "tflite_load " .. both }, repeated)

    local ran = must("TensorflowModelRun", wire.tf_run(session, both, {
      from = { "x" }, to = { "y" }, tensors = { wire.tensor { data = FLOATS, dims = { 4 } } },
    }))
    local said = testimony(status(ran, 2)[2])
    assert.equal("witness", said.plugin)
    assert.equal(agent.pid, said.pid)
  end)
end)
