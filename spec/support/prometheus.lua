--- Prometheus' text (0.0.4), strictly: every line is HELP, TYPE or a sample, a name's lines are
--- together after its TYPE, no series is there twice, and histograms add up.
local poll = require "posix.poll"
local unistd = require "posix.unistd"
local harness = require "support.harness"
local wire = require "support.wire"

local prometheus = {}

local TYPES = { counter = true, gauge = true, histogram = true }

local function fail(line, what) error(("no metrics: %s: %s"):format(what, line), 0) end

--- name="value",... up to the brace: a table, and the place behind it.
local function labels_at(line, at)
  local labels = {}
  while line:sub(at, at) ~= "}" do
    local name, from = line:match('^([%a_][%w_]*)="()', at)
    if not name then fail(line, "a label without name and quote") end
    if labels[name] then fail(line, "a label twice") end
    local value = {}
    while true do
      local plain, stop = line:match('^([^"\\\n]*)()', from)
      value[#value + 1] = plain
      if line:sub(stop, stop) == '"' then from = stop + 1 break end
      local escape = ({ ['\\"'] = '"', ["\\\\"] = "\\", ["\\n"] = "\n" })[line:sub(stop, stop + 1)]
      if not escape then fail(line, "a label's value") end
      value[#value + 1] = escape
      from = stop + 2
    end
    labels[name] = table.concat(value)
    at = from
    if line:sub(at, at) == "," then at = at + 1 elseif line:sub(at, at) ~= "}" then fail(line, "neither , nor }") end
  end
  return labels, at + 1
end

local function number(text, line)
  if not (text:find "^%-?%d+%.?%d*$" or text:find "^%-?%d+%.?%d*e[+-]%d+$") then fail(line, "no number") end
  return tonumber(text)
end

local function key_of(labels, without)
  local parts = {}
  for name, value in pairs(labels) do
    if name ~= without then parts[#parts + 1] = ("%s=%q"):format(name, value) end
  end
  table.sort(parts)
  return table.concat(parts, ",")
end

--- The family that a sample's name belongs to, and which of its parts it is.
local function family_of(families, name)
  if families[name] and families[name].type ~= "histogram" then return families[name], "value" end
  local base, part = name:match "^(.*)_(%a+)$"
  local family = base and families[base]
  if family and family.type == "histogram" and (part == "bucket" or part == "sum" or part == "count") then
    return family, part
  end
end

local function check_histogram(family)
  local of = {}
  for _, sample in ipairs(family.samples) do
    local key = key_of(sample.labels, "le")
    of[key] = of[key] or { bucket = {} }
    if sample.part == "bucket" then table.insert(of[key].bucket, sample) else of[key][sample.part] = sample.value end
  end
  for key, h in pairs(of) do
    assert(h.sum and h.count, family.name .. key .. " has no sum or count")
    local last, bound = -1, -math.huge
    for _, sample in ipairs(h.bucket) do
      local le = sample.labels.le == "+Inf" and math.huge or tonumber(sample.labels.le)
      assert(le and le > bound, family.name .. ": bounds must rise")
      assert(sample.value >= last, family.name .. ": a bucket is smaller than the one before")
      last, bound = sample.value, le
    end
    assert(bound == math.huge and last == h.count, family.name .. ": +Inf is not the count")
  end
end

---@class Family
---@field name string
---@field type string
---@field help string
---@field samples { labels: table<string, string>, value: number, part: string }[]

---@param text string
---@return table<string, Family>
function prometheus.parse(text)
  local families, current, seen = {}, nil, {}
  assert(text:sub(-1) == "\n", "the last line does not end")
  for line in text:gmatch "([^\n]*)\n" do
    local help, words = line:match "^# HELP ([%a_:][%w_:]*) (.+)$"
    local typed, type = line:match "^# TYPE ([%a_:][%w_:]*) (%a+)$"
    if help then
      if families[help] then fail(line, "a family twice") end
      current = { name = help, help = words, samples = {} }
      families[help] = current
    elseif typed then
      if not current or typed ~= current.name or current.type then fail(line, "TYPE without HELP before") end
      if not TYPES[type] then fail(line, "no type") end
      current.type = type
    else
      local name, at = line:match "^([%a_:][%w_:]*)()"
      if not name then fail(line, "no sample") end
      local labels = {}
      if line:sub(at, at) == "{" then labels, at = labels_at(line, at + 1) end
      local value = line:match("^ (%S+)$", at)
      if not value then fail(line, "no value") end
      local family, part = family_of(families, name)
      if not family or family ~= current then fail(line, "a sample outside its family") end
      local key = name .. "{" .. key_of(labels) .. "}"
      if seen[key] then fail(line, "a series twice") end
      seen[key] = true
      table.insert(family.samples, { labels = labels, value = number(value, line), part = part })
      if family.type == "counter" and not family.name:find "_total$" then fail(line, "a counter is a _total") end
    end
  end
  for _, family in pairs(families) do
    assert(family.type, family.name .. " has no TYPE")
    if family.type == "histogram" then check_histogram(family) end
  end
  return families
end

--- The value of a series, or nil.
---@param families table<string, Family>
---@param name string without "luaccel_"
---@param labels table<string, string>?
---@param part string? "count" and so on, of a histogram
---@return number?
function prometheus.value(families, name, labels, part)
  local family = assert(families["luaccel_" .. name], "no metric luaccel_" .. name)
  for _, sample in ipairs(family.samples) do
    if key_of(sample.labels) == key_of(labels or {}) and sample.part == (part or "value") then return sample.value end
  end
end

--- What comes back for a request's bytes, up to the end of the connection.
---@param address string where --metrics serves
---@param bytes string
---@return integer status, string head, string body
function prometheus.http(address, bytes)
  local connection = wire.connect(address)
  connection:send(bytes)
  local parts = {}
  while poll.rpoll(connection.fd, 10000 * harness.slow) == 1 do
    local some = unistd.read(connection.fd, 65536)
    if not some or some == "" then break end
    parts[#parts + 1] = some
  end
  connection:close()
  local answer = table.concat(parts)
  local status, head, body = answer:match "^HTTP/1%.[01] (%d+) [^\r\n]*(\r\n.-\r\n)\r\n(.*)$"
  return tonumber(status), head, body
end

return prometheus
