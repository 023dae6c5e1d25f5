--- JSON as RFC 8259 has it, strictly: anything else is an error with its place.
local json = {}

local NULL = setmetatable({}, { __tostring = function () return "null" end })
json.null = NULL

local function fail(text, at, what)
  error(("no JSON at byte %d: %s: %q"):format(at, what, text:sub(at, at + 20)), 0)
end

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), 0x80 + code % 64) end
  return string.char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function skip(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

--- Every byte of a string must be part of valid UTF-8.
local function check_utf8(text, at)
  local i = 1
  while i <= #text do
    local tail = text:match("^[%z\1-\127]()", i) or text:match("^[\194-\223][\128-\191]()", i)
      or text:match("^[\224-\239][\128-\191][\128-\191]()", i)
      or text:match("^[\240-\244][\128-\191][\128-\191][\128-\191]()", i)
    if not tail then fail(text, i, "not UTF-8 in the string at " .. at) end
    i = tail
  end
end

local function string_at(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = text:find('["\\%z\1-\31]', from)
    if not stop then fail(text, at, "a string without end") end
    parts[#parts + 1] = text:sub(from, stop - 1)
    local c = text:sub(stop, stop)
    if c == '"' then
      local value = table.concat(parts)
      check_utf8(value, at)
      return value, stop + 1
    end
    if c ~= "\\" then fail(text, stop, "a control character in a string") end
    local escape = text:sub(stop + 1, stop + 1)
    local hex = escape == "u" and text:match("^%x%x%x%x", stop + 2)
    if not hex and not ESCAPES[escape] then fail(text, stop, "an escape that there is not") end
    parts[#parts + 1] = hex and utf8_of(tonumber(hex, 16)) or ESCAPES[escape]
    from = stop + (hex and 6 or 2)
  end
end

local function number_at(text, at)
  local stop = text:match("^-?0()", at) or text:match("^-?[1-9]%d*()", at)
  if not stop then fail(text, at, "no value") end
  stop = text:match("^%.%d+()", stop) or stop
  stop = text:match("^[eE][+-]?%d+()", stop) or stop
  return tonumber(text:sub(at, stop - 1)), stop
end

local value_at

local function items_at(text, at, closing, item)
  local all = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == closing then return all, at + 1 end
  while true do
    at = skip(text, item(all, at))
    local c = text:sub(at, at)
    if c == closing then return all, at + 1 end
    if c ~= "," then fail(text, at, "neither , nor " .. closing) end
    at = skip(text, at + 1)
  end
end

local function array_at(text, at)
  return items_at(text, at, "]", function (all, from)
    local value, stop = value_at(text, from)
    all[#all + 1] = value
    return stop
  end)
end

local function object_at(text, at)
  return items_at(text, at, "}", function (all, from)
    if text:sub(from, from) ~= '"' then fail(text, from, "a member without a name") end
    local name, colon = string_at(text, from)
    colon = skip(text, colon)
    if text:sub(colon, colon) ~= ":" then fail(text, colon, "no :") end
    if all[name] ~= nil then fail(text, from, "a member twice") end
    local value, stop = value_at(text, skip(text, colon + 1))
    all[name] = value
    return stop
  end)
end

local WORDS = { ["true"] = true, ["false"] = false, null = NULL }

function value_at(text, at)
  local c = text:sub(at, at)
  if c == "{" then return object_at(text, at) end
  if c == "[" then return array_at(text, at) end
  if c == '"' then return string_at(text, at) end
  local word = text:match("^%a+", at)
  if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
  return number_at(text, at)
end

--- The one value that the text is.
---@param text string
---@return any
function json.decode(text)
  local value, at = value_at(text, skip(text, 1))
  at = skip(text, at)
  if at <= #text then fail(text, at, "more than one value") end
  return value
end

return json
