--- Every example: what it prints with a plugin in its own process, that it prints the same through an
--- agent with that plugin, what an agent refuses without --allow, and how examples are called.
local harness = require "support.harness"
local process = require "support.process"
local system = require "support.system"

---@type { line: fun(line: string): string; text: fun(text: string): string }
local normalise = dofile(harness.source .. "/scripts/normalise-output.lua")

local data = harness.data
local picture, digit = data .. "/images/example.jpg", data .. "/images/digit-3.png"
local model, labels = data .. "/digits.pt", data .. "/labels/digits.txt"
local numbers = data .. "/input/input_2048.csv"
local library = harness.build .. "/lib/libmytestlib.so"

local EPERM, EINVAL, ENOENT, ENOTSUP = 1, 22, 2, 95

---@class Row
---@field name string of the example
---@field on string the plugin, in its own process or in the agent's
---@field args string[]
---@field prints string[] lines, as patterns, in this order
---@field allow string? what an agent must be allowed
---@field out string? a file that it writes

local ROWS = {} ---@type Row[]

local function row(name, on, args, prints, more)
  ROWS[#ROWS + 1] = { name = name, on = on, args = args, prints = prints }
  for key, value in pairs(more or {}) do ROWS[#ROWS][key] = value end
end

local SESSION = "^Initialized session with id: 1$"

row("noop", "noop", { "2" }, { SESSION })
row("noop", "exec", {}, { SESSION })
for name, what in pairs {
  classify = "classification", detect = "detection", segment = "segmentation",
  pose = "pose estimation", depth = "depth estimation",
} do
  local prints = { SESSION, "^" .. what .. " imagename: This is a dummy imgname!$" }
  if name == "classify" then
    table.insert(prints, 2, "^classification tags: This is a dummy classification tag!$")
  end
  row(name, "noop", { picture }, prints)
  row(name, "noop", { picture, "2", model }, prints)
  row(name .. "_generic", "noop", { picture, "2", model }, prints)
end
row("classify", "torch", { digit, "1", model }, { SESSION, "^Image size is: 4285B$", "^classification tags: 3 %(" })
row("classify_generic", "torch", { digit, "1", model }, { SESSION, "^classification tags: 3 %(" })

for _, name in ipairs { "sgemm", "sgemm_generic" } do
  row(name, "noop", { "2", "result" }, { SESSION }, { out = "result" })
end
row("minmax", "noop", { "2048", numbers, "0", "4000", "2" }, { "^min: %-1%.000000 max: 10000%.000000$" })

row("tf_inference", "noop", { digit, model, labels, "2" }, {
  "^Initialized model resource 1$", "^Initialized vAccel session 1$",
  "^Session load status => code:0 message:Operation handled by noop plugin$",
  "^Session run status => code:0 message:Operation handled by noop plugin$",
  "^Success!$", "^Output tensor => type:1 nr_dims:4 size:256B$", "^Prediction: %d$",
  "^Session delete status => code:0 message:Operation handled by noop plugin$",
})
row("tflite_inference", "noop", { picture, picture, labels }, {
  "^Initialized model resource 1$", "^Initialized vAccel session 1$", "^Session run status: 0$",
  "^Success!$", "^Output tensor => type:1 nr_dims:4 size:602112B$", "^Prediction: %d$",
})
row("torch_inference", "noop", { digit, model, labels }, {
  "^Initialized model resource 1$", "^Initialized vAccel session 1$", "^Success!$", "^Result Tensor :$",
  "^Output tensor => type:7 nr_dims:4 size:256B$", "^Prediction: %d$",
})
row("torch_inference", "torch", { digit, model, labels, "2" }, {
  "^Success!$", "^Result Tensor :$", "^Output tensor => type:7 nr_dims:2 size:40B$", "^Prediction: 3$",
})

for _, on in ipairs { "noop", "mbench" } do
  row("mbench", on, { "2", picture, "2" }, { SESSION }, { allow = "exec" })
end
for on, double in pairs { noop = 10, exec = 20 } do
  local given = on == "noop" and "^Output: 0 2 4 6 8 10 $" or "^Output: 10 8 6 4 2 0 $"
  local args = { library, "2" }
  row("exec", on, args, { SESSION, "^output: " .. double }, { allow = "exec" })
  row("exec_generic", on, args, { SESSION, "^output: " .. double }, { allow = "exec" })
  row("exec_with_resource", on, args, { SESSION, "^output1: " .. double, "^output2: " .. double },
    { allow = "exec,lib" })
  row("exec_serialized", on, args, { SESSION, "^Input: 0 2 4 6 8 10 $", given }, { allow = "exec,lib" })
end

local function title(case)
  local args = {}
  for i, arg in ipairs(case.args) do args[i] = arg:match "[^/]*$" end
  return ("%s %s on %s"):format(case.name, table.concat(args, " "), case.on)
end

--- The lines that the library of the exec examples prints, in whichever process runs it.
local function of_library(line)
  return line:find "^I got " or line:find "^Will return output: "
end

--- Lines of a text for which ask(line) is true.
local function lines(text, ask)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    if ask(line) then found[#found + 1] = normalise.line(line) end
  end
  return found
end

local function missing(patterns, text)
  local wanted = 1
  for line in text:gmatch "[^\n]+" do
    if patterns[wanted] and line:find(patterns[wanted]) then wanted = wanted + 1 end
  end
  return patterns[wanted]
end

local function run(case, env)
  return harness.run({ harness.bin(case.name), unpack(case.args) }, { env = env })
end

local function run_here(case, level)
  return run(case, { VACCEL_PLUGINS = harness.plugins(case.on), VACCEL_LOG_LEVEL = level })
end

local function run_there(case, agent)
  return run(case, { VACCEL_PLUGINS = harness.plugins "rpc", VACCEL_RPC_ADDRESS = agent.address })
end

local function start_agent(case, allow)
  return harness.agent {
    plugins = case.on, args = allow and { "--allow", allow } or {}, env = { VACCEL_LOG_LEVEL = harness.VERBOSE },
  }
end

--- The file that a case writes, and away with it.
local function take_out(case)
  if not case.out then return nil end
  local path = harness.dir .. "/" .. case.out
  local bytes = system.read(path)
  system.remove(path)
  return bytes
end

--- What the plugin said, in whichever process it is. An agent has a file's bytes, where a program has
--- the file alone: the one thing that noop says differently of it.
local function plugin_lines(case, text)
  return lines(text, function (line)
    return (line:find("[" .. case.on .. "] ", 1, true) or line:find "Calling mbench") and
      not line:find "oading.* from file"
  end)
end

local function succeeded(ended)
  assert.same({ how = "exited", code = 0 }, ended.status, ended:text())
  assert.equal("", ended:text "err")
end

describe("the example", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  for _, case in ipairs(ROWS) do
    it(title(case) .. " prints the same here and through an agent", function ()
      local why = case.on == "torch" and harness.lacks "torch"
      if why then return pending(why) end
      local here = run_here(case)
      succeeded(here)
      assert.is_nil(missing(case.prints, here:text "out"), here:text())
      local written = take_out(case)
      local verbose = run_here(case, harness.VERBOSE)
      take_out(case)

      local agent = start_agent(case, case.allow)
      local there = run_there(case, agent)
      succeeded(there)
      assert.is_nil(missing(case.prints, there:text "out"), there:text())
      local function of_program(line) return not of_library(line) end
      assert.same(lines(here:text "out", of_program), lines(there:text "out", of_program))
      assert.equal(written, take_out(case))

      agent:stop()
      assert.same(lines(here:text "out", of_library), lines(agent:text "out", of_library))
      assert.same(plugin_lines(case, verbose:text "out"), plugin_lines(case, agent:text "out"))
    end)
  end

  it("prints the times of its regions with profiling", function ()
    local regions = { noop = "noop", mbench = "mbench", minmax = "minmax", tf_inference = "tf_model_load",
      tflite_inference = "tflite_model_run", torch_inference = "torch_model_run" }
    for _, case in ipairs(ROWS) do
      if case.on == "noop" then
        local base = case.name:match "^[^_]+"
        local region = regions[case.name] or base == "exec" and "mytestfunc" or base
        local ended = run(case, { VACCEL_PLUGINS = harness.plugins "noop", VACCEL_LOG_LEVEL = "3",
          VACCEL_PROFILING_ENABLED = "1" })
        local said = "<info> %[prof%] " .. region .. ": total_time: %d+ nsec nr_entries: %d+\n"
        assert.matches(said, ended:text "out", 1, false)
      end
    end
  end)

  it("is in this spec, whichever it is, and was built", function ()
    local known = {}
    for _, case in ipairs(ROWS) do known[case.name] = true end
    local count = 0
    for _, file in ipairs(system.list(harness.source .. "/examples")) do
      local name = file:match "^(.*)%.c$"
      if name and name ~= "mytestlib" then
        assert.truthy(known[name], name)
        assert.truthy(system.exists(harness.build .. "/bin/" .. name), name)
        count = count + 1
      end
    end
    print(count .. " examples in " .. #ROWS .. " runs")
  end)
end)

--- What an agent says that may not do it.
local REFUSALS = {
  exec = "this agent calls no functions of libraries for its peers; its operator permits it with --allow exec",
  lib = "this agent takes no libraries of its peers; its operator permits it with --allow lib",
}

describe("an agent that is not allowed", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local function refuses(case, allow, missing_one)
    local agent = start_agent(case, allow)
    local there = run_there(case, agent)
    assert.same({ how = "exited", code = EPERM }, there.status, there:text())
    assert.truthy(there:text("err"):find(": 1 (", 1, true), there:text())
    assert.truthy(there:text("err"):find(REFUSALS[missing_one], 1, true), there:text())
    agent:stop()
    assert.same({}, plugin_lines(case, agent:text "out"))
  end

  for _, case in ipairs(ROWS) do
    if case.allow == "exec" then
      it("exec refuses " .. title(case), function () refuses(case, nil, "exec") end)
      it("exec, but lib, refuses " .. title(case), function () refuses(case, "lib", "exec") end)
    elseif case.allow == "exec,lib" then
      it("lib refuses " .. title(case), function () refuses(case, nil, "lib") end)
      it("lib, but exec, refuses " .. title(case), function () refuses(case, "exec", "lib") end)
      it("exec, but lib, refuses to run " .. title(case), function () refuses(case, "lib", "exec") end)
    end
  end
end)

describe("examples that are called wrongly", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  local IMAGE = "<image_file> [iterations] [model_path]"
  local LIBRARY = "<lib_file> [iterations]"
  local USAGES = {
    noop = "[iterations]", sgemm = "[iterations] [out_file]", sgemm_generic = "[iterations] [out_file]",
    minmax = "<data_length> <indata_file> <low_threshold> <high_threshold> [iterations]",
    mbench = "<time_ms> <lib_file> [iterations]",
    exec = LIBRARY, exec_generic = LIBRARY, exec_with_resource = LIBRARY, exec_serialized = LIBRARY,
    tf_inference = "<image_file> <model_dir> <labels_file> [iterations]",
    tflite_inference = "<image_file> <model_dir> <labels_file> [iterations]",
    torch_inference = "<image_file> <model_file> <labels_file> [iterations]",
  }
  for _, name in ipairs { "classify", "detect", "segment", "pose", "depth" } do
    USAGES[name], USAGES[name .. "_generic"] = IMAGE, IMAGE
  end

  for name, usage in pairs(USAGES) do
    it("say how " .. name .. " is called", function ()
      local path = harness.bin(name)
      local ended = harness.run { path, "1", "2", "3", "4", "5", "6", "7" }
      assert.same({ how = "exited", code = EINVAL }, ended.status)
      assert.equal(("Usage: %s %s\n"):format(path, usage), ended:text "err")
      assert.equal("", ended:text "out")
    end)
  end

  it("take no iterations but a number of 1 or more", function ()
    for _, count in ipairs { "0", "-1", "x", "1x", "", "99999999999999999999" } do
      local ended = harness.run { harness.bin "noop", count }
      assert.same({ how = "exited", code = EINVAL }, ended.status, count)
    end
  end)

  it("end with the code of what failed", function ()
    local noop = { env = { VACCEL_PLUGINS = harness.plugins "noop" } }
    local exec = { env = { VACCEL_PLUGINS = harness.plugins "exec" } }
    local nothing, junk = harness.dir .. "/nothing", harness.file("junk", "junk")
    local function fails(code, said, options, ...)
      local ended = harness.run({ harness.bin((...)), select(2, ...) }, options)
      assert.same({ how = "exited", code = code }, ended.status, ended:text())
      assert.truthy(ended:text("err"):find(said, 1, true), ended:text())
    end
    fails(ENOENT, "Could not read file " .. nothing, noop, "classify", nothing)
    fails(EINVAL, "Could not create model resource", noop, "detect", picture, "1", nothing)
    fails(ENOTSUP, "plugin exec does not implement image_pose", exec, "pose_generic", picture)
    fails(EINVAL, "dlopen failed", exec, "exec", nothing)
    fails(EINVAL, "dlopen failed", exec, "exec_with_resource", junk)
    fails(5, "Could not read value from file", noop, "minmax", "3", harness.file("two", "1\n2\n"), "0", "1")
    fails(EINVAL, "image is neither JPEG nor PNG", noop, "torch_inference", junk, model, labels)
    fails(EINVAL, "labels", noop, "tf_inference", picture, model, nothing)
    fails(ENOENT, "Could not write the results", noop, "sgemm", "1", harness.dir .. "/none/result")
  end)
end)

describe("the normaliser", function ()
  it("takes out ids, times and addresses", function ()
    for line, becomes in pairs {
      ["2026.11.23-10:00:06.86 - <debug> [noop] Calling exec for session 17"] =
        "TIME - <debug> [noop] Calling exec for session ID",
      ["Initialized session with id: 3"] = "Initialized session with id: ID",
      ["Initialized vAccel session 4"] = "Initialized vAccel session ID",
      ["Initialized model resource 12"] = "Initialized model resource ID",
      ["<debug> session:9 Registered resource 5 with remote (id: 6)"] =
        "<debug> session:ID Registered resource ID with remote (id: ID)",
      ["[prof] noop: total_time: 12345 nsec nr_entries: 2"] = "[prof] noop: total_time: TIME nsec nr_entries: 2",
      ["A: 0x7ffc12 lda: 512"] = "A: POINTER lda: 512",
      ["Data -> (nil), 8 B"] = "Data -> POINTER, 8 B",
      ["server started. address: unix:///run/x/vaccel.sock"] = "server started. address: ADDRESS",
      ["at tcp://127.0.0.1:65500, vsock://2:2048"] = "at ADDRESS, ADDRESS",
      ["library: /run/user/0/vaccel/ab12cd/resource.3/lib.so symbol: fn"] = "library: /DIR/lib.so symbol: fn",
      ["Created top-level rundir: /run/user/0/vaccel/ab12cd"] = "Created top-level rundir: /DIR/RUNDIR",
      ["New rundir for resource 3: /run/user/0/vaccel/ab12cd/resource.3"] =
        "New rundir for resource ID: /DIR/resource.ID",
      ["opens '/a/b' and (/c/d/e)"] = "opens '/DIR/b' and (/DIR/e)",
    } do
      assert.equal(becomes, normalise.line(line))
    end
  end)

  it("leaves everything else", function ()
    for _, line in ipairs {
      "min: -1.000000 max: 10000.000000", "output: 20", "m: 512 n: 512 k: 512", "Image size is: 79281B",
      "Output tensor => type:7 nr_dims:4 size:256B", "read[0].size: 4", "Prediction: 3", "a/b/c and /c",
      "Node 0: serving_default_data:0", "Usage: noop [iterations]", "", "code 0x",
    } do
      assert.equal(line, normalise.line(line))
    end
  end)

  it("is a program too", function ()
    harness.begin()
    local p = process.spawn({ "luajit", harness.source .. "/scripts/normalise-output.lua" },
      { name = "normalise-output.lua", env = harness.env() })
    p:send "Initialized session with id: 3"
    p:send "output: 20"
    p:close_stdin()
    p:wait(10)
    assert.equal("Initialized session with id: ID\noutput: 20\n", p:text "out")
    harness.finish()
  end)
end)
