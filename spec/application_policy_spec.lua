--- VACCEL_POLICY: a program's own policy, asked in its own process. Witnesses say where a call ran.
local harness = require "support.harness"
local system = require "support.system"

--- Scripts that want other things of an operation's size.
local REFUSED, ENDLESS = 1001, 1002

local POLICY = ([[
backends { gone = plugin "absent", shut = plugin "refuse" }
local admitted, nobody = 0, "no" .. "body"
policy {
  name = "own", api = 1, on_error = "reject",
  session_route = function (s)
    assert(s.peer.pid > 0 and s.peer.uid and s.peer.transport == nil)
    if s.hint == 1 then return route { "gone", "shut", "witness2" } end
    if s.hint == 2 then return reject { code = "EBUSY", reason = "not today" } end
    if s.hint == 4 then return route "gone" end
    if s.hint == 8 then return route(nobody) end
    s.tags.seen = s.id
  end,
  op_admit = function (op)
    admitted = admitted + 1
    assert(op.id == nil)
    if op.bytes_in == %d then return reject("too odd") end
    if op.bytes_in == %d then while true do end end
    if op.session.tags.seen then assert(op.session.tags.seen == op.session.id) end
  end,
  op_done = function (op, result)
    log(("done %%s on %%s: %%d, %%s"):format(op.name, result.backend, result.code, tostring(result.bytes_out)))
  end,
  session_close = function (s) log(("closed %%s after %%d"):format(tostring(s.backend), admitted)) end,
}
]]):format(REFUSED, ENDLESS)

