--- JSON on one line. What list() has marked is an array, other tables are objects with their names
--- in order. Strings are taken as UTF-8.

local json, List = {}, {}

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

return json
