--- The scenarios in a real agent, with real connections: one for each session.
local signal = require "posix.signal"
local harness = require "support.harness"
local json = require "support.json"
local operator = require "support.operator"
local outcome = require "support.scenario_outcome"
local system = require "support.system"
local wire = require "support.wire"

local KINDS = { lib = wire.LIB, data = wire.RESOURCE_DATA, model = wire.MODEL }

local function refused(response)
  local failure = assert(wire.failure(response), response.message)
  return outcome.refused(failure.status or failure.code, response.message)
end

--- Where the session is, as the operator is told.
local function state(session)
  local shown = json.decode(operator.must("session", tostring(session.id), "--json"))
  return outcome.session(shown.plan, shown.decided, shown.backend)
end

local steps = {}

function steps.session(agent, sessions, step)
  local address = step.tcp and agent.tcp or ("unix://%s/%s.sock"):format(harness.dir, step.listener or "door")
  local session = { peer = wire.connect(address) }
  local response = session.peer:call("CreateSession", wire.int(1, step.hint or 0))
  sessions[step[2]] = session
  if response.code ~= 0 then return refused(response) end
  session.id = response.fields[1][1]
  return state(session)
end

function steps.op(_, sessions, step)
  local session = sessions[step[2]]
  local response = session.peer:call("ImageClassification", wire.image(session.id, ("x"):rep(step.bytes)))
  if response.code ~= 0 then return refused(response) end
  return state(session)
end

function steps.resource(_, sessions, step)
  local session = sessions[step[2]]
  local response = session.peer:call("RegisterResource",
    wire.register(session.id, { wire.blob(step.name, ("x"):rep(step.bytes)) }, KINDS[step.type]))
  return response.code ~= 0 and refused(response) or "registered"
end

--- What a mirror comes to is told as long as its session is there; the simulator's always ends first.
local function settle()
  assert(system.poll(10 * harness.slow, function () return operator.json("info").operations == 0 end))
end

function steps.close(_, sessions, step)
  local session = sessions[step[2]]
  settle()
  local response = session.peer:call("DestroySession", wire.int(1, session.id))
  assert(response.code == 0, response.message)
  return "closed"
end

function steps.reload(agent, _, step)
  local from = #agent.lines + 1
  harness.file("policy.lua", step.script)
  agent:kill(signal.SIGHUP)
  agent:says("SIGHUP: policies loaded again", from)
  return "loaded"
end

function steps.wait(agent, _, step)
  agent:says("policy p: " .. step[2], 1)
  return step[2]
end

local function addresses_of(scenario)
  local names, addresses = { door = true }, {}
  for _, step in ipairs(scenario.steps) do names[step.listener or "door"] = true end
  for name in pairs(names) do
    addresses[#addresses + 1] = ("unix://%s/%s.sock,name=%s"):format(harness.dir, name, name)
  end
  local tcp = harness.free_tcp()
  addresses[#addresses + 1] = tcp .. ",name=net"
  return addresses, tcp
end

--- Runs a scenario; what came of each step, and what its scripts wrote.
---@param scenario table
---@param began fun()? called when the agent serves
---@return { steps: string[], lines: string[] }
return function (scenario, began)
  local addresses, tcp = addresses_of(scenario)
  local agent = operator.agent {
    policy = scenario.script, plugins = scenario.plugins and table.concat(scenario.plugins, " "), addresses = addresses,
  }
  agent.tcp = tcp
  if began then began() end
  local sessions, said = {}, {}
  for i, step in ipairs(scenario.steps) do said[i] = steps[step[1]](agent, sessions, step) end
  agent:stop()
  local lines = {}
  for i, line in ipairs(agent.lines) do lines[i] = line.text end
  return { steps = said, lines = outcome.lines(lines) }
end