describe("an application's policy", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  --- A driver with the witnesses in its own process.
  local function driver(text, env)
    env = env or {}
    env.VACCEL_POLICY = harness.file("own.lua", text)
    env.VACCEL_LOG_LEVEL = "2"
    return harness.driver { plugins = "witness witness2 mute", env = env }
  end

  local function served_by(p, session)
    return harness.testimony(p:must("fill " .. session .. " 100")).plugin
  end

  it("leaves the plugin to the hint when it says nothing", function ()
    local p = driver(POLICY)
    p:must "session s 0"
    assert.equal("witness", served_by(p, "s"))
    p:close()
  end)

  it("remembers plans for the process", function ()
    local p = driver [[
local asked = 0
policy {
  name = "own", api = 1, on_error = "reject",
  session_route = function (s)
    asked = asked + 1
    return route { asked == 1 and "witness2" or "witness", uses = 2 }
  end,
}]]
    for _, plugin in ipairs { "witness2", "witness2", "witness2", "witness" } do
      p:must "session s 0"
      assert.equal(plugin, served_by(p, "s"))
      p:must "release s"
    end
    p:close()
  end)

  it("looks at resources before they are loaded", function ()
    local p = driver [[
policy {
  name = "own", api = 1, on_error = "reject",
  resource_admit = function (s, res)
    log(("%s: %s %d %s %s"):format(s.backend, res.type, #res.names, res.names[1], tostring(res.bytes)))
    assert(s.id and res.id)
    if res.bytes == 5 or not res.bytes then return reject("not that one", "EBUSY") end
  end,
}]]
    p:must "session s 0"
    for name, bytes in pairs { five = "bytes", four = "byte" } do
      p:must(("resource %s blob %s"):format(name, harness.file(name, bytes)))
    end
    p:must "register four s"
    local code, reason = p:fails "register five s"
    assert.equal(16, code)
    assert.equal("refused by policy own (own.lua:6): not that one", reason)
    p:must("resource file path " .. harness.dir .. "/four")
    assert.equal(16, (p:fails "register file s"))
    p:expect("witness: model 1 blob%.bin 4$", 5)
    p:expect("witness: model 1 /.*/four nil$", 5)
    p:close()
  end)

  it("has a plan: what is down or refuses is passed by", function ()
    local p = driver(POLICY)
    p:must "session s 1"
    assert.equal("witness2", served_by(p, "s"))
    local code, why = p:fails "session t 4"
    assert.equal(19, code) -- ENODEV
    assert.matches("^no backend can serve the session: gone:down: .*libvaccel%-absent.so", why)
    p:close()
  end)

  it("takes a session to the agent that it names, one of several", function ()
    local far = harness.agent { plugins = "witness" }
    local near = harness.agent { plugins = "witness2", addresses = { "unix://" .. harness.dir .. "/near.sock" } }
    local p = driver(([[
backends { far = remote "%s", near = remote "%s", none = remote "unix:///none.sock" }
policy {
  name = "own", api = 1, on_error = "reject",
  session_route = function (s)
    return s.hint == 1 and route { "none", "far" } or s.hint == 2 and route "none" or route "near"
  end,
  session_close = function (s) log("closed " .. s.backend) end,
}]]):format(far.address, near.address))
    p:must "session a 1"
    p:must "session b 0"
    local a, b = harness.testimony(p:must "fill a 100"), harness.testimony(p:must "fill b 100")
    assert.same({ far.pid, "witness" }, { a.pid, a.plugin })
    assert.same({ near.pid, "witness2" }, { b.pid, b.plugin })
    local code, why = p:fails "session c 2"
    assert.equal(71, code) -- EBACKEND
    assert.matches("^cannot reach the agent at unix:///none.sock", why)
    p:must "release a"
    p:expect("policy own: closed far", 30)
    p:close()
  end)

  it("refuses a session with code, reason and line", function ()
    local p = driver(POLICY)
    local code, why = p:fails "session s 2"
    assert.equal(16, code) -- EBUSY
    assert.equal("refused by policy own (own.lua:8): not today", why)
    code, why = p:fails "session s 8"
    assert.equal(1, code)
    assert.matches("session_route failed: .*no.*", why)
    p:must "session s 0"
    p:close()
  end)

  it("admits and refuses operations, and is told of their ends", function ()
    local p = driver(POLICY)
    p:must "session s 0"
    p:must "fill s 100"
    local code, why = p:fails("fill s " .. REFUSED)
    assert.equal(1, code)
    assert.matches("^refused by policy own %(own.lua:%d+%): too odd$", why)
    p:must "release s"
    p:close()
    p:expect("policy own: done image_classify on witness: 0, nil", 1)
    p:expect("policy own: closed witness after 2", 1)
    assert.equal(1, #p:matching "policy own: done")
  end)

  it("stops a hook that does not end, in any thread and in a forked child", function ()
    -- The child starts the watchdog's thread anew, which ThreadSanitizer forbids unless it is told so.
    local p = driver(POLICY, { TSAN_OPTIONS = (os.getenv "TSAN_OPTIONS" or "") .. ":die_after_fork=0" })
    p:must "session s 0"
    local _, why = p:fails("fill s " .. ENDLESS)
    assert.matches("op_admit failed: ran longer than 5 ms", why)
    p:must "fill s 100"
    assert.equal("0", p:must(("fork session c 0 ; fill c 100 ; fill c %d ; fill c 100"):format(ENDLESS)).status)
    local said = p:matching "^CHILD "
    assert.matches("plugin=witness", said[2].text)
    assert.matches("ran longer than 5 ms", said[3].text)
    assert.matches("plugin=witness", said[4].text)
    p:must "fill s 100"
    p:close()
  end)

  it("that cannot be loaded leaves the library closed, and each call says why", function ()
    local p = driver "policy { name = 'own', api = 1, op_admit = function () end }"
    local code, why = p:fails "session s 0"
    assert.equal(104, code) -- ESESS
    assert.matches("^vAccel is not initialised: VACCEL_POLICY: own.lua:1: .*on_error", why)
    p:close()
  end)

  it("without its module leaves the library closed, and says what to install", function ()
    local dir = system.mkdir(harness.dir .. "/alone")
    harness.run { "cp", harness.build .. "/lib/libvaccel.so.0", dir }
    local p = driver(POLICY, { LD_LIBRARY_PATH = dir .. ":" .. harness.build .. "/spec" })
    local _, why = p:fails "session s 0"
    assert.matches("libvaccel%-policy.so cannot be loaded: .*; install it beside libvaccel.so, or unset", why)
    p:close()
  end)

  it("is asked by many threads at once", function ()
    local rounds = harness.slow > 1 and "40" or "400"
    local run = harness.run({ harness.bin "stress", "8", rounds }, { seconds = 300, env = {
      VACCEL_PLUGINS = "libvaccel-tally.so:libvaccel-tally-remote.so",
      VACCEL_POLICY = harness.file("own.lua", [[
local open, operations, threads = 0, 0, concurrency { limit = 8 }
policy {
  name = "own", api = 1, on_error = "reject",
  session_route = function (s) open = open + 1; s.tags.n = s.id end,
  op_admit = function (op)
    operations = operations + 1
    assert(op.session.tags.n == op.session.id)
    return threads:ask() -- none is refused: what has ended does not count
  end,
  session_close = function () open = open - 1 end,
}]]),
    } })
    assert.same({ how = "exited", code = 0 }, run.status, run:text())
  end)

  it("is none of an agent's", function ()
    local agent = harness.agent { plugins = "witness", env = { VACCEL_POLICY = "/none.lua" } }
    local p = harness.driver { address = agent.address }
    p:must "session s 0"
    assert.equal(agent.pid, harness.testimony(p:must "fill s 100").pid)
    p:close()
  end)

  -- A sanitized library does not load into a plain luajit.
  if harness.sanitize == "" then
    it("keeps its Lua apart from a program's own", function ()
      local run = harness.run({ "luajit", "-e", [[
        local ffi = require "ffi"
        ffi.cdef("typedef struct vaccel_session s; int vaccel_session_new(s **, uint32_t);"
          .. "int vaccel_noop(s *); int vaccel_session_delete(s *); size_t luaccel_last_error(char *, size_t);")
        local vaccel = ffi.load "libvaccel.so.0"
        local s, why = ffi.new "s *[1]", ffi.new "char[256]"
        assert(vaccel.vaccel_session_new(s, 0) == 0)
        assert(vaccel.vaccel_noop(s[0]) == 1)
        vaccel.luaccel_last_error(why, 256)
        assert(vaccel.vaccel_session_delete(s[0]) == 0)
        print(ffi.string(why), _VERSION) ]] }, { env = {
        VACCEL_PLUGINS = harness.plugins "noop",
        VACCEL_POLICY = harness.file("own.lua", "policy { name = 'own', api = 1, on_error = 'reject',\n"
          .. "op_admit = function (op) return reject(op.name) end }"),
      } })
      assert.matches("refused by policy own %(own.lua:2%): noop\tLua 5.1", run:text "out", run:text())
    end)
  end
end)
