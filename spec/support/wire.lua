--- ttrpc and protobuf by hand: what a peer of any make can put on the wire, right or wrong, and what
--- comes back, byte for byte. Shares no code with what is tested.
local bit = require "bit"
local ffi = require "ffi"
local poll = require "posix.poll"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"
local system = require "support.system"

local wire = {}

wire.SYNC = "vaccel.sync.agent.AgentService"
wire.ASYNC = "vaccel.asynchronous.agent.AgentService"
wire.REQUEST, wire.RESPONSE, wire.DATA = 1, 2, 3
wire.CLOSED, wire.OPEN, wire.NO_DATA = 1, 2, 4 -- flags
wire.OK, wire.INVALID_ARGUMENT, wire.NOT_FOUND, wire.PERMISSION_DENIED = 0, 3, 5, 7
wire.RESOURCE_EXHAUSTED, wire.INTERNAL, wire.UNAVAILABLE, wire.DEADLINE_EXCEEDED = 8, 13, 14, 4

--- A protobuf varint; a negative number takes ten bytes.
---@param number number
---@return string
function wire.varint(number)
  local left = ffi.cast("uint64_t", ffi.cast("int64_t", number))
  local bytes = {}
  repeat
    local low = tonumber(left % 128)
    left = left / 128
    bytes[#bytes + 1] = string.char(left > 0 and low + 128 or low)
  until left == 0
  return table.concat(bytes)
end

--- A number field.
function wire.int(field, number) return wire.varint(field * 8) .. wire.varint(number) end

--- A bytes, string or message field.
function wire.bytes(field, text) return wire.varint(field * 8 + 2) .. wire.varint(#text) .. text end

local function read_varint(bytes, at)
  local value, factor = 0, 1
  while true do
    local byte = assert(bytes:byte(at), "message ends within a number")
    at = at + 1
    value = value + bit.band(byte, 127) * factor
    factor = factor * 128
    if byte < 128 then return value, at end
  end
end

--- Fields of a message: field number -> list of numbers and strings.
---@param bytes string
---@return table<integer, (number|string)[]>
function wire.decode(bytes)
  local fields = {}
  local at = 1
  while at <= #bytes do
    local key, value
    key, at = read_varint(bytes, at)
    local field, kind = math.floor(key / 8), key % 8
    if kind == 0 then
      value, at = read_varint(bytes, at)
    else
      assert(kind == 2, "wire type " .. kind)
      local length
      length, at = read_varint(bytes, at)
      assert(at + length - 1 <= #bytes, "field ends beyond its message")
      value = bytes:sub(at, at + length - 1)
      at = at + length
    end
    fields[field] = fields[field] or {}
    table.insert(fields[field], value)
  end
  return fields
end

local function big_endian(number)
  return string.char(bit.band(bit.rshift(number, 24), 255), bit.band(bit.rshift(number, 16), 255),
    bit.band(bit.rshift(number, 8), 255), bit.band(number, 255))
end

local function from_big_endian(bytes)
  local a, b, c, d = bytes:byte(1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

---@class Frame
---@field stream integer
---@field type integer
---@field flags integer
---@field body string

--- The bytes of a frame; `length` lies about the body's length.
---@param frame { stream: integer, type: integer, flags: integer?, body: string, length: integer? }
---@return string
function wire.frame(frame)
  return big_endian(frame.length or #frame.body) .. big_endian(frame.stream)
    .. string.char(frame.type, frame.flags or 0) .. frame.body
end

--- The body of a request frame.
function wire.request(service, method, payload)
  return wire.bytes(1, service) .. wire.bytes(2, method) .. (payload and wire.bytes(3, payload) or "")
end

---@class Connection
local Connection = {}
Connection.__index = Connection

local open = {} ---@type table<Connection, boolean>

--- Connect to unix:///path or tcp://a.b.c.d:port.
---@param address string
---@return Connection
function wire.connect(address)
  local path = address:match "^unix://(.*)$"
  local host, port = address:match "^tcp://(.*):(%d+)$"
  local to = path and { family = socket.AF_UNIX, path = path }
    or { family = socket.AF_INET, addr = host, port = tonumber(port) }
  local fd = assert(socket.socket(to.family, socket.SOCK_STREAM, 0))
  assert(socket.connect(fd, to))
  local self = setmetatable({ fd = fd, buffer = "", stream = -1 }, Connection)
  open[self] = true
  return self
end

--- A unix socket where the spec itself serves, of a path; its descriptor, for wire.accept.
---@param path string
---@return integer
function wire.listen(path)
  local fd = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
  assert(socket.bind(fd, { family = socket.AF_UNIX, path = path }))
  assert(socket.listen(fd, 8))
  return fd
end

--- The next client of a listener; an error when none comes in time.
---@param listener integer
---@param seconds number?
---@return Connection
function wire.accept(listener, seconds)
  if poll.rpoll(listener, (seconds or 30) * 1000) ~= 1 then error("no client in time", 2) end
  local self = setmetatable({ fd = assert(socket.accept(listener)), buffer = "", stream = -1 }, Connection)
  open[self] = true
  return self
end

--- Answer a call: with a payload, or, as a refusal, with a status' code and message.
---@param stream integer
---@param payload string?
---@param code integer?
---@param message string?
function Connection:answer(stream, payload, code, message)
  local status = code and wire.int(1, code) .. wire.bytes(2, message) or ""
  self:send(wire.frame { stream = stream, type = wire.RESPONSE,
    body = wire.bytes(1, status) .. (payload and wire.bytes(2, payload) or "") })
end

function Connection:close()
  if open[self] then unistd.close(self.fd) end
  open[self] = nil
end

--- For after_each: hang up whatever a spec left open.
function wire.close_all()
  for connection in pairs(open) do connection:close() end
end

---@param bytes string
function Connection:send(bytes)
  local at = 1
  while at <= #bytes do
    at = at + assert(unistd.write(self.fd, bytes:sub(at, at + 65535)))
  end
end

--- The next frame; nil when the peer has hung up; an error when nothing comes in time.
---@param seconds number?
---@return Frame?
function Connection:receive(seconds)
  local deadline = system.now() + (seconds or 30)
  while true do
    if #self.buffer >= 10 then
      local length = from_big_endian(self.buffer)
      if #self.buffer >= 10 + length then
        local frame = {
          stream = from_big_endian(self.buffer:sub(5, 8)), type = self.buffer:byte(9),
          flags = self.buffer:byte(10), body = self.buffer:sub(11, 10 + length),
        }
        self.buffer = self.buffer:sub(11 + length)
        return frame
      end
    end
    local ready = poll.rpoll(self.fd, math.max(0, math.ceil((deadline - system.now()) * 1000)))
    if ready ~= 1 then error("no frame in time", 2) end
    local bytes = unistd.read(self.fd, 65536)
    if not bytes or bytes == "" then return nil end
    self.buffer = self.buffer .. bytes
  end
end

---@class Response
---@field code integer of the status
---@field message string of the status
---@field type_url string? of the first detail
---@field detail string? its value
---@field status string the status as it came, undecoded
---@field payload string
---@field fields table the payload, decoded
---@field stream integer

---@param frame Frame
---@return Response
function wire.response(frame)
  assert(frame.type == wire.RESPONSE, "frame of type " .. frame.type)
  local response = wire.decode(frame.body)
  local status = wire.decode(response[1] and response[1][1] or "")
  local detail = status[3] and wire.decode(status[3][1]) or {}
  local payload = response[2] and response[2][1] or ""
  return {
    stream = frame.stream, code = status[1] and status[1][1] or 0,
    message = status[2] and status[2][1] or "", status = response[1] and response[1][1],
    type_url = detail[1] and detail[1][1], detail = detail[2] and detail[2][1],
    payload = payload, fields = wire.decode(payload), body = frame.body, flags = frame.flags,
  }
end

--- Send a request on the next stream and do not wait; its stream.
---@param method string
---@param payload string
---@param service string?
---@return integer
function Connection:start(method, payload, service)
  self.stream = self.stream + 2
  self:send(wire.frame { stream = self.stream, type = wire.REQUEST,
    body = wire.request(service or wire.SYNC, method, payload) })
  return self.stream
end

--- A unary call.
---@param method string
---@param payload string
---@param service string?
---@return Response
function Connection:call(method, payload, service)
  local stream = self:start(method, payload, service)
  local response = wire.response(assert(self:receive(), "the peer hung up"))
  assert(response.stream == stream, "an answer to another call")
  return response
end

--- Begin a stream of requests, as existing clients do; its number.
---@param method string
---@param service string?
---@param extra string? further fields of the request's envelope
---@return integer
function Connection:begin(method, service, extra)
  self.stream = self.stream + 2
  self:send(wire.frame { stream = self.stream, type = wire.REQUEST, flags = wire.OPEN + wire.NO_DATA,
    body = wire.request(service or wire.ASYNC, method) .. (extra or "") })
  return self.stream
end

--- One message of a stream.
---@param stream integer
---@param body string
---@param flags integer?
function Connection:data(stream, body, flags)
  self:send(wire.frame { stream = stream, type = wire.DATA, flags = flags, body = body })
end

--- The end of a stream of requests, and the response to it.
---@param stream integer
---@return Response
function Connection:finish(stream)
  self:data(stream, "", wire.CLOSED + wire.NO_DATA)
  local response = wire.response(assert(self:receive(), "the peer hung up"))
  assert(response.stream == stream, "an answer to another call")
  return response
end

--- CreateSession; the session's id.
---@param hint integer?
---@return integer
function Connection:session(hint)
  local response = self:call("CreateSession", wire.int(1, hint or 0))
  assert(response.code == 0, response.message)
  return response.fields[1][1]
end

--- A Blob of RegisterRequest.
function wire.blob(name, data, kind)
  return wire.int(1, kind or 1) .. wire.bytes(2, name) .. wire.bytes(3, data) .. wire.int(4, #data)
end

wire.LIB, wire.RESOURCE_DATA, wire.MODEL = 0, 1, 2

--- A RegisterRequest with blobs, for a model unless it says otherwise.
---@param session integer
---@param blobs string[]
---@param kind integer?
function wire.register(session, blobs, kind)
  local parts = {}
  for _, blob in ipairs(blobs) do parts[#parts + 1] = wire.bytes(2, blob) end
  return table.concat(parts) .. wire.int(3, kind or wire.MODEL) .. wire.int(5, session)
end

--- A RegisterRequest with paths or URLs.
---@param session integer
---@param paths string[]
---@param kind integer?
function wire.register_paths(session, paths, kind)
  local parts = {}
  for _, path in ipairs(paths) do parts[#parts + 1] = wire.bytes(1, path) end
  return table.concat(parts) .. wire.int(3, kind or wire.MODEL) .. wire.int(5, session)
end

--- An image.Request.
function wire.image(session, image) return wire.int(1, session) .. wire.bytes(2, image) end

--- A packed list of numbers.
function wire.packed(field, numbers)
  local parts = {}
  for i, number in ipairs(numbers) do parts[i] = wire.varint(number) end
  return wire.bytes(field, table.concat(parts))
end

--- The bytes of numbers as C has them: wire.numbers("float", 1, 2).
---@param ctype string
---@param ... number
---@return string
function wire.numbers(ctype, ...)
  local count = select("#", ...)
  return ffi.string(ffi.new(ctype .. "[?]", count, { ... }), count * ffi.sizeof(ctype))
end

--- A Tensor of any family: FLOAT in TensorFlow and TensorFlow Lite unless it says otherwise.
---@param tensor { data: string, dims: integer[], type: integer? }
---@return string
function wire.tensor(tensor)
  return wire.bytes(1, tensor.data) .. wire.packed(2, tensor.dims) .. wire.int(3, tensor.type or 1)
end

local function repeated(field, messages)
  local parts = {}
  for i, message in ipairs(messages or {}) do parts[i] = wire.bytes(field, message) end
  return table.concat(parts)
end

--- A Model{Load,Unload}Request of any family.
function wire.model(session, model) return wire.int(1, session) .. wire.int(2, model) end

local function nodes(names)
  local list = {}
  for i, name in ipairs(names or {}) do list[i] = wire.bytes(1, name) .. wire.int(2, i - 1) end
  return list
end

--- A tf.ModelRunRequest.
---@param run { from: string[]?, to: string[]?, tensors: string[]?, options: string? }
function wire.tf_run(session, model, run)
  return wire.model(session, model) .. (run.options and wire.bytes(3, run.options) or "")
    .. repeated(4, nodes(run.from)) .. repeated(5, nodes(run.to)) .. repeated(6, run.tensors)
end

--- A tflite.ModelRunRequest.
function wire.tflite_run(session, model, tensors, outputs)
  return wire.model(session, model) .. repeated(3, tensors) .. wire.int(4, outputs)
end

--- A torch.ModelRunRequest.
function wire.torch_run(session, model, tensors, outputs)
  return wire.model(session, model) .. repeated(4, tensors) .. wire.int(5, outputs)
end

--- The numbers of vaccel_arg_type_t and vaccel_op_type_t that specs use.
wire.ARG = { RAW = 0, INT32 = 5, INT64 = 7, UINT8 = 9, FLOAT32 = 17, FLOAT32_ARRAY = 18, FLOAT64 = 19,
  FLOAT64_ARRAY = 20, UCHAR_ARRAY = 26, STRING = 27, BUFFER = 28 }
wire.OP = { NOOP = 0, EXEC = 1, EXEC_WITH_RESOURCE = 2, CLASSIFY = 3, DETECT = 4, SEGMENT = 5, POSE = 6, DEPTH = 7,
  TF_LOAD = 8, SGEMM = 17, ARRAYCOPY = 18, MMULT = 19, PARALLEL = 20, VECTORADD = 21, MINMAX = 22, OPENCV = 23 }

--- A genop.Arg; `size` lies about its bytes.
---@param kind integer
---@param bytes string
---@param size integer?
function wire.arg(kind, bytes, size)
  return wire.bytes(1, bytes) .. wire.int(2, size or #bytes) .. wire.int(3, kind)
end

--- An argument as the chunks that GenopStream has for it.
---@param kind integer
---@param bytes string
---@param length integer of a chunk
---@return string[] Args
function wire.chunks(kind, bytes, length)
  local parts = math.ceil(#bytes / length)
  local list = {}
  for part = 1, parts do
    list[part] = wire.arg(kind, bytes:sub((part - 1) * length + 1, part * length), #bytes)
      .. wire.int(5, parts) .. wire.int(6, part)
  end
  return list
end

--- A genop.Request as it is, of Args.
---@param session integer
---@param read string[]?
---@param write string[]?
function wire.genop_part(session, read, write)
  return wire.int(1, session) .. repeated(2, read) .. repeated(3, write)
end

--- A genop.Request: the operation's number goes first.
---@param session integer
---@param operation integer
---@param read string[]? Args
---@param write string[]? Args
function wire.genop(session, operation, read, write)
  return wire.int(1, session) .. wire.bytes(2, wire.arg(wire.ARG.UINT8, string.char(operation)))
    .. repeated(2, read) .. repeated(3, write)
end

--- The bytes of what a genop.Response has written.
---@param response Response
---@return string[]
function wire.written(response)
  local list = {}
  for i, arg in ipairs(response.fields[1] or {}) do list[i] = wire.decode(arg)[1][1] end
  return list
end

--- What the details of a failure say.
---@param response Response
---@return { kind: integer, code: integer?, status: integer?, text: string? }?
function wire.failure(response)
  if not response.detail then return nil end
  local err = wire.decode(response.detail)
  local status = err[3] and wire.decode(err[3][1])
  return {
    kind = err[1] and err[1][1] or 0, code = err[2] and err[2][1],
    status = status and (status[3] and status[3][1] or 0), text = status and (status[4] and status[4][1] or ""),
  }
end

function wire.hex(bytes)
  return (bytes:gsub(".", function (c) return ("%02x"):format(c:byte()) end))
end

return wire
