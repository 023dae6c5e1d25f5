--- Real guests under KVM, with a real vhost-vsock, on the machine that run_spec.sh made the host: two
--- of them, told apart by CID. They live on from case to case, since booting takes long; a case takes
--- what it needs by up() and stands on no other.
---
--- That KVM runs on a processor which QEMU emulates, and now and then a guest's machine ends there of
--- itself, in the middle of a line. Such a case begins anew, once, and a figure says so.
local golden = require "support.golden"
local guest = require "vm.guest"
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

local AGENT, WITNESS = "vsock://2:2048", "vsock://2:2049"
local BLUE, RED = 42, 43 -- CIDs
local KVM = { "--accel", "kvm" }
--- A caller's median under another guest's flood is at most so many times its quiet one; a spec
--- allows ten times that, since here all share two emulated processors.
local FLOOD_BOUND = 3
--- A small call over vsock is at most so many times a raw echo of its bytes; ten times that here.
local CALL_BOUND = 3

local POLICY = ([[
backends {
  net = plugin "torch" { threads = 1 },
  dummy = plugin "noop",
}
policy {
  name = "guests", api = 1, on_error = "reject",
  session_route = function (s)
    if s.peer.cid == %d then return route "net" end
    if s.peer.cid == %d then return route "dummy" end
    return reject { code = "EPERM", reason = "guest " .. tostring(s.peer.cid) .. " is not on the list" }
  end,
}
]]):format(BLUE, RED)

