--- Many threads on one library, each with sessions and resources of its own and of others.
local harness = require "support.harness"
local system = require "support.system"

local THREADS = 16
local ROUNDS = ({ asan = 10000, tsan = 500 })[harness.sanitize] or 2000 -- what finds faults gets the time

---@return Process ended
local function stress(...)
  return harness.run({ harness.bin "stress", ... }, { seconds = 600, env = {
    VACCEL_PLUGINS = "libvaccel-tally.so:libvaccel-tally-remote.so",
  } })
end

---@return string what the pattern captures
local function words(process, pattern)
  local found = process:text():match(pattern)
  return found or error(("no %q in:\n%s"):format(pattern, process:text()), 2)
end

describe("sixteen threads", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("leave no id alive twice, and nothing behind", function ()
    local run = stress(tostring(THREADS), tostring(ROUNDS))
    for _, kind in ipairs { "stress", "witness", "rundir" } do print(words(run, kind .. ": [^\n]*")) end
    assert.equal(0, run.status.code, run:text())
    local sessions = THREADS * (ROUNDS + math.ceil(ROUNDS / 8))
    assert.equal(sessions, tonumber(words(run, " s: (%d+) sessions")))
    assert.is_false(system.exists(words(run, "rundir: (%S+)")))
  end)

  it("would be told of an id that is", function ()
    local run = stress("1", "10", "twin")
    assert.equal(1, run.status.code)
    assert.matches("session 1 is alive twice", run:text())
    assert.matches(" 1 twins, 0 mistakes", run:text())
  end)
end)
