--- Short operations run on the thread that has the loop. The one that turns out to be long, after
--- a thousand that were not, holds up nobody but its own session.
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

local SMALL = 0.02 * 10 * harness.slow -- seconds that others may wait; two thousandths are usual
local FAST = 1000
-- Under a sanitizer an operation may take longer than its way to another thread: then all are handed over.
local SURE = harness.sanitize == ""

describe("an operation that used to be short", function ()
  local agent, long, short

  --- Until one is met by the loop's own thread: on a busy machine they are all handed over now and then.
  local function until_taken_over(order)
    local answer, calls
    for _ = 1, SURE and 20 or 3 do
      long:must(("loop a %d 64"):format(FAST))
      local from = #agent.lines + 1
      answer, calls = order()
      local taken_over = process.wait_until(0.2, function ()
        return agent:matching("another thread took over", from)[1]
      end)
      if taken_over then return answer, calls end
      system.sleep(1.1) -- one that was met, and too short for a line, is paid for now
    end
    assert.is_false(SURE, "no operation ran on the loop's thread")
    return answer, calls
  end

  before_each(function ()
    harness.begin()
    agent = harness.agent { plugins = "witness", env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
    long, short = harness.driver { address = agent.address }, harness.driver { address = agent.address }
    long:must "session a 0"
    long:must "session b 0"
    short:must "session a 0"
  end)
  after_each(harness.finish)

  it("delays nobody on another connection", function ()
    local answer, calls = until_taken_over(function ()
      long:tell(("say a SLEEP %d"):format(SMALL * 2500))
      local calls = short:must "loop a 300 64"
      return long:answer(), calls
    end)
    print(("helm: small calls beside it: median %s us, largest %s us"):format(calls.median, calls.max))
    assert.is_true(answer.ok and answer.us / 1e6 >= SMALL * 2.5 - 0.01)
    assert.is_true(tonumber(calls.max) / 1e6 <= SMALL, calls.line)
    agent:stop()
  end)

  it("ends well when the agent is told to stop meanwhile", function ()
    local answer = until_taken_over(function ()
      long:tell "say a SLEEP 100"
      return long:answer()
    end)
    assert.is_true(answer.ok)
    long:must(("loop b %d 64"):format(FAST))
    local from = #agent.lines + 1
    long:tell "say b SLEEP 500"
    agent:says("session:%d+ Image classification", from)
    agent:stop()
    assert.is_true(long:answer().ok)
  end)
end)
