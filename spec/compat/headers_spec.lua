--- Every public header by itself and all of them together, in the languages and compilers that
--- programs are written with.
local harness = require "support.harness"
local system = require "support.system"
local compiler = require "compat.compiler"

local COMPILERS = {
  { name = "gcc", c = "gcc", cxx = "g++" },
  { name = "clang", c = "clang", cxx = "clang++", needs = "clang" },
}
local LANGUAGES = { c = "C11", cxx = "C++17" }

local headers = {}
for _, path in ipairs(system.tree(compiler.include)) do
  headers[#headers + 1] = path:sub(#compiler.include + 2):match "^.*%.h$"
end

describe("the headers", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("are all of the original and ours", function () assert.equal(30, #headers) end)

  for _, each in ipairs(COMPILERS) do
    for language, name in pairs(LANGUAGES) do
      it(("compile as %s with %s, alone and together"):format(name, each.name), function ()
        local why = each.needs and harness.lacks(each.needs)
        if why then return pending(why) end
        local together = {}
        for _, header in ipairs(headers) do
          local line = ("#include <%s>\n"):format(header)
          together[#together + 1] = line
          local ok, said = compiler.check(language, harness.file("one", line), { program = each[language] })
          assert.is_true(ok, header .. ":\n" .. said)
        end
        local ok, said = compiler.check(language, harness.file("all", table.concat(together)),
          { program = each[language] })
        assert.is_true(ok, said)
      end)
    end
  end

  it("have VACCEL_MODULE() warn, and compile", function ()
    local file = harness.file("old.c", [[
      #include <vaccel.h>
      static int start(void) { return 0; }
      VACCEL_MODULE(.name = "old", .version = "1", .vaccel_version = VACCEL_VERSION, .init = start, .fini = start)
    ]])
    local ok, said = compiler.check("c", file, { flags = { "-Wno-error" } })
    assert.is_true(ok, said)
    assert.truthy(said:find("warning: VACCEL_MODULE() is deprecated", 1, true), said)
  end)
end)
