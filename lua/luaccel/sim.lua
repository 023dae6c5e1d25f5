--- The simulator: policies asked as an agent asks them, without an agent. The engine, its sandbox
--- and the objects of the library are the agent's own; backends are scripted, and time stands until
--- it is told to go on.
---
---     local sim = require "luaccel.sim"          -- in specs that `luaccel policy test` runs
---     local world = sim.load { "p.lua", plugins = { "noop" }, backends = { gpu = { up = false } } }
---     local s = assert(world:session { cid = 42 })
---     assert(s.backend == "cpu" and s.where == "p.lua:12" and s.why == "gpu:down")
---     local result = s:op("image_classify", { bytes_in = 4096 })
---     assert(result.code == 0 and result.backend == "cpu")
---     world:advance(1.5)                         -- seconds, for quotas and os.time()
---     s:close()
---
--- What agent/operation.c does with a plan is done here too, in Lua; spec/policy_scenarios_spec.lua
--- holds both to the same answers.
local engine = require "luaccel.engine"

local ENOTSUP, ENODEV, ESESS = 95, 19, 104
local RETRIES = 3 -- after the first attempt, at most

---@class luaccel.sim.Backend what a backend does; all of it may be changed at any time
---@field kind string "plugin" or "remote"
---@field up boolean
---@field open integer? the code with which it refuses sessions; nil: it takes them
---@field operations table<string, true|table|function>? those that it has; nil: all of them. The
---value is what happens: true, { code =, service = seconds, bytes_out =, answer = } or a function of
---the operation's table that returns such a one; answers are what mirror compares
---@field service number seconds that an operation takes when nothing else says so
---@field inflight integer operations that were started and have not been finished

---@class luaccel.sim.Decision
---@field verdict "pass"|"route"|"reject"
---@field code integer? of a refusal, or of an operation that ran; 0 is success
---@field text string? the sentence that the caller gets
---@field where string? the line that decided, "p.lua:12"
---@field backend string? that served
---@field attempts integer? of an operation: how often it ran

---@class luaccel.sim.World
---@field asked table<string, table<string, integer>> by hook and verdict, how often scripts were asked
---@field backends table<string, luaccel.sim.Backend>
local World = {}
World.__index = World

---@class luaccel.sim.Session
---@field plan string[] backends, first to last
---@field where string the line that decided, or "hint"
---@field deadline number? the plan's, in seconds; operations here are answered however long they take
---@field per_op boolean? op_route is asked for its operations
---@field backend string? the one that it is on
---@field why string what was passed over, "gpu:down,npu:refused"
local Session = {}
Session.__index = Session

local BACKEND = { kind = "plugin", up = true, service = 0, inflight = 0 }

--- Misspelt fields are errors, of whoever called the caller.
local function check(what, given, known)
  for field in pairs(given) do
    if type(field) == "string" and not (" " .. known .. " "):find(" " .. field .. " ", 1, true) then
      error(('%s has no field "%s"; it has: %s'):format(what, field, known), 3)
    end
  end
end

local function new_backend(kind, given)
  local backend = { kind = kind }
  for field, value in pairs(given or {}) do
    backend[field] = value
  end
  for field, value in pairs(BACKEND) do
    if backend[field] == nil then backend[field] = value end
  end
  return backend
end

