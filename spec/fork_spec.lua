--- A program that forks: the child has a connection of its own, the parent keeps what it has.
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

--- What the child answered, in order.
local function child_answers(driver)
  local found = {}
  for _, line in ipairs(driver:matching "^CHILD ") do found[#found + 1] = line.text:sub(#"CHILD " + 1) end
  return found
end

describe("a forked child", function ()
  local agent, driver

  before_each(function ()
    harness.begin()
    agent = harness.agent { plugins = "witness" }
    driver = harness.driver { address = agent.address }
    driver:must "session a 0"
    driver:must "say a hello"
  end)
  after_each(harness.finish)

  it("is told that the parent's sessions are not its own, and can let go of them", function ()
    assert.equal("0", driver:must("fork say a hello ; loop a 3 64 ; release a").status)
    local answers = child_answers(driver)
    assert.equal(3, #answers)
    assert.matches("^ERR 104 .*forked", answers[1])
    assert.matches("^ERR 104 .*forked", answers[2])
    assert.matches("^OK ", answers[3])
    driver:must "say a hello"
    assert.equal(0, #agent:matching "Destroyed session 1$")
  end)

  it("can have a session, over a connection of its own", function ()
    local fds = agent:fds()
    assert.equal("0", driver:must("fork session b 0 ; say b hello ; release b").status)
    local answers = child_answers(driver)
    assert.equal(3, #answers)
    assert.matches("^OK .* id=%d+ remote=2 ", answers[1])
    assert.matches(("^OK .* text=pid=%d n=2 hash="):format(agent.pid), answers[2])
    assert.matches("^OK ", answers[3])
    process.wait_until(5 * harness.slow, function () return agent:fds() == fds end)
    assert.equal(fds, agent:fds())
  end)

  it("leaves the parent's session, connection and run directory alone when it exits", function ()
    local rundir = driver:must "rundir".text
    assert.is_true(system.exists(rundir))
    local before = system.tree(rundir)
    for _ = 1, 3 do
      driver:must "fork session b 0 ; say b hello"
      driver:must "fork rundir"
    end
    assert.same(before, system.tree(rundir))
    assert.equal(agent.pid, harness.testimony(driver:must "say a hello").pid)
    assert.equal(0, #agent:matching "Destroyed session 1$")
    driver:must "release a"
    driver:close()
    assert.is_false(system.exists(rundir), "the parent removes its own")
    agent:stop()
  end)

  it("of a program with a plugin in process leaves its run directory alone", function ()
    local here = harness.driver { plugins = "witness" }
    here:must "session a 0"
    local rundir = here:must "rundir".text
    local before = system.tree(rundir)
    assert.equal("0", here:must("fork rundir").status)
    assert.same(before, system.tree(rundir))
    assert.equal(here.pid, harness.testimony(here:must "say a hello").pid)
    here:must "release a"
    here:close()
    assert.is_false(system.exists(rundir), "the parent removes its own")
  end)
end)
