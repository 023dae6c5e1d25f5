--- luaccel policy check: what an operator is told of a script before an agent has it.
local harness = require "support.harness"

local GOOD = [[
backends { cpu = plugin "torch" { threads = 2 } }
local calls = 0
policy {
  name = "good", api = 1, on_error = { default = "cpu" },
  session_route = function (s) return route { "cpu", "noop" } end,
  op_admit = function (op)
    calls = calls + 1
    if op.bytes_in > 10 and calls > 2 then return reject(string.format("%d", calls)) end
  end,
}
]]

describe("luaccel policy check", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function check(text, ...)
    return harness.run({ harness.bin "luaccel", "policy", "check", harness.file("p.lua", text), ... },
      { env = { PATH = os.getenv "PATH" } })
  end

  it("says what a good script declares", function ()
    local p = check(GOOD, "--backends", "noop")
    assert.equal(0, p.status.code, p:text())
    assert.matches('p%.lua: policy good, on_error { default = "cpu" }, hooks session_route op_admit\n', p:text "out")
    assert.matches('p%.lua:1: backend cpu = plugin "torch"\n', p:text "out")
    assert.matches("0 warnings / 0 errors", p:text "out")
  end)

  it("knows the backends that are declared, and those that it is told", function ()
    local p = check(GOOD)
    assert.equal(1, p.status.code)
    assert.equal('luaccel: p.lua:5: route names "noop"; declared: cpu\n', p:text "err")
  end)

  local wrong = {
    { "a syntax error", "policy {\n name = 'p'\n api = 1 }", "^luaccel: p.lua:3: .*expected" },
    { "no on_error", "policy { name = 'p', api = 1 }", "^luaccel: p.lua:1: .*on_error" },
    { "an unknown hook", "policy { name = 'p', api = 1, on_error = 'reject', op_amdit = function () end }",
      '^luaccel: p.lua:1: policy has no hook or option "op_amdit"' },
    { "a script that does not end", "while true do end", "^luaccel: p.lua:1: loading took longer than 1000 ms" },
  }
  for _, row in ipairs(wrong) do
    it("refuses " .. row[1], function ()
      local p = check(row[2])
      assert.equal(1, p.status.code)
      assert.matches(row[3], p:text "err")
    end)
  end

  it("has luacheck look for what goes wrong only when it runs", function ()
    local p = check [[
policy {
  name = "late", api = 1, on_error = "reject",
  op_admit = function (op)
    if op.bytes_in > limit then return rejct(string.formt("%d", op.bytes_in)) end
  end,
}
]]
    assert.equal(1, p.status.code, p:text())
    for _, name in ipairs { "limit", "rejct", "string.formt" } do
      assert.truthy(p:text("out"):find(("'%s'"):format(name), 1, true) or
        p:text("out"):find(name:match "[^.]*$", 1, true), name .. " in " .. p:text "out")
    end
  end)

  it("lets a script read fields of its backends", function ()
    local p = check([[
policy {
  name = "eyes", api = 1, on_error = "reject",
  session_route = function () if backends.noop.up then return route "noop" end end,
}
]], "--backends", "noop")
    assert.equal(0, p.status.code, p:text())
    assert.matches("0 warnings / 0 errors", p:text "out")
  end)

  it("does without luacheck, and says so", function ()
    local p = harness.run({ harness.bin "luaccel", "policy", "check", harness.file("p.lua", GOOD),
      "--backends", "noop" }, { env = { PATH = "/nowhere" } })
    assert.equal(0, p.status.code, p:text())
    assert.matches("luacheck is not installed", p:text "err")
  end)
end)
