--- A vAccel agent that is none of ours, as a program: it knows no Hello and nothing of ours on the
--- wire (support/wire.lua fails at a field that is none of vAccel's), and classifies.
---
---     luajit plain_agent.lua PATH
---
--- Says `ready`, and each call on a line.
local poll = require "posix.poll"
local wire = require "support.wire"

local sessions = 0

local methods = {
  CreateSession = function (fields)
    for field in pairs(fields) do assert(field == 1, "CreateSession has field " .. field) end
    sessions = sessions + 1
    return wire.int(1, sessions)
  end,
  DestroySession = function () return "" end,
  RegisterResource = function () return wire.int(1, 77) end,
  UnregisterResource = function () return "" end,
  Genop = function (fields) -- an operation on an image, with texts to write
    local image = wire.decode(fields[2][2])[1][1]
    local text = wire.arg(wire.ARG.UCHAR_ARRAY, "plain " .. #image .. "\0")
    return wire.bytes(1, text):rep(#fields[3])
  end,
}

local function serve(connection)
  local frame = connection:receive()
  if not frame then return false end
  local request = wire.decode(frame.body)
  local service, method = request[1][1], request[2][1]
  local run = service == wire.SYNC and methods[method]
  print(service .. "/" .. method)
  if run then
    connection:answer(frame.stream, run(wire.decode(request[3] and request[3][1] or "")))
  else
    connection:answer(frame.stream, nil, wire.INVALID_ARGUMENT, ("/%s/%s does not exist"):format(service, method))
  end
  return true
end

io.stdout:setvbuf "line"
local listener = wire.listen(arg[1])
local connections = {}
local fds = { [listener] = { events = { IN = true } } }
print "ready"
while poll.poll(fds, -1) do
  for fd, state in pairs(fds) do
    if next(state.revents) and (state.revents.IN or state.revents.HUP) then
      if fd == listener then
        local connection = wire.accept(listener)
        connections[connection.fd] = connection
        fds[connection.fd] = { events = { IN = true }, revents = {} }
        break -- the table has changed
      elseif not serve(connections[fd]) then
        connections[fd]:close()
        connections[fd], fds[fd] = nil, nil
        break
      end
    end
  end
end
