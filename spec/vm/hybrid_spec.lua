--- Hybrid vsock, as Firecracker, Cloud Hypervisor and Dragonball do it, here by QEMU and
--- vhost-device-vsock: a guest that connects to CID 2 port 2048 comes out at a Unix socket. The agent
--- listens there, on this machine, and has libtorch. Every instruction of the guest is emulated.
local golden = require "support.golden"
local guest = require "vm.guest"
local harness = require "support.harness"
local system = require "support.system"

local POLICY = [[
backends {
  net = plugin "torch" { threads = 1 },
}
policy {
  name = "by-listener", api = 1, on_error = "reject",
  session_route = function (s)
    if s.peer.listener == "blue" then return route "net" end
    return reject { code = "EPERM", reason = "no guest comes by " .. s.peer.listener }
  end,
}
]]

describe("hybrid:", function ()
  local machine, agent, path

  setup(function ()
    harness.begin()
    machine = guest.boot { name = "blue", vmm = "qemu-hybrid", cid = 42, args = { "--accel", "tcg" } }
    path = machine.state .. "/vaccel.sock_2048"
  end)
  teardown(harness.finish)

  it("run.sh prints both command lines that it runs", function ()
    local socket = (machine.state .. "/vaccel.sock"):gsub("%p", "%%%0")
    machine:expect("^run%.sh: vhost%-device%-vsock .*,uds%-path=" .. socket, 30)
    machine:expect("^run%.sh: qemu%-system%-x86_64 .*vhost%-user%-vsock%-pci", 30)
    machine:ready()
  end)

  it("without an agent the guest is told so at once", function ()
    local began = system.now()
    local text, status = machine:sh "classify /etc/passwd 1 2>&1"
    assert.equal(71, status, text) -- EBACKEND
    assert.truthy(text:find "cannot reach the agent at vsock://2:2048", text)
    assert.is_true(system.now() - began < 60)
  end)

  it("classify in the guest says what the guides say, and so does the agent", function ()
    agent = harness.agent {
      addresses = { "unix://" .. path }, env = { VACCEL_BACKENDS = "libvaccel-noop.so", VACCEL_DEBUG = "4" },
    }
    machine:sh "head -c 79281 /dev/zero >/tmp/image.jpg"
    local text, status = machine:sh("env -u VACCEL_PLUGINS -u VACCEL_RPC_ADDRESS VACCEL_BACKENDS=libvaccel-vsock.so"
      .. " VACCEL_VSOCK=vsock://2:2048 classify /tmp/image.jpg 1")
    assert.equal(0, status, text)
    assert.is_nil(golden.missing(golden.patterns "noop-guest.txt", text), text)
    agent:kill(9) -- and leaves its socket behind
    agent:wait(10)
    local agents = golden.patterns "noop-agent.txt"
    for i, pattern in ipairs(agents) do agents[i] = pattern:gsub("vaccel%%.sock%$$", "vaccel%%.sock_2048$") end
    assert.is_nil(golden.missing(agents, agent:text "err"), agent:text())
    assert.is_nil(golden.missing(golden.patterns "noop-plugin.txt", agent:text "out"), agent:text())
    guest.keep("hybrid-agent-noop", agent)
  end)

  it("the next agent takes over the socket that a killed one left behind", function ()
    assert.is_true(system.exists(path))
    agent = harness.agent { addresses = { "unix://" .. path .. ",name=blue" }, policy = POLICY }
  end)

  it("the digits in the guest have the host's labels", function ()
    machine:drive()
    machine:must "session s 0"
    machine:must("resource m path " .. guest.MODEL)
    machine:must "register m s"
    local began = system.now()
    local answer = machine:ask("heldout s heldout.bin", 300)
    assert.equal(guest.host_labels(), answer.text, answer.line)
    guest.figure(("emulated guest, agent outside: the held-out digits in %.1f s"):format(system.now() - began))
    machine:must "release s"
    assert.equal(0, machine:leave())
  end)

  it("every digit that the image shows is named, PNG and JPEG", function ()
    local text = machine:sh(("for image in %s/digit-*; do echo \"$image $(classify $image 1 %s | grep tags)\"; done")
      :format(guest.IMAGES, guest.MODEL), 300)
    local count = 0
    for shown, said in text:gmatch "digit%-(%d)[^ ]* classification tags: (%d) %(" do
      assert.equal(shown, said, text)
      count = count + 1
    end
    assert.is_true(count >= 20, text)
  end)

  it("the guest's listener is its identity, in the policy and in the log", function ()
    agent:says "session %d+ peer=uid:%d+ backend=net want=net .* ops=%d+ err=0 .* end=client"
    agent:stop()
    guest.keep("hybrid-agent-policy", agent)
    agent = harness.agent { addresses = { "unix://" .. path .. ",name=red" }, policy = POLICY }
    machine:drive()
    local code, why = machine:fails "session s 0"
    assert.equal(1, code)
    assert.truthy(why:find "no guest comes by red", why)
    assert.equal(0, machine:leave())
  end)

  it("a guest's program ends it, and run.sh has the program's status", function ()
    agent:stop()
    machine:send "exit 3"
    assert.same({ how = "exited", code = 3 }, machine:wait(90), machine:text())
    guest.keep("hybrid-guest", machine)
  end)
end)
