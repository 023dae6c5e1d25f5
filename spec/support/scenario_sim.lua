-- luacheck: std +busted
--- The scenarios on the simulator; a spec for `luaccel policy test`, which policy_scenarios_spec.lua
--- runs. What came of each step, and what the engine knows of, go to $SCENARIO_OUT as JSON.
local engine = require "luaccel.engine"
local json = require "luaccel.json"
local sim = require "luaccel.sim"
local scenarios = dofile(os.getenv "SCENARIO_FILE")
local outcome = dofile(os.getenv "SCENARIO_OUTCOME")

local folder, uid = os.getenv "SCENARIO_DIR", tonumber(os.getenv "SCENARIO_UID")

--- What the plugins of the specs do, as a simulated backend has it.
local PLUGINS = {
  absent = { up = false },
  frail = { operations = { image_classify = { code = 5 } } },
  mute = { operations = { noop = true } },
  refuse = { open = 16 },
}

local function write(text)
  local path = folder .. "/policy.lua"
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function peer(step)
  if step.tcp then return { transport = "tcp", addr = "127.0.0.1", listener = "net" } end
  return { transport = "unix", uid = uid, listener = step.listener or "door" }
end

local steps = {}

function steps.session(world, sessions, step)
  local fields = peer(step)
  fields.hint = step.hint
  local session, refusal = world:session(fields)
  sessions[step[2]] = session
  if not session then return outcome.refused(refusal.code, refusal.text) end
  return outcome.session(session.plan, session.where, session.backend)
end

function steps.op(_, sessions, step)
  local session = sessions[step[2]]
  local said = session:op("image_classify", { bytes_in = step.bytes })
  if said.code ~= 0 then return outcome.refused(said.code, said.text) end
  return outcome.session(session.plan, session.where, session.backend)
end

function steps.resource(_, sessions, step)
  local said = sessions[step[2]]:resource { type = step.type, names = { step.name }, bytes = step.bytes }
  return said.verdict == "reject" and outcome.refused(said.code, said.text) or "registered"
end

function steps.close(_, sessions, step)
  sessions[step[2]]:close()
  return "closed"
end

function steps.reload(world, _, step)
  write(step.script)
  world:reload()
  return "loaded"
end

function steps.wait(world, _, step)
  world:advance(step.seconds)
  return step[2]
end

local function run(scenario)
  local backends = {}
  for name, plugin in pairs(scenario.backends or {}) do backends[name] = PLUGINS[plugin] end
  local world = sim.load { write(scenario.script), backends = backends, plugins = scenario.plugins }
  local sessions, said = {}, json.list {}
  for i, step in ipairs(scenario.steps) do said[i] = steps[step[1]](world, sessions, step) end
  return { steps = said, lines = json.list(outcome.lines(world:lines())), asked = world.asked }
end

it("runs the scenarios", function ()
  local out = { scenarios = json.list {}, kinds = engine.kinds(), hooks = engine.hooks() }
  for i, scenario in ipairs(scenarios) do out.scenarios[i] = run(scenario) end
  for name, options in pairs(out.kinds) do out.kinds[name] = json.list(options) end
  out.globals = json.list(engine.new(1, 1):globals())
  local file = assert(io.open(os.getenv "SCENARIO_OUT", "w"))
  file:write(json.encode(out))
  file:close()
end)
