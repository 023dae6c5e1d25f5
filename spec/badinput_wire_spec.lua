--- Sends the rows of badinput_wire.lua: each has its answer, and the agent lives on, holding nothing
--- that it did not hold before.
local harness = require "support.harness"
local process = require "support.process"
local rows = require "badinput_wire"
local system = require "support.system"
local wire = require "support.wire"

for _, plugin in ipairs { "noop", "witness" } do
  describe("bad messages to " .. plugin .. ":", function ()
    local agent, peer, other, ids, fds

    lazy_setup(function ()
      harness.begin()
      agent = harness.agent { plugins = plugin, env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
      fds = agent:fds()
    end)
    lazy_teardown(function ()
      wire.close_all()
      agent:stop()
      harness.finish()
    end)

    local function register(on, session, kind)
      local response = on:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") }, kind))
      assert.equal(0, response.code, response.message)
      return response.fields[1][1]
    end

    --- Peers of a row's own: their sessions and resources go with them.
    before_each(function ()
      peer, other = wire.connect(agent.address), wire.connect(agent.address)
      ids = { session = peer:session(), other = peer:session(), theirs = other:session() }
      ids.model, ids.loose = register(peer, ids.session), register(peer, ids.other)
      ids.data = register(peer, ids.session, wire.RESOURCE_DATA)
      ids.their_model = register(other, ids.theirs)
    end)
    after_each(function ()
      peer:close()
      other:close()
      assert.is_true(system.poll(5 * harness.slow, function ()
        process.pump(0) -- it says a lot, and would wait for a reader
        return agent:fds() == fds and #agent:rundirs() == 0
      end), "the agent holds something")
    end)

    local function check(row, response)
      local failure = wire.failure(response)
      local said = ("%d %s"):format(response.code, response.message)
      if row.status then
        assert.equal(row.status, response.code, said)
        assert.is_nil(failure)
      elseif row.code == 0 then
        assert.equal(0, response.code, said)
      elseif row.code then
        assert.equal(row.code, assert(failure, said).code, said)
        assert.is_true(failure.kind <= 1, said)
      elseif row.kind then
        assert.equal(row.kind, assert(failure, said).kind, said)
      end
      if row.text then assert.matches(row.text, response.message) end
    end

    for _, row in ipairs(rows) do
      it(row.input, function ()
        local payload = type(row.payload) == "function" and row.payload(ids) or row.payload
        check(row, peer:call(row.method, payload))
        local after = peer:call("UpdateSession", wire.int(1, ids.session))
        assert.equal(0, after.code, after.message)
        assert.equal(0, other:call("ImageClassification", wire.image(ids.theirs, "hello")).code)
      end)
    end

    it("all of them were sent", function () assert.is_true(#rows > 150, #rows .. " rows") end)
  end)
end
