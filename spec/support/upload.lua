--- A peer of our own kind by hand: Hello, digests and proofs, and Upload, right or wrong. The digests
--- are those of runtime/digest/digest.h, worked out here again.
local ffi = require "ffi"
local wire = require "support.wire"

ffi.cdef [[
void nettle_hmac_sha256_set_key(void *ctx, size_t size, const char *key);
void nettle_hmac_sha256_update(void *ctx, size_t size, const char *bytes);
void nettle_hmac_sha256_digest(void *ctx, size_t size, char *digest);
]]
local nettle = ffi.load "libnettle.so.8"

local upload = {}

upload.PEER = "luaccel.v1.Peer"
upload.WINDOW, upload.PIECE = 8, 512 * 1024
upload.BUFFER, upload.MAPPED = 1, 2

--- HMAC of SHA-256.
---@param key string
---@param bytes string
---@return string
function upload.hmac(key, bytes)
  local ctx, digest = ffi.new "uint64_t[128]", ffi.new "char[32]"
  nettle.nettle_hmac_sha256_set_key(ctx, #key, key)
  nettle.nettle_hmac_sha256_update(ctx, #bytes, bytes)
  nettle.nettle_hmac_sha256_digest(ctx, 32, digest)
  return ffi.string(digest, 32)
end

---@class UploadPeer
---@field key string of the agent
---@field nonce string of the connection
local Peer = {}
Peer.__index = Peer

--- A connection that has said Hello, and a session of it.
---@param address string
---@return UploadPeer
function upload.connect(address)
  local self = setmetatable({ wire = wire.connect(address) }, Peer)
  local hello = self.wire:call("Hello", wire.int(1, 1), upload.PEER)
  assert(hello.code == 0, hello.message)
  self.features = hello.fields[4]
  self.key, self.nonce = hello.fields[5][1], hello.fields[6][1]
  self.session = self.wire:session()
  return self
end

--- What this peer says of bytes that it holds.
---@param bytes string
---@return string address
---@return string proof
function Peer:claim(bytes)
  local root = upload.hmac(self.key, bytes)
  return upload.hmac(root, "address"), upload.hmac(root, "proof" .. self.nonce)
end

--- A blob of an offer.
---@param blob { size: integer, name: string?, type: integer?, address: string?, proof: string? }
---@return string
function upload.blob(blob)
  return wire.int(1, blob.type or upload.MAPPED) .. wire.bytes(2, blob.name or "m.pt") .. wire.int(3, blob.size)
    .. (blob.address and wire.bytes(4, blob.address) or "") .. (blob.proof and wire.bytes(5, blob.proof) or "")
end

--- A blob of bytes that this peer holds.
---@param bytes string
---@param name string?
---@param kind integer?
---@return string
function Peer:blob(bytes, name, kind)
  local address, proof = self:claim(bytes)
  return upload.blob { size = #bytes, name = name, type = kind, address = address, proof = proof }
end

--- Begin an upload with an offer; its stream.
---@param blobs string[]
---@param kind integer? of the resource: a model
---@param session integer? this peer's
---@return integer
function Peer:offer(blobs, kind, session)
  local parts = { wire.int(1, session or self.session), wire.int(2, kind or wire.MODEL) }
  for _, blob in ipairs(blobs) do parts[#parts + 1] = wire.bytes(3, blob) end
  local stream = self.wire:begin("Upload", upload.PEER)
  self.wire:data(stream, wire.bytes(1, table.concat(parts)))
  return stream
end

--- One piece.
function Peer:piece(stream, bytes) self.wire:data(stream, wire.bytes(2, bytes)) end

---@class UploadAnswer
---@field last boolean
---@field code integer
---@field body string
---@field wanted integer[]?
---@field id integer?
---@field response Response?

--- The next answer.
---@param seconds number?
---@return UploadAnswer
function Peer:answer(seconds)
  local frame = assert(self.wire:receive(seconds), "the agent hung up")
  if frame.type == wire.DATA then
    local fields = wire.decode(frame.body)
    local wanted = {}
    for _, packed in ipairs(fields[1] or {}) do
      for i = 1, #packed do wanted[#wanted + 1] = packed:byte(i) end
    end
    return { last = false, code = 0, body = frame.body, wanted = wanted, window = fields[2] and fields[2][1],
      piece_max = fields[3] and fields[3][1], written = fields[4] and fields[4][1] }
  end
  local response = wire.response(frame)
  return { last = true, code = response.code, body = frame.body, response = response,
    message = response.message, id = response.fields[5] and response.fields[5][1] }
end

--- The answer that ends it.
---@return UploadAnswer
function Peer:outcome()
  local answer
  repeat answer = self:answer() until answer.last
  return answer
end

--- Offer bytes, send them if they are wanted, and the outcome; and whether they were sent.
---@param bytes string
---@param blob string? what is said of them
---@param kind integer?
---@return UploadAnswer
---@return boolean sent
function Peer:upload(bytes, blob, kind)
  local stream = self:offer({ blob or self:blob(bytes) }, kind)
  local answer = self:answer()
  if answer.last then return answer, false end
  for at = 1, #bytes, upload.PIECE do
    self:piece(stream, bytes:sub(at, at + upload.PIECE - 1))
    answer = self:answer()
    if answer.last then return answer, true end
  end
  self:close(stream)
  return self:outcome(), true
end

--- The end of the pieces.
function Peer:close(stream) self.wire:data(stream, "", wire.CLOSED + wire.NO_DATA) end

return upload