--- The operations that a backend is known to have: a list, or true for all; nil when nobody knows.
local function known_operations(backend)
  if backend.kind == "remote" or not backend.up then return nil end
  if not backend.operations then return true end
  local names = {}
  for name in pairs(backend.operations) do
    names[#names + 1] = name
  end
  return names
end

--- Tell the engine what backends are like now, and so the scripts which went up or down.
local function describe(world)
  for name, backend in pairs(world.backends) do
    world.engine:backend(name, backend.up, backend.inflight, known_operations(backend))
  end
end

--- Load scripts: their paths, in the order in which they are asked. Raises the sentence that an agent
--- would refuse them with.
---@param o table paths; plugins = names that VACCEL_PLUGINS has loaded, the first of which serves
--- where the hint chooses; backends = what they are like, by name; seed, of math.random; time, in
--- seconds since 1970
---@return luaccel.sim.World
local function load(o)
  check("sim.load", o, "plugins backends seed time")
  local plugins, given = o.plugins or {}, o.backends or {}
  local world = setmetatable({
    engine = engine.new(o.time or 1767225600, o.seed or 1),
    backends = {}, asked = {}, waiting = {}, plugins = plugins, scripts = { unpack(o) }, sessions = 0, operations = 0,
  }, World)
  world:reload()
  for name, backend in pairs(given) do
    if not world.backends[name] then error(('the scripts and plugins have no backend "%s"'):format(name), 2) end
    check("a backend", backend, "kind up open operations service inflight")
  end
  for name, backend in pairs(world.backends) do
    world.backends[name] = new_backend(backend.kind, given[name])
  end
  describe(world)
  return world
end

local settle, expire, ask_again -- operations that wait: below

--- Load the scripts anew, or others in their place, as SIGHUP does. When they are not good it raises
--- the sentence, and the old ones stay. Operations that wait are asked about anew.
function World:reload(...)
  local scripts = select("#", ...) > 0 and { ... } or self.scripts
  local declared, why = self.engine:load(scripts, self.plugins)
  if not declared then error(why, 0) end
  self.scripts = scripts
  for _, name in ipairs(self.plugins) do
    self.backends[name] = self.backends[name] or new_backend "plugin"
  end
  for _, backend in ipairs(declared) do
    self.backends[backend.name] = self.backends[backend.name] or new_backend(backend.kind)
  end
  ask_again(self)
end

--- Let so many seconds pass; timers run when they are due, and operations have waited long enough.
---@param seconds number
function World:advance(seconds)
  describe(self)
  self.engine:advance(seconds)
  expire(self)
end

--- Seconds since 1970, as scripts see it.
---@return number
function World:time()
  return self.engine:time()
end

--- What scripts wrote, and what would stand in the log of hooks that failed, since it was last asked.
---@return string[]
function World:lines()
  return self.engine:lines()
end

--- A number of the scripts' own (metric { }): the sum of its values that have these labels, of which
--- policy is one; nil when there is none.
---@param name string
---@param labels table<string, string>? as they are published: { tenant = "a" }
---@return number?
function World:metric(name, labels)
  local sum
  for _, sample in ipairs(self.engine:metric(name)) do
    local matches = true
    for label, value in pairs(labels or {}) do
      matches = matches and sample.labels[label] == tostring(value)
    end
    if matches then sum = (sum or 0) + sample.value end
  end
  return sum
end

--- Count what came of asking the scripts.
local function note(world, hook, decision)
  local counts = world.asked[hook] or {}
  world.asked[hook] = counts
  counts[decision.verdict] = (counts[decision.verdict] or 0) + 1
  return decision
end

-- ---- peers and sessions

local PEER_FIELDS = { "transport", "uid", "gid", "pid", "cid", "addr", "listener" }

--- How a peer came can mostly be told from what is known of it.
local function peer_of(fields)
  local peer = {}
  for _, field in ipairs(PEER_FIELDS) do
    peer[field] = fields[field]
  end
  peer.transport = peer.transport or (peer.cid and "vsock") or (peer.addr and "tcp") or "unix"
  if peer.transport == "unix" then
    peer.uid = peer.uid or 0
    peer.gid, peer.pid = peer.gid or peer.uid, peer.pid or 1
  end
  return peer
end

--- Where a session is opened: the first of its plan, from `at` on, that is up and takes it.
local function enter(session)
  local world = session.world
  local backend, name
  repeat
    name = session.plan[session.at]
    backend = world.backends[name]
    if backend.up and not backend.open then
      session.backend = name
      session.handle:on(name, session.where)
      return nil
    end
    session:leave(backend.up and "refused" or "down")
  until session.at > #session.plan
  session.at = #session.plan
  if backend.up then return { code = backend.open, text = ("backend %s refuses the session"):format(name) } end
  return { code = ENODEV, text = ("no backend can serve the session: %s:down"):format(name) }
end

local function plan_of(world, decision)
  if decision.verdict == "route" then return decision.backends, decision.where end
  return { world.plugins[1] }, "hint"
end

--- A peer connects and opens a session.
---@param fields table? of the peer: transport, uid, gid, pid, cid, addr, listener; and hint
---@return luaccel.sim.Session? session
---@return luaccel.sim.Decision? refusal
function World:session(fields)
  fields = fields or {}
  check("a session", fields, "transport uid gid pid cid addr listener hint")
  describe(self)
  local peer = peer_of(fields)
  local accepted = note(self, "peer_accept", self.engine:accept(peer))
  if accepted.verdict == "reject" then return nil, accepted end
  self.sessions = self.sessions + 1
  local handle = self.engine:session(self.sessions, fields.hint or 0, peer)
  local decision = note(self, "session_route", handle:route())
  if decision.verdict == "reject" then return nil, decision end
  local plan, where = plan_of(self, decision)
  local session = setmetatable({
    world = self, handle = handle, id = self.sessions, plan = plan, where = where, at = 1, why = "",
    deadline = decision.deadline, per_op = decision.per_op,
  }, Session)
  if #plan == 0 then return nil, { verdict = "reject", code = ENOTSUP, where = "hint",
    text = "no plugin of the agent serves this session; set VACCEL_PLUGINS or declare backends" } end
  local refused = enter(session)
  if refused then
    session:close()
    return nil, { verdict = "reject", code = refused.code, text = refused.text, where = where, why = session.why }
  end
  return session
