--- Ids that are another connection's, in every field of every method: they are unknown, whatever
--- connection asks, of the same user, another user's listener or another agent's past, and their
--- owner does not notice.
local harness = require "support.harness"
local upload = require "support.upload"
local wire = require "support.wire"

local FLOAT = wire.tensor { data = wire.numbers("float", 1), dims = { 1 } }
local TORCH = wire.tensor { data = wire.numbers("float", 1), dims = { 1 }, type = 7 }

--- Each method with the ids that it names: a session, a resource, a model; what it says of one that
--- is not there.
local METHODS = {
  { "UpdateSession", "session", function (s) return wire.int(1, s) .. wire.int(2, 1) end },
  { "DestroySession", "session", function (s) return wire.int(1, s) end },
  { "RegisterResource", "session", function (s) return wire.register(s, { wire.blob("m", "bytes") }) end },
  { "RegisterResource", "session resource",
    function (s, r) return wire.int(3, wire.MODEL) .. wire.int(4, r) .. wire.int(5, s) end },
  { "UnregisterResource", "session resource", function (s, r) return wire.int(1, r) .. wire.int(2, s) end },
  { "SyncResource", "resource", function (_, r) return wire.int(1, r) end },
  { "ImageClassification", "session", function (s) return wire.image(s, "x") end },
  { "Genop", "session", function (s) return wire.genop(s, wire.OP.NOOP) end },
  { "GenopStream", "session", function (s) return wire.genop(s, wire.OP.NOOP) end, stream = true },
  { "Upload", "session", function (s)
    return wire.bytes(1, wire.int(1, s) .. wire.int(2, wire.MODEL) .. wire.bytes(3, upload.blob { size = 5 }))
  end, stream = true, service = upload.PEER },
  { "GetProfiler", "session", function (s) return wire.int(1, s) end, empty = true },
  { "TensorflowModelLoad", "session model", wire.model },
  { "TensorflowModelUnload", "session model", wire.model },
  { "TensorflowModelRun", "session model",
    function (s, m) return wire.tf_run(s, m, { from = { "x" }, to = { "y" }, tensors = { FLOAT } }) end },
  { "TensorflowLiteModelLoad", "session model", wire.model },
  { "TensorflowLiteModelUnload", "session model", wire.model },
  { "TensorflowLiteModelRun", "session model", function (s, m) return wire.tflite_run(s, m, { FLOAT }, 1) end },
  { "TorchModelLoad", "session model", wire.model },
  { "TorchModelRun", "session model", function (s, m) return wire.torch_run(s, m, { TORCH }, 1) end },
}
local REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4
--- What names nothing that could be another's.
local WITHOUT_IDS = { CreateSession = true, Hello = true }

describe("another connection's", function ()
  local agent, owner, session, resource

  setup(function ()
    harness.begin()
    agent = harness.agent { plugins = "witness",
      addresses = { "unix://" .. harness.dir .. "/agent.sock", "unix://" .. harness.dir .. "/other.sock" } }
    owner = wire.connect(agent.address)
    session = owner:session()
    resource = owner:call("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
    assert.equal(0, owner:call("TorchModelLoad", wire.model(session, resource)).code)
  end)
  teardown(function ()
    wire.close_all()
    agent:stop()
    harness.finish()
  end)

  local function ask(peer, method, s, r)
    if method.service then assert.equal(0, peer:call("Hello", wire.int(1, 1), method.service).code) end
    peer.stream = peer.stream + 2
    peer:send(wire.frame { stream = peer.stream, type = wire.REQUEST, flags = method.stream and REMOTE_OPEN,
      body = wire.request(method.service or wire.ASYNC, method[1], method[3](s, r)) })
    if method.stream then
      peer:send(wire.frame { stream = peer.stream, type = wire.DATA, flags = REMOTE_CLOSED + NO_DATA, body = "" })
    end
    local response = wire.response(assert(peer:receive(), "it hung up"))
    response.empty = method.empty
    return response
  end

  --- As the original, there is a method that says nothing of what it does not know.
  local function is_unknown(response, what)
    if response.empty then
      assert.same({ 0, "" }, { response.code, response.payload })
      return
    end
    assert.equal(wire.NOT_FOUND, response.code, what .. ": " .. response.message)
    assert.matches("^Unknown %a", response.message)
    assert.is_nil(response.detail)
  end

  for _, method in ipairs(METHODS) do
    it(("%s, in %s"):format(method[2]:gsub(" ", " and "), method[1]), function ()
      for _, address in ipairs(agent.addresses) do
        local peer = wire.connect(address)
        local own = peer:session()
        local mine = peer:call("RegisterResource", wire.register(own, { wire.blob("m", "mine") })).fields[1][1]
        if method[2]:find "session" then is_unknown(ask(peer, method, session, mine), "session") end
        if method[2]:find "resource" or method[2]:find "model" then
          is_unknown(ask(peer, method, own, resource), "resource")
        end
        is_unknown(ask(peer, method, session, resource), "all")
        -- And the same of one that is no more: nobody is told that it was there.
        local gone = wire.connect(address)
        local past = gone:session()
        assert.equal(0, gone:call("DestroySession", wire.int(1, past)).code)
        if method[2]:find "session" then is_unknown(ask(peer, method, past, mine), "past") end
        gone:close()
        assert.equal(0, peer:call("ImageClassification", wire.image(own, "x")).code)
        peer:close()
      end
      assert.equal(0, owner:call("TorchModelRun", wire.torch_run(session, resource, { TORCH }, 1)).code)
      assert.equal(0, owner:call("SyncResource", wire.int(1, resource)).code)
    end)
  end

  it("ids: every method of the agent is in the table", function ()
    local known, count = {}, 0
    for _, method in ipairs(METHODS) do known[method[1]] = true end
    -- control.c is the operator's, whose ids are everybody's.
    local sources = io.popen("cat $(ls " .. harness.source .. "/agent/*.c | grep -v /control[.]c)")
    local text = sources:read "*a"
    sources:close()
    for name in text:gmatch '\n\t{ "(%u%w+)",%s+[&N][%w_]+,%s+[%w_]+ },' do
      assert.is_true(known[name] or WITHOUT_IDS[name] or false, name .. " is not in the table")
      count = count + 1
    end
    assert.is_true(count >= 18, count .. " methods found")
  end)
end)
