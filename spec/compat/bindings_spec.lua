--- What the language bindings' builds do to our headers, and programs that come out of it: cffi
--- as vaccel-python uses it, bindgen as vaccel-rust does, cgo as go-vaccel does, and C++.
local harness = require "support.harness"
local system = require "support.system"
local compiler = require "compat.compiler"
local tables = require "compat.tables"

local HERE = harness.source .. "/spec/compat"
local LIBDIR = harness.build .. "/lib"
local SECONDS = 300 -- cgo may have to compile Go's own packages

--- Run something that has to work; what it wrote to standard output.
local function must(argv, env)
  env = env or {}
  env.VACCEL_PLUGINS = "libvaccel-noop.so"
  local p = harness.run(argv, { env = env, seconds = SECONDS })
  assert.equal(0, p.status.code, p:text())
  return p:text "out"
end

--- Each row of a table to `tell`; how many there are.
local function each_row(kind, tell)
  local rows = tables.read(("%s/%s.tsv"):format(HERE, kind))
  for _, row in ipairs(rows) do tell(row) end
  return #rows
end

describe("the headers stand", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  it("cffi's reading as vaccel-python does it, with every function", function ()
    local why = harness.lacks "cffi"
    if why then return pending(why) end
    -- It keeps declarations by the word "vaccel" in a path, so no folder above may have it.
    os.execute(("cp -r %s %s/include"):format(compiler.include, harness.dir))
    local said = must { "/usr/bin/python3", HERE .. "/through_cffi.py", harness.dir .. "/include", LIBDIR,
      HERE .. "/functions.tsv" }
    assert.truthy(said:find("cffi: 265 functions", 1, true), said)
  end)

  it("bindgen's reading as vaccel-rust does it: its structs, functions and enumerators are the tables'", function ()
    local why = harness.lacks "bindgen"
    if why then return pending(why) end
    -- rustfmt may be there or not: without it and without spaces the text is the same everywhere.
    must { "/usr/bin/bindgen", "--no-rustfmt-bindings", "--with-derive-default", "--no-prepend-enum-name",
      "--size_t-is-usize",
      "-o", harness.dir .. "/vaccel.rs", compiler.include .. "/vaccel.h", "--", "-I" .. compiler.include }
    local rust = system.read(harness.dir .. "/vaccel.rs"):gsub("%s+", "")

    local functions = {}
    for name in rust:gmatch "pubfn([%w_]+)%(" do functions[name] = true end
    each_row("functions", function (row) assert.is_true(functions[row["function"]], row["function"]) end)

    local sizes, offsets = {}, {}
    for name, bytes in rust:gmatch "size_of::<([%w_]+)>%(%),(%d+)usize" do sizes[name] = bytes end
    for bytes, name, field in rust:gmatch(
      '(%d+)usize,concat!%("Offsetoffield:",stringify!%(([%w_]+)%),"::",stringify!%(([%w_]+)%)')
    do offsets[name .. "." .. field] = bytes end
    local rows = each_row("structs", function (row)
      local name = row.struct:match "%S+$"
      assert.equal(row.size, sizes[name], name)
      -- a field that is a word of Rust gets a "_"
      local field = name .. "." .. row.field
      assert.equal(row.offset, offsets[field] or offsets[field .. "_"], field)
    end)

    local values = {}
    for name, value in rust:gmatch "pubconst([%w_]+):[%w_:]+=(%d+)" do values[name] = value end
    local enumerators = each_row("enums", function (row)
      assert.equal(row.value, values[row.enumerator], row.enumerator)
    end)
    print(("bindgen: %d fields, %d enumerators"):format(rows, enumerators))
  end)

  it("cgo's, and a Go program on go-vaccel's calls runs", function ()
    local why = harness.lacks "go"
    if why then return pending(why) end
    local program = harness.dir .. "/through_cgo"
    must({ "/usr/bin/go", "build", "-o", program, HERE .. "/through_cgo.go" }, {
      HOME = harness.dir, GOCACHE = harness.dir .. "/cache", GO111MODULE = "off",
      CGO_CFLAGS = "-I" .. compiler.include, CGO_LDFLAGS = "-L" .. LIBDIR,
    })
    local said = must { program, LIBDIR .. "/libvaccel-noop.so" }
    assert.truthy(said:find("cgo: This is a dummy classification tag!, exec 10", 1, true), said)
  end)

  it("a C++ program, which runs", function ()
    local program = harness.dir .. "/through_cxx"
    must { compiler.programs.cxx, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
      "-I" .. compiler.include, HERE .. "/through_cxx.cc", "-o", program, "-L" .. LIBDIR, "-lvaccel" }
    local said = must { program }
    assert.truthy(said:find("C++: image_classify: This is a dummy classification tag!", 1, true), said)
  end)
end)
