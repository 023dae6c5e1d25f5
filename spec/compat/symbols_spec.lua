--- What libvaccel.so exports, needs and is called, against functions.tsv, in both directions; and
--- the functions that its headers declare.
local harness = require "support.harness"
local compiler = require "compat.compiler"
local tables = require "compat.tables"

local LIBRARY = harness.build .. "/lib/libvaccel.so"
--- What we add to the interface (luaccel.h, and the agent's door into the core).
local OURS = { "luaccel_core", "luaccel_last_error", "luaccel_set_error" }
--- All of them are glibc: the loader is named because of thread-local variables.
local NEEDED = { ["libc.so.6"] = true, ["ld-linux-x86-64.so.2"] = true }

local function wanted()
  local set = {}
  for _, row in ipairs(tables.read(harness.source .. "/spec/compat/functions.tsv")) do set[row["function"]] = true end
  return set
end

--- What a set lacks of another, as text.
local function lacking(set, of)
  local names = {}
  for name in pairs(of) do if not set[name] then names[#names + 1] = name end end
  table.sort(names)
  return table.concat(names, " ")
end

local function output(...)
  local p = harness.run({ ... }, { env = { LC_ALL = "C" } })
  assert.equal(0, p.status.code, p:text())
  return p:text()
end

describe("libvaccel.so", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("exports the functions of the interface and nothing else", function ()
    local exported, interface, count = {}, wanted(), 0
    for _, name in ipairs(OURS) do interface[name] = true end
    for kind, name in output("nm", "-D", "--defined-only", LIBRARY):gmatch "%x+ (%a) ([%w_]+)" do
      assert.equal("T", kind, name)
      exported[name] = true
      count = count + 1
    end
    print(("%d symbols, %d of them ours"):format(count, #OURS))
    assert.equal("", lacking(exported, interface), "not exported")
    assert.equal("", lacking(interface, exported), "exported and private")
  end)

  it("has the soname of the original and needs libc alone", function ()
    local text = output("readelf", "-dW", LIBRARY)
    assert.equal("libvaccel.so.0", text:match "%(SONAME%)[^%[]*%[([^%]]*)%]")
    if harness.sanitize ~= "" then return end -- a sanitizer needs its own
    for name in text:gmatch "%(NEEDED%)[^%[]*%[([^%]]*)%]" do assert.is_true(NEEDED[name], name) end
  end)

  it("is a file of the whole version with links of the names that linkers and programs ask for", function ()
    for _, link in ipairs { LIBRARY, LIBRARY .. ".0" } do
      assert.equal(LIBRARY .. ".0.8.0", output("readlink", "-f", link):match "%S+")
    end
  end)

  it("has in its headers what it exports", function ()
    local declared, interface = {}, wanted()
    interface.luaccel_last_error, interface.luaccel_set_error = true, true
    local file = harness.file("all.c", "#include <vaccel.h>\n#include <luaccel.h>\n")
    local list = harness.dir .. "/declared"
    assert.is_true(compiler.check("c", file, { program = "gcc", flags = { "-aux-info", list } }))
    for line in io.lines(list) do
      local path, prototype = line:match "^/%* (%S+):%d+:%S+ %*/ (.*)$"
      if path and path:sub(1, #compiler.include) == compiler.include and not prototype:find "^static" then
        declared[prototype:match "([%w_]+) %("] = true
      end
    end
    assert.equal("", lacking(declared, interface), "not declared")
    assert.equal("", lacking(interface, declared), "declared and not in the table")
  end)
end)
