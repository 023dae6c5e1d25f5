--- containerd's own ttrpc, in Go (go/), as client of our server and of the agent, and as server of
--- our client. Its versions are pinned by go.mod and go.sum; Go fetches them when it first builds.
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

describe("containerd's ttrpc", function ()
  local why = harness.lacks "go"
  if why then return pending(why) end

  local goport = harness.build .. "/spec/goport"

  setup(function ()
    local build = ("cd %s/spec/interop/go && GOTOOLCHAIN=local GOFLAGS=-mod=readonly /usr/bin/go build -o %s . 2>&1")
      :format(harness.source, goport)
    local pipe = assert(io.popen(build .. "; echo status $?"))
    local said = pipe:read "*a"
    pipe:close()
    assert(said:find "status 0\n$", "goport cannot be built:\n" .. said)
  end)

  before_each(harness.begin)
  after_each(harness.finish)

  local function start(argv, env)
    return process.spawn(argv, { name = argv[1]:match "[^/]*$", env = harness.env(env), cwd = harness.dir })
  end

  --- Each case that it ran says `ok`.
  local function all_ok(p, count)
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
    assert.equal(count, #p:matching "^ok ", p:text())
    assert.equal(0, #p:matching "^not ok ", p:text())
  end

  it("calls our server: unary, streams of each kind, oversize, deadline, metadata, malformed", function ()
    local server = start { harness.bin "interop-serve" }
    local _, address = server:expect("^serving (.*)$", 10 * harness.slow)
    all_ok(harness.run({ goport, "call", address }, { seconds = 200 * harness.slow }), 22)
    server:close_stdin()
    assert.same({ how = "exited", code = 0 }, server:wait(10 * harness.slow), server:text())
  end)

  it("calls the agent: both services, and GenopStream", function ()
    local agent = harness.agent { plugins = "noop" }
    all_ok(harness.run({ goport, "agent", agent.address }, { seconds = 100 * harness.slow }), 6)
    agent:stop()
  end)

  it("serves our client: unary, streams of each kind, oversize, deadline, malformed", function ()
    local address = "unix://" .. harness.dir .. "/go.sock"
    local server = start { goport, "serve", address }
    server:expect("^serving$", 10 * harness.slow)
    local calls = harness.run({ harness.bin "interop-calls" },
      { env = { INTEROP_ADDRESS = address }, seconds = 100 * harness.slow })
    assert.same({ how = "exited", code = 0 }, calls.status, calls:text())
    assert.equal(9, #calls:matching "^%[       OK %]", calls:text())
    server:close_stdin()
    assert.same({ how = "exited", code = 0 }, server:wait(10 * harness.slow), server:text())
  end)

  it("writes what was recorded of it", function ()
    local folder = system.mkdir(harness.dir .. "/recordings")
    local recorder = harness.run { goport, "record", folder }
    assert.same({ how = "exited", code = 0 }, recorder.status, recorder:text())
    local names = system.list(folder)
    assert.equal(16, #names)
    for _, name in ipairs(names) do
      -- protobuf's words for what is malformed vary on purpose
      if name ~= "malformed.server" then
        assert.equal(system.read(harness.source .. "/spec/interop/recordings/" .. name),
          system.read(folder .. "/" .. name), name .. " is another: goport record spec/interop/recordings")
      end
    end
  end)
end)
