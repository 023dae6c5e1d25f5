--- JSON on one line. What list() has marked is an array, other tables are objects with their names
--- in order. Strings are taken as UTF-8. What is read has no null: nobody writes one for us.

local json, List = {}, {}

--- Arrays and objects within each other, when JSON is read.
local DEPTH_MAX = 16

---@generic T
---@param t T
---@return T
function json.list(t)
  return setmetatable(t, List)
end

local function text(value)
  return '"' .. value:gsub('[%c"\\\127]', function (c)
    return (c == '"' or c == "\\") and "\\" .. c or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function members(value)
  local names, out = {}, {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    out[i] = text(name) .. ":" .. json.encode(value[name])
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function elements(value)
  local out = {}
  for i, element in ipairs(value) do
    out[i] = json.encode(element)
  end
  return "[" .. table.concat(out, ",") .. "]"
end

---@param value any
---@return string
function json.encode(value)
  if type(value) == "table" then
    return getmetatable(value) == List and elements(value) or members(value)
  elseif type(value) == "number" then
    return ("%.14g"):format(value)
  end
  return type(value) == "string" and text(value) or tostring(value)
end

-- ---- reading

local function wrong(at, what)
  error({ json = ("no JSON at byte %d: %s"):format(at, what) }, 0)
end

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  local last = 0x80 + code % 64
  if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), last) end
  return string.char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, last)
end

--- The string that begins at `at`, and where it goes on.
local function string_at(line, at)
  local parts, from = {}, at + 1
  while true do
    local stop = line:find('["\\%c]', from)
    if not stop then wrong(at, "a string without an end") end
    parts[#parts + 1] = line:sub(from, stop - 1)
    local c = line:sub(stop, stop)
    if c == '"' then return table.concat(parts), stop + 1 end
    if c ~= "\\" then wrong(stop, "a control character in a string") end
    local hex = line:match("^u(%x%x%x%x)", stop + 1)
    local escaped = hex and utf8_of(tonumber(hex, 16)) or ESCAPES[line:sub(stop + 1, stop + 1)]
    if not escaped then wrong(stop, "an escape that there is not") end
    parts[#parts + 1] = escaped
    from = stop + (hex and 6 or 2)
  end
end

local function number_at(line, at)
  local stop = line:match("^%-?0()", at) or line:match("^%-?[1-9]%d*()", at)
  if not stop then wrong(at, "no value") end
  stop = line:match("^%.%d+()", stop) or stop
  stop = line:match("^[eE][+-]?%d+()", stop) or stop
  return tonumber(line:sub(at, stop - 1)), stop
end

local value_at

--- What stands between brackets, `item` by `item`.
local function items_at(line, at, depth, item)
  local closing = line:sub(at, at) == "{" and "}" or "]"
  local all = {}
  if depth == 0 then wrong(at, "too deep") end
  at = line:match("^%s*()", at + 1)
  if line:sub(at, at) == closing then return all, at + 1 end
  while true do
    at = line:match("^%s*()", item(all, at))
    local c = line:sub(at, at)
    if c == closing then return all, at + 1 end
    if c ~= "," then wrong(at, "neither , nor " .. closing) end
    at = line:match("^%s*()", at + 1)
  end
end

local function array_at(line, at, depth)
  return items_at(line, at, depth, function (all, from)
    local value, stop = value_at(line, from, depth - 1)
    all[#all + 1] = value
    return stop
  end)
end

local function object_at(line, at, depth)
  return items_at(line, at, depth, function (all, from)
    if line:sub(from, from) ~= '"' then wrong(from, "no name") end
    local name, stop = string_at(line, from)
    stop = line:match("^%s*:%s*()", stop) or wrong(stop, "no :")
    all[name], stop = value_at(line, stop, depth - 1)
    return stop
  end)
end

function value_at(line, at, depth)
  local c = line:sub(at, at)
  if c == "{" then return object_at(line, at, depth) end
  if c == "[" then return array_at(line, at, depth) end
  if c == '"' then return string_at(line, at) end
  if line:find("^true", at) then return true, at + 4 end
  if line:find("^false", at) then return false, at + 5 end
  return number_at(line, at)
end

--- The one value that the line is; nil and a sentence when it is none.
---@param line string
---@return any value
---@return string? why
function json.decode(line)
  local good, value, at = pcall(value_at, line, line:match "^%s*()", DEPTH_MAX)
  if not good then return nil, type(value) == "table" and value.json or error(value, 0) end
  at = line:match("^%s*()", at)
  if at <= #line then return nil, ("no JSON at byte %d: more than one value"):format(at) end
  return value
end

return json
