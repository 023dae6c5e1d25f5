--- Answers that were given before, in a real agent.
local signal = require "posix.signal"
local harness = require "support.harness"
local operator = require "support.operator"
local prometheus = require "support.prometheus"
local system = require "support.system"
local upload = require "support.upload"
local wire = require "support.wire"

local POLICY = [[
backends { one = plugin "witness", two = plugin "witness2" }
local answers = cache { %s }
policy {
  name = "p", api = 1, on_error = "reject",
  session_route = function (s)
    return route { s.hint == 2 and "two" or "one", cache = s.hint ~= 9 and answers or nil }
  end,
  op_done = function (op, result)
    log("done", op.name, op.backend, result.code, result.cached, result.service_us == 0, result.bytes_out)
  end,
}
]]
local KEPT = "bytes = 1e6"

describe("answers that are kept", function ()
  local agent, seen, payloads

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function start(options, extra)
    agent = operator.agent { policy = POLICY:format(options), args = {
      "--metrics", "unix://" .. harness.dir .. "/metrics.sock", unpack(extra or {}) } }
    seen, payloads = 0, {}
  end

  local function peer_with(hint)
    local peer = wire.connect(agent.address)
    return peer, peer:session(hint)
  end

  --- What op_done was told next: "image_classify one 0 true".
  local function told()
    local line = agent:says("policy p: done ", seen + 1)
    for i = seen + 1, #agent.lines do
      if agent.lines[i] == line or agent.lines[i].text == line.text then seen = i break end
    end
    return line.text:match "done (%S+ %S+ %S+ %S+)"
  end

  --- Was the answer there already? The witness gives none twice, as it counts its calls in them.
  local function classify(peer, session, image)
    local response = peer:call("ImageClassification", wire.image(session, image or "an image"))
    assert.equal(0, response.code, response.message)
    local cached = payloads[response.payload] or false
    payloads[response.payload] = true
    return cached, response
  end

  local function metric(name, labels, part)
    local unistd, text = require "posix.unistd", {}
    local connection = wire.connect("unix://" .. harness.dir .. "/metrics.sock")
    connection:send "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    repeat
      text[#text + 1] = unistd.read(connection.fd, 65536)
    until text[#text] == ""
    connection:close()
    local body = table.concat(text):match "\r\n\r\n(.*)$"
    return prometheus.value(prometheus.parse(body), name, labels, part)
  end

  it("are given to equal operations of any peer, without a backend", function ()
    start(KEPT)
    local peer, session = peer_with()
    local cached, first = classify(peer, session, "SLEEP 2000")
    assert.is_false(cached)
    local other, its = peer_with()
    local before = system.now()
    local again, second = classify(other, its, "SLEEP 2000")
    assert.is_true(again)
    assert.is_true(system.now() - before < 1.5)
    assert.equal(first.payload, second.payload)
    assert.is_false((classify(other, its, "another image")))
    assert.equal(1, metric("operations_total", { op = "image_classify", backend = "one", outcome = "cached" }))
    assert.equal(2, metric("operations_total", { op = "image_classify", backend = "one", outcome = "ok" }))
    assert.equal(2, metric("operation_seconds", { op = "image_classify", backend = "one" }, "count"))
    assert.equal("image_classify one 0 false", told())
    assert.equal("image_classify one 0 true", told())
    agent:says "policy p: done image_classify one 0 true true 1024"
    local bytes = metric("memory_bytes", { what = "cache" })
    assert.is_true(bytes > 2048 and bytes < 4096, bytes)
    local shown = operator.json("session", tostring(its))
    assert.equal(2, (shown.operations or shown[1].operations))
    agent:stop()
  end)

  it("do not wait for a turn", function ()
    start(KEPT)
    local peer, session = peer_with()
    classify(peer, session)
    local slow = peer:start("ImageClassification", wire.image(session, ("SLEEP %d"):format(500 * harness.slow)))
    local quick = peer:start("ImageClassification", wire.image(session, "an image"))
    assert.equal(quick, wire.response(peer:receive()).stream)
    assert.equal(slow, wire.response(peer:receive()).stream)
    agent:stop()
  end)

  it("are no failures", function ()
    start(KEPT)
    local peer, session = peer_with()
    for _ = 1, 3 do
      local response = peer:call("ImageClassification", wire.image(session, "FAIL 61"))
      assert.is_not.equal(0, response.code)
      assert.equal("image_classify one 61 false", told())
    end
    agent:stop()
  end)

  it("are of one backend, and of sessions with the same hint", function ()
    start(KEPT)
    local peer = wire.connect(agent.address)
    for hint, expected in pairs { [0] = "one", [1] = "one", [2] = "two", [9] = "one" } do
      local session = peer:session(hint)
      peer:call("ImageClassification", wire.image(session, "an image"))
      assert.equal(("image_classify %s 0 false"):format(expected), told())
      peer:call("ImageClassification", wire.image(session, "an image"))
      assert.equal(("image_classify %s 0 %s"):format(expected, tostring(hint ~= 9)), told())
    end
    agent:stop()
  end)

  local function register(peer, session, bytes)
    local response = peer:call("RegisterResource", wire.register(session, { wire.blob("net.pt", bytes) }))
    assert.equal(0, response.code, response.message)
    return response.fields[1][1]
  end

  --- Until the agent knows what the model is, which it finds out when it is asked for the first time.
  local function until_cached(peer, session, image)
    assert.is_true(system.poll(10 * harness.slow, function () return (classify(peer, session, image)) end))
  end

  it("are of one model's bytes, wherever they come from", function ()
    start(KEPT)
    local peer, session = peer_with()
    classify(peer, session)
    register(peer, session, "model A")
    assert.is_false((classify(peer, session)))
    until_cached(peer, session)
    local other, its = peer_with()
    assert.is_true((classify(other, its))) -- without a model
    register(other, its, "model A")
    until_cached(other, its, "warm") -- now it is known
    assert.is_true((classify(other, its)))
    register(other, its, "model B")
    for _ = 1, 20 do
      if classify(other, its, "warm") then break end
    end
    assert.is_false((classify(other, its, "new")))
    agent:stop()
  end)

  it("are those of a model that was uploaded, too", function ()
    start(KEPT)
    local function uploaded(bytes)
      local one = upload.connect(agent.address)
      assert.equal(0, one:upload(bytes).code)
      return one.wire, one.session
    end
    local model = ("model A"):rep(1000)
    local peer, session = uploaded(model)
    assert.is_false((classify(peer, session)))
    assert.is_true((classify(peer, session)))
    assert.is_true((classify(uploaded(model))))
    assert.is_false((classify(uploaded(("model B"):rep(1000)))))
    local other, its = peer_with()
    local response = other:call("RegisterResource", wire.register(its, { wire.blob("m.pt", model, upload.MAPPED) }))
    assert.equal(0, response.code, response.message)
    until_cached(other, its, "warm")
    assert.is_true((classify(other, its)))
    agent:stop()
  end)

  it("of runs are of what is loaded, too", function ()
    start(KEPT)
    local peer, session = peer_with()
    local model = register(peer, session, "model A")
    local function run(numbers, on)
      local response = peer:call("TorchModelRun", wire.torch_run(on or session, model,
        { wire.tensor { data = numbers, dims = { 1, 2 } } }, 1))
      assert.equal(0, response.code, response.message)
      return told(), response.payload
    end
    local function load(on)
      assert.equal(0, peer:call("TorchModelLoad", wire.model(on, model)).code)
      told()
    end
    run("12345678") -- from now on it is found out what the model is
    load(session)
    assert.is_true(system.poll(10 * harness.slow, function ()
      return run "12345678" == "torch_model_run one 0 true"
    end))
    local _, payload = run "12345678"
    assert.same({ "torch_model_run one 0 false" }, { (run "87654321") })
    assert.is_not.equal(payload, select(2, run "87654321"))
    local another = peer:session()
    assert.equal(0, peer:call("RegisterResource", wire.int(4, model) .. wire.int(5, another)).code)
    assert.equal("torch_model_run one 0 false", (run("12345678", another)))
    load(another)
    local cached, same = run("12345678", another)
    assert.same({ "torch_model_run one 0 true", payload }, { cached, same })
    agent:stop()
  end)

  it("are not looked for while the session is being changed", function ()
    start(KEPT)
    local peer, session = peer_with()
    classify(peer, session)
    for i = 1, 20 do
      peer:start("RegisterResource", wire.register(session, { wire.blob("net.pt", "model " .. i) }))
      peer:start("ImageClassification", wire.image(session, "an image"))
      wire.response(peer:receive())
      local payload = wire.response(peer:receive()).payload
      assert.is_nil(payloads[payload])
      payloads[payload] = true
    end
    agent:stop()
  end)

  it("are none of files of the host, of generic operations, of large requests", function ()
    start(KEPT, { "--allow", "path=" .. harness.dir })
    local peer, session = peer_with()
    local large = ("x"):rep(2 ^ 20)
    for _ = 1, 2 do
      assert.is_false((classify(peer, session, large)))
      assert.equal(0, peer:call("Genop", wire.genop(session, wire.OP.DETECT,
        { wire.arg(wire.ARG.BUFFER, "an image") }, { wire.arg(wire.ARG.UCHAR_ARRAY, ("."):rep(9)) })).code)
      assert.equal("image_classify one 0 false", told())
      assert.equal("image_detect one 0 false", told())
    end
    local path = harness.file("net.pt", "a model")
    assert.equal(0, peer:call("RegisterResource", wire.register_paths(session, { path })).code)
    for _ = 1, 20 do assert.is_false((classify(peer, session))) end
    agent:stop()
  end)

  it("take no more memory than they may, however many there are", function ()
    start "bytes = 50e3"
    local peer, session = peer_with()
    for i = 1, 200 do assert.is_false((classify(peer, session, "image " .. i))) end
    local bytes = metric("memory_bytes", { what = "cache" })
    assert.is_true(bytes > 40e3 and bytes <= 50e3, bytes)
    assert.is_true((classify(peer, session, "image 200")))
    assert.is_false((classify(peer, session, "image 1")))
    agent:stop()
  end)

  it("hold for a time", function ()
    start(KEPT .. ", ttl = 0.5")
    local peer, session = peer_with()
    assert.is_false((classify(peer, session)))
    system.sleep(0.6)
    assert.is_false((classify(peer, session)))
    agent:stop()
  end)

  it("are apart for each key", function ()
    start(KEPT .. ', key = "session"')
    local peer, session = peer_with()
    classify(peer, session)
    assert.is_true((classify(peer, session)))
    assert.is_false((classify(peer, peer:session())))
    agent:stop()
  end)

  local function reload(text)
    local from = #agent.lines + 1
    harness.file("policy.lua", text)
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: policies loaded again", from)
  end

  it("go with their scripts, but by a name", function ()
    start(KEPT .. ', name = "kept"')
    local peer, session = peer_with()
    classify(peer, session)
    reload(POLICY:format 'bytes = 5e5, ttl = 100, name = "kept"')
    assert.is_true((classify(peer, session))) -- a session that was there
    local other, its = peer_with()
    assert.is_true((classify(other, its)))
    reload(POLICY:format(KEPT))
    assert.equal(0, metric("memory_bytes", { what = "cache" }))
    assert.is_false((classify(peer, session)))
    assert.is_false((classify(peer, session))) -- its cache is none of these scripts'
    other, its = peer_with()
    assert.is_false((classify(other, its)))
    assert.is_true((classify(other, its)))
    reload 'policy { name = "p", api = 1, on_error = "reject" }'
    assert.equal(0, metric("memory_bytes", { what = "cache" }))
    agent:stop()
  end)

  --- The median of a digit's classifications, in microseconds.
  local function digits(driver, session)
    local times = {}
    for i = 1, 101 do
      times[i] = tonumber(driver:must(("classify %s %s/images/digit-3.png"):format(session, harness.data)).us)
    end
    table.sort(times)
    return times[51]
  end

  it("come sooner than others", function ()
    local why = harness.lacks "torch"
    if why then return pending(why) end
    local with = operator.agent { policy = [[
      backends { noop = plugin "noop", torch = plugin "torch" }
      local answers = cache { bytes = 1e6 }
      policy { name = "p", api = 1, on_error = "reject", session_route = function (s)
        return route { s.hint >= 2 and "torch" or "noop", cache = s.hint % 2 == 1 and answers or nil }
      end }]] }
    local driver = harness.driver { address = with.address }
    driver:must("resource m path " .. harness.data .. "/digits.pt")
    for hint = 0, 3 do driver:must(("session s%d %d"):format(hint, hint)) end
    for hint = 2, 3 do driver:must(("register m s%d"):format(hint)) end
    local run, kept = driver:must("loop s0 1000 65536").median, driver:must("loop s1 1000 65536").median
    print(("64 KiB to noop: %s us, %s us from the cache"):format(run, kept))
    digits(driver, "s3")
    run, kept = digits(driver, "s2"), digits(driver, "s3")
    print(("a digit of 4 kB to torch: %d us, %d us from the cache"):format(run, kept))
    assert.is_true(kept < run)
    driver:close()
    with:stop()
  end)

  it("are refused like what would run", function ()
    start(KEPT)
    reload((POLICY:format(KEPT):gsub("op_done", "op_admit = quota { rate = 0.001, burst = 2 },\n  op_done", 1)))
    local peer, session = peer_with()
    classify(peer, session)
    assert.is_true((classify(peer, session)))
    local response = peer:call("ImageClassification", wire.image(session, "an image"))
    assert.equal(11, wire.failure(response).code)
    agent:stop()
  end)
end)