end

---@private
function Session:leave(what)
  local before = self.why == "" and "" or self.why .. ","
  self.why = ("%s%s:%s"):format(before, self.plan[self.at], what)
  self.at, self.backend = self.at + 1, nil
end

--- Register a model, a library or data: { type = "model", bytes =, names = { ... } }.
---@return luaccel.sim.Decision
function Session:resource(resource)
  check("a resource", resource, "id type bytes names")
  describe(self.world)
  return note(self.world, "resource_admit", self.handle:resource(resource))
end

--- The session ends, and what waits in it.
function Session:close()
  local world = self.world
  describe(world)
  for _, operation in ipairs(world.waiting) do
    if operation.session == self then
      operation:refuse { verdict = "reject", code = ESESS, text = ("session %d has ended"):format(self.id) }
    end
  end
  settle(world)
  self.handle:close()
  settle(world)
end

-- ---- operations

local function has(backend, name)
  return backend.operations == nil or backend.operations[name] ~= nil
end

--- May another backend of the plan know it? Of a remote agent that is never known beforehand.
local function next_may_know(session, name)
  for i = session.at + 1, #session.plan do
    local backend = session.world.backends[session.plan[i]]
    if backend.up and (backend.kind == "remote" or has(backend, name)) then return true end
  end
  return false
end

--- What the backend makes of it: a code, seconds, bytes.
local function outcome(backend, op)
  local said = backend.operations and backend.operations[op.name]
  if not has(backend, op.name) then return { code = ENOTSUP, service = 0 } end
  if type(said) == "function" then said = said(op) end
  said = type(said) == "table" and said or {}
  return { code = said.code or 0, service = said.service or backend.service, bytes_out = said.bytes_out or 0,
    answer = said.answer }
end

--- Run it on the session's backend, or on the next when that one does not know it and nothing has
--- been answered yet.
local function run(session, op)
  local world = session.world
  while true do
    local backend = world.backends[session.backend]
    if not backend.up then return { code = ESESS, service = 0, bytes_out = 0 } end
    local said = outcome(backend, op)
    local knows = backend.kind ~= "remote" and has(backend, op.name)
    if said.code ~= ENOTSUP or knows or session.answered or not next_may_know(session, op.name) then
      return said
    end
    session:leave "refused"
    local refused = enter(session)
    if refused then return refused end
  end
