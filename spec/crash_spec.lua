--- Ends without a goodbye: clients killed at random, agents killed at random.
local signal = require "posix.signal"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

--- Of each side. With sanitizers a tenth, unless LUACCEL_KILLS asks for more.
local TIMES = tonumber(os.getenv "LUACCEL_KILLS") or (harness.sanitize == "" and 200 or 20)
local GONE = 10 * harness.slow -- seconds until nothing is left of a client
--- Seconds until a client knows that its agent is gone: half of the times, and ten times that each
--- time, since these machines are noisy. The largest is printed.
local LOST_HALF = 0.1 * harness.slow
local LOST = 10 * LOST_HALF

math.randomseed(tonumber(os.getenv "LUACCEL_SEED") or os.time())

--- Resources that a witness was given and did not see leave: "pid/resource/session" of each.
local function still_registered(log)
  local open = {}
  for _, entry in ipairs(harness.witness_log(log)) do
    local key = ("%s/%s/%s"):format(entry.pid, entry.resource, entry.session)
    if entry.event == "register" then open[key] = true end
    if entry.event == "unregister" then open[key] = nil end
  end
  local keys = {}
  for key in pairs(open) do keys[#keys + 1] = key end
  return keys
end

describe("after", function ()
  local log, model

  before_each(function ()
    harness.begin()
    log = harness.dir .. "/witness.log"
    model = harness.file("model.bin", ("model"):rep(200000)) -- large enough to be killed within
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function start_agent()
    return harness.agent { plugins = "witness", env = { WITNESS_LOG = log, VACCEL_LOG_LEVEL = harness.VERBOSE } }
  end

  --- A driver that works without a pause, and has worked for a random time.
  local function churning(address)
    local driver = harness.driver { address = address }
    driver:tell("churn " .. model)
    driver:expect("^CHURN", 30 * harness.slow)
    system.sleep(math.random() * 0.2 * math.sqrt(harness.slow))
    return driver
  end

  local function count(agent, pattern) return #agent:matching(pattern) end

  it("a client was killed, at " .. TIMES .. " random instants, the agent is as before", function ()
    local agent = start_agent()
    local fds, dirs = agent:fds(), agent:rundirs()
    local warm = harness.driver { address = agent.address }
    warm:must "session a 0"
    warm:must "say a hello"
    warm:must "release a"
    warm:close()
    process.wait_until(GONE, function () return agent:fds() == fds end)
    local threads = agent:threads() + 1 -- a second worker may stay
    local function as_before()
      return agent:fds() == fds and agent:threads() <= threads and #agent:rundirs() == #dirs
        and #still_registered(log) == 0
        and count(agent, "Created session %d+$") == count(agent, "Destroyed session %d+$")
    end
    for i = 1, TIMES do
      local driver = churning(agent.address)
      driver:kill(signal.SIGKILL)
      driver:wait(5)
      process.wait_until(GONE, as_before)
      assert.same({}, still_registered(log), "instant " .. i)
      assert.same(dirs, agent:rundirs(), "instant " .. i)
      assert.equal(fds, agent:fds(), "instant " .. i)
      assert.is_true(agent:threads() <= threads, "instant " .. i)
      assert.equal(count(agent, "Created session"), count(agent, "Destroyed session"), "instant " .. i)
    end
    assert.is_true(#harness.witness_log(log) >= TIMES, "there was next to nothing to see")
    assert.is_true(count(agent, "session %d+ .*end=gone") > 0)
    agent:stop()
  end)

  it("clients were killed together, the agent has the threads that it had", function ()
    local agent = start_agent()
    local peer = wire.connect(agent.address)
    peer:call("UpdateSession", wire.int(1, 1)) -- the thread of the loop is there now, and no other
    peer:close()
    local idle = agent:threads()
    local drivers = {}
    for i = 1, 4 do
      drivers[i] = harness.driver { address = agent.address }
      drivers[i]:must "session a 0"
    end
    for i = 1, 4 do drivers[i]:tell "say a SLEEP 3000" end
    process.wait_until(30 * harness.slow, function () return agent:threads() >= idle + 3 end)
    assert.is_true(agent:threads() >= idle + 3, "there were no threads to see")
    local busy = agent:fds()
    for _, driver in ipairs(drivers) do driver:kill(signal.SIGKILL) end
    -- Its operations go on for three seconds; then it has GONE to give up what they held.
    process.wait_until(3 + GONE, function ()
      return #agent:matching "Destroyed session" == 4 and agent:fds() <= busy - 4
    end)
    assert.equal(4, count(agent, "Destroyed session"))
    assert.equal(busy - 4, agent:fds())
    -- Workers leave after a while without work, but for a few that stay, one for each loop among them.
    local most = idle + 2 * (harness.loops or 1)
    local after_one = harness.driver { address = agent.address }
    after_one:must "session a 0"
    after_one:must "say a hello"
    after_one:close()
    process.wait_until(GONE, function () return agent:threads() <= most end)
    assert.is_true(agent:threads() <= most, ("%d threads, %d at first"):format(agent:threads(), idle))
    agent:stop()
  end)

  it("a client was killed within an operation, its session ends with the operation", function ()
    local agent = start_agent()
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:must("resource m memory " .. model)
    driver:must "register m a"
    local fds = agent:fds()
    driver:tell "say a SLEEP 1000"
    agent:says "session:%d+ Image classification"
    driver:kill(signal.SIGKILL)
    local killed = system.now()
    local line = agent:says "Destroyed session 1$"
    assert.is_true(line.at - killed <= 1 + GONE, "one second after the operation's end")
    assert.same({}, still_registered(log))
    process.wait_until(GONE, function () return agent:fds() < fds end)
    assert.is_true(agent:fds() < fds)
    agent:stop()
  end)

  it("the agent was killed, at " .. TIMES .. " random instants, the client knows at once and can go on", function ()
    local agent = start_agent()
    local largest, all = 0, {}
    for i = 1, TIMES do
      local driver = churning(agent.address)
      local killed = system.now()
      agent:kill(signal.SIGKILL)
      local answer = driver:answer()
      local took = answer.at - killed
      largest, all[i] = math.max(largest, took), took
      assert.is_false(answer.ok)
      -- Only a session that was being made has another reason: nobody answers at that address.
      if answer.step ~= "session" then assert.equal(104, answer.code, ("instant %d: %s"):format(i, answer.line)) end
      assert.is_true(#answer.text > 0, ("instant %d has no reason: %s"):format(i, answer.line))
      assert.is_true(took <= LOST, ("instant %d: after %.3f s"):format(i, took))
      agent:wait(5)
      agent = start_agent()
      driver:must "session again 0"
      assert.equal(agent.pid, harness.testimony(driver:must "say again hello").pid)
      driver:must "release again"
      driver:close()
    end
    table.sort(all)
    local median = all[math.ceil(TIMES / 2)]
    assert.is_true(median <= LOST_HALF, ("half of them took up to %.3f s"):format(median))
    print(("crash: a client had its error at most %.1f ms after its agent was killed, %d times")
      :format(largest * 1000, TIMES))
    agent:stop()
  end)

  it("the agent was killed, a session that does nothing has its error at the next call", function ()
    local agent = start_agent()
    local driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:must("resource m memory " .. model)
    driver:must "register m a"
    agent:kill(signal.SIGKILL)
    agent:wait(5)
    driver:must("resource n memory " .. model)
    for _, call in ipairs { "say a hello", "say a hello", "named a " .. model, "load a m", "register n a" } do
      local answer = driver:ask(call)
      assert.equal(104, answer.code, call .. ": " .. answer.line)
      assert.is_true(answer.us / 1e6 <= LOST)
    end
    agent = start_agent()
    assert.equal(104, (driver:fails "say a hello"))
    driver:must "session b 0"
    assert.equal(agent.pid, harness.testimony(driver:must "say b hello").pid)
    driver:must "unregister m a" -- what was lost can be let go of
    driver:must "release a"
    driver:close()
    agent:stop()
  end)
end)
