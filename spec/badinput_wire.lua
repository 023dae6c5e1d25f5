--- Bad messages and what they get: badinput_wire_spec.lua sends every row to an agent, with noop and with
--- the witness, and sees that it lives on. A row has what it is about (`input`), its `method`, and
--- its `payload`, which may be a function of the peer's objects:
---
---   session, model       its own, the model registered with the session
---   other, loose         another session of its own, and a model registered only with that one
---   data                 a resource of type DATA, registered with the session
---   theirs, their_model  another connection's
---
--- and one of
---   code     VACCEL_* in a vaccel.Error; `text`, a pattern, in its words when it has some
---   status   a ttrpc status without details, whose message matches `text`
---   kind     a vaccel.Error of that kind (2: invalid argument, 6: conversion failed)
---   fine     no failure, or one: only that nothing breaks
local wire = require "support.wire"

local EPERM, EINVAL, ENOTSUP = 1, 22, 95
local INVALID_ARGUMENT, CONVERSION_FAILED = 2, 6
local UNKNOWN, HUGE = 999999, 2 ^ 40

local rows = {}

local function add(row) rows[#rows + 1] = row end

local FLOAT = wire.tensor { data = wire.numbers("float", 1), dims = { 1 } }
local TORCH_FLOAT = wire.tensor { data = wire.numbers("float", 1), dims = { 1 }, type = 7 }

local function tf_run(session, model)
  return wire.tf_run(session, model, { from = { "x" }, to = { "y" }, tensors = { FLOAT } })
end
local function tflite_run(session, model) return wire.tflite_run(session, model, { FLOAT }, 1) end
local function torch_run(session, model) return wire.torch_run(session, model, { TORCH_FLOAT }, 1) end

-- Every method that names a session and a model: ids that are not the caller's.
for _, method in ipairs {
  { "TensorflowModelLoad", "TensorFlow", wire.model }, { "TensorflowModelUnload", "TensorFlow", wire.model },
  { "TensorflowModelRun", "TensorFlow", tf_run }, { "TensorflowLiteModelLoad", "TensorFlow Lite", wire.model },
  { "TensorflowLiteModelUnload", "TensorFlow Lite", wire.model },
  { "TensorflowLiteModelRun", "TensorFlow Lite", tflite_run },
  { "TorchModelLoad", "PyTorch", wire.model }, { "TorchModelRun", "Py", torch_run },
} do
  local name, what, payload = unpack(method)
  local function row(input, fields)
    fields.input, fields.method = name .. ", " .. input, name
    add(fields)
  end
  row("a model that nobody has", { status = wire.NOT_FOUND, text = "^Unknown " .. what .. " model 999999$",
    payload = function (p) return payload(p.session, UNKNOWN) end })
  row("another's model", { status = wire.NOT_FOUND, text = "^Unknown " .. what .. " model %d+$",
    payload = function (p) return payload(p.session, p.their_model) end })
  row("another's session", { status = wire.NOT_FOUND, text = "^Unknown session %d+$",
    payload = function (p) return payload(p.theirs, p.model) end })
  row("a model and a session that nobody has", { status = wire.NOT_FOUND, text = "^Unknown " .. what .. " model",
    payload = function () return payload(UNKNOWN, UNKNOWN) end })
  for _, id in ipairs { 0, -1, -2 ^ 53 } do
    local said = ("^Invalid argument: Invalid ID: %s$"):format(("%d"):format(id):gsub("-", "%%-"))
    row(("model %d"):format(id), { kind = INVALID_ARGUMENT, text = said,
      payload = function (p) return payload(p.session, id) end })
    row(("session %d"):format(id), { kind = INVALID_ARGUMENT, text = said,
      payload = function (p) return payload(id, p.model) end })
  end
  row("a model of another session", { code = EPERM, text = "not registered",
    payload = function (p) return payload(p.session, p.loose) end })
  row("a resource that is no model", { code = EINVAL, text = "MODEL",
    payload = function (p) return payload(p.session, p.data) end })
  row("bytes that are no message", { status = wire.INVALID_ARGUMENT, text = ".", payload = "\255\255\255" })
  row("a field that ends beyond the message", { status = wire.INVALID_ARGUMENT, text = ".", payload = "\18\255\1x" })
  row("nothing at all", { kind = INVALID_ARGUMENT, text = "Invalid ID: 0", payload = "" })
end

--- Runs, in all families: { method, build(session, model, tensors, outputs) }.
local function tf(session, model, tensors, outputs)
  local from, to = {}, {}
  for i = 1, #tensors do from[i] = "x" .. i end
  for i = 1, outputs do to[i] = "y" .. i end
  return wire.tf_run(session, model, { from = from, to = to, tensors = tensors })
end

local function dims_of(count)
  local dims = {}
  for i = 1, count do dims[i] = 1 end
  return dims
end

for _, family in ipairs { { "TensorflowModelRun", tf }, { "TensorflowLiteModelRun", wire.tflite_run },
  { "TorchModelRun", wire.torch_run } } do
  local name, build = unpack(family)
  local function row(input, tensors, outputs, fields)
    fields.input, fields.method = name .. ", " .. input, name
    fields.payload = function (p) return build(p.session, p.model, tensors, outputs) end
    add(fields)
  end
  row("no tensors and an output", {}, 1, { code = EINVAL, text = "." })
  row("more outputs than tensors", { FLOAT, FLOAT }, 3, { code = EINVAL, text = "." })
  row("a tensor without dimensions", { wire.tensor { data = "1234", dims = {} } }, 1, { code = EINVAL })
  row("one good tensor, and one without dimensions", { FLOAT, wire.tensor { data = "1234", dims = {} } }, 1,
    { code = EINVAL })
  row("more dimensions than there are", { wire.tensor { data = "1234", dims = dims_of(65) } }, 1, { code = EINVAL })
  row("dimensions that nobody has memory for", { wire.tensor { data = "1234", dims = { 2 ^ 31 - 1, 2 ^ 31 - 1 } } }, 1,
    { fine = true })
  row("dimensions whose product overflows", { wire.tensor { data = "1234", dims = { HUGE, HUGE, HUGE } } }, 1,
    { fine = true })
  row("dimensions below nothing", { wire.tensor { data = "1234", dims = { -1, -2 ^ 53 } } }, 1, { fine = true })
  row("a type that there is not", { wire.tensor { data = "1234", dims = { 1 }, type = 2 ^ 31 } }, 1, { fine = true })
  row("a tensor of no bytes", { wire.tensor { data = "", dims = { 4 } } }, 1, { fine = true })
  local many = {}
  for i = 1, 1025 do many[i] = FLOAT end
  row("too many tensors", many, 1, { status = wire.INTERNAL, text = "more than 1024 tensors" })
  if name ~= "TensorflowModelRun" then -- it has a node for each
    for _, count in ipairs { 1025, HUGE, 2 ^ 62 } do
      row(("%.0f outputs"):format(count), { FLOAT }, count, { status = wire.INTERNAL, text = "more than 1024 tensors" })
    end
  end
end

for _, case in ipairs {
  { "a node and no tensor", { from = { "x" }, to = { "y" } } },
  { "two nodes and one tensor", { from = { "x", "y" }, to = { "z" }, tensors = { FLOAT } } },
} do
  add { input = "TensorflowModelRun, " .. case[1], method = "TensorflowModelRun", code = EINVAL,
    text = "more input nodes than input tensors",
    payload = function (p) return wire.tf_run(p.session, p.model, case[2]) end }
end
add { input = "TensorflowModelRun, more tensors than nodes", method = "TensorflowModelRun", code = 0,
  payload = function (p)
    return wire.tf_run(p.session, p.model, { from = { "x" }, to = { "y" }, tensors = { FLOAT, FLOAT } })
  end }
add { input = "TensorflowModelRun, too many outputs", method = "TensorflowModelRun", status = wire.INTERNAL,
  text = "more than 1024 tensors", payload = function (p)
    local to = {}
    for i = 1, 1025 do to[i] = "y" end
    return wire.tf_run(p.session, p.model, { from = { "x" }, to = to, tensors = { FLOAT } })
  end }
add { input = "TorchModelRun, no outputs", method = "TorchModelRun", kind = INVALID_ARGUMENT, text = ".",
  payload = function (p) return wire.torch_run(p.session, p.model, { TORCH_FLOAT }, 0) end }
add { input = "TensorflowLiteModelRun, no outputs", method = "TensorflowLiteModelRun", code = 0,
  payload = function (p) return wire.tflite_run(p.session, p.model, { FLOAT }, 0) end }

-- Generic operations.
local ARG, OP = wire.ARG, wire.OP
local function int32(...) return wire.arg(ARG.RAW, wire.numbers("int32_t", ...)) end
local function floats(...) return wire.arg(ARG.FLOAT32_ARRAY, wire.numbers("float", ...)) end
local function float(number) return wire.arg(ARG.FLOAT32, wire.numbers("float", number)) end
local function doubles(...) return wire.arg(ARG.RAW, wire.numbers("double", ...)) end
local function int64(number) return wire.arg(ARG.INT64, wire.numbers("int64_t", number)) end
local function room(size) return wire.arg(ARG.UCHAR_ARRAY, ("\0"):rep(size)) end
local IMAGE = wire.arg(ARG.BUFFER, "an image")

local function genop(input, operation, read, write, fields)
  fields.input, fields.method = "Genop, " .. input, "Genop"
  fields.payload = function (p) return wire.genop(p.session, operation, read, write) end
  add(fields)
end

add { input = "Genop, no arguments", method = "Genop", code = EINVAL,
  payload = function (p) return wire.int(1, p.session) end }
add { input = "Genop, another's session", method = "Genop", status = wire.NOT_FOUND, text = "^Unknown session",
  payload = function (p) return wire.genop(p.theirs, OP.DETECT, { IMAGE }, { room(9) }) end }
for _, first in ipairs { { "of two bytes", wire.arg(ARG.UINT8, "\3\3") }, { "that is an INT32", int32(3) },
  { "that is a STRING", wire.arg(ARG.STRING, "\3") } } do
  add { input = "Genop, a number " .. first[1], method = "Genop", code = EINVAL,
    payload = function (p) return wire.int(1, p.session) .. wire.bytes(2, first[2]) end }
end
genop("the operation that does nothing", OP.NOOP, {}, {}, { code = EINVAL, text = "." })
for _, number in ipairs { 24, 100, 255 } do genop("operation " .. number, number, {}, {}, { code = EINVAL }) end
for number = 8, 16 do genop("operation " .. number, number, {}, {}, { code = ENOTSUP, text = "." }) end

for _, kind in ipairs { 30, 255, 2 ^ 31 - 1 } do
  local bad = wire.arg(kind, "x")
  genop("an argument of type " .. kind .. " to read", OP.DETECT, { bad }, { room(9) }, { code = EINVAL })
  genop("an argument of type " .. kind .. " to write", OP.DETECT, { IMAGE }, { bad }, { code = EINVAL })
end
genop("no bytes to read", OP.DETECT, { wire.arg(ARG.BUFFER, "") }, { room(9) }, { code = EINVAL })
genop("no bytes to write", OP.DETECT, { IMAGE }, { room(0) }, { code = EINVAL })
for _, size in ipairs { 0, 1, 9, 2 ^ 32 - 1 } do
  genop("8 bytes to read that are said to be " .. size, OP.DETECT, { wire.arg(ARG.BUFFER, "an image", size) },
    { room(9) }, { kind = CONVERSION_FAILED, text = "^Conversion failed: " })
  genop("8 bytes to write that are said to be " .. size, OP.DETECT, { IMAGE },
    { wire.arg(ARG.UCHAR_ARRAY, "12345678", size) }, { kind = CONVERSION_FAILED, text = "^Conversion failed: " })
end

genop("classify with nothing to write", OP.CLASSIFY, { IMAGE }, {}, { code = EINVAL, text = "." })
genop("classify with one to write", OP.CLASSIFY, { IMAGE }, { room(9) }, { code = EINVAL, text = "." })
genop("classify with three to write", OP.CLASSIFY, { IMAGE }, { room(9), room(9), room(9) },
  { code = EINVAL, text = "." })
genop("classify with an image that is a STRING", OP.CLASSIFY, { wire.arg(ARG.STRING, "x\0") }, { room(9), room(9) },
  { code = EINVAL, text = "." })
genop("classify with room for one byte", OP.CLASSIFY, { IMAGE }, { room(1), room(1) }, { code = 0 })
for _, operation in ipairs { OP.DETECT, OP.SEGMENT, OP.POSE, OP.DEPTH } do
  genop(operation .. " with nothing to write", operation, { IMAGE }, {}, { code = EINVAL, text = "." })
  genop(operation .. " with nothing to read", operation, {}, { room(9) }, { code = EINVAL, text = "." })
  genop(operation .. " with a BUFFER to write", operation, { IMAGE }, { IMAGE }, { code = EINVAL, text = "." })
  genop(operation .. " with room for one byte", operation, { IMAGE }, { room(1) }, { code = 0 })
end

local function sgemm(input, m, n, k, lda, ldb, ldc, fields)
  genop("sgemm, " .. input, OP.SGEMM, { int64(m), int64(n), int64(k), float(1), floats(1, 2, 3, 4), int64(lda),
    floats(1, 2, 3, 4), int64(ldb), float(0), int64(ldc) }, { floats(0, 0, 0, 0) }, fields)
end
sgemm("as it should be", 2, 2, 2, 2, 2, 2, { code = 0 })
sgemm("a matrix that is too short", 3, 2, 2, 2, 2, 2, { code = EINVAL, text = "." })
sgemm("rows that are too long", 2, 2, 2, 100, 2, 2, { code = EINVAL, text = "." })
sgemm("numbers that overflow", HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, { code = EINVAL, text = "." })
sgemm("numbers below nothing", -2, 2, 2, 2, 2, 2, { code = EINVAL, text = "." })
sgemm("steps below nothing", 2, 2, 2, -2, -2, -2, { code = EINVAL, text = "." })

local MINMAX = { doubles(1, 2, 3), int32(3), int32(0), int32(9) }
local THREE = { doubles(0, 0, 0), doubles(0), doubles(0) }
genop("minmax, as it should be", OP.MINMAX, MINMAX, THREE, { code = 0 })
genop("minmax, fewer numbers than it says", OP.MINMAX, { doubles(1, 2, 3), int32(1000), int32(0), int32(9) },
  THREE, { code = EINVAL, text = "." })
genop("minmax, numbers below nothing", OP.MINMAX, { doubles(1, 2, 3), int32(-1), int32(0), int32(9) },
  THREE, { code = EINVAL, text = "." })
genop("minmax, no room for the numbers", OP.MINMAX, MINMAX, { doubles(0), doubles(0), doubles(0) },
  { code = EINVAL, text = "." })
genop("minmax, no room for the largest", OP.MINMAX, MINMAX, { doubles(0, 0, 0), doubles(0), int32(0) },
  { code = EINVAL, text = "." })
genop("minmax, a count of one byte", OP.MINMAX, { doubles(1, 2, 3), wire.arg(ARG.RAW, "\3"), int32(0), int32(9) },
  THREE, { code = EINVAL, text = "." })
genop("minmax, nothing to write", OP.MINMAX, MINMAX, {}, { code = EINVAL, text = "." })

-- The witness has no FPGA: what is wrong is found before that is.
local two, one = floats(1, 2), floats(1)
for _, case in ipairs {
  { "arraycopy", OP.ARRAYCOPY, { int32(1, 2) }, { int32(0) } },
  { "mmult", OP.MMULT, { two, one }, { two } }, { "mmult, a short result", OP.MMULT, { two, two }, { one } },
  { "parallel", OP.PARALLEL, { two, one }, { two, two } },
  { "parallel, one result", OP.PARALLEL, { two, two }, { two } },
  { "parallel, a short result", OP.PARALLEL, { two, two }, { two, one } },
  { "vectoradd", OP.VECTORADD, { two, one }, { two } },
  { "vectoradd, a short result", OP.VECTORADD, { two, two }, { one } },
  { "vectoradd, one vector", OP.VECTORADD, { two }, { two } },
} do
  genop(case[1] .. ", short buffers", case[2], case[3], case[4], { code = EINVAL, text = "." })
end
genop("opencv, room for one byte", OP.OPENCV, { IMAGE }, { room(1) }, { fine = true })
genop("opencv, nothing", OP.OPENCV, {}, {}, { fine = true })

-- Resources.
local function register(input, blobs, fields, kind)
  fields.input, fields.method = "RegisterResource, " .. input, "RegisterResource"
  fields.payload = function (p) return wire.register(p.session, blobs, kind) end
  add(fields)
end
register("neither blobs nor paths", {}, { status = wire.INVALID_ARGUMENT, text = "^No paths or blobs provided$" })
register("a FILE without a path", { wire.blob("m", "bytes", 0) }, { code = EINVAL })
register("a blob of type 3", { wire.blob("m", "bytes", 3) }, { code = EINVAL })
register("a blob of a type far out", { wire.blob("m", "bytes", 2 ^ 31) }, { code = EINVAL })
register("a blob of no bytes", { wire.blob("m", "") }, { code = EINVAL })
register("a resource of type 3", { wire.blob("m", "bytes") }, { code = EINVAL }, 3)
for _, name in ipairs { "../../escaped", "/escaped", "..", "." } do
  for kind = 1, 2 do
    register(("a blob of type %d called %s"):format(kind, name), { wire.blob(name, "bytes", kind) },
      { status = wire.INVALID_ARGUMENT, text = "one path component" })
  end
end
for _, id in ipairs { -1, -2 ^ 53 } do
  add { input = "RegisterResource, resource " .. id, method = "RegisterResource", kind = INVALID_ARGUMENT,
    text = "Invalid ID: .%d+", payload = function (p) return wire.int(4, id) .. wire.int(5, p.session) end }
end
add { input = "UnregisterResource, resource and session that nobody has", method = "UnregisterResource",
  status = wire.NOT_FOUND, text = "^Unknown resource 999999$", payload = wire.int(1, UNKNOWN) .. wire.int(2, UNKNOWN) }
add { input = "UnregisterResource, a session that nobody has", method = "UnregisterResource", status = wire.NOT_FOUND,
  text = "^Unknown session 999999$", payload = function (p) return wire.int(1, p.model) .. wire.int(2, UNKNOWN) end }
add { input = "UnregisterResource, resource 0", method = "UnregisterResource", kind = INVALID_ARGUMENT,
  text = "Invalid ID: 0", payload = function (p) return wire.int(2, p.session) end }
add { input = "UnregisterResource, where it is not registered", method = "UnregisterResource", code = EINVAL,
  text = "not registered", payload = function (p) return wire.int(1, p.loose) .. wire.int(2, p.session) end }
for _, method in ipairs { "UpdateSession", "DestroySession" } do
  add { input = method .. ", session 0", method = method, kind = INVALID_ARGUMENT, text = "Invalid ID: 0",
    payload = "" }
  add { input = method .. ", a session that nobody has", method = method, status = wire.NOT_FOUND,
    text = "^Unknown session 999999$", payload = wire.int(1, UNKNOWN) }
end
add { input = "UpdateSession, a hint that no plugin has", method = "UpdateSession", code = 0,
  payload = function (p) return wire.int(1, p.session) .. wire.int(2, 2 ^ 32 - 1) end }
add { input = "SyncResource, resource 0", method = "SyncResource", kind = INVALID_ARGUMENT, text = "Invalid ID: 0",
  payload = "" }

return rows
