--- Objects of the policy library in a real agent. The witnesses say which plugin answered.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local wire = require "support.wire"

local POLICY = [[
backends { one = plugin "witness", two = plugin "witness2" }
policy {
  name = "shared", api = 1, on_error = "reject",
  session_route = round_robin { "one", "two" },
  op_admit = quota { key = "uid", rate = 0.001, burst = %d },
}
]]
local REFUSED = "refused by policy shared (policy.lua:5): over quota: at most 0.001 a second for each uid, %d at once"

describe("objects of the policy library", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("share sessions out and refuse what is over the quota, also after a reload", function ()
    local agent = harness.agent { policy = POLICY:format(3) }
    local driver = harness.driver { address = agent.address }
    for _, plugin in ipairs { "witness", "witness2", "witness" } do
      driver:must "session s 0"
      assert.equal(plugin, harness.testimony(driver:must "fill s 5000").plugin)
      driver:must "release s"
    end
    driver:must "session s 0"
    for _ = 1, 2 do
      local code, reason = driver:fails "fill s 5000"
      assert.equal(11, code)
      assert.equal(REFUSED:format(3), reason)
      local from = #agent.lines + 1
      agent:kill(signal.SIGHUP)
      agent:says("SIGHUP: policies loaded again", from)
    end
    driver:close()
    agent:stop()
  end)

  --- The plugins that answer so many sessions of the driver, by how often.
  local function plugins(driver, sessions)
    local count = {}
    for _ = 1, sessions do
      driver:must "session s 0"
      local plugin = harness.testimony(driver:must "fill s 10").plugin
      count[plugin] = (count[plugin] or 0) + 1
      driver:must "release s"
    end
    return count
  end

  it("divide sessions by weight", function ()
    local agent = harness.agent { policy = [[
      backends { one = plugin "witness", two = plugin "witness2" }
      policy { name = "p", api = 1, on_error = "reject", session_route = weighted { one = 3, two = 1 } }
    ]] }
    local driver = harness.driver { address = agent.address }
    assert.same({ witness = 6, witness2 = 2 }, plugins(driver, 8))
    driver:close()
    agent:stop()
  end)

  it("keep the sessions of one key together", function ()
    local addresses, policy = {}, [[
      backends { one = plugin "witness", two = plugin "witness2" }
      policy { name = "p", api = 1, on_error = "reject", session_route = hash { "one", "two", key = "listener" } }
    ]]
    for i = 1, 6 do
      addresses[i] = ("unix://%s/a%d.sock,name=vm%d"):format(harness.dir, i, i)
    end
    local agent, seen = harness.agent { policy = policy, addresses = addresses }, {}
    for i = 1, 6 do
      local driver = harness.driver { address = ("unix://%s/a%d.sock"):format(harness.dir, i) }
      local count = plugins(driver, 3)
      local plugin = next(count)
      assert.equal(3, count[plugin])
      seen[plugin] = true
      driver:close()
    end
    assert.same({ witness = true, witness2 = true }, seen)
    agent:stop()
  end)

  it("send a session where there is least to do", function ()
    local agent = harness.agent { policy = [[
      backends { one = plugin "witness", two = plugin "witness2" }
      policy { name = "p", api = 1, on_error = "reject", session_route = least_inflight { "one", "two" } }
    ]] }
    local busy, other = harness.driver { address = agent.address }, harness.driver { address = agent.address }
    busy:must "session s 0"
    busy:tell("say s SLEEP " .. 5000 * harness.slow)
    assert.is_true(process.wait_until(20, function ()
      return plugins(other, 4).witness2 == 4
    end))
    busy:answer()
    busy:close()
    other:close()
    agent:stop()
  end)

  --- Operations that fail, so many, of one session that the driver opens.
  local function failures(driver, count)
    driver:must "session s 0"
    for _ = 1, count do
      assert.equal(61, (driver:fails "say s FAIL 61"))
    end
    driver:must "release s"
  end

  it("let a backend rest whose operations fail", function ()
    local agent = harness.agent { policy = [[
      backends { one = plugin "witness", two = plugin "witness2" }
      policy { name = "p", api = 1, on_error = "reject",
        session_route = breaker { "one", "two", least = 6, rest = 600, window = 600 } }
    ]] }
    local driver = harness.driver { address = agent.address }
    failures(driver, 4)
    assert.same({ witness = 1 }, plugins(driver, 1))
    failures(driver, 4)
    assert.is_true(process.wait_until(20, function ()
      return plugins(driver, 1).witness2 == 1
    end))
    agent:says "breaker: backend one rests for 600 s: "
    assert.same({ witness2 = 4 }, plugins(driver, 4))
    driver:close()
    agent:stop()
  end)

  it("give a canary its share until it fails, also after a reload", function ()
    local agent = harness.agent { policy = [[
      backends { old = plugin "witness", new = plugin "witness2" }
      policy { name = "p", api = 1, on_error = "reject",
        session_route = canary { "new", "old", percent = 50, errors = 0.2, least = 8, window = 600 } }
    ]] }
    local driver = harness.driver { address = agent.address }
    assert.same({ witness = 4, witness2 = 4 }, plugins(driver, 8))
    failures(driver, 1) -- the old one's
    failures(driver, 4) -- the new one's, of eight
    assert.is_true(process.wait_until(20, function ()
      return plugins(driver, 4).witness == 4
    end))
    agent:says "canary: backend new is given up: %d+ of "
    local from = #agent.lines + 1
    agent:kill(signal.SIGHUP)
    agent:says("SIGHUP: policies loaded again", from)
    assert.same({ witness = 8 }, plugins(driver, 8))
    driver:close()
    agent:stop()
  end)

  it("refuse an operation where too many run", function ()
    local agent = harness.agent { policy = [[
      backends { one = plugin "witness" }
      policy {
        name = "p", api = 1, on_error = "reject",
        session_route = function (s)
          if s.hint == 7 and backends.one.inflight == 0 then return reject "nobody works" end
        end,
        op_admit = concurrency { limit = 1, key = "uid" },
      }
    ]] }
    local busy, other = harness.driver { address = agent.address }, harness.driver { address = agent.address }
    busy:must "session s 0"
    busy:tell(("say s SLEEP %d"):format(5000 * harness.slow))
    assert.is_true(process.wait_until(20, function ()
      return other:ask("session s 7").ok
    end))
    local code, reason = other:fails "fill s 10"
    assert.equal(11, code)
    assert.equal("refused by policy p (policy.lua:7): busy: at most 1 at once for each uid", reason)
    assert.is_true(busy:answer().ok)
    assert.is_true(process.wait_until(20 * harness.slow, function ()
      return other:ask("fill s 10").ok
    end))
    busy:must "say s SLEEP 1"
    busy:close()
    other:close()
    agent:stop()
  end)
end)
