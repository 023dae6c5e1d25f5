--- --metrics: what Prometheus reads, over HTTP, with numbers that are right.
local harness = require "support.harness"
local operator = require "support.operator"
local process = require "support.process"
local prometheus = require "support.prometheus"
local system = require "support.system"
local wire = require "support.wire"

local NAMES = { -- of contract.md, as far as the agent knows them
  build_info = "gauge", sessions = "gauge", sessions_total = "counter", operations_total = "counter",
  operation_seconds = "histogram", queue_seconds = "histogram", bytes_total = "counter", backend_up = "gauge",
  backend_inflight = "gauge", policy_generation = "gauge", policy_seconds = "histogram",
  policy_errors_total = "counter", limit_hits_total = "counter", memory_bytes = "gauge", mirrored_total = "counter",
}

describe("metrics", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function serve(options)
    options.args = { "--metrics", "unix://" .. harness.dir .. "/metrics.sock", unpack(options.args or {}) }
    return operator.agent(options)
  end

  --- Everything that comes back for some bytes, up to the end of the connection.
  local function http(bytes, address)
    return prometheus.http(address or "unix://" .. harness.dir .. "/metrics.sock", bytes)
  end

  local function get(path, address)
    return http(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(path), address)
  end

  local function scrape()
    local status, head, body = get "/metrics"
    assert.equal(200, status)
    assert.matches("\r\nContent%-Type: text/plain; version=0%.0%.4; charset=utf%-8\r\n", head)
    assert.equal(#body, tonumber(head:match "\r\nContent%-Length: (%d+)\r\n"))
    return prometheus.parse(body)
  end

  it("have the names that stay, with their types", function ()
    serve { plugins = "noop" }
    local families = scrape()
    for name, type in pairs(NAMES) do
      assert.equal(type, assert(families["luaccel_" .. name], name).type)
    end
    for name in pairs(families) do assert.is_truthy(NAMES[name:match "^luaccel_(.*)$"], name) end
    for _, limit in ipairs { "connections", "sessions-peer", "held-total", "frame", "idle" } do
      assert.equal(0, prometheus.value(families, "limit_hits_total", { limit = limit }))
    end
    for _, what in ipairs { "held", "decoded", "memory", "disk", "shm" } do
      assert.equal(0, prometheus.value(families, "memory_bytes", { what = what }))
    end
    assert.is_true(prometheus.value(families, "memory_bytes", { what = "policy" }) > 10000)
  end)

  it("count operations, sessions and bytes", function ()
    local agent = serve { plugins = "witness", policy = [[
      policy {
        name = "p", api = 1, on_error = "reject",
        op_admit = function (op) if op.name == "noop" then return reject "not that one" end end,
      }
    ]] }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    for _ = 1, 7 do driver:must "say a hello" end
    local families = scrape()
    local op = { op = "image_classify", backend = "witness" }
    assert.equal(7, prometheus.value(families, "operations_total",
      { op = "image_classify", backend = "witness", outcome = "ok" }))
    assert.equal(7, prometheus.value(families, "operation_seconds", op, "count"))
    assert.equal(7, prometheus.value(families, "queue_seconds", { backend = "witness" }, "count"))
    assert.is_true(prometheus.value(families, "operation_seconds", op, "sum") >= 0)
    assert.equal(1, prometheus.value(families, "sessions"))
    assert.equal(1, prometheus.value(families, "sessions_total", { listener = agent.address, outcome = "created" }))
    assert.is_true(prometheus.value(families, "bytes_total", { direction = "in" }) >= 7 * 5)
    assert.equal(1, prometheus.value(families, "backend_up", { backend = "witness" }))
    assert.equal(1, prometheus.value(families, "policy_generation", { policy = "p" }))
    operator.must "reload"
    assert.equal(2, prometheus.value(scrape(), "policy_generation", { policy = "p" }))
    -- One that is slow stands where it belongs.
    driver:must "say a SLEEP 300"
    for _, sample in ipairs(scrape().luaccel_operation_seconds.samples) do
      if sample.labels.le == "0.25" then assert.equal(7, sample.value) end
      if sample.labels.le == "10" then assert.equal(8, sample.value) end
    end
  end)

  it("time policies' hooks and count their failures, on over reloads", function ()
    local agent = serve { plugins = "noop", policy = [[
      policy {
        name = "p", api = 1, on_error = "allow",
        session_route = round_robin { "noop" },
        op_admit = function (op)
          if op.bytes_in > 4000 then error "too much" end
          local ends = os.clock() + 0.0002 -- what a busy machine cannot make an overrun
          repeat until os.clock() >= ends
        end,
      }
    ]] }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    local function of(hook, part)
      return prometheus.value(scrape(), "policy_seconds", { policy = "p", hook = hook }, part)
    end
    local function errors(hook)
      return prometheus.value(scrape(), "policy_errors_total", { policy = "p", hook = hook })
    end
    for _ = 1, 20 do driver:must "say a hello" end
    assert.equal(20, of("op_admit", "count"))
    assert.is_true(of("op_admit", "sum") >= 20 * 0.0002)
    for _, sample in ipairs(scrape().luaccel_policy_seconds.samples) do
      if sample.labels.le == "0.0001" and sample.labels.hook == "op_admit" then assert.equal(0, sample.value) end
    end
    assert.same({ 1, 0 }, { of("session_route", "count"), errors "session_route" })
    assert.is_nil(of("op_done", "count"))
    operator.must "reload"
    for _ = 1, 2 do driver:must "fill a 5000" end
    assert.same({ 22, 2 }, { of("op_admit", "count"), errors "op_admit" })
  end)

  it("are scripts' own too, with whatever labels, on over reloads", function ()
    local script = [[
      local sizes = metric { name = "sizes", help = "A \\ and\na line.", kind = "counter", labels = { "tag", "why" } }
      local last = metric { name = "last_bytes", help = "The last.", kind = "gauge" }
      metric { name = "unused", help = "Nobody writes it.", kind = "counter", labels = { "tag" } }
      policy {
        name = "p", api = 1, on_error = "reject",
        op_admit = function (op)
          sizes:add(0.5, 'q"\\\nline', nil)
          sizes:add(1e15, "\255\237\160\128", true)
          last:set(-op.bytes_in)
        end,
      }
    ]]
    local other = harness.file("other.lua", [[
      local sizes = metric { name = "sizes", help = "Another help.", kind = "counter" }
      policy { name = "q", api = 1, on_error = "reject", op_admit = function () sizes:add(1) end }
    ]])
    local agent = serve { plugins = "noop", policy = script, args = { "--script", other } }
    local driver = harness.driver { address = agent.address }
    local function value(name, labels)
      labels.policy = labels.policy or "p"
      return prometheus.value(scrape(), name, labels)
    end
    assert.equal(0, value("script_last_bytes", {}))
    assert.equal(0, value("script_sizes_total", { policy = "q" }))
    assert.is_nil(value("script_unused_total", {}))
    driver:must "session a 0"
    for _ = 1, 3 do driver:must "say a hello" end
    local families = scrape()
    assert.equal("counter", families.luaccel_script_sizes_total.type)
    assert.equal("gauge", families.luaccel_script_last_bytes.type)
    assert.equal("counter", families.luaccel_script_unused_total.type)
    assert.equal(1.5, value("script_sizes_total", { tag = 'q"\\\nline', why = "" }))
    assert.equal(3e15, value("script_sizes_total", { tag = "????", why = "true" }))
    assert.equal(3, value("script_sizes_total", { policy = "q" }))
    assert.is_true(value("script_last_bytes", {}) < 0)
    operator.must "reload"
    driver:must "say a hello"
    assert.equal(2, value("script_sizes_total", { tag = 'q"\\\nline', why = "" }))
    assert.equal(4, value("script_sizes_total", { policy = "q" }))
  end)

  it("count what is refused, by its limit and by who refused", function ()
    local agent = serve { plugins = "noop", args = { "--limit", "sessions=2,resources=1" }, policy = [[
      local asked = 0
      policy {
        name = "p", api = 1, on_error = "reject",
        session_route = function (s) asked = asked + 1 if asked == 1 then return reject "not the first" end end,
      }
    ]] }
    local peer = wire.connect(agent.address)
    assert.equal(wire.PERMISSION_DENIED, peer:call("CreateSession", "").code)
    local session = peer:session()
    peer:session()
    for _ = 1, 3 do assert.equal(wire.RESOURCE_EXHAUSTED, peer:call("CreateSession", "").code) end
    assert.equal(0, peer:call("RegisterResource", wire.register(session, { wire.blob("m", "bytes") })).code)
    assert.equal(wire.RESOURCE_EXHAUSTED,
      peer:call("RegisterResource", wire.register(session, { wire.blob("m", "bytes") })).code)
    local families = scrape()
    local function came(outcome)
      return prometheus.value(families, "sessions_total", { listener = agent.address, outcome = outcome })
    end
    assert.same({ 2, 1, 3 }, { came "created", came "refused", came "limited" })
    assert.equal(3, prometheus.value(families, "limit_hits_total", { limit = "sessions" }))
    assert.equal(1, prometheus.value(families, "limit_hits_total", { limit = "resources" }))
    assert.equal(0, prometheus.value(families, "limit_hits_total", { limit = "sessions-peer" }))
    assert.equal(5, prometheus.value(families, "memory_bytes", { what = "memory" }))
  end)

  it("count the sessions that a refused peer asks for as refused", function ()
    local agent = serve { plugins = "witness", policy = [[
      policy {
        name = "door", api = 1, on_error = "reject",
        peer_accept = function () return reject "closed" end,
      }
    ]] }
    local peer = wire.connect(agent.address)
    for _ = 1, 3 do peer:call("CreateSession", "") end
    assert.equal(3, prometheus.value(scrape(), "sessions_total", { listener = agent.address, outcome = "refused" }))
  end)

  it("count an operation that fails, and one that a policy refuses, apart", function ()
    local agent = serve { plugins = "witness", policy = [[
      policy {
        name = "p", api = 1, on_error = "reject",
        op_admit = function (op) if op.bytes_in > 1000 then return reject "too much" end end,
      }
    ]] }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:must "say a hello"
    driver:fails("say a " .. ("x"):rep(2000))
    local families = scrape()
    assert.equal(1, prometheus.value(families, "operations_total",
      { op = "image_classify", backend = "witness", outcome = "ok" }))
    assert.equal(1, prometheus.value(families, "operations_total",
      { op = "image_classify", backend = "", outcome = "error" }))
  end)

  it("escape names", function ()
    local agent = serve { plugins = "noop" }
    local uri = "unix://" .. harness.dir .. "/odd.sock"
    operator.must("listen", "add", uri .. ',name=a"b\\c\nd')
    wire.connect(uri):session()
    assert.equal(1, prometheus.value(scrape(), "sessions_total", { listener = 'a"b\\c\nd', outcome = "created" }))
    agent:stop()
  end)

  it("are all that is served, and bad requests do no harm", function ()
    local agent = serve { plugins = "noop" }
    assert.equal(404, (get "/"))
    assert.equal(404, (get "/metrics/../etc/passwd"))
    assert.equal(405, (http "DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    local status, head, body = http "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert.same({ 200, "" }, { status, body })
    assert.matches("Content%-Length: %d+", head)
    local long = "GET /metrics HTTP/1.1\r\n" .. ("a: b\r\n"):rep(5000)
    for _, bytes in ipairs { "nonsense\r\n\r\n", ("\0"):rep(1000), long } do
      pcall(http, bytes .. "\r\n\r\n")
    end
    scrape()
    -- Half a request, and nobody who reads: neither holds up another.
    local silent = {}
    for i = 1, 10 do
      silent[i] = wire.connect("unix://" .. harness.dir .. "/metrics.sock")
      silent[i]:send(i % 2 == 0 and "GET /met" or "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    end
    local began = system.now()
    scrape()
    assert.is_true(system.now() - began < 5 * harness.slow)
    agent:stop()
  end)

  it("are served while the agent drains, and their socket goes with it", function ()
    local agent = serve { plugins = "witness" }
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:tell("say a SLEEP " .. math.min(8000 * harness.slow, 20000)) -- while several programs ask about it
    assert.is_truthy(system.poll(30 * harness.slow, function () return operator.json("info").operations > 0 end))
    operator.must "drain"
    local peer = wire.connect(agent.address)
    assert.equal(wire.UNAVAILABLE, peer:call("CreateSession", "").code)
    local families = scrape()
    assert.equal(1, prometheus.value(families, "backend_inflight", { backend = "witness" }))
    assert.equal(1, prometheus.value(families, "sessions_total", { listener = agent.address, outcome = "draining" }))
    driver:answer()
    peer:close()
    assert.equal(0, agent:wait(10 * harness.slow).code)
    assert.is_false(system.exists(harness.dir .. "/metrics.sock"))
  end)

  it("are served by tcp on loopback, and take no thread", function ()
    local without = operator.agent { plugins = "noop" }
    -- The thread of the loop begins after the line that it serves; this needs no other.
    local function ask_loop(agent) wire.connect(agent.address):call("UpdateSession", wire.int(1, 1)) end
    ask_loop(without)
    local threads = without:threads()
    without:stop()
    local address = harness.free_tcp()
    local agent = operator.agent { plugins = "noop", args = { "--metrics", address } }
    local status, _, body = get("/metrics", address)
    assert.equal(200, status)
    prometheus.parse(body)
    ask_loop(agent)
    assert.equal(threads, agent:threads())
    local fds = agent:fds()
    for _ = 1, 50 do get("/metrics", address) end
    assert.is_truthy(system.poll(5 * harness.slow, function () return agent:fds() <= fds end))
    agent:stop()
  end)

  it("that cannot be had keep the agent from starting, and say why", function ()
    local taken = harness.free_tcp()
    operator.agent { plugins = "noop", addresses = { taken } }
    local second = harness.agent_that_fails { plugins = "noop",
      addresses = { "unix://" .. harness.dir .. "/second.sock" }, args = { "--metrics", taken } }
    assert.equal(1, second.status.code)
    assert.matches("cannot listen on tcp://127%.0%.0%.1:%d+: .*choose another port", second:text())
    process.cleanup()
  end)

  it("cost nothing when nobody asks for them: libmicrohttpd is not loaded", function ()
    local agent = operator.agent { plugins = "noop" }
    assert.is_nil(system.read("/proc/" .. agent.pid .. "/maps"):find "microhttpd")
    agent:stop()
    local other = serve { plugins = "noop" }
    assert.is_truthy(system.read("/proc/" .. other.pid .. "/maps"):find "microhttpd")
  end)
end)
