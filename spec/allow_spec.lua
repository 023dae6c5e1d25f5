--- What --allow permits, and what becomes of it without: libraries, calls of their functions, URLs,
--- and paths of the agent's host. Raw messages, so that no library of ours stands in between.
local harness = require "support.harness"
local poll = require "posix.poll"
local process = require "support.process"
local resource = require "posix.sys.resource"
local socket = require "posix.sys.socket"
local stat = require "posix.sys.stat"
local system = require "support.system"
local unistd = require "posix.unistd"
local wire = require "support.wire"

local EPERM, ENOENT, EINVAL, ENOSYS, ENOTSUP, EUSERS, EREMOTEIO = 1, 2, 22, 38, 95, 87, 121

describe("--allow", function ()
  local agent, peer, session, log

  before_each(function ()
    harness.begin()
    log = harness.dir .. "/witness.log"
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  --- An agent with the witness, and a session on it.
  local function start(allow, policy, limit)
    local args = limit and { "--limit", limit } or {}
    for _, what in ipairs(allow) do
      args[#args + 1] = "--allow"
      args[#args + 1] = what
    end
    agent = harness.agent { plugins = "witness", args = args, policy = policy,
      env = { WITNESS_LOG = log, VACCEL_LOG_LEVEL = harness.VERBOSE } }
    peer = wire.connect(agent.address)
    session = peer:session()
  end

  local function must(method, payload)
    local response = peer:call(method, payload)
    assert.equal(0, response.code, method .. ": " .. response.message)
    return response
  end

  local function register(paths, kind)
    return peer:call("RegisterResource", wire.register_paths(session, paths, kind))
  end

  local function library(bytes, on)
    local blob = wire.blob("lib.so", bytes, 2) -- MAPPED, as a file arrives
    return (on or peer):call("RegisterResource", wire.register(session, { blob }, wire.LIB))
  end

  --- A failed call's code; asks for words in its sentence.
  local function fails(response, code, words)
    local failure = assert(wire.failure(response), "no details: " .. response.code .. " " .. response.message)
    assert.equal(code, failure.code, failure.text)
    assert.matches(words, failure.text)
  end

  local function refused(response, permits)
    fails(response, EPERM, "%-%-allow " .. permits)
    assert.equal(wire.PERMISSION_DENIED, response.code)
  end

  local function out() return { wire.arg(wire.ARG.BUFFER, ("\0"):rep(100)) } end

  local function exec(library_path, symbol)
    return peer:call("Genop", wire.genop(session, wire.OP.EXEC, {
      wire.arg(wire.ARG.STRING, library_path .. "\0"), wire.arg(wire.ARG.STRING, symbol .. "\0"),
    }, out()))
  end

  local function exec_resource(id, symbol, to, on_session)
    return (to or peer):call("Genop", wire.genop(on_session or session, wire.OP.EXEC_WITH_RESOURCE, {
      wire.arg(wire.ARG.INT64, wire.numbers("int64_t", id)), wire.arg(wire.ARG.STRING, (symbol or "f") .. "\0"),
    }, out()))
  end

  --- Who ran it, and the hash of what arrived.
  local function testimony(response)
    assert.equal(0, response.code, response.message)
    local text = wire.written(response)[1]:match "^[^%z]*"
    return harness.testimony { text = text, line = text }
  end

  local function file(name, bytes)
    local path = harness.dir .. "/" .. name
    assert(os.execute("mkdir -p " .. path:match "^(.*)/") == 0)
    return system.write(path, bytes)
  end

  local function links()
    local count = 0
    for _, path in ipairs(agent:rundirs()) do count = count + (path:find("/host.", 1, true) and 1 or 0) end
    return count
  end

  describe("is not given:", function ()
    before_each(function () start {} end)

    it("no function of a library is called", function ()
      refused(exec("/lib/libm.so.6", "sin"), "exec")
      refused(exec_resource(7), "exec")
    end)

    it("no library is taken, neither its bytes nor its path", function ()
      refused(library "\127ELF", "lib")
      refused(register({ "/lib/libm.so.6" }, wire.LIB), "lib")
    end)

    it("no URL is downloaded", function ()
      for _, url in ipairs { "http://127.0.0.1:1/x", "https://127.0.0.1:1/x", "ftp://127.0.0.1/x" } do
        refused(register { url }, "url")
      end
    end)

    it("no path is opened, in either form", function ()
      refused(register { "/etc/passwd" }, "path=DIR")
      refused(register { "file:///etc/passwd" }, "path=DIR")
      refused(register { "file:///etc/passwd", "http://127.0.0.1:1/x" }, "path=DIR")
    end)

    it("nothing is said about it at the start", function ()
      assert.is_nil(agent:text("err"):find("allowed beyond", 1, true))
    end)
  end)

  it("says at the start what is allowed", function ()
    start { "exec,lib", "url", "path=/usr/lib/", "path=/tmp", "plaintext" }
    local line = "allowed beyond the default: exec, lib, url, plaintext, path=/usr/lib, path=/tmp\n"
    assert.truthy(agent:text("err"):find(line, 1, true), agent:text "err")
  end)

  describe("exec", function ()
    it("lets both operations run, but no library in", function ()
      start { "exec" }
      local said = testimony(exec("/lib/libm.so.6", "sin"))
      assert.equal(agent.pid, said.pid)
      assert.are_not.equal(said.hash, testimony(exec("/lib/libm.so.6", "cos")).hash)
      refused(library "\127ELF", "lib")
    end)

    it("hands on what the function says", function ()
      start { "exec" }
      fails(exec("x", "FAIL 61"), 61, "witness fails as ordered")
    end)

    it("takes strings that end, and nothing else, for names", function ()
      start { "exec,lib" }
      local id = library("\127ELF").fields[1][1]
      local function call(operation, ...)
        return peer:call("Genop", wire.genop(session, operation, { ... }, out()))
      end
      local good, id_arg = wire.arg(wire.ARG.STRING, "f\0"), wire.arg(wire.ARG.INT64, wire.numbers("int64_t", id))
      assert.equal(0, call(wire.OP.EXEC_WITH_RESOURCE, id_arg, good).code)
      for _, bad in ipairs { wire.arg(wire.ARG.STRING, "f"), wire.arg(wire.ARG.BUFFER, "f\0") } do
        fails(call(wire.OP.EXEC_WITH_RESOURCE, id_arg, bad), EINVAL, "NUL")
        fails(call(wire.OP.EXEC, bad, good), EINVAL, "STRING")
        fails(call(wire.OP.EXEC, good, bad), EINVAL, "STRING")
      end
      fails(call(wire.OP.EXEC, good), EINVAL, ".")
      fails(call(wire.OP.EXEC_WITH_RESOURCE, id_arg), EINVAL, "id")
      fails(call(wire.OP.EXEC_WITH_RESOURCE), EINVAL, "id")
      for _, kind in ipairs { wire.ARG.INT32, wire.ARG.RAW } do
        fails(call(wire.OP.EXEC_WITH_RESOURCE, wire.arg(kind, wire.numbers("int64_t", id)), good), EINVAL, "INT64")
      end
      fails(call(wire.OP.EXEC_WITH_RESOURCE, wire.arg(wire.ARG.INT64, "\1\0\0\0"), good), EINVAL, "INT64")
    end)

    it("writes no lines of a peer's making into the log", function ()
      agent = harness.agent { plugins = "exec", args = { "--allow", "exec,lib" } }
      peer = wire.connect(agent.address)
      session = peer:session()
      local forged = "f\n2026.11.23 - <error> all is lost"
      assert.are_not.equal(0, exec("libm.so.6", forged).code)
      assert.are_not.equal(0, exec(forged, "f").code)
      local response = peer:call("RegisterResource", wire.register(session, { wire.blob(forged, "x", 2) }, wire.LIB))
      assert.equal(wire.INVALID_ARGUMENT, response.code)
      peer:call("DestroySession", wire.int(1, session))
      agent:stop()
      assert.equal(2, #agent:matching "<error> .*all is lost")
      assert.equal(0, #agent:matching "^2026%.11%.23 %- <error> all is lost")
    end)

    it("is asked of the policy under its own names", function ()
      start({ "exec,lib" }, [[
        policy { name = "p", api = 1, on_error = "reject", op_admit = function (op)
          if op.name == "exec_with_resource" then return reject("no libraries on Mondays") end
          if op.name == "exec" then return reject("no functions either", 11) end
        end }
      ]])
      fails(exec_resource(library("\127ELF").fields[1][1]), EPERM, "no libraries on Mondays")
      local response = exec("/lib/libm.so.6", "sin")
      assert.equal(wire.PERMISSION_DENIED, response.code)
      assert.matches("no functions either", response.message)
    end)
  end)

  describe("lib", function ()
    it("makes a library a file that can be executed, and nothing else one", function ()
      start { "lib,exec" }
      local id = library("\127ELF and more").fields[1][1]
      must("RegisterResource", wire.register(session, { wire.blob("net.pt", "weights", 2) }))
      local modes = {}
      for _, path in ipairs(agent:rundirs()) do
        local name = path:match "[^/]*$"
        if name == "lib.so" or name == "net.pt" then modes[name] = stat.stat(path).st_mode % 512 end
      end
      assert.same({ ["lib.so"] = tonumber("700", 8), ["net.pt"] = tonumber("600", 8) }, modes)
      local said = testimony(exec_resource(id))
      assert.equal(said.hash, testimony(exec_resource(library("\127ELF and more").fields[1][1])).hash)
      assert.are_not.equal(said.hash, testimony(exec_resource(library("\127ELF and less").fields[1][1])).hash)
    end)

    it("a library is its connection's own", function ()
      start { "lib,exec" }
      local other = wire.connect(agent.address)
      local theirs = other:session()
      local id = library("\127ELF").fields[1][1]
      fails(exec_resource(id, "f", other, theirs), ENOENT, "Unknown resource " .. id)
      fails(exec_resource(id + 1000), ENOENT, "Unknown resource")
      fails(exec_resource(0), ENOENT, "Unknown resource 0")
      fails(exec_resource(-1), ENOENT, "Unknown resource")
      assert.equal(agent.pid, testimony(exec_resource(id)).pid)
    end)

    it("a library is called by sessions with which it is registered, and is one", function ()
      start { "lib,exec" }
      local id = library("\127ELF").fields[1][1]
      fails(exec_resource(id, "f", peer, peer:session()), EPERM, "not registered")
      local model = must("RegisterResource", wire.register(session, { wire.blob("m", "weights") })).fields[1][1]
      fails(exec_resource(model), EINVAL, "LIB")
    end)

    it("a library is called where the session has moved to", function ()
      local policy = [[
        backends { second = plugin "witness2" }
        policy { name = "p", api = 1, on_error = "reject", session_route = function ()
          return route { "picky", "second" }
        end }
      ]]
      agent = harness.agent { plugins = "picky", args = { "--allow", "exec,lib" }, policy = policy }
      peer = wire.connect(agent.address)
      session = peer:session()
      assert.equal("witness2", testimony(exec_resource(library("\127ELF").fields[1][1])).plugin)
    end)
  end)

  describe("path", function ()
    local models

    before_each(function ()
      models = harness.dir .. "/models"
      file("models/net.pt", "weights of the net")
      file("models/deep/er/net.pt", "deeper weights")
      file("secret", "nobody's business")
      file("models-too/net.pt", "a neighbour's")
      file("more/other.pt", "weights of another")
      unistd.link(harness.dir .. "/secret", models .. "/way-out", true)
      unistd.link(harness.dir, models .. "/up", true)
      unistd.link("net.pt", models .. "/beside", true)
    end)

    --- The hash of a file's bytes, as the witness finds it through a resource.
    local function hash_of(path, given)
      local response = given or register({ path }, wire.LIB)
      assert.equal(0, response.code, response.message)
      return testimony(exec_resource(response.fields[1][1])).hash
    end

    local function hash_of_bytes(bytes) return testimony(exec_resource(library(bytes).fields[1][1])).hash end

    it("opens files beneath the directory, in both forms, and of several directories", function ()
      start { "exec,lib,path=" .. models, "path=" .. harness.dir .. "/more/" }
      local net = hash_of_bytes "weights of the net"
      assert.equal(net, hash_of(models .. "/net.pt"))
      assert.equal(net, hash_of("file://" .. models .. "/net.pt"))
      assert.equal(net, hash_of(models .. "//./net.pt"))
      assert.equal(hash_of_bytes "deeper weights", hash_of(models .. "/deep/er/net.pt"))
      assert.equal(hash_of_bytes "weights of another", hash_of(harness.dir .. "/more/other.pt"))
    end)

    it("leaves the other peers descriptors for their connections", function ()
      local before = resource.getrlimit(resource.RLIMIT_NOFILE)
      resource.setrlimit(resource.RLIMIT_NOFILE, { rlim_cur = 200, rlim_max = before.rlim_max })
      local ok, why = pcall(start, { "path=" .. models })
      resource.setrlimit(resource.RLIMIT_NOFILE, before)
      assert(ok, why)
      local opened, refused_one = 0, nil
      while opened < 200 and not refused_one do
        local response = register { models .. "/net.pt" }
        if response.code == 0 then opened = opened + 1 else refused_one = response end
      end
      assert.equal(25, opened) -- an eighth
      fails(refused_one, EUSERS, "as many files of its host open for peers as it may %(25%)")
      assert.equal(0, wire.connect(agent.address):call("CreateSession", wire.int(1, 0)).code)
      peer:close()
      peer = wire.connect(agent.address)
      session = peer:session()
      assert.truthy(system.poll(5 * harness.slow, function () return register({ models .. "/net.pt" }).code == 0 end))
    end)

    it("keeps the file's name", function ()
      start { "path=" .. models }
      must("RegisterResource", wire.register_paths(session, { models .. "/deep/er/net.pt" }))
      local found = 0
      for _, path in ipairs(agent:rundirs()) do found = found + (path:find "/host%.[^/]*/0/net%.pt$" and 1 or 0) end
      assert.equal(1, found)
    end)

    it("leads nowhere else", function ()
      start { "exec,lib,path=" .. models }
      for _, path in ipairs {
        harness.dir .. "/secret", harness.dir .. "/models-too/net.pt", models .. "/../secret",
        models .. "/deep/../../secret", "/etc/passwd", "models/net.pt", "", "/", harness.dir,
      } do
        refused(register { path }, "path=DIR")
        refused(register { "file://" .. path }, "path=DIR")
      end
      for _, path in ipairs { "/way-out", "/up/secret", "/beside", "/up" } do
        fails(register { models .. path }, EPERM, "symbolic link")
      end
      fails(register { models .. "/nothing" }, EINVAL, "nothing.*No such file")
      fails(register { models .. "/net.pt/x" }, EINVAL, "Not a directory")
      fails(register { "gopher://x/y" }, EINVAL, "gopher")
      fails(register { ("%s/%s"):format(models, ("x"):rep(300)) }, EINVAL, "File name too long")
      assert.equal(0, links())
    end)

    it("what is not opened moves no session to another backend", function ()
      start({ "url,path=" .. models }, [[
        backends { second = plugin "witness2" }
        policy { name = "p", api = 1, on_error = "reject", session_route = function ()
          return route { "witness", "second" }
        end }
      ]])
      fails(register { models .. "/way-out" }, EPERM, "symbolic link")
      fails(register { "http://127.0.0.1:1/net.pt" }, EREMOTEIO, ".")
      local tags = must("ImageClassification", wire.image(session, "hello")).fields[1][1]
      assert.matches("plugin=witness%z", tags)
    end)

    it("opens regular files and directories alone", function ()
      os.execute(("mkfifo %s/pipe"):format(models))
      start { "path=" .. models, "path=/dev" }
      fails(register { models .. "/pipe" }, EINVAL, "neither a file nor a directory")
      fails(register { "/dev/zero" }, EINVAL, "neither a file nor a directory")
    end)

    it("takes lists as the C library does", function ()
      start { "path=" .. models, "url" }
      assert.equal(0, register({ models .. "/net.pt", models .. "/deep/er/net.pt" }).code)
      fails(register { models .. "/net.pt", models .. "/deep" }, ENOTSUP, ".")
      fails(register { models .. "/deep", models .. "/net.pt" }, EINVAL, ".")
      fails(register { models .. "/net.pt", "http://127.0.0.1:1/x" }, EINVAL, ".")
      refused(register { models .. "/net.pt", "/etc/passwd" }, "path=DIR")
      local many = {}
      for i = 1, 300 do many[i] = models .. "/net.pt" end
      assert.equal(wire.INVALID_ARGUMENT, register(many).code)
    end)

    it("takes a directory with all that is in it", function ()
      file("saved/saved_model.pb", "graph")
      file("saved/variables/variables.index", "index")
      start { "exec,lib,path=" .. harness.dir .. "/saved" }
      local id = must("RegisterResource", wire.register_paths(session, { harness.dir .. "/saved" })).fields[1][1]
      local found = {}
      for _, path in ipairs(agent:rundirs()) do
        local below = path:match "/host%.[^/]*/0/(.*)$"
        if below then found[#found + 1] = below end
      end
      table.sort(found)
      assert.same({ "saved", "saved/saved_model.pb", "saved/variables", "saved/variables/variables.index" }, found)
      must("TensorflowModelLoad", wire.model(session, id))
      -- What is a way out of it is none of it.
      unistd.link(harness.dir .. "/secret", harness.dir .. "/saved/variables/key", true)
      fails(register { harness.dir .. "/saved" }, EPERM, "symbolic link")
    end)

    it("bounds what a resource may name", function ()
      for i = 1, 300 do file("models/crowd/" .. i, "x") end
      start { "path=" .. models }
      local before = agent:fds()
      local failure = wire.failure(register { models .. "/crowd" })
      -- With few descriptors to be had the agent's own bound comes first.
      assert.is_true(failure.code == EINVAL and failure.text:find "256" ~= nil
        or failure.code == EUSERS and failure.text:find "as it may" ~= nil, failure.text)
      assert.is_true(system.poll(5 * harness.slow, function () return agent:fds() == before end), "files stay open")
      assert.equal(0, links())
    end)

    it("uses the file that it has opened, whatever is put in its place", function ()
      start { "exec,lib,path=" .. models }
      local id = must("RegisterResource", wire.register_paths(session, { models .. "/net.pt" }, wire.LIB)).fields[1][1]
      local honest = testimony(exec_resource(id)).hash
      os.remove(models .. "/net.pt")
      unistd.link(harness.dir .. "/secret", models .. "/net.pt", true)
      assert.equal(honest, testimony(exec_resource(id)).hash)
      -- A session of its own has the library loaded anew.
      local other = peer:session()
      must("RegisterResource", wire.int(4, id) .. wire.int(5, other))
      assert.equal(honest, testimony(exec_resource(id, "f", peer, other)).hash)
    end)

    it("is not outrun by one who swaps the file for a link", function ()
      start { "exec,lib,path=" .. models }
      local honest, secret = hash_of_bytes "weights of the net", hash_of_bytes "nobody's business"
      local swapper = process.spawn({ "/bin/sh", "-c", ([[
        cd %s && ln -s ../secret link && cp net.pt file
        while :; do cp -P link swap; mv swap net.pt; cp file swap; mv swap net.pt; done
      ]]):format(models) }, { name = "swapper", env = { PATH = os.getenv "PATH" }, cwd = harness.dir })
      local opened, stopped = 0, 0
      local deadline = system.now() + 60 * harness.slow
      while opened + stopped < 300 or (opened == 0 or stopped == 0) and system.now() < deadline do
        process.pump(0) -- the agent says a lot, and would wait for a reader
        local response = register({ models .. "/net.pt" }, wire.LIB)
        if response.code == 0 then
          local hash = hash_of(nil, response)
          assert.are_not.equal(secret, hash)
          assert.equal(honest, hash)
          opened = opened + 1
          must("UnregisterResource", wire.int(1, response.fields[1][1]) .. wire.int(2, session))
        else
          stopped = stopped + 1
        end
      end
      swapper:kill(9)
      print(("swapped while opened: %d files, %d refused"):format(opened, stopped))
      assert.is_true(opened > 0 and stopped > 0, "the swapper was never in time, or always")
    end)

    it("leaves nothing open, and no link, when resources and peers have gone", function ()
      start { "path=" .. models }
      local before = agent:fds()
      local id = must("RegisterResource", wire.register_paths(session, { models .. "/deep" })).fields[1][1]
      assert.equal(before + 1, agent:fds())
      must("UnregisterResource", wire.int(1, id) .. wire.int(2, session))
      assert.is_true(system.poll(5 * harness.slow, function () return agent:fds() == before and links() == 0 end))
      must("RegisterResource", wire.register_paths(session, { models .. "/net.pt" }))
      peer:close()
      assert.is_true(system.poll(5 * harness.slow, function () return agent:fds() == before - 1 and links() == 0 end))
      agent:stop()
    end)

    it("gives no bytes back by SyncResource, and does not fall over it", function ()
      start { "path=" .. models }
      local id = must("RegisterResource", wire.register_paths(session, { models .. "/net.pt" })).fields[1][1]
      fails(peer:call("SyncResource", wire.int(1, id)), EINVAL, "synchronize")
      assert.equal(0, peer:call("ImageClassification", wire.image(session, "hello")).code)
    end)

    it("is refused at the start when there is no such directory", function ()
      for _, case in ipairs {
        { "path=/nowhere", 1, "path=/nowhere: No such file" }, { "path=relative", 2, '"relative"' },
        { "path=", 2, "whole path" }, { "path=/etc/passwd", 1, "Not a directory" },
      } do
        local p = harness.agent_that_fails { plugins = "noop", args = { "--allow", case[1] } }
        assert.equal(case[2], p.status.code, case[1])
        assert.matches(case[3], p:text "err")
      end
    end)
  end)

  describe("url", function ()
    --- Listens on loopback: its URL, what answers one request while the agent waits for it, and its socket.
    local function serve(bytes)
      local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
      assert(socket.bind(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = 0 }))
      assert(socket.listen(fd, 1))
      return "http://127.0.0.1:" .. system.port(fd), function ()
        local client = assert(socket.accept(fd))
        local request = ""
        while not request:find "\r\n\r\n" do request = request .. assert(unistd.read(client, 4096)) end
        assert(unistd.write(client, ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s")
          :format(#bytes, bytes)))
        unistd.close(client)
        unistd.close(fd)
        return request:match "^GET (%S+)"
      end, fd
    end

    it("downloads on the agent", function ()
      start { "url,lib,exec" }
      local url, answer = serve "a library from afar"
      peer:start("RegisterResource", wire.register_paths(session, { url .. "/dir/lib.so" }, wire.LIB))
      assert.equal("/dir/lib.so", answer())
      local registered = wire.response(peer:receive())
      assert.equal(0, registered.code, registered.message)
      assert.equal(testimony(exec_resource(library("a library from afar").fields[1][1])).hash,
        testimony(exec_resource(registered.fields[1][1])).hash)
      fails(peer:call("SyncResource", wire.int(1, registered.fields[1][1])), EINVAL, "synchronize")
    end)

    it("counts what was downloaded, and takes no more when that is too much", function ()
      start({ "url" }, nil, "disk-peer=1k")
      local url, answer = serve(("x"):rep(1500))
      peer:start("RegisterResource", wire.register_paths(session, { url .. "/m" }))
      answer()
      local first = wire.response(peer:receive())
      assert.equal(0, first.code, first.message)
      local over = register { url .. "/n" }
      assert.equal(wire.RESOURCE_EXHAUSTED, over.code)
      assert.matches("^limit disk%-peer: this peer holds 1500 bytes and may hold 1024", over.message)
      must("UnregisterResource", wire.int(1, first.fields[1][1]) .. wire.int(2, session))
      url, answer = serve "small"
      peer:start("RegisterResource", wire.register_paths(session, { url .. "/o" }))
      answer()
      assert.equal(0, wire.response(peer:receive()).code)
    end)

    it("of servers that never answer takes a peer's own share of the workers, not the others'", function ()
      agent = harness.agent { plugins = "witness", args = { "--allow", "url", "--threads", "2" },
        env = { LUACCEL_URL_TIMEOUT = tostring(60 * harness.slow) } }
      peer = wire.connect(agent.address)
      local url, _, silent = serve "" -- it listens, and that is all
      local sessions = { peer:session(), peer:session() } -- and as many workers
      for _, id in ipairs(sessions) do
        peer:start("RegisterResource", wire.register_paths(id, { url .. "/net.pt" }))
      end
      local other = wire.connect(agent.address)
      local image = wire.image(other:session(), "hello")
      assert.equal(0, other:call("ImageClassification", image).code)
      assert.equal(0, poll.rpoll(peer.fd, 0), "served when a download had ended")
      unistd.close(silent)
      for _ in ipairs(sessions) do fails(wire.response(peer:receive(30 * harness.slow)), EREMOTEIO, "net%.pt") end
    end)

    it("says what went wrong, and nothing of other protocols", function ()
      start { "url" }
      fails(register { "http://127.0.0.1:1/net.pt" }, EREMOTEIO, "127%.0%.0%.1")
      fails(register { "ftp://127.0.0.1:1/net.pt" }, EPERM, "http and https")
      fails(register { "httpx://127.0.0.1:1/net.pt" }, EPERM, "http and https")
      refused(register { "/etc/passwd" }, "path=DIR")
    end)
  end)

  it("the exec plugin calls libraries that were sent, and those of a directory", function ()
    local folder = harness.build .. "/spec"
    agent = harness.agent { plugins = "exec", args = { "--allow", "exec,lib,path=" .. folder } }
    peer = wire.connect(agent.address)
    session = peer:session()
    local sent = library(system.read(folder .. "/libreshape.so"))
    local named = register({ folder .. "/libreshape.so" }, wire.LIB)
    assert.equal(0, named.code, named.message)
    assert.same({ "abc" }, wire.written(exec_resource(sent.fields[1][1], "shorten")))
    assert.same({ "abc" }, wire.written(exec_resource(named.fields[1][1], "shorten")))
    fails(exec_resource(named.fields[1][1], "no_such_function"), ENOSYS, "no_such_function")
    agent:stop()
  end)

  it("exec answers what a function makes of its write argument itself, and no more than there is room for", function ()
    agent = harness.agent { plugins = "exec", args = { "--allow", "exec" } }
    peer = wire.connect(agent.address)
    session = peer:session()
    local reshape = harness.build .. "/spec/libreshape.so"
    assert.same({ "abc" }, wire.written(exec(reshape, "shorten")))
    assert.same({ "other" }, wire.written(exec(reshape, "replace")))
    fails(exec(reshape, "lengthen"), 71, "write argument 1 longer than it was")
    assert.same({ "abc" }, wire.written(exec(reshape, "shorten")))
    agent:stop()
  end)
end)