end

---@class luaccel.sim.Operation
---@field op table what scripts are told of it
---@field on string? the backend that runs it
---@field said table what it will come to there
---@field where string? the line that decided of it last
---@field waiting boolean its turn has not come
---@field refusal luaccel.sim.Decision? it waited in vain
local Operation = {}
Operation.__index = Operation

--- Of two deadlines, of which there may be none.
local function shorter(a, b)
  return a and b and math.min(a, b) or a or b
end

--- It runs there now.
local function begin(running, name, said)
  local backend = running.session.world.backends[name]
  running.on, running.said = name, said or outcome(backend, running.op)
  if backend then backend.inflight = backend.inflight + 1 end
end

--- The first of these that is up and may have the operation.
local function begin_on(running, names)
  while names[1] do
    local name = table.remove(names, 1)
    local backend = running.session.world.backends[name]
    if backend.up and (backend.kind == "remote" or has(backend, running.op.name)) then
      running.left = names
      begin(running, name)
      return true
    end
  end
  return false
end

--- The other backend runs it too, from now on.
local function begin_mirror(running, name)
  local backend = running.session.world.backends[name]
  if name == running.session.backend or not backend.up or not has(backend, running.op.name) then return end
  running.mirror = { on = name, said = outcome(backend, running.op) }
  backend.inflight = backend.inflight + 1
end

--- Where it runs: as op_route says, or where the session is.
local function begin_first(running)
  local session, op = running.session, running.op
  if session.per_op and engine.may_go_elsewhere(op.name) then
    local decision = note(session.world, "op_route", session.handle:op_route(op))
    running.where = decision.where or running.where
    if decision.verdict == "reject" then
      running.said = { code = decision.code, text = decision.text }
      return
    elseif decision.verdict == "route" then
      if not begin_on(running, decision.backends) then
        running.said = { code = ENODEV, text = "no backend can serve the operation" }
      end
      return
    elseif decision.verdict == "mirror" then
      begin_mirror(running, decision.backends[1])
    end
  end
  local said = run(session, op)
  op.backend = session.backend
  begin(running, session.backend, said)
end

--- It was admitted: it runs until it is finished.
local function begin_admitted(operation)
  operation.waiting, operation.began = false, operation.session.world:time()
  begin_first(operation)
end

---@private
function Operation:refuse(decision)
  self.waiting, self.refusal = false, decision
  if self.place then self.place:leave() end
end

local function waited_in_vain(operation)
  local said = operation.admitted
  operation:refuse { verdict = "reject", code = said.code, where = said.where,
    text = ("%s; waited %g s"):format(said.text, said.seconds) }
end

