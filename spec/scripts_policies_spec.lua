--- The scripts of scripts/policies in a real agent, with witnesses as their backends. What they decide
--- is in spec/policies, on the simulator; this is that agents do as they decide.
local signal = require "posix.signal"
local unistd = require "posix.unistd"
local harness = require "support.harness"
local operator = require "support.operator"
local process = require "support.process"
local system = require "support.system"

local EAGAIN, EIO, ESESS = 11, 5, 104
local MANY = 60

describe("scripts/policies:", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function serve(name, changes)
    local agent = operator.agent { policy = operator.script(name, changes) }
    return agent, harness.driver { address = agent.address }
  end

  --- Puts the changed script in the old one's place.
  local function change(name, changes)
    system.write(harness.dir .. "/policy.lua", operator.script(name, changes))
    operator.must "reload"
  end

  local function plugin_of(driver, session)
    return harness.testimony(driver:must("say " .. session .. " hello")).plugin
  end

  --- The plugins of so many new sessions, which end at once.
  local function plugins(driver, sessions)
    local found = {}
    for i = 1, sessions do
      driver:must "session n 0"
      found[i] = plugin_of(driver, "n")
      driver:must "release n"
    end
    return found
  end

  it("shadowing compares what the new agent answers", function ()
    local agent, driver = serve("shadowing", {
      ['plugin "witness"'] = 'remote "tcp://10.0.0.5:2048"', ['plugin "witness2"'] = 'remote "tcp://10.0.0.6:2048"',
    })
    driver:must "session s 0"
    for _ = 1, 20 do assert.equal("witness", plugin_of(driver, "s")) end
    agent:says "policy shadowing: image_classify of session 1 on new: differ code 0"
    assert.equal(1, #agent:matching "on new: differ")
    driver:close()
    agent:stop()
  end)

  it("gpu-first goes to the processor when the GPU is gone", function ()
    local address = "unix://" .. harness.dir .. "/gpu.sock"
    local gpu = harness.agent { plugins = "witness2", addresses = { address } }
    local agent, driver = serve("gpu-first", {
      [("remote %q"):format(address)] = 'remote "tcp://10.0.0.7:2048"',
      ['plugin "witness"'] = 'plugin "torch" { threads = 2 }',
    })
    driver:must "session s 0"
    assert.equal("witness2", plugin_of(driver, "s"))
    gpu:kill(signal.SIGKILL)
    gpu:wait(10)
    assert.equal(ESESS, (driver:fails "say s hello"))
    agent:says "policy gpu%-first: without the GPU"
    assert.same({ "witness" }, plugins(driver, 1))
    driver:close()
    agent:stop()
  end)

  it("tenants have each their backend and rate", function ()
    local agent, driver = serve("tenants", {
      ['plugin "witness"'] = 'remote "tcp://10.0.0.5:2048"',
      ['plugin "witness2"'] = 'remote "tcp://10.0.0.6:2048"',
      ['plugin "noop"'] = 'plugin "torch" { threads = 2 }',
      ['[7] = "green", [0] = "blue"'] = '[7] = "green"', -- a peer without a CID is number 0
      ["rate = 0.001, burst = 50"] = "rate = 200, burst = 50",
    })
    driver:must "session s 0"
    for _ = 1, 50 do assert.equal("witness", plugin_of(driver, "s")) end
    local code, reason = driver:fails "say s hello"
    assert.equal(EAGAIN, code)
    assert.matches("over quota", reason)
    driver:close()
    agent:stop()
  end)

  it("time-of-day refuses whom it should", function ()
    local day = "now.wday ~= 1 and now.hour >= morning and now.hour < evening"
    local function at(time) -- the agent's clock is the machine's: the script is told whether it is day
      return {
        ['plugin "witness"'] = 'plugin "torch" { threads = 2 }',
        [("[%d] = true"):format(unistd.geteuid())] = "[2000] = true",
        [time] = day,
      }
    end
    local agent, driver = serve("time-of-day", at "now.hour < 0")
    driver:must "session s 0"
    assert.equal("witness", plugin_of(driver, "s"))
    change("time-of-day", at "now.hour >= 0")
    for _, command in ipairs { "say s hello", "session t 0" } do
      local code, reason = driver:fails(command)
      assert.equal(EAGAIN, code)
      assert.matches("batches run from 19 to 7 UTC", reason)
    end
    driver:close()
    agent:stop()
  end)

  it("maintenance closes a backend, at first to new sessions only", function ()
    local changes = {
      ['plugin "witness"'] = 'remote "tcp://10.0.0.5:2048"',
      ['plugin "witness2"'] = 'remote "tcp://10.0.0.6:2048"',
    }
    local agent, driver = serve("maintenance", changes)
    driver:must "session s 0"
    assert.equal("witness", plugin_of(driver, "s"))
    changes["local closing = { first = true }"] = "local closing = {}"
    change("maintenance", changes)
    assert.same({ "witness2", "witness2" }, plugins(driver, 2))
    assert.equal("witness", plugin_of(driver, "s"))
    changes["local grace = 0"] = "local grace = 600"
    change("maintenance", changes)
    local code, reason = driver:fails "say s hello"
    assert.equal(EAGAIN, code)
    assert.matches("first is being serviced: open a new session", reason)
    driver:close()
    agent:stop()
  end)

  it("canary tries the new one until it fails", function ()
    local agent, driver = serve("canary", {
      ['plugin "witness"'] = 'remote "tcp://10.0.0.5:2048"',
      ['plugin "witness2"'] = 'remote "tcp://10.0.0.6:2048"',
      ["errors = 0.5, least = 5"] = "errors = 0.02, least = 100",
    })
    local found = plugins(driver, MANY)
    local count = 0
    for _, plugin in ipairs(found) do count = count + (plugin == "witness2" and 1 or 0) end
    assert.equal(MANY / 20, count)
    local tries = 0
    assert.is_true(process.wait_until(30 * harness.slow, function ()
      tries = tries + 1
      driver:must(("session c%d 0"):format(tries))
      return plugin_of(driver, "c" .. tries) == "witness2"
    end))
    for _ = 1, 10 do assert.equal(EIO, (driver:fails(("say c%d FAIL 5"):format(tries)))) end
    for _, plugin in ipairs(plugins(driver, MANY)) do assert.equal("witness", plugin) end
    agent:says "canary: backend new is given up: %d+ of %d+ operations failed"
    driver:close()
    agent:stop()
  end)
end)
