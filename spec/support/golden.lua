--- The transcripts of the guides (spec/golden): one Lua pattern a line, in the order in which the
--- lines come; other lines may stand between them. `#` begins a comment.
local harness = require "support.harness"
local system = require "support.system"

local golden = {}

---@param name string of a file of spec/golden
---@return string[] patterns
function golden.patterns(name)
  local patterns = {}
  for line in system.read(harness.source .. "/spec/golden/" .. name):gmatch "[^\n]+" do
    if not line:find "^#" then patterns[#patterns + 1] = line end
  end
  assert(#patterns > 0, name .. " is empty")
  return patterns
end

--- The first pattern for which there is no line, in order; nil when all are there.
---@param patterns string[]
---@param text string
---@return string?
function golden.missing(patterns, text)
  local wanted = 1
  for line in text:gmatch "[^\n]+" do
    if patterns[wanted] and line:find(patterns[wanted]) then wanted = wanted + 1 end
  end
  return patterns[wanted]
end

return golden
