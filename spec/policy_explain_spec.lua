--- luaccel policy explain: what scripts would do, and which line says so.
local harness = require "support.harness"

local SCRIPT = [[
backends { gpu = plugin "torch", cpu = plugin "exec" }
policy {
  name = "told", api = 1, on_error = "reject",
  session_route = function (s)
    if s.peer.cid == 7 then return reject("not you", "EBUSY") end
    if s.peer.uid then return route { "gpu", "cpu" } end
  end,
  op_admit = function (op)
    if op.bytes_in > 10 then log "large" return reject 'too "large"' end
  end,
}
]]

describe("luaccel policy explain", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function explain(...)
    return harness.run { harness.bin "luaccel", "policy", "explain", harness.file("p.lua", SCRIPT), ... }
  end

  it("says it in words", function ()
    local p = explain("--session", "uid=5", "--session", "cid=7", "--session", "cid=3,hint=2", "--backends", "noop",
      "--down", "gpu", "--op", "noop,bytes_in=10", "--op", "exec,bytes_in=11")
    assert.equal(0, p.status.code, p:text())
    local refused = '  exec,bytes_in=11: EPERM, refused by policy told (p.lua:9): too "large"\n'
    assert.equal("session uid=5: gpu, cpu (p.lua:6); on cpu, as gpu:down\n" ..
      "  noop,bytes_in=10: runs on cpu\n" .. refused ..
      "session cid=7: EBUSY, refused by policy told (p.lua:5): not you\n" ..
      "session cid=3,hint=2: noop (hint)\n  noop,bytes_in=10: runs on noop\n" .. refused, p:text "out")
    assert.equal("policy told: large\npolicy told: large\n", p:text "err")
  end)

  it("says it in JSON", function ()
    local p = explain("--session", "uid=5", "--session", "cid=3", "--op", "noop,bytes_in=11", "--json")
    assert.equal(0, p.status.code, p:text())
    assert.equal('{"lines":["policy told: large"],"sessions":[' ..
      '{"backend":"gpu","ops":[{"code":"EPERM","op":"noop,bytes_in=11",' ..
      '"text":"refused by policy told (p.lua:9): too \\"large\\"","verdict":"reject","where":"p.lua:9"}],' ..
      '"plan":["gpu","cpu"],"session":"uid=5","verdict":"route","where":"p.lua:6"},' ..
      '{"code":"ENOTSUP","ops":[],"session":"cid=3",' ..
      '"text":"no plugin of the agent serves this session; set VACCEL_PLUGINS or declare backends",' ..
      '"verdict":"reject","where":"hint"}]}\n', p:text "out")
  end)

  local wrong = {
    { "no caller", {}, "needs a caller" },
    { "an unknown field", { "--session", "cd=4" }, '^luaccel: %-%-session has no "cd=4"; it takes: addr=, cid=,' },
    { "a number that is none", { "--session", "cid=x" }, "cid=x is no number" },
    { "an unknown operation", { "--session", "cid=1", "--op", "nop" }, 'no operation "nop"' },
    { "a backend that nobody has", { "--session", "cid=1", "--down", "npu" }, 'no backend "npu"' },
  }
  for _, row in ipairs(wrong) do
    it("refuses " .. row[1], function ()
      local p = explain(unpack(row[2]))
      assert.equal(2, p.status.code, p:text())
      assert.matches(row[3], p:text "err")
    end)
  end

  it("fails with a script that does not load", function ()
    local p = harness.run { harness.bin "luaccel", "policy", "explain", "/nowhere.lua", "--session", "cid=1" }
    assert.equal(1, p.status.code)
    assert.matches("^luaccel: cannot read policy /nowhere.lua", p:text "err")
  end)
end)
