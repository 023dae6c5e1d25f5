--- Recordings, as `luaccel policy record` writes them: read line by line, each checked before anyone
--- relies on it. docs/policies/reference.md says what the lines are.
local json = require "luaccel.json"
local sim = require "luaccel.sim"

local VERSION = 1
local LINE_MAX, BLOCK = 65536, 65536

---@class luaccel.Recording
---@field path string
---@field first table its first line
---@field why string? it has no end: the sentence about that
local Recording = {}
Recording.__index = Recording

--- Of what is wrong, with the place; a table, so that whoever shows it knows that it is no bug.
local function wrong(path, number, ...)
  error({ sentence = ("%s:%d: "):format(path, number) .. string.format(...) }, 0)
end

-- ---- what a line may have

local function whole(most)
  return function (value) return type(value) == "number" and value >= 0 and value <= most and value % 1 == 0 end
end

local function is_text(value) return type(value) == "string" and not value:find "%z" end

local function texts(least, most)
  return function (value)
    if type(value) ~= "table" or #value < least or #value > most then return false end
    for key, text in pairs(value) do
      if type(key) ~= "number" or not is_text(text) then return false end
    end
    return true
  end
end

local function one_of(words)
  local known = {}
  for word in words:gmatch "%a+" do known[word] = true end
  return function (value) return known[value] == true end
end

local IS = {
  text = is_text,
  name = function (value) return is_text(value) and #value > 0 and #value < 64 end,
  number = whole(2 ^ 53),
  short = whole(2 ^ 32 - 1),
  code = whole(2 ^ 31 - 1),
  seconds = function (value) return type(value) == "number" and value >= 0 and value <= 1e9 end,
  time = function (value) return type(value) == "number" and value >= 1 and value < 1e10 end,
  flag = function (value) return type(value) == "boolean" end,
  plan = texts(1, 8),
  names = texts(0, 1024),
  attempt = function (value) return whole(2 ^ 31 - 1)(value) and value > 0 end,
  verdict = one_of "pass route reject wait",
  routed = one_of "pass route reject mirror",
  retried = one_of "pass retry",
  compared = one_of "equal differ failed",
  operation = function (value) return is_text(value) and sim.is_operation(value) end,
}

local PEER = { transport = "text?", addr = "text?", listener = "text?", uid = "short?", gid = "short?", pid = "short?",
  cid = "short?" }

--- The first that a line lacks, or has and should not.
local function first_wrong(line, fields)
  for name, kind in pairs(fields) do
    local optional = kind:sub(-1) == "?"
    local value = line[name]
    if value == nil then
      if not optional then return name end
    elseif not IS[optional and kind:sub(1, -2) or kind](value) then
      return name
    end
  end
end

IS.peer = function (value) return type(value) == "table" and not first_wrong(value, PEER) end
IS.operations = function (value)
  if not texts(0, 64)(value) then return false end
  for _, name in ipairs(value) do
    if not sim.is_operation(name) then return false end
  end
  return true
end

local VIEW = { up = "flag?", inflight = "number?", operations = "number?", errors = "number?", p50_us = "number?",
  p99_us = "number?" }
local DECISION = { verdict = "verdict", where = "text?", code = "code?", text = "text?", plan = "plan?",
  deadline = "seconds?", per_op = "flag?" }
--- How long a run took.
local RAN = { code = "code", queue_us = "number", service_us = "number" }

local function fields(...)
  local all = { t = "number" }
  for _, some in ipairs { ... } do
    for name, kind in pairs(some) do all[name] = kind end
  end
  return all
end

local HAS_PLAN = { route = true, retry = true, mirror = true }

