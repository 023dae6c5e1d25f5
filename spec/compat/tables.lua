--- The tables of the vAccel 0.8 interface (functions.tsv, structs.tsv, enums.tsv, macros.tsv of
--- this directory) as Lua values, and as the lists of macro calls that C and C++ include.
---
--- A table's first line names its columns; "-" is an empty cell. functions.tsv ends with one line
--- `NAME/TYPE` of pairs: each function with NAME in its name stands for one function a pair.
local tables = {}

---@alias Row table<string, string>

local function cells(line)
  local found = {}
  for cell in (line .. "\t"):gmatch "([^\t]*)\t" do found[#found + 1] = cell end
  return found
end

local function expand(rows, pairs_text)
  local expanded = {}
  for _, row in ipairs(rows) do
    if not row["function"]:find "NAME" then
      expanded[#expanded + 1] = row
    else
      for name, ctype in pairs_text:gmatch "([^/, ]+)/([^,]+)" do
        expanded[#expanded + 1] = {
          header = row.header, ["function"] = row["function"]:gsub("NAME", name), returns = row.returns,
          parameters = row.parameters:gsub("TYPE", ctype), deprecated = row.deprecated,
        }
      end
    end
  end
  return expanded
end

--- Read a table.
---@param text string
---@return Row[]
function tables.parse(text)
  local columns, rows, pairs_text = nil, {}, nil
  for line in text:gmatch "[^\n]+" do
    local found = cells(line)
    if not columns then
      columns = found
    elseif found[1] == "NAME/TYPE" then
      pairs_text = found[2]
    else
      assert(#found == #columns, "not " .. #columns .. " cells: " .. line)
      local row = {}
      for i, column in ipairs(columns) do row[column] = found[i] end
      rows[#rows + 1] = row
    end
  end
  return pairs_text and expand(rows, pairs_text) or rows
end

--- One call for each row, in the order of the table: line N of the list is row N.
local lists = {}

---@param row Row
function lists.functions(row)
  return ("FUNCTION(%s, %s, (%s))"):format(row["function"], row.returns, row.parameters)
end

---@param row Row
function lists.structs(row)
  return ("FIELD(%s, %s, %s, %s, %s, %s)"):format(row.struct, row.size, row.field, row.type, row.offset, row.bytes)
end

--- NAMED has the enum's helpers too: those of types whose enumerators end with a MAX.
---@param row Row
---@param named table<string, string> prefix of each such type
function lists.enums(row, named)
  if row.enum == "-" then return ("CONSTANT(%s, %s)"):format(row.enumerator, row.value) end
  local prefix = named[row.enum]
  if not prefix then return ("ENUMERATOR(%s, %s, %s)"):format(row.enum, row.enumerator, row.value) end
  return ("NAMED(%s, %s, %s, %s, %s)"):format(row.enum:gsub("_t$", ""), prefix,
    row.enumerator:sub(#prefix + 2), row.enumerator, row.value)
end

---@param row Row
function lists.macros(row)
  return row.value:find "^%d" and ("CONSTANT(%s, %s)"):format(row.macro, row.value)
    or row.value ~= "-" and ("TEXT(%s, %s)"):format(row.macro, row.value) or ""
end

local function prefixes(rows)
  local named = {}
  for _, row in ipairs(rows) do
    if row.enum and row.enum:find "_t$" then named[row.enum] = row.enumerator:match "^(.*)_MAX$" end
  end
  return named
end

--- The list of macro calls of a table.
---@param kind "functions"|"structs"|"enums"|"macros"
---@param rows Row[]
---@return string
function tables.list(kind, rows)
  local named, lines = prefixes(rows), {}
  for i, row in ipairs(rows) do lines[i] = lists[kind](row, named) end
  -- A macro that is missing is a missing row; no call could say so.
  for _, row in ipairs(kind == "macros" and rows or {}) do
    lines[#lines + 1] = ("#ifndef %s\n#error \"%s is not defined\"\n#endif"):format(row.macro, row.macro)
  end
  return table.concat(lines, "\n") .. "\n"
end

---@param path string
---@return Row[]
function tables.read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return tables.parse(text)
end

return tables
