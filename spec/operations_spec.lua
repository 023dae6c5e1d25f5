--- Every operation, locally with noop and through the agent with noop: the same bytes of every
--- output, called directly and through vaccel_genop(); and what is refused.
local ffi = require "ffi"
local harness = require "support.harness"
local wire = require "support.wire"

local EPERM, EINVAL, ENOTSUP = 1, 22, 95

--- The bytes of values of a C type, in hex, as the driver writes them.
local function hex(ctype, values)
  local array = ffi.new(ctype .. "[?]", #values, values)
  local bytes = ffi.string(array, ffi.sizeof(array))
  return (bytes:gsub(".", function (byte) return ("%02x"):format(byte:byte()) end))
end

--- A buffer of the driver's that an operation wrote a text into.
local function text(written, size)
  local bytes = { (written .. "\0" .. ("Z"):rep(size)):byte(1, size) }
  return hex("unsigned char", bytes)
end

local A, B = { 1, 2, 3, 4, 5 }, { 10, 20, 30, 40, 50 }
local INPUT = hex("char", { ("sixteen letters\0"):byte(1, -1) })
local NAME, TAGS = text("This is a dummy imgname!", 32), text("This is a dummy classification tag!", 48)
local STATUS = "0:Operation handled by noop plugin"

--- What the driver's tensors are, as they come back: noop answers with its inputs. The second has
--- the first five values of the driver's b.
local function tensors(first_type, second_type)
  return ("%d:1,5:%s %d:1,5:%s"):format(first_type, hex("float", A), second_type, hex("float", B))
end

--- One operation and what noop writes. `res`: the resource that it takes; ways: "direct",
--- "generic" (in vaccel_genop) or both.
local OPERATIONS = {
  { "exec", ways = "direct generic", wrote = INPUT },
  { "exec_with_resource", ways = "direct generic", res = "library", wrote = INPUT },
  { "image_classify", ways = "direct generic", wrote = NAME .. " " .. TAGS },
  { "image_detect", ways = "direct generic", wrote = NAME },
  { "image_segment", ways = "direct generic", wrote = NAME },
  { "image_pose", ways = "direct generic", wrote = NAME },
  { "image_depth", ways = "direct generic", wrote = NAME },
  { "tf_model_load", ways = "direct", res = "model", wrote = STATUS },
  { "tf_model_run", ways = "direct", res = "model", wrote = tensors(1, 3) .. " " .. STATUS },
  { "tf_model_unload", ways = "direct", res = "model", wrote = STATUS },
  { "tflite_model_load", ways = "direct", res = "model", wrote = "" },
  { "tflite_model_run", ways = "direct", res = "model", wrote = tensors(1, 2) .. " 0" },
  { "tflite_model_unload", ways = "direct", res = "model", wrote = "" },
  { "torch_model_load", ways = "direct", res = "model", wrote = "" },
  { "torch_model_run", ways = "direct", res = "model", wrote = tensors(7, 4) },
  { "blas_sgemm", ways = "direct generic", wrote = ("5a"):rep(32) },
  { "fpga_arraycopy", ways = "direct generic", wrote = hex("int", { 1, -2, 3, -4 }) },
  { "fpga_mmult", ways = "direct generic", wrote = hex("float", { 9.1, 9.1, 9.1, 9.1 }) },
  { "fpga_parallel", ways = "direct generic",
    wrote = hex("float", { 11, 22, 33, 44, 55 }) .. " " .. hex("float", { 1, 1, 1, 1, 1 }) },
  { "fpga_vectoradd", ways = "direct generic", wrote = hex("float", { 11, 22, 33, 44, 55 }) },
  { "minmax", ways = "direct generic",
    wrote = hex("double", { 5, -6, 7 }) .. " " .. hex("double", { -1 }) .. " " .. hex("double", { 10000 }) },
  { "opencv", ways = "generic",
    wrote = hex("size_t", { 24 / 4 }) .. ("5a"):rep(16) .. " " .. hex("size_t", { 64 / 4 }) .. ("5a"):rep(56) },
}

--- A driver with a session and the resources that operations take.
local function ready(options)
  local driver = harness.driver(options)
  driver:must "session s 0"
  driver:must("resource model path " .. harness.file("model.bin", "not really a model"))
  driver:must "register model s"
  return driver
end

local function with_library(driver)
  driver:must("resource library library " .. harness.file("libmine.so", "not really a library"))
  driver:must "register library s"
  return driver
end

local function command(operation, way)
  return ("every %s s %s %s"):format(operation[1], way, operation.res or "-")
end

describe("every operation", function ()
  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  it("writes the same bytes locally and through the agent, directly and generic", function ()
    local agent = harness.agent { plugins = "noop", args = { "--allow", "exec,lib" } }
    local here = with_library(ready { plugins = "noop" })
    local there = with_library(ready { address = agent.address })
    local compared = 0
    for _, operation in ipairs(OPERATIONS) do
      for way in operation.ways:gmatch "%S+" do
        local ask = command(operation, way)
        local locally, through = here:must(ask), there:must(ask)
        assert.equal(operation.wrote, locally.text, ask .. ", locally")
        assert.equal(locally.text, through.text, ask .. ", through the agent")
        compared = compared + 1
      end
    end
    assert.equal(35, compared)
    -- for its tags alone a classification has a method of its own
    local ask = "classify s " .. harness.file("image", "an image")
    assert.equal("This is a dummy classification tag!", here:must(ask).text)
    assert.equal(here:must(ask).line:match "hash=.*", there:must(ask).line:match "hash=.*")
    here:close()
    there:close()
    agent:stop()
  end)

  it("of which noop is one that only our own peers send", function ()
    local agent = harness.agent { plugins = "noop", env = { VACCEL_LOG_LEVEL = harness.VERBOSE } }
    local driver = ready { address = agent.address }
    driver:must "noop s"
    agent:says "%[noop%] Calling no%-op for session %d+$"
    driver:close()

    -- who said no Hello gets what vAccel's agents say
    local peer = wire.connect(agent.address)
    local answer = peer:call("Genop", wire.genop(peer:session(), wire.OP.NOOP))
    assert.equal(EINVAL, wire.failure(answer).code)
    agent:stop()
  end)

  it("without a remote form is ENOTSUP, and says which", function ()
    local agent = harness.agent { plugins = "noop" }
    local driver = ready { address = agent.address }
    local code, reason = driver:fails "every torch_sgemm s direct -"
    assert.equal(ENOTSUP, code)
    assert.matches("plugin rpc does not implement torch_sgemm", reason, 1, true)
    driver:close()
    agent:stop()
  end)

  it("that the agent's backend has not is ENOTSUP, and says which", function ()
    local agent = harness.agent { plugins = "exec" }
    local driver = ready { address = agent.address }
    for _, operation in ipairs(OPERATIONS) do
      if not operation[1]:find "^exec" then
        local code, reason = driver:fails(command(operation, operation.ways:match "%S+"))
        assert.equal(ENOTSUP, code, operation[1])
        assert.matches("plugin exec does not implement " .. operation[1], reason, 1, true)
      end
    end
    driver:close()
    agent:stop()
  end)

  it("that needs --allow is EPERM without it, and says which word to allow", function ()
    local agent = harness.agent { plugins = "noop" }
    local driver = ready { address = agent.address }
    driver:must("resource library library " .. harness.file("libmine.so", "not really a library"))
    local code, reason = driver:fails "register library s"
    assert.equal(EPERM, code)
    assert.matches("--allow lib", reason, 1, true)
    code, reason = driver:fails "every exec s direct -"
    assert.equal(EPERM, code)
    assert.matches("--allow exec", reason, 1, true)
    -- a URL travels as it is, for the agent to fetch
    driver:must "resource remote path http://127.0.0.1:9/model.pt"
    code, reason = driver:fails "register remote s"
    assert.equal(EPERM, code)
    assert.matches("--allow url", reason, 1, true)
    -- the session goes on
    driver:must "every image_pose s direct -"
    driver:close()
    agent:stop()
  end)

  it("of a model that the session has not is EPERM before anything is sent", function ()
    local agent = harness.agent { plugins = "noop" }
    local driver = ready { address = agent.address }
    driver:must "unregister model s"
    for _, operation in ipairs(OPERATIONS) do
      if operation.res == "model" then
        assert.equal(EPERM, (driver:fails(command(operation, "direct"))), operation[1])
        assert.equal(EINVAL, (driver:fails(("every %s s direct -"):format(operation[1]))), operation[1])
      end
    end
    driver:close()
    agent:stop()
  end)
end)
