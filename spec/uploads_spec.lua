--- Uploads from end to end: the rpc plugin, an agent, and what each of them holds and sends meanwhile.
local poll = require "posix.poll"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"
local wire = require "support.wire"

local MIB = 1024 * 1024
--- A sanitizer's own memory is no matter of these figures, and its time is.
local LARGE = harness.sanitize == "" and 1024 * MIB or 64 * MIB
local GROWTH = 64 * MIB
local PATIENCE = 240 * harness.slow

--- A file that is mostly holes, with bytes at places that nobody else's has.
local function sparse(name, size, seed)
  local path = harness.dir .. "/" .. name
  local file = assert(io.open(path, "wb"))
  math.randomseed(seed)
  for at = 0, size - 1, 32 * MIB do
    file:seek("set", at + math.random(0, 4096))
    for _ = 1, 64 do file:write(string.char(math.random(0, 255))) end
  end
  file:seek("set", size - 1)
  file:write "e"
  file:close()
  return path
end

--- What a process holds, shared memory included, but for its mappings of files with such a name.
local function held(pid, resting)
  local total, counts = 0, false
  for line in io.lines(("/proc/%d/smaps"):format(pid)) do
    local kb = line:match "^Pss: +(%d+) kB"
    if kb and counts then total = total + tonumber(kb) * 1024 end
    if line:find "^%x+%-%x+ " then counts = not line:find(resting, 1, true) end
  end
  return total
end

--- Ask a driver for something, and look meanwhile.
local function while_it(driver, command, look)
  local from = #driver.lines + 1
  driver:tell(command)
  process.wait_until(PATIENCE, function ()
    look()
    return #driver:matching("^%u+ ", from) > 0
  end)
  return driver:answer(1)
end

--- Between a driver and an agent: counts what each sends.
local function relay(address)
  local path = harness.dir .. "/relay.sock"
  local self = { address = "unix://" .. path, up = 0, down = 0 }
  local listener = wire.listen(path)
  local ends = {}

  local function pass(from, to)
    local bytes = unistd.read(from, 65536)
    if not bytes or bytes == "" then return 0 end
    local at = 1
    while at <= #bytes do at = at + assert(unistd.write(to, bytes:sub(at))) end
    return #bytes
  end

  function self.turn()
    if not ends.client and poll.rpoll(listener, 0) == 1 then
      ends.client = assert(socket.accept(listener))
      ends.agent = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
      assert(socket.connect(ends.agent, { family = socket.AF_UNIX, path = address:match "^unix://(.*)$" }))
    end
    if not ends.client then return end
    while poll.rpoll(ends.client, 0) == 1 do
      local count = pass(ends.client, ends.agent)
      self.up = self.up + count
      if count == 0 then break end
    end
    while poll.rpoll(ends.agent, 0) == 1 do
      local count = pass(ends.agent, ends.client)
      self.down = self.down + count
      if count == 0 then break end
    end
  end

  function self.close()
    for _, fd in pairs(ends) do unistd.close(fd) end
    unistd.close(listener)
  end

  return self
end

