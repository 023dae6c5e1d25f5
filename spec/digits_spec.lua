--- Real images through a real network: Python, the plugin in process, the agent over unix and tcp.
local ffi = require "ffi"
local harness = require "support.harness"
local system = require "support.system"

local data = harness.data

--- Each way to run the torch plugin: a name, and what makes a driver.
local function ways(agent)
  return {
    { "in process", function () return harness.driver { plugins = "torch" } end },
    { "over unix", function () return harness.driver { address = agent.addresses[1] } end },
    { "over tcp", function () return harness.driver { address = agent.addresses[2] } end },
  }
end

local function words(text)
  local found = {}
  for word in text:gmatch "%S+" do found[#found + 1] = word end
  return found
end

--- The labels that the held-out set itself has: u32 size, u8 label, image, and so on.
local function truth()
  local bytes = system.read(data .. "/heldout.bin")
  local labels, at = {}, 1
  while at <= #bytes do
    local a, b, c, d, label = bytes:byte(at, at + 4)
    labels[#labels + 1] = tostring(label)
    at = at + 5 + a + 256 * (b + 256 * (c + 256 * d))
  end
  return labels
end

local function floats(bytes)
  local count = #bytes / 4
  local values = ffi.new("float[?]", count)
  ffi.copy(values, bytes, #bytes)
  return values, count
end

--- The largest difference between two files of float32.
local function difference(path_a, path_b)
  local a, count = floats(system.read(path_a))
  local b, count_b = floats(system.read(path_b))
  assert.equal(count, count_b)
  assert.is_true(count > 0)
  local largest = 0
  for i = 0, count - 1 do
    local d = math.abs(a[i] - b[i])
    if d > largest or d ~= d then largest = d end
    if d ~= d then break end -- a NaN, which no comparison lets through
  end
  return largest
end

describe("torch", function ()
  local why = harness.lacks "torch python"
  if why then return pending(why) end

  local agent

  before_each(function ()
    harness.begin()
    agent = harness.agent {
      plugins = "torch",
      addresses = { "unix://" .. harness.dir .. "/agent.sock", harness.free_tcp() },
    }
  end)
  after_each(harness.finish)

  it("gives every held-out digit the label that Python gives, three ways", function ()
    local python = words(harness.python("classify", data .. "/digits.pt", data .. "/heldout.bin"):text "out")
    local right = truth()
    assert.equal(#right, #python)
    assert.is_true(#right >= 400)
    for _, way in ipairs(ways(agent)) do
      local driver = way[2]()
      driver:must "session s 0"
      driver:must("resource m path " .. data .. "/digits.pt")
      driver:must "register m s"
      local labels = words(driver:must("heldout s " .. data .. "/heldout.bin").text)
      assert.same(python, labels, way[1])
      local count = 0
      for i, label in ipairs(labels) do if label == right[i] then count = count + 1 end end
      print(("digits %s: %d of %d right, %.2f %%"):format(way[1], count, #right, 100 * count / #right))
      assert.is_true(count / #right >= 0.97, way[1])
      driver:close()
    end
    agent:stop()
  end)

  it("names the digit of every image that is shown, PNG and JPEG", function ()
    local shown = system.list(data .. "/images")
    assert.is_true(#shown >= 20)
    for _, way in ipairs(ways(agent)) do
      local driver = way[2]()
      driver:must "session s 0"
      driver:must("resource m path " .. data .. "/digits.pt")
      driver:must "register m s"
      for _, name in ipairs(shown) do
        local digit = name:match "^digit%-(%d)"
        if digit then
          local answer = driver:must(("classify s %s/images/%s"):format(data, name))
          assert.equal(digit, answer.text:match "^%d+", way[1] .. " " .. name)
        end
      end
      driver:close()
    end
    agent:stop()
  end)

  it("runs a model of random weights on random input as Python does, to 1e-5, three ways", function ()
    local seed = tostring(tonumber(os.getenv "LUACCEL_SEED") or os.time())
    local made = harness.dir .. "/random"
    harness.python("make-random", seed, made)
    local largest = 0
    for _, way in ipairs(ways(agent)) do
      local driver = way[2]()
      driver:must "session s 0"
      for _, kind in ipairs { "path", "memory", "file", "blob" } do
        driver:must(("resource m %s %s/model.pt"):format(kind, made))
        driver:must "register m s"
        driver:must "load s m"
        for line in system.read(made .. "/runs.txt"):gmatch "[^\n]+" do
          local files = words(line) -- INPUT:DIMS OUTPUT:DIMS OUTPUT:DIMS
          local input, dims = files[1]:match "^(.+):(.+)$"
          local out = harness.dir .. "/out"
          local answer = driver:must(("run s m %s/%s %s %d %s"):format(made, input, dims, #files - 1, out))
          local shapes = {}
          for i = 2, #files do
            local expected, shape = files[i]:match "^(.+):(.+)$"
            shapes[i - 1] = "type 7 " .. shape
            local off = difference(made .. "/" .. expected, out .. (i - 2))
            assert.is_true(off <= 1e-5, ("%s, %s, seed %s, %s: off by %g"):format(way[1], kind, seed, expected, off))
            largest = math.max(largest, off)
          end
          assert.equal(table.concat(shapes, ", "), answer.text)
        end
        driver:must "unregister m s"
        driver:must "drop m"
      end
      driver:must "release s"
      driver:close()
    end
    print(("torch: at most %g from what Python computes, seed %s"):format(largest, seed))
    agent:stop()
  end)

  it("names random images as Python does with random weights, three ways", function ()
    local seed = tostring(tonumber(os.getenv "LUACCEL_SEED") or os.time() + 1)
    local made = harness.dir .. "/random"
    harness.python("make-random", seed, made)
    for _, way in ipairs(ways(agent)) do
      local driver = way[2]()
      driver:must "session s 0"
      driver:must(("resource m path %s/model.pt"):format(made))
      driver:must "register m s"
      for line in system.read(made .. "/images.txt"):gmatch "[^\n]+" do
        local file, label = line:match "^(%S+) (.*)$"
        local answer = driver:must(("classify s %s/%s"):format(made, file))
        assert.equal(label, answer.text:sub(1, #label), ("%s, seed %s, %s"):format(way[1], seed, file))
      end
      driver:close()
    end
    agent:stop()
  end)
end)
