--- The guest's image, and what run.sh makes of it for each hypervisor.
local guest = require "vm.guest"
local harness = require "support.harness"
local system = require "support.system"

local BUILD = os.getenv "LUACCEL_BUILD"
local IMAGE = BUILD .. "/vm/guest"
local RUN = harness.source .. "/scripts/vm/run.sh"

describe("image:", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("the same build gives the same bytes", function ()
    local copy = harness.dir .. "/copy"
    local made = harness.run({ harness.source .. "/scripts/vm/make-image.sh", "--build", BUILD, copy },
      { seconds = 200, env = { TZ = "Asia/Tokyo", LANG = "C.UTF-8" } })
    assert.equal(0, made.status.code, made:text())
    for _, name in ipairs { "vmlinuz", "vmlinux", "initramfs.cpio.gz", "rootfs.squashfs" } do
      assert.is_true(system.read(IMAGE .. "/" .. name) == system.read(copy .. "/" .. name), name)
    end
  end)

  --- Log in at the console, look around, and switch off.
  local function log_in(...)
    local args = { "--accel", "tcg", "--memory", "512", ... }
    local machine = guest.start { name = "person", vmm = "qemu-alone", args = args }
    machine:expect("Log in as root", 150)
    machine:send "root"
    machine:expect("Enter 'help'", 60) -- what is typed before that is thrown away
    machine:send "id -un; mount | grep ' / '; VACCEL_PLUGINS=libvaccel-noop.so noop; echo \"status: $?\""
    machine:expect("^status: 0", 60)
    assert.equal(1, #machine:matching "^root%s*$", machine:text())
    machine:send "reboot -f"
    assert.same({ how = "exited", code = 0 }, machine:wait(60), machine:text())
    return machine
  end

  it("root logs in at the console of the guest in memory", function ()
    assert.equal(1, #log_in():matching "^rootfs on / type rootfs")
  end)

  it("root logs in at the console of the guest on the disk", function ()
    local machine = log_in "--rootfs"
    assert.equal(1, #machine:matching "^/dev/vda on / type squashfs %(ro")
    guest.keep("image-login", machine)
  end)

  it("a program runs in the guest on the disk too, and its status comes out", function ()
    local file = harness.file("it's a file", "its text\n")
    local machine = guest.start {
      name = "disk", vmm = "qemu-alone",
      args = { "--accel", "tcg", "--memory", "512", "--rootfs", "--file", file, "--env", "SAID=it's said" },
      program = {
        "--", "sh", "-c", "mount | grep -c squashfs; cat \"it's a file\"; echo \"$SAID\" \"$1\"; exit 7", "sh",
        "two  words",
      },
    }
    assert.same({ how = "exited", code = 7 }, machine:wait(150), machine:text())
    for _, line in ipairs { "^1$", "^its text$", "^it's said two  words$" } do
      assert.equal(1, #machine:matching(line), machine:text())
    end
  end)

  --- What run.sh prints for a hypervisor that it does not start; and its state folder.
  local function dry(vmm, ...)
    local state = system.mkdir(harness.dir .. '/a "state"')
    local said = harness.run { RUN, "--vmm", vmm, "--dry-run", "--image", IMAGE, "--state", state, ... }
    assert.equal(0, said.status.code, said:text())
    return said:text(), state
  end

  --- JSON in one line; an error when it is none.
  local function compact(path)
    local said = harness.run { "python3", "-m", "json.tool", "--compact", path }
    assert.equal(0, said.status.code, said:text())
    return (said:text():gsub("\n", ""))
  end

  it("Firecracker's configuration is JSON with what Firecracker asks for", function ()
    local said, state = dry("firecracker", "--cid", "7", "--cpus", "2", "--memory", "300", "--rootfs",
      "--", "classify", "x")
    assert.truthy(said:find("\nrun.sh: firecracker --api-sock ", 1, true), said)
    local quoted = state:gsub('"', '\\"')
    assert.equal(('{"boot-source":{"kernel_image_path":"%s/vmlinux","initrd_path":"%s/initramfs.cpio.gz",'
      .. '"boot_args":"console=ttyS0 quiet panic=-1 off=reboot reboot=k pci=off root=/dev/vda"},'
      .. '"drives":[{"drive_id":"rootfs","path_on_host":"%s/rootfs.squashfs",'
      .. '"is_root_device":true,"is_read_only":true}],'
      .. '"machine-config":{"vcpu_count":2,"mem_size_mib":300},'
      .. '"vsock":{"guest_cid":7,"uds_path":"%s/vaccel.sock"}}'):format(IMAGE, quoted, IMAGE, quoted),
      compact(state .. "/firecracker.json"))
    assert.equal("\127ELF", system.read(IMAGE .. "/vmlinux"):sub(1, 4))
    assert.is_true(system.exists(state .. "/initramfs.cpio.gz"))
  end)

  it("without a disk Firecracker's list of drives is empty, not absent", function ()
    local _, state = dry "firecracker"
    local json = compact(state .. "/firecracker.json")
    assert.truthy(json:find('"drives":[]', 1, true), json)
    assert.truthy(json:find('"initrd_path":"' .. IMAGE .. '/initramfs.cpio.gz"', 1, true), json)
  end)

  it("the command lines of Cloud Hypervisor and Dragonball name kernel, image, CID and socket", function ()
    local cloud = dry("cloud-hypervisor", "--cid", "7", "--rootfs")
    for _, part in ipairs { "--kernel " .. IMAGE .. "/vmlinux ", "--initramfs " .. IMAGE .. "/initramfs.cpio.gz ",
      "off=poweroff", "--memory size=256M ", "cid=7,socket=", "/vaccel.sock'", "rootfs.squashfs,readonly=on" } do
      assert.truthy(cloud:find(part, 1, true), cloud)
    end
    local dragon = dry "dragonball"
    for _, part in ipairs { "dbs-cli create --kernel-path " .. IMAGE .. "/vmlinux ", "--rootfs ", "--vsock " } do
      assert.truthy(dragon:find(part, 1, true), dragon)
    end
  end)

  it("a hypervisor that is not here is said to be not here, after its command line", function ()
    local programs = { firecracker = "firecracker", ["cloud-hypervisor"] = "cloud-hypervisor", dragonball = "dbs-cli" }
    for vmm, program in pairs(programs) do
      local said = harness.run({ RUN, "--vmm", vmm, "--image", IMAGE }, { env = { PATH = "/usr/bin:/bin" } })
      assert.same({ how = "exited", code = 77 }, said.status, said:text())
      assert.truthy(said:text "err":find("run.sh: " .. program .. " ", 1, true), said:text())
      assert.equal("SKIP: " .. program .. " is not on this machine\n", said:text "out")
    end
  end)

  it("an unknown hypervisor, an image that is not there, a guest that runs already: what to do", function ()
    assert.equal(2, harness.run({ RUN, "--vmm", "bochs", "--image", IMAGE }).status.code)
    local none = harness.run { RUN, "--vmm", "qemu-pci", "--image", harness.dir }
    assert.equal(1, none.status.code)
    assert.truthy(none:text():find("run make-image.sh first", 1, true), none:text())
    system.write(system.mkdir(harness.dir .. "/mine") .. "/pid", "1\n")
    local twice = harness.run { RUN, "--vmm", "qemu-alone", "--image", IMAGE, "--state", harness.dir .. "/mine" }
    assert.equal(1, twice.status.code)
    local why = "a guest runs already with .*/mine %(process 1%); choose another %-%-state"
    assert.truthy(twice:text():find(why), twice:text())
  end)
end)
