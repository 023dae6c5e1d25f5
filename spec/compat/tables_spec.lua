--- The tables are what the compiler is held to: as they are they compile, and a changed row does
--- not, whichever row and cell it is.
local harness = require "support.harness"
local system = require "support.system"
local compiler = require "compat.compiler"
local tables = require "compat.tables"

local HERE = harness.source .. "/spec/compat"
local KINDS = { "functions", "structs", "enums", "macros" }
local NO_ERROR_LIMIT = { gcc = "-fmax-errors=0", clang = "-ferror-limit=0" }

local original = {}
for _, kind in ipairs(KINDS) do original[kind] = system.read(("%s/%s.tsv"):format(HERE, kind)) end

--- The lists of the tables in a directory, with one of them changed.
---@param kind string
---@param change fun(row: Row, n: integer)? applied to each row of that kind
---@return integer rows of that kind
local function make_lists(kind, change)
  local count
  for _, each in ipairs(KINDS) do
    local rows = tables.parse(original[each])
    if each == kind then
      count = #rows
      for n, row in ipairs(rows) do if change then change(row, n) end end
    end
    harness.file(each .. ".inc", tables.list(each, rows))
  end
  return count
end

local limit

--- Rows of a list that the compiler complains of.
local function complaints(language, file, kind)
  limit = limit or (harness.run({ compiler.programs.c, "--version" }):text():find "clang" and "clang" or "gcc")
  local ok, text = compiler.check(language, HERE .. "/" .. file, { flags = {
    "-I" .. harness.dir, "-Wno-deprecated-declarations", NO_ERROR_LIMIT[limit],
  } })
  local found, count = {}, 0
  for n in text:gmatch(kind .. "%.inc:(%d+):") do
    n = tonumber(n)
    if not found[n] then count = count + 1 end
    found[n] = true
  end
  assert(ok == (count == 0), text)
  return found, count
end

local function another_number(column)
  return function (row) row[column] = tostring(tonumber(row[column]) + 1) end
end

--- Cells whose change must be noticed: what is checked by which file.
local CELLS = {
  { kind = "functions", cell = "returns", files = { c = "functions.c", cxx = "types.cc" },
    change = function (row) row.returns = "struct vaccel_none *" end },
  { kind = "functions", cell = "parameters", files = { c = "functions.c", cxx = "types.cc" },
    change = function (row)
      row.parameters = row.parameters == "void" and "char *more" or "char *more, " .. row.parameters
    end },
  { kind = "structs", cell = "size", files = { c = "layout.c", cxx = "types.cc" }, change = another_number "size" },
  { kind = "structs", cell = "offset", files = { c = "layout.c", cxx = "types.cc" }, change = another_number "offset" },
  { kind = "structs", cell = "bytes", files = { c = "layout.c" }, change = another_number "bytes" },
  { kind = "structs", cell = "type", files = { c = "layout.c", cxx = "types.cc" },
    change = function (row) row.type = "struct vaccel_none *" end },
  { kind = "enums", cell = "value", files = { c = "layout.c", cxx = "types.cc" }, change = another_number "value" },
}

describe("the tables", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("compile as they are", function ()
    print(("%d functions, %d fields, %d enumerators, %d macros"):format(
      make_lists "functions", make_lists "structs", make_lists "enums", make_lists "macros"))
    for file, language in pairs { ["functions.c"] = "c", ["layout.c"] = "c", ["types.cc"] = "cxx" } do
      local _, count = complaints(language, file, "%w+")
      assert.equal(0, count)
    end
    assert.equal(273, make_lists "functions")
  end)

  for _, cell in ipairs(CELLS) do
    for language, file in pairs(cell.files) do
      it(("with another %s in each row of %s make each row fail (%s)"):format(cell.cell, cell.kind, file), function ()
        local rows = make_lists(cell.kind, cell.change)
        local _, count = complaints(language, file, cell.kind)
        assert.equal(rows, count)
      end)

      it(("with another %s in one row of %s make that row fail (%s)"):format(cell.cell, cell.kind, file), function ()
        local rows = make_lists(cell.kind)
        local which = math.random(rows)
        make_lists(cell.kind, function (row, n) if n == which then cell.change(row) end end)
        local found, count = complaints(language, file, cell.kind)
        assert.equal(1, count)
        assert.is_true(found[which], "row " .. which)
      end)
    end
  end

  it("say which functions are deprecated", function ()
    make_lists "functions"
    local _, text = compiler.check("c", HERE .. "/functions.c", { flags = { "-I" .. harness.dir, "-Wno-error" } })
    local warned = {}
    for name in text:gmatch "'([%w_]+)' is deprecated" do warned[name] = true end
    for _, row in ipairs(tables.parse(original.functions)) do
      assert.equal(row.deprecated == "deprecated", warned[row["function"]] == true, row["function"])
    end
  end)

  it("name the functions and macros that each header has by itself", function ()
    local per_header = {}
    local function say(header, text, name)
      per_header[header] = (per_header[header] or "") .. text:gsub("NAME", name)
    end
    for _, row in ipairs(tables.parse(original.functions)) do
      say(row.header, "const void *at_NAME(void) { return (const void *)NAME; }\n", row["function"])
    end
    for _, row in ipairs(tables.parse(original.macros)) do
      say(row.header, "#ifndef NAME\n#error NAME\n#endif\n", row.macro)
    end
    for header, text in pairs(per_header) do
      local file = harness.file("one.c", ("#include <%s>\n"):format(header) .. text)
      local ok, said = compiler.check("c", file, { flags = { "-Wno-pedantic", "-Wno-deprecated-declarations" } })
      assert.is_true(ok, header .. ":\n" .. said)
    end
  end)
end)
