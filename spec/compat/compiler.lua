--- The compilers as specs use them: C and C++ with every warning an error, against our headers.
local harness = require "support.harness"

local compiler = {}

compiler.include = harness.source .. "/runtime/include"

--- What this build is compiled with, and the language of each.
---@type table<string, string>
compiler.programs = {
  c = os.getenv "LUACCEL_CC" or "cc",
  cxx = os.getenv "LUACCEL_CXX" or "c++",
}

local FLAGS = {
  c = { "-std=c11", "-x", "c" },
  cxx = { "-std=c++17", "-x", "c++" },
}

--- Look at a file without making anything of it.
---@param language "c"|"cxx"
---@param file string
---@param options { program: string?, flags: string[]? }?
---@return boolean ok
---@return string text what the compiler says
function compiler.check(language, file, options)
  options = options or {}
  local argv = { options.program or compiler.programs[language] }
  local function add(words) for _, word in ipairs(words) do argv[#argv + 1] = word end end
  add(FLAGS[language])
  add { "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I" .. compiler.include }
  add(options.flags or {})
  add { file }
  local p = harness.run(argv, { env = { LC_ALL = "C" } })
  return p.status.code == 0, p:text()
end

return compiler
