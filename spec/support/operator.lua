--- What an operator does: runs `luaccel` against an agent that has a control socket.
local harness = require "support.harness"
local json = require "support.json"
local system = require "support.system"

local operator = {}

--- Where the agent of this spec has its control socket.
---@return string uri
function operator.socket() return "unix://" .. harness.dir .. "/control.sock" end

--- An agent with a control socket; further options as of harness.agent.
---@param options AgentOptions
---@return Agent
function operator.agent(options)
  options.args = { "--control", operator.socket(), unpack(options.args or {}) }
  return harness.agent(options)
end

--- The text of one of scripts/policies, changed as an operator would: each text, by what it becomes.
---@param name string
---@param changes table<string, string>
---@return string
function operator.script(name, changes)
  local text = system.read(("%s/scripts/policies/%s.lua"):format(harness.source, name))
  for ours, its in pairs(changes) do
    local at, to = text:find(its, 1, true)
    assert(at, its)
    text = text:sub(1, at - 1) .. ours .. text:sub(to + 1)
  end
  return text
end

local function stream(p, name)
  local lines = {}
  for _, line in ipairs(p.lines) do
    if line.stream == name then lines[#lines + 1] = line.text end
  end
  return table.concat(lines, "\n")
end

---@class Said
---@field code integer exit status
---@field out string
---@field err string

--- Run luaccel.
---@param words string[]
---@param options { uid: integer?, env: table<string, string>? }?
---@return Said
function operator.luaccel(words, options)
  options = options or {}
  options.env = options.env or { LUACCEL_CONTROL = operator.socket() }
  local p = harness.run({ harness.bin "luaccel", unpack(words) }, options)
  assert(p.status.how == "exited", p:text())
  return { code = p.status.code, out = stream(p, "out"), err = stream(p, "err") }
end

--- Run it for something that has to work.
---@param ... string
---@return string out
function operator.must(...)
  local said = operator.luaccel { ... }
  if said.code ~= 0 then error(("luaccel %s: %d: %s"):format(table.concat({ ... }, " "), said.code, said.err), 2) end
  return said.out
end

--- Run it for something that has to fail.
---@param ... string
---@return string err
function operator.fails(...)
  local said = operator.luaccel { ... }
  assert(said.code == 1, ("luaccel %s: %d: %s"):format(table.concat({ ... }, " "), said.code, said.err))
  return said.err
end

--- What a listing says, as data.
---@param ... string
---@return any
function operator.json(...) return json.decode(operator.must("--json", ...)) end

return operator