describe("an upload", function ()
  local agent

  before_each(harness.begin)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function serve(options)
    options = options or {}
    options.plugins = "witness"
    options.env = { VACCEL_LOG_LEVEL = harness.VERBOSE }
    agent = harness.agent(options)
  end

  local function connect(address)
    local driver = harness.driver { address = address or agent.address }
    driver:must "session s 0"
    return driver
  end

  --- The only file of the resource of that id.
  local function file_of(id)
    local dir = ("%s/resource.%s"):format(agent:rundir(), id)
    return dir .. "/" .. assert(system.list(dir)[1])
  end

  local function same(a, b) return os.execute(("cmp -s %s %s"):format(a, b)) == 0 end

  it("of 1 GiB grows neither side, and is sent once", function ()
    serve()
    local path = sparse("large.bin", LARGE, 1)
    local first = connect()
    first:must("resource r path " .. path)
    local before = { agent = held(agent.pid, "/content."), driver = held(first.pid, "large.bin") }
    local most = { agent = 0, driver = 0 }
    local answer = while_it(first, "register r s", function ()
      most.agent = math.max(most.agent, held(agent.pid, "/content.") - before.agent)
      most.driver = math.max(most.driver, held(first.pid, "large.bin") - before.driver)
    end)
    assert.is_true(answer.ok, answer.line)
    print(("\n%d MiB: first %.2f s; growth of the agent %.1f MiB, of the client %.1f MiB"):format(LARGE / MIB,
      answer.us / 1e6, most.agent / MIB, most.driver / MIB))
    if harness.sanitize == "" then
      assert.is_true(most.agent < GROWTH, "the agent grew by " .. most.agent)
      assert.is_true(most.driver < GROWTH, "the client grew by " .. most.driver)
    end
    assert.is_true(same(path, file_of(answer.remote)))

    local between = relay(agent.address)
    local second = harness.driver { address = between.address }
    assert.is_true(while_it(second, "session s 0", between.turn).ok)
    second:must("resource r path " .. path)
    local up = between.up
    answer = while_it(second, "register r s", between.turn)
    assert.is_true(answer.ok, answer.line)
    print(("second %.2f s; %d bytes on the wire, %d of them for the resource"):format(answer.us / 1e6,
      between.up + between.down, between.up - up))
    assert.is_true(between.up + between.down < 64 * 1024)
    assert.is_true(same(path, file_of(answer.remote)))
    first:close()
    assert.is_true(same(path, file_of(answer.remote)), "its first holder has gone")
    between.close()
  end)

  it("is what bytes in memory, in a file, in a blob and at a path become, whatever their size", function ()
    serve()
    local driver = connect()
    for _, size in ipairs { 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 1 } do
      local path = sparse("bytes." .. size, size, size)
      for _, how in ipairs { "path", "file", "memory", "blob" } do
        local name = how .. size
        driver:must(("resource %s %s %s"):format(name, how, path))
        local answer = driver:must(("register %s s"):format(name))
        if how == "path" or how == "file" then
          assert.is_true(same(path, file_of(answer.remote)), name)
        else
          assert.same({}, system.list(("%s/resource.%s"):format(agent:rundir(), answer.remote)), name)
        end
        driver:must(("unregister %s s"):format(name))
      end
    end
    driver:close()
  end)

  it("of a directory has a file for each", function ()
    serve()
    local dir = system.mkdir(harness.dir .. "/model")
    for i, size in ipairs { 10, 100000, 2 * MIB } do sparse("model/" .. i .. ".bin", size, i) end
    local driver = connect()
    driver:must("resource r path " .. dir)
    local answer = driver:must "register r s"
    local made = ("%s/resource.%s"):format(agent:rundir(), answer.remote)
    assert.same({ "1.bin", "2.bin", "3.bin" }, system.list(made))
    for _, name in ipairs(system.list(made)) do assert.is_true(same(dir .. "/" .. name, made .. "/" .. name)) end
    driver:close()
  end)

  it("tells its program which limit it exceeds", function ()
    serve { args = { "--limit", "disk-peer=1M" } }
    local driver = connect()
    driver:must("resource r path " .. sparse("large.bin", 2 * MIB, 1))
    local code, reason = driver:fails "register r s"
    assert.equal(12, code)
    assert.matches("limit disk%-peer", reason)
    driver:must("resource q path " .. sparse("small.bin", MIB, 1))
    driver:must "register q s"
    driver:close()
  end)

  it("whose agent goes is a lost session, and the next one anew", function ()
    serve()
    local driver = connect()
    driver:must("resource r path " .. sparse("large.bin", LARGE, 1)) -- long enough to be killed within
    local killed = false
    local answer = while_it(driver, "register r s", function ()
      if not killed and #agent:rundirs() > 1 then
        agent:kill(9)
        killed = true
      end
    end)
    assert.equal(104, answer.code, answer.line)
    agent:wait(5)
    driver:must "release s"
    local again = harness.agent { plugins = "witness", addresses = agent.addresses }
    driver:must "session t 0"
    driver:must "register r t"
    driver:close()
    again:stop()
  end)

  it("waits for nobody: other threads of its process go on", function ()
    serve()
    local driver, other = connect(), connect()
    driver:must("resource r path " .. sparse("large.bin", LARGE / 4, 1))
    local slowest = 0
    local answer = while_it(driver, "register r s", function ()
      slowest = math.max(slowest, other:must("say s hello").us)
    end)
    assert.is_true(answer.ok, answer.line)
    assert.is_true(slowest < 0.2e6 * 10 * harness.slow, slowest .. " us")
    driver:close()
    other:close()
  end)
end)
