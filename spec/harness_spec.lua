--- The harness itself: a test that hangs ends, a program that is left over ends, and a sanitizer's
--- report is not overlooked.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local function shell(script, options)
  options = options or {}
  return process.spawn({ "sh", "-c", script },
    { name = "sh", env = harness.env(options.env), reports = options.reports, uid = options.uid })
end

describe("the harness", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("has lines as they come, with their times", function ()
    local p = shell "echo first; read go; echo second >&2; printf rest"
    local first = p:expect("^first$", 5)
    local between = system.now()
    p:send "go"
    local second = p:expect("^second$", 5)
    assert.equal("out", first.stream)
    assert.equal("err", second.stream)
    assert.is_true(first.at <= between and between <= second.at and second.at <= system.now())
    assert.same({ how = "exited", code = 0 }, p:wait(5))
    assert.equal("first\nrest\n", p:text "out")
  end)

  it("does not wait for ever", function ()
    local p = shell "echo here; sleep 60"
    p:expect("^here$", 5)
    local from = system.now()
    assert.error_matches(function () p:expect("^there$", 0.2) end, "without a line like `%^there%$`.*here")
    assert.error_matches(function () p:wait(0.2) end, "does not end in 0.2 s")
    assert.is_true(system.now() - from < 5)
  end)

  it("says when a program has ended instead of what was waited for", function ()
    local p = shell "exit 3"
    assert.error_matches(function () p:expect("^there$", 20) end, "ended %(exited 3%)")
  end)

  it("ends what is left", function ()
    local p = shell "exec sleep 60"
    process.cleanup()
    assert.same({ how = "killed", code = signal.SIGKILL }, p.status)
  end)

  it("gives programs its environment and nothing else", function ()
    local p = shell("env", { env = { VACCEL_PLUGINS = "x" } })
    p:wait(5)
    assert.matches("VACCEL_PLUGINS=x\n", p:text())
    assert.is_nil(p:text():find "LD_PRELOAD")
    assert.is_nil(p:text():find "LUACCEL_BUILD")
  end)

  it("lets SIGPIPE be what it is", function ()
    local p = shell "kill -PIPE $$; echo alive"
    assert.same({ how = "killed", code = signal.SIGPIPE }, p:wait(5))
  end)

  it("runs programs as other users", function ()
    local why = harness.lacks "users"
    if why then return pending(why) end
    local p = shell("id -u; id -g", { uid = 20001 })
    p:wait(5)
    assert.equal("20001\n20001\n", p:text "out")
  end)

  for _, report in ipairs {
    "==1==ERROR: AddressSanitizer: heap-use-after-free", "==1==ERROR: LeakSanitizer: detected memory leaks",
    "WARNING: ThreadSanitizer: data race (pid=1)", "x.c:1:2: runtime error: signed integer overflow",
  } do
    it("does not overlook " .. report, function ()
      shell("echo '" .. report .. "' >&2"):wait(5)
      local ok, why = pcall(process.cleanup)
      assert.is_false(ok)
      assert.truthy(why:find("a sanitizer reported", 1, true) and why:find(report, 1, true), why)
      shell("echo '" .. report .. "' >&2", { reports = true }):wait(5)
      process.cleanup()
    end)
  end

  it("writes the frame that the original client was seen to send", function ()
    local frame = wire.frame { stream = 1, type = wire.REQUEST,
      body = wire.request(wire.SYNC, "CreateSession", wire.int(1, 7)) }
    assert.equal("00000033" .. "00000001" .. "0100" .. "0a1e" .. wire.hex "vaccel.sync.agent.AgentService"
      .. "120d" .. wire.hex "CreateSession" .. "1a020807", wire.hex(frame))
    local fields = wire.decode(wire.int(1, 300) .. wire.bytes(2, "x") .. wire.bytes(2, ""))
    assert.same({ { 300 }, { "x", "" } }, fields)
    assert.equal("ffffffffffffffffff01", wire.hex(wire.varint(-1)))
    assert.equal("80808080808020", wire.hex(wire.varint(2 ^ 47)))
  end)
end)
