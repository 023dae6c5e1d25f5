--- What the guides print: noop behind the agent, with the variables' older names, both sides.
local golden = require "support.golden"
local harness = require "support.harness"
local process = require "support.process"

describe("the transcript of the guides", function ()
  local agent, address, image, guest_env
  local size = 79281

  before_each(function ()
    harness.begin()
    address = "unix://" .. harness.dir .. "/vaccel.sock"
    image = harness.file("image.jpg", ("x"):rep(size))
    agent = harness.agent {
      addresses = { address },
      env = { VACCEL_BACKENDS = "libvaccel-noop.so", VACCEL_DEBUG = "4" },
    }
    guest_env = { VACCEL_BACKENDS = "libvaccel-vsock.so", VACCEL_VSOCK = address }
  end)
  after_each(harness.finish)

  local function classify()
    local guest = harness.run({ harness.bin "classify", image, "1" }, { env = guest_env })
    assert.same({ how = "exited", code = 0 }, guest.status, guest:text())
    return guest
  end

  local function agent_lacks()
    return golden.missing(golden.patterns "noop-agent.txt", agent:text "err")
      or golden.missing(golden.patterns "noop-plugin.txt", agent:text "out")
  end

  it("is the guest's", function ()
    local guest = classify()
    assert.is_nil(golden.missing(golden.patterns "noop-guest.txt", guest:text "out"), guest:text())
  end)

  it("names the variables that took the place of the older names", function ()
    local said = "Warning: VACCEL_BACKENDS is deprecated. Use VACCEL_PLUGINS instead."
    local guest = classify()
    assert.truthy(guest:text("err"):find(said, 1, true), guest:text())
    assert.truthy(agent:text("err"):find(said, 1, true), agent:text())
  end)

  it("is the agent's, while it runs", function ()
    classify()
    process.wait_until(5 * harness.slow, function () return not agent_lacks() end)
    assert.is_nil(agent_lacks(), agent:text())
    assert.is_nil(agent.status)
  end)

  it("comes line by line, as things happen", function ()
    local guest = harness.driver { plugins = "vsock", env = { VACCEL_VSOCK = address } }
    assert.equal("1", guest:must("session a 0").id)
    agent:says "Created session 1$"
    assert.equal(0, #agent:matching "%[noop%] Calling")
    guest:must("classify a " .. image)
    agent:says "%[noop%] will return a dummy result$"
    assert.equal(0, #agent:matching "Destroyed session")
    guest:must "release a"
    agent:says "Destroyed session 1$"
    guest:close()
  end)

  it("is the agent's, complete when it has been told to stop", function ()
    classify()
    agent:stop()
    assert.is_nil(agent_lacks(), agent:text())
  end)

  it("has no colours where there is no terminal", function ()
    local guest = classify()
    agent:stop()
    assert.is_nil((agent:text() .. guest:text()):find "\27")
  end)

  it("counts sessions on", function ()
    classify()
    classify()
    agent:says "Created session 2$"
    agent:says "Destroyed session 2$"
  end)
end)