local FIRST = { agent = "text", t = "number", time = "time", scripts = "names", backends = "names" }
local SESSION = { s = "number", c = "number", hint = "short", hinted = "name?", peer = "peer" }
local LINES = {
  backend = fields(VIEW, { b = "name", kind = "text", declared = "flag", has = "operations?" }),
  view = fields(VIEW, { b = "name" }),
  state = fields { b = "name", up = "flag" },
  load = fields { scripts = "names", backends = "names" },
  accept = fields(DECISION, { c = "number", peer = "peer" }),
  session = fields(DECISION, SESSION),
  known = fields(SESSION, { where = "text", b = "name?", plan = "plan", per_op = "flag?" }),
  on = fields { s = "number", b = "name" },
  resource = fields(DECISION, { s = "number", id = "number?", type = "text?", bytes = "number?", names = "names",
    more_names = "number?" }),
  op = fields(DECISION, { s = "number", o = "number", name = "operation", b = "name?", ["in"] = "number",
    deadline = "seconds?" }),
  route = fields(DECISION, { s = "number", o = "number", b = "name?", verdict = "routed" }),
  failed = fields(DECISION, RAN, { s = "number", o = "number", attempt = "attempt", home = "name?", b = "name?",
    verdict = "retried" }),
  ["end"] = fields(RAN, { o = "number", b = "name?", attempt = "attempt?", ["in"] = "number", out = "number",
    cached = "flag?" }),
  done = fields { o = "number", code = "code" },
  mirror = fields(RAN, { s = "number", o = "number", b = "name?", mirror = "compared", out = "number" }),
  close = fields { s = "number" },
  lost = fields { n = "number" },
  over = { why = "text", lost = "number" },
}

-- ---- reading

--- Lines of the file with their newlines, none longer than may be; the last may have none.
local function raw_lines(file)
  local buffer, at = "", 1
  return function ()
    while true do
      local stop = buffer:find("\n", at, true)
      if stop or #buffer - at >= LINE_MAX then
        local line = buffer:sub(at, stop or #buffer)
        at = (stop or #buffer) + 1
        return line
      end
      local block = file:read(BLOCK)
      if not block then
        local rest = buffer:sub(at)
        buffer, at = "", 1
        return rest ~= "" and rest or nil
      end
      buffer, at = buffer:sub(at) .. block, 1
    end
  end
end

local function decode(path, number, text)
  if #text > LINE_MAX then wrong(path, number, "a line of more than %d bytes", LINE_MAX) end
  local line, why = json.decode(text)
  if type(line) ~= "table" then wrong(path, number, "%s", why or "no object") end
  return line
end

local function check_first(path, line)
  if type(line.luaccel_recording) ~= "number" then wrong(path, 1, "not a recording of luaccel policy record") end
  if line.luaccel_recording ~= VERSION then
    wrong(path, 1, "a recording of version %g; this luaccel reads version %d", line.luaccel_recording, VERSION)
  end
  local what = first_wrong(line, FIRST)
  if what then wrong(path, 1, 'the first line has no good "%s"', what) end
end

local function check_line(path, number, line)
  local known = type(line.e) == "string" and LINES[line.e]
  if not known then wrong(path, number, 'there is no line of the kind "%s"', tostring(line.e)) end
  local what = first_wrong(line, known)
  if not what and HAS_PLAN[line.verdict] and not line.plan then what = "plan" end
  if not what and line.verdict == "reject" and not (line.code and line.text) then what = "code" end
  if what then wrong(path, number, 'a line "%s" without a good "%s"', line.e, what) end
end

--- Its lines but the first, in order, with their numbers. Raises a table with a sentence where one is not
--- as it should be; a recording that was cut ends where it does, and says so in `why`.
---@return fun(): table?, integer?
function Recording:lines()
  local file = assert(io.open(self.path, "rb"))
  local raw, number, last, over = raw_lines(file), 1, self.first.t, false
  raw()
  return function ()
    local text = raw()
    if over and text then wrong(self.path, number + 1, "a line after the last") end
    if over or not text or text:sub(-1) ~= "\n" and #text < LINE_MAX then
      file:close()
      self.why = not over and ("%s:%d: the recording is cut here: it has no last line"):format(self.path,
        number + (text and 1 or 0)) or nil
      return nil
    end
    number = number + 1
    local line = decode(self.path, number, text)
    check_line(self.path, number, line)
    over = line.e == "over"
    line.t = line.t or last
    if line.t < last then wrong(self.path, number, "time goes back") end
    last = line.t
    return line, number
  end
end

--- Opens one. Raises a table with a sentence when it is none.
---@param path string
---@return luaccel.Recording
local function open(path)
  local file, why = io.open(path, "rb")
  if not file then error({ sentence = why }, 0) end
  local text = raw_lines(file)()
  file:close()
  if not text then wrong(path, 1, "an empty file is no recording") end
  local first = decode(path, 1, text)
  check_first(path, first)
  return setmetatable({ path = path, first = first }, Recording)
end

return { open = open }
