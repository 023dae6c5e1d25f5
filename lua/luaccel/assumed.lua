--- What a replay assumes of operations that ran elsewhere, or not at all, when they were recorded.
--- Measured first: how long each operation took on each backend.

---@class luaccel.Assumed
local Assumed = {}
Assumed.__index = Assumed

local SAMPLES = 1000 -- of each operation on each backend: the median needs no more

---@return luaccel.Assumed
local function new()
  return setmetatable({ samples = {}, medians = {}, ops = {}, took = {}, said = {}, list = {} }, Assumed)
end

local function key_of(name, backend) return name .. " on " .. backend end

--- A line of the recording, on a first way through it.
function Assumed:note(line)
  if line.e == "op" then
    self.ops[line.o] = line.verdict ~= "reject" and line.name or nil
  elseif line.e == "route" and line.verdict == "reject" then
    self.ops[line.o] = nil
  elseif line.e == "end" then
    local name = self.ops[line.o]
    self.ops[line.o] = nil
    if not name or not line.b or line.cached then return end
    self.took[line.o] = line.service_us
    if line.code ~= 0 then return end
    local key = key_of(name, line.b)
    local samples = self.samples[key] or {}
    self.samples[key] = samples
    if #samples < SAMPLES then samples[#samples + 1] = line.service_us end
  end
end

function Assumed:median(key)
  local samples = self.samples[key]
  if samples and not self.medians[key] then
    table.sort(samples)
    self.medians[key] = samples[math.ceil(#samples / 2)]
  end
  return self.medians[key]
end

--- It succeeds there: in how many microseconds, as far as is known.
---@param name string
---@param backend string
---@param id integer its number: it may have run elsewhere
---@return integer us
function Assumed:time(name, backend, id)
  local key = key_of(name, backend)
  local median, recorded = self:median(key), self.took[id]
  local how = median and "the median of those there" or recorded and "what each took elsewhere"
    or "as none was recorded there"
  local entry = self.said[key .. how]
  if not entry then
    entry = { op = name, backend = backend, count = 0, us = median or not recorded and 0 or nil, how = how }
    self.said[key .. how] = entry
    self.list[#self.list + 1] = entry
  end
  entry.count = entry.count + 1
  return median or recorded or 0
end

return { new = new }