describe("nested:", function ()
  local machines = {} ---@type table<string, Guest> by name
  local agents = {} ---@type table<string, Agent> by address
  local plan = { blue = { vmm = "qemu-pci", cid = BLUE }, red = { vmm = "qemu-microvm", cid = RED } }
  local begun_anew = false

  local function boot(name)
    machines[name] = guest.boot { name = name, vmm = plan[name].vmm, cid = plan[name].cid, args = KVM }
  end

  setup(function ()
    harness.begin()
    boot "blue"
    boot "red"
  end)
  teardown(harness.finish)

  --- The guests of these names, each with a shell that takes commands.
  local function up(...)
    local names, found = { ... }, {}
    for _, name in ipairs(names) do
      if machines[name].status then boot(name) end
    end
    for i, name in ipairs(names) do found[i] = machines[name]:ready() end
    return unpack(found)
  end

  --- The guests whose machine has ended though nobody wanted it to.
  local function lost()
    for name, machine in pairs(machines) do
      if machine:is_lost() then return name end
    end
  end

  --- A case's function, begun anew when a machine was lost under it.
  local function case(body)
    return function ()
      local good, why = pcall(body)
      if good then return end
      local name = not begun_anew and lost()
      if not name then error(why, 0) end
      begun_anew = true
      guest.figure(("emulated: the machine of %s ended of itself, and the case began anew"):format(name))
      guest.keep("nested-lost-" .. name, machines[name])
      body()
    end
  end

  --- The agent at an address; one that is there goes first.
  local function serve(address, options)
    local before = agents[address]
    if before and not before.status then
      before:kill(9)
      before:wait(30)
    end
    options.addresses = { address }
    agents[address] = harness.agent(options)
    return agents[address]
  end

  --- The agent with the witness, from earlier cases too.
  local function testify()
    local before = agents[WITNESS]
    return before and not before.status and before or serve(WITNESS, { plugins = "witness" })
  end

  --- Both sides of the guides' transcript, word by word.
  local function transcript(machine, name)
    local agent = serve(AGENT, { env = { VACCEL_BACKENDS = "libvaccel-noop.so", VACCEL_DEBUG = "4" } })
    machine:sh "head -c 79281 /dev/zero >/tmp/image.jpg"
    local text, status = machine:sh("env -u VACCEL_PLUGINS -u VACCEL_RPC_ADDRESS VACCEL_BACKENDS=libvaccel-vsock.so"
      .. " VACCEL_VSOCK=vsock://2:2048 classify /tmp/image.jpg 1")
    assert.equal(0, status, text)
    assert.is_nil(golden.missing(golden.patterns "noop-guest.txt", text), text)
    agent:stop()
    local patterns = golden.patterns "noop-agent.txt"
    for i, pattern in ipairs(patterns) do patterns[i] = pattern:gsub("unix:///.*sock%$$", "vsock://2:2048$") end
    assert.is_nil(golden.missing(patterns, agent:text "err"), agent:text())
    assert.is_nil(golden.missing(golden.patterns "noop-plugin.txt", agent:text "out"), agent:text())
    guest.keep("nested-agent-" .. name, agent)
  end

  it("classify in a QEMU PCI guest says what the guides say, and so does the agent", case(function ()
    transcript(up "blue", "pci")
  end))

  it("classify in a QEMU microVM guest says what the guides say, and so does the agent", case(function ()
    transcript(up "red", "microvm")
  end))

  --- A session with the digits' network.
  local function open(machine)
    machine:drive()
    machine:must "session s 0"
    machine:must("resource m path " .. guest.MODEL)
    machine:must "register m s"
  end

  it("the digits in the guest have the host's labels", case(function ()
    local blue = up "blue"
    serve(AGENT, { policy = POLICY })
    open(blue)
    local began = system.now()
    local answer = blue:ask("heldout s heldout.bin", 400)
    assert.equal(guest.host_labels(), answer.text, answer.line)
    guest.figure(("emulated: the held-out digits from the guest in %.1f s, libtorch loaded meanwhile")
      :format(system.now() - began))
    blue:must "release s"
    assert.equal(0, blue:leave())
    local _, shown = blue:sh(("classify %s/digit-7.png 1 %s | grep '^classification tags: 7'")
      :format(guest.IMAGES, guest.MODEL))
    assert.equal(0, shown)
  end))

  --- Both guests classify at once: what the policy has for their CIDs is what they are told, and what
  --- the sessions' lines in the agent's log say.
  local function both_classify(blue, red)
    local agent = serve(AGENT, { policy = POLICY })
    for _, machine in ipairs { blue, red } do open(machine) end
    for _, machine in ipairs { blue, red } do machine:tell(("classify s %s/digit-3.png"):format(guest.IMAGES)) end
    local net, dummy = blue:answer(90).text, red:answer(90).text
    for _, machine in ipairs { blue, red } do
      machine:must "release s"
      machine:leave()
    end
    agent:says "session %d+ peer=cid:42 backend=net want=net .* ops=[12] err=0"
    agent:says "session %d+ peer=cid:43 backend=dummy want=dummy .* ops=[12] err=0"
    assert.truthy(net:find "^3", net)
    assert.truthy(dummy:find "dummy classification tag", dummy)
  end

  it("two guests at once get what the policy has for their CIDs", case(function ()
    both_classify(up("blue", "red"))
  end))

  --- The caller's loop on a session of its own with the witness.
  local function loop(machine, count)
    local answer = machine:must(("loop w %d 1024"):format(count))
    return tonumber(answer.median), tonumber(answer.p99)
  end

  it("one guest floods, and the other keeps its latency", case(function ()
    local blue, red = up("blue", "red")
    testify()
    for _, machine in ipairs { blue, red } do
      machine:drive("VACCEL_RPC_ADDRESS=" .. WITNESS)
      machine:must "session w 0"
    end
    loop(blue, 20)
    local quiet, quiet_p99 = loop(blue, 200)
    red:tell "loop w 300 262144"
    local flooded, flooded_p99 = loop(blue, 200)
    local still = #red:matching("^OK", red.read_from) == 0
    red:answer(300)
    guest.figure(("emulated: a call of 1 KiB, median/p99: quiet %d/%d us, under another guest's flood %d/%d us,"
      .. " %.1f times (%d allowed here)"):format(quiet, quiet_p99, flooded, flooded_p99, flooded / quiet,
      10 * FLOOD_BOUND))
    assert.is_true(still, "the flood was over before the calls were")
    assert.is_true(flooded <= 10 * FLOOD_BOUND * quiet, ("%d us, quiet %d us"):format(flooded, quiet))
  end))

  it("a call over vsock costs no more than the bytes and what the agent adds", case(function ()
    local blue = up "blue"
    testify()
    local echo = process.spawn({ os.getenv "LUACCEL_BUILD" .. "/bench/bench-vsock", "serve", "2050" },
      { name = "echo", env = harness.env(), cwd = harness.dir })
    echo:expect("serves", 20)
    local text, status = blue:sh("VACCEL_RPC_ADDRESS=" .. WITNESS .. " bench-vsock call 2:2050 200 64 8 4194304", 200)
    assert.equal(0, status, text)
    for line in text:gmatch "classify[^\n]+" do guest.figure("emulated: " .. line) end
    local small = tonumber(text:match "64 bytes.- ([%d.]+) times")
    local large = tonumber(text:match "4194304 bytes.- ([%d.]+) times")
    echo:kill(9)
    echo:wait(30)
    assert.is_true(small <= 10 * CALL_BOUND and large <= 10 * CALL_BOUND, text)
  end))

  it("a guest paused for 30 s goes on where it was", case(function ()
    local blue = up "blue"
    testify()
    blue:drive("VACCEL_RPC_ADDRESS=" .. WITNESS)
    blue:must "session p 0"
    local before = harness.testimony(blue:must "say p before")
    blue:monitor "stop"
    blue:tell "say p after"
    local stopped = system.now()
    process.wait_until(30, function () return #blue.lines >= blue.read_from and "it was not stopped" end)
    assert.is_true(system.now() - stopped >= 29.9, "the guest spoke while it was stopped")
    blue:monitor "cont"
    local after = harness.testimony(blue:answer(60))
    assert.equal(before.pid, after.pid)
    assert.equal(before.n + 1, after.n)
    blue:must "release p"
  end))

  it("an agent restarted under a running guest: its sessions end, and a new one works", case(function ()
    local red = up "red"
    local witness = testify()
    red:drive("VACCEL_RPC_ADDRESS=" .. WITNESS)
    red:must "session w 0"
    local before = harness.testimony(red:must "say w before")
    assert.equal(witness.pid, before.pid)
    witness:stop()
    witness = testify()
    local code = red:fails "say w after"
    assert.equal(104, code) -- ESESS
    red:must "session n 0"
    assert.equal(witness.pid, harness.testimony(red:must "say n after").pid)
    red:must "release n"
    assert.equal(0, red:leave())
  end))

  it("a guest that is not on the list is told so, and by which line", case(function ()
    local blue, red = up("blue", "red")
    local strict = serve("vsock://2:2051", {
      plugins = "noop",
      policy = [[policy { name = "strict", api = 1, on_error = "reject", session_route = function (s)
        if s.peer.cid ~= 42 then return reject("only 42") end end }]],
    })
    blue:drive "VACCEL_RPC_ADDRESS=vsock://2:2051"
    red:drive "VACCEL_RPC_ADDRESS=vsock://2:2051"
    blue:must "session s 0"
    local code, why = red:fails "session s 0"
    assert.equal(1, code) -- EPERM
    assert.equal("refused by policy strict (policy.lua:2): only 42", why)
    strict:says "peer=cid:43 refused by policy strict"
    strict:stop()
  end))

  it("a guest killed in mid-operation: its session ends, and the agent has what it had", case(function ()
    local blue, red = up("blue", "red")
    local witness = testify()
    local fds, threads = witness:fds(), witness:threads()
    blue:drive("VACCEL_RPC_ADDRESS=" .. WITNESS)
    local id = blue:must("session k 0").remote
    local busy = witness:fds()
    assert.is_true(busy > fds)
    blue:tell "say k SLEEP 20000"
    process.wait_until(8, function () return #blue.lines >= blue.read_from end)
    local killed = blue:unplug()
    local ended = "session " .. id .. " peer=cid:42 .* ops=1 .* svc=[%d.]+/([%d.]+)ms .* end=%S+$"
    local line, slept = witness:expect(ended, 60)
    assert.is_true(tonumber(slept) >= 20000, "it was not killed in the middle: " .. line.text)
    assert.truthy(process.wait_until(30, function () return witness:fds() == fds end), witness:text())
    guest.figure(("emulated: a guest killed 8 s into an operation of 20 s: its session ended %.1f s after the kill")
      :format(line.at - killed))
    assert.truthy(process.wait_until(60, function () return witness:threads() <= threads end), "a thread too many")
    red:drive("VACCEL_RPC_ADDRESS=" .. WITNESS) -- and serves on
    red:must "session a 0"
    red:must "say a x"
  end))

  it("with the CIDs of two guests swapped, the decisions swap", case(function ()
    for name, machine in pairs(machines) do
      if not machine.status then machine:unplug() end
      guest.keep("nested-guest-" .. plan[name].vmm, machine)
    end
    plan.blue.vmm, plan.red.vmm = "qemu-microvm", "qemu-pci"
    local blue, red = up("blue", "red")
    both_classify(blue, red)
    agents[AGENT]:stop()
    guest.keep("nested-agent-policy", agents[AGENT])
    guest.keep("nested-agent-witness", agents[WITNESS])
    guest.keep("nested-guest-qemu-pci-swapped", red)
    guest.keep("nested-guest-qemu-microvm-swapped", blue)
  end))

  it("a guest's program ends it, and run.sh has the program's status", case(function ()
    local red = up "red"
    red:send "exit 3"
    local status = red:wait(90)
    assert.same({ how = "exited", code = 3 }, status, red:text())
  end))
end)
