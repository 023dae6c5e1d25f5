--- The scenarios of policy_scenarios.lua: the simulator and an agent must decide alike, and what the
--- engine has must be used in one.
local unistd = require "posix.unistd"
local harness = require "support.harness"
local json = require "support.json"
local on_agent = require "support.scenario_agent"
local wire = require "support.wire"

local HERE = harness.source .. "/spec/"
local scenarios = dofile(HERE .. "policy_scenarios.lua")

--- What the simulator makes of all of them.
local function simulate()
  harness.begin()
  local out = harness.dir .. "/out.json"
  local p = harness.run({ harness.bin "luaccel", "policy", "test", HERE .. "support/scenario_sim.lua" }, { env = {
    SCENARIO_FILE = HERE .. "policy_scenarios.lua", SCENARIO_OUTCOME = HERE .. "support/scenario_outcome.lua",
    SCENARIO_DIR = harness.dir, SCENARIO_UID = tostring(unistd.geteuid()), SCENARIO_OUT = out,
  } })
  assert(p.status.code == 0, p:text())
  local file = assert(io.open(out))
  local text = file:read "*a"
  file:close()
  harness.finish()
  return json.decode(text)
end

describe("policies on the simulator and in an agent", function ()
  local simulated = simulate()

  after_each(function ()
    wire.close_all()
    if harness.dir then harness.finish() end
  end)

  for i, scenario in ipairs(scenarios) do
    it("agree on " .. scenario.name, function ()
      harness.begin()
      local said = on_agent(scenario)
      assert.same(simulated.scenarios[i].steps, said.steps)
      assert.same(simulated.scenarios[i].lines, said.lines)
    end)
  end

  local scripts = {}
  for i, scenario in ipairs(scenarios) do scripts[i] = scenario.script end

  --- How often some script has it, as a word.
  local function uses(word)
    for _, script in ipairs(scripts) do
      if script:find("%f[%w_]" .. word .. "%f[^%w_]") then return true end
    end
    return false
  end

  --- How often a hook of a script came to this.
  local function asked(hook, verdict)
    local count = 0
    for i, script in ipairs(scripts) do
      local counts = simulated.scenarios[i].asked[hook]
      if script:find(hook .. " =", 1, true) then count = count + (counts and counts[verdict] or 0) end
    end
    return count
  end

  it("use every hook, to every end that it can come to", function ()
    local missing = {}
    for hook, says in pairs(simulated.hooks) do
      if not uses(hook) then missing[#missing + 1] = hook end
      for word, verdict in pairs { route = "route", reject = "reject", retry = "retry", mirror = "mirror",
        nothing = "pass" } do
        if says and says:find(word) and asked(hook, verdict) == 0 then
          missing[#missing + 1] = hook .. " that says " .. word
        end
      end
    end
    assert.same({}, missing)
  end)

  it("use every object of the library, with every option", function ()
    local missing = {}
    for kind, options in pairs(simulated.kinds) do
      local given = {}
      for _, script in ipairs(scripts) do
        given[#given + 1] = script:match("%f[%w_]" .. kind .. "%s*(%b{})")
      end
      if #given == 0 then missing[#missing + 1] = kind end
      local all = table.concat(given)
      for _, option in ipairs(options) do
        if not all:find("%f[%w_]" .. option .. " =") then missing[#missing + 1] = kind .. "." .. option end
      end
    end
    assert.same({}, missing)
  end)

  it("use every option of a route", function ()
    harness.begin()
    local path = harness.file("policy.lua", "route { 'a', none = 1 }")
    local p = harness.run { harness.bin "luaccel", "policy", "check", path }
    local options = p:text():match 'route has no option "none"; it takes backends in order and: ([%w_, ]+)'
    assert.is_string(options, p:text())
    local routes = {}
    for _, script in ipairs(scripts) do
      for route in script:gmatch "%f[%w_]route%s*(%b{})" do routes[#routes + 1] = route end
    end
    local all, missing = table.concat(routes), {}
    for option in options:gmatch "[%w_]+" do
      if not all:find("%f[%w_]" .. option .. " =") then missing[#missing + 1] = option end
    end
    assert.same({}, missing)
  end)

  it("use every word that policies have beyond Lua's own", function ()
    local missing = {}
    for _, name in ipairs(simulated.globals) do
      -- log and print are one.
      if _G[name] == nil and not uses(name) then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)
end)
