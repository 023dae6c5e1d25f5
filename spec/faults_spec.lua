--- Runs the rows and sweeps of faults.lua: a stated code for each fault, nothing left of it, and
--- everything usable afterwards.
local faults = require "faults"
local harness = require "support.harness"
local system = require "support.system"

local PATIENCE = 60 * harness.slow

local function driver_words(words)
  local argv = { "env", "LD_PRELOAD=" .. harness.build .. "/spec/libfaults.so", harness.bin "fault_driver" }
  for _, word in ipairs(words) do argv[#argv + 1] = word end
  return argv
end

--- In the row's own mount namespace: the run directory's file system, then the driver.
local function on_tmpfs(rundir, argv)
  local wrapped = harness.on_tmpfs(unpack(rundir))
  for _, word in ipairs(argv) do wrapped[#wrapped + 1] = word end
  return wrapped
end

--- Libraries to find before the built ones: libvaccel.so without what lies beside it, or a file
--- that is no library.
local function libraries_without(what)
  local dir = system.mkdir(harness.dir .. "/lib")
  if what.missing then
    system.write(dir .. "/libvaccel.so.0", system.read(harness.build .. "/lib/libvaccel.so.0"))
  else
    system.write(dir .. "/" .. what.broken, "no library")
  end
  return dir .. ":"
end

local function environment(row)
  local build = harness.build
  return {
    VACCEL_PLUGINS = build .. "/lib/libvaccel-noop.so:" .. build .. "/spec/libvaccel-fake-remote.so",
    LD_LIBRARY_PATH = (row.without and libraries_without(row.without) or "") .. build .. "/lib:" .. build .. "/spec",
    LUACCEL_URL_TIMEOUT = "3", -- a good answer must not take it on a busy machine
    LUACCEL_URL_MAX_BYTES = "1048576",
    ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0", -- libfaults.so comes first
  }
end

local function run(row, words)
  local argv = driver_words(words)
  if row.rundir then argv = on_tmpfs(row.rundir, argv) end
  local p = harness.run(argv, { name = "fault_driver", seconds = PATIENCE, env = environment(row) })
  assert.same({ how = "exited", code = 0 }, p.status, p:text())
  return p
end

local function fields(line)
  local found = {}
  for name, value in line:gmatch "(%w+)=(%S*)" do found[name] = found[name] or tonumber(value) or value end
  found.why = line:match "why=(.*)$"
  return found
end

describe("a fault:", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  for _, row in ipairs(faults.rows) do
    it(row[1], function ()
      local why = row.rundir and harness.lacks "mounts"
      if why then return pending(why) end
      local p = run(row, { row[2], row[3] })
      local line = p:expect("^code=", 1)
      local got = fields(line.text)
      assert.equal(row.code, got.code, p:text())
      if row.says then assert.truthy(got.why:find(row.says), got.why) end
      if not row[3]:find "^how=" and not row[3]:find "^always=" then assert.equal(1, got.fired, "it did not come") end
      assert.same({ fds = 0, files = 0, blocks = 0, noop = 0, again = row.again or 0 },
        { fds = got.fds, files = got.files, blocks = got.blocks, noop = got.noop, again = got.again }, p:text())
    end)
  end
end)

describe("each call that fails once, one after the other:", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  for _, sweep in ipairs(faults.sweeps) do
    local how = sweep.how and " of a URL that " .. sweep.how or ""
    it(("%s of scenario %s%s"):format(sweep[2], sweep[1], how), function ()
      local words = { sweep[1], "sweep=" .. sweep[2] }
      if sweep.how then words[3] = "how=" .. sweep.how end
      local p = run(sweep, words)
      assert.same({}, p:matching "^LEAK", p:text())
      local got = fields(p:expect("^runs=", 1).text)
      assert.same({ leaks = 0, noop = 0, again = 0 }, { leaks = got.leaks, noop = got.noop, again = got.again })
      assert.is_true(got.runs >= sweep.least, got.runs .. " calls only")
      local allowed = {}
      for _, code in ipairs(sweep.codes) do allowed[code] = true end
      local told = 0
      for code, times in tostring(got.codes):gmatch "(%d+):(%d+)," do
        assert.is_true(allowed[tonumber(code)], ("%s times code %s"):format(times, code))
        told = told + times
      end
      assert.equal(got.runs, told, "runs whose code is none")
    end)
  end
end)
