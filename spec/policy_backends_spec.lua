--- What policies read of backends and decide by, in a real agent and in a program of its own.
local harness = require "support.harness"
local wire = require "support.wire"

--- One line for a backend, at each session; sessions stay off a backend that has failed.
local POLICY = [[
local function tell(b)
  log(("%s up=%s inflight=%s ops=%s err=%s timed=%s classify=%s mmult=%s"):format(b.name, tostring(b.up),
    tostring(b.inflight), tostring(b.operations), tostring(b.errors),
    tostring(b.p50_us and b.p50_us <= b.p99_us), tostring(b.supports "image_classify"),
    tostring(b.supports "fpga_mmult")))
end

BACKENDS
policy {
  name = "eyes", api = 1, on_error = "reject",
  session_route = function (s)
    for _, name in ipairs { NAMES } do tell(backends[name]) end
    if backends.witness.errors > 0 then return route { "witness2", "witness" } end
    return route { "witness", "witness2" }
  end,
}
]]

local function policy(declarations, names)
  return (POLICY:gsub("BACKENDS", function () return declarations end):gsub("NAMES", function () return names end))
end

describe("a policy that looks at backends", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function on(driver) return harness.testimony(driver:must "fill s 5000").plugin end

  it("decides by what they have done, which it sees at once", function ()
    local gone = "unix://" .. harness.dir .. "/nobody.sock"
    local agent = harness.agent {
      plugins = "witness witness2",
      policy = policy(("backends { absent = plugin 'doesnotexist', far = remote %q }"):format(gone),
        [["witness", "absent", "far"]]),
    }
    local driver = harness.driver { address = agent.address }
    driver:must "session s 0"
    agent:says "policy eyes: witness up=true inflight=0 ops=0 err=0 timed=nil classify=true mmult=false$"
    agent:says "policy eyes: absent up=false inflight=0 ops=0 err=0 timed=nil classify=nil mmult=nil$"
    agent:says "policy eyes: far up=false inflight=0 ops=0 err=0 timed=nil classify=nil mmult=nil$"
    assert.equal("witness", on(driver))
    driver:must "release s"

    local from = #agent.lines + 1
    driver:must "session s 0"
    agent:says("policy eyes: witness up=true inflight=0 ops=1 err=0 timed=true", from)
    assert.equal("witness", on(driver))
    assert.equal(28, (driver:fails "say s FAIL 28"))
    driver:must "release s"

    from = #agent.lines + 1
    driver:must "session s 0"
    agent:says("policy eyes: witness up=true inflight=0 ops=3 err=1 timed=true", from)
    assert.equal("witness2", on(driver))
    driver:close()
    agent:stop()
  end)

  it("reads of an operation what time it has, and of its session what is under way", function ()
    local agent = harness.agent { plugins = "witness", args = { "--limit", "deadline=100" }, policy = [[
policy {
  name = "eyes", api = 1, on_error = "reject",
  op_admit = function (op)
    log(("%s %s attempt=%d again=%s inflight=%d age=%s"):format(op.name, op.deadline > 60 and op.deadline <= 100,
      op.attempt, tostring(op.idempotent), op.session.inflight, tostring(op.session.age > 0 and op.session.age < 600)))
  end,
  op_done = function (op) log(("done %s inflight=%d"):format(tostring(op.deadline), op.session.inflight)) end,
}
]] }
    local peer = wire.connect(agent.address)
    local session = peer:session()
    peer:start("ImageClassification", wire.image(session, "SLEEP 1000"))
    peer:start("ImageClassification", wire.image(session, "x"))
    agent:says "policy eyes: image_classify true attempt=1 again=true inflight=0 age=true$"
    agent:says "policy eyes: image_classify true attempt=1 again=true inflight=1 age=true$"
    for _ = 1, 2 do assert.equal(0, wire.response(assert(peer:receive())).code) end
    agent:says "policy eyes: done nil inflight=0$"
    local from = #agent.lines + 1
    assert.equal(0, peer:call("ImageClassification", wire.image(session, "x")).code)
    agent:says("policy eyes: image_classify true attempt=1 again=true inflight=0", from)
    agent:stop()
  end)

  it("is not loaded when it names one that is not there", function ()
    local agent = harness.agent_that_fails {
      plugins = "witness",
      policy = "policy { name = 'eyes', api = 1, on_error = 'reject',\n op_admit = function (op)\n" ..
        " if not backends.gpu.up then return reject 'no' end end }",
    }
    agent:expect('policy.lua:3: backends has no "gpu"; declared: witness', 1)
  end)

  it("sees its own in a program", function ()
    local p = harness.driver {
      plugins = "witness witness2",
      env = { VACCEL_LOG_LEVEL = "2", VACCEL_POLICY = harness.file("eyes.lua", policy("", [["witness"]])) },
    }
    p:must "session s 0"
    p:expect("policy eyes: witness up=true inflight=0 ops=0 err=0 timed=nil classify=true mmult=false", 5)
    assert.equal("witness", on(p))
    assert.equal(28, (p:fails "say s FAIL 28"))
    p:must "release s"
    local from = #p.lines + 1
    p:must "session s 0"
    p:expect("policy eyes: witness up=true inflight=0 ops=2 err=1 timed=true", 5, from)
    assert.equal("witness2", on(p))
    p:close()
  end)
end)