--- Ask whether it may begin.
local function admit(operation)
  local session = operation.session
  local world = session.world
  local said = note(world, "op_admit", session.handle:admit(operation.op))
  operation.admitted, operation.place, operation.where = said, said.place, said.where
  operation.waiting = said.verdict == "wait"
  if operation.waiting then
    world.waiting[#world.waiting + 1] = operation
  elseif said.verdict == "reject" then
    operation:refuse(said)
  else
    begin_admitted(operation)
  end
end

--- Those whose turn has come begin; those that wait no more are forgotten.
function settle(world)
  local waiting = world.waiting
  world.waiting = {}
  for _, operation in ipairs(waiting) do
    if operation.waiting and operation.place:admitted() then begin_admitted(operation) end
    if operation.waiting then world.waiting[#world.waiting + 1] = operation end
  end
end

function expire(world)
  for _, operation in ipairs(world.waiting) do
    if world:time() > operation.came + operation.admitted.seconds - 1e-6 then waited_in_vain(operation) end
  end
  settle(world)
end

--- As they came, by the scripts that are in force now.
function ask_again(world)
  local waiting = world.waiting
  world.waiting = {}
  for _, operation in ipairs(waiting) do operation.place:leave() end
  for _, operation in ipairs(waiting) do admit(operation) end
  expire(world)
end

--- Begin an operation and leave it running, or waiting for its turn.
---@param name string "image_classify"
---@param o table? bytes_in, deadline (seconds left), attempt
---@return luaccel.sim.Operation? running
---@return luaccel.sim.Decision? refusal
function Session:start(name, o)
  local world = self.world
  o = o or {}
  check("an operation", o, "bytes_in deadline attempt")
  describe(world)
  world.operations = world.operations + 1
  local op = { name = name, id = world.operations, backend = self.backend, bytes_in = o.bytes_in,
    deadline = shorter(o.deadline, self.deadline), retries = (o.attempt or 1) - 1 }
  local operation = setmetatable({ session = self, op = op, came = world:time(), left = {} }, Operation)
  admit(operation)
  if operation.refusal then return nil, operation.refusal end
  return operation
end

local function microseconds(said) return (said.service or 0) * 1e6 end

--- What ran there has ended.
local function served(world, name, said)
  local backend = world.backends[name]
  if not backend then return end
  backend.inflight = backend.inflight - 1
  describe(world)
  world.engine:served(name, said.code, microseconds(said))
end

local function result_of(operation, name, said, mirror)
  local queue_us = math.floor((operation.began - operation.came) * 1e6 + 0.5)
  return { code = said.code, backend = name, queue_us = queue_us, service_us = microseconds(said),
    bytes_out = said.bytes_out, mirror = mirror }
end

--- After a failure: where the scripts want it tried again. The clock goes on by what that takes.
local function retried(running)
  local session, op, said = running.session, running.op, running.said
  if said.code == 0 or not running.on or not engine.may_go_elsewhere(op.name) then return false end
  local again = said.code == ENOTSUP and begin_on(running, running.left)
  if not again and op.retries < RETRIES then
    local decision = note(session.world, "op_failed", session.handle:failed(op, result_of(running, running.on, said)))
    again = decision.verdict == "retry" and begin_on(running, decision.backends)
    if again then op.retries, running.where = op.retries + 1, decision.where end
  end
  if again then session.world:advance(running.said.service or 0) end
  return again
end

--- The mirror ends with it, and what both answered is compared.
local function finish_mirror(running)
  local session, mirror, said = running.session, running.mirror, running.said
  served(session.world, mirror.on, mirror.said)
  local same = mirror.said.code == said.code and (said.code ~= 0 or mirror.said.answer == said.answer)
  session.handle:told(running.op, result_of(running, mirror.on, mirror.said, same and "equal" or "differ"))
end

--- It ends, now; the time that it took has passed before, but for what further attempts take. Those
--- that wait for it go on.
---@return luaccel.sim.Decision
function Operation:finish()
  if self.refusal then return self.refusal end
  if self.waiting then error("the operation waits for its turn: finish another, or let time pass", 2) end
  local session = self.session
  repeat
    if self.on then served(session.world, self.on, self.said) end
  until not retried(self)
  local said = self.said
  session.answered = session.answered or said.code == 0
  session.handle:done(self.op, result_of(self, self.on, said))
  if self.mirror then finish_mirror(self) end
  settle(session.world)
  return { verdict = "pass", code = said.code, text = said.text, where = self.where, backend = self.on,
    attempts = self.op.retries + 1 }
end

--- One operation from its beginning to its end; the clock goes on by what it takes. One that would
--- wait does so in vain, as nothing else goes on.
---@param name string "image_classify"
---@param o table? bytes_in, deadline (seconds left), attempt
---@return luaccel.sim.Decision
function Session:op(name, o)
  local running, refusal = self:start(name, o)
  if not running then return refusal end
  self.world:advance(running.waiting and running.admitted.seconds or running.said.service or 0)
  return running:finish()
end

return { load = load, code_name = engine.code_name, is_operation = engine.is_operation,
  may_go_elsewhere = engine.may_go_elsewhere }
