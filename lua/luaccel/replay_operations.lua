--- Operations of a replay: what op_admit, op_route and op_failed say of each now, where it runs, and what it
--- comes to.
---
--- As long as one goes the way that it went, the recording says what it came to. One that goes elsewhere, or
--- went nowhere then, is on its own: what it comes to is assumed (assumed.lua), and what else the recording has
--- of it is another's.
local sim = require "luaccel.sim"

local ENODEV = 19

---@class luaccel.replay.Operation
---@field session table
---@field asked table what scripts see of it
---@field came integer
---@field at string? where it runs now
---@field follows boolean? it runs where it ran, wherever that was
---@field place userdata? in a queue
---@field result table? it has ended so
---@field ends integer? it is on its own, and ends then
---@field elsewhere boolean? its result is assumed

local operations = { on = {} }
local on = operations.on

-- ---- how they end

--- It does not run any more, if it ever did: it may still wait for its turn.
function operations.ended(op)
  if op.place and not op.place:admitted() then
    op.place:leave()
  else
    op.session.handle:ended()
  end
end

local function tell(op)
  op.asked.backend = op.result.backend
  op.session.handle:told(op.asked, op.result)
end

--- The end of one that is on its own.
function operations.finish(op)
  operations.ended(op)
  tell(op)
  op.session.ops[op.asked.id] = nil
end

--- From here on the recording is not about it: it comes to this, in so many microseconds.
local function part(replay, op, t, us, result)
  local id = op.asked.id
  replay.ops[id], replay.parted[id], op.session.mirrors[id] = nil, true, nil
  op.result = result
  replay:run(op, t + us)
end

--- It runs there, and succeeds.
local function run_elsewhere(replay, op, t, backend)
  local us = replay.assumed:time(op.asked.name, backend, op.asked.id)
  part(replay, op, t, us, { code = 0, backend = backend, service_us = us })
end

-- ---- asking

--- The operation of a line; nil when it is not asked about: it is on its own, or refused now, or its beginning
--- is not there.
local function operation_of(replay, line, hook)
  if not replay:session_of(line, hook) then return nil end
  local op = replay.ops[line.o]
  if not op then
    replay:not_asked(hook)
    if not replay.parted[line.o] then replay.unknown = replay.unknown + 1 end
  end
  return op
end

local function shorter(a, b) return a and b and math.min(a, b) or a or b end

--- What scripts see of it now.
local function facts(op, line, backend)
  local limit = op.session.deadline
  local left = limit and math.max(0, limit - (line.t - op.came) / 1e6)
  local asked = { backend = backend, deadline = shorter(line.deadline, left) }
  for field, value in pairs(op.asked) do asked[field] = value end
  return asked
end

local function about(op, failure)
  return { session = op.session.id, peer = op.session.peer, what = op.asked.name, failure = failure }
end

--- What was said about one, or is: with `plan`, the backends that are to run it. A mirror is none of them.
local function bare(decision)
  local plan = decision.plan or decision.backends
  local refuses, mirrors = decision.verdict == "reject", decision.verdict == "mirror"
  return { verdict = decision.verdict, where = decision.where, code = refuses and decision.code or nil,
    text = refuses and decision.text or nil, plan = not mirrors and plan or nil, mirror = mirrors and plan[1] or nil }
end

--- Where the session is, for scripts.
local function home(session, recorded)
  return session.follows and recorded or session.backend
end

--- The first of a plan that can run it.
local function first(replay, op, plan)
  return plan and replay:first_of(plan, op.asked.name)
end

-- ---- op_route

local PASS = { verdict = "pass" }

local function ask_route(op, line)
  local session = op.session
  if not session.per_op then return PASS end
  return bare(session.handle:op_route(facts(op, line, home(session, line.b))))
end

--- Where it would run by that, its session being there.
local function place(replay, op, decision, backend)
  if decision.verdict == "reject" then return nil end
  return decision.plan and first(replay, op, decision.plan) or not decision.plan and backend or nil
end

--- It is on its own, and goes where that says.
local function leave(replay, op, line, is)
  local backend = place(replay, op, is, op.at or op.session.plan[1])
  if backend then return run_elsewhere(replay, op, line.t, backend) end
  part(replay, op, line.t, 0, { code = is.code or ENODEV })
end

--- It goes as that says, and went as the other did.
local function go(replay, op, line, was, is, same)
  local there, here = place(replay, op, was, line.b), place(replay, op, is, op.at)
  op.follows = same and (op.follows or was.plan ~= nil or was.verdict == "reject")
  if not op.follows and (not here or here ~= there) then return leave(replay, op, line, is) end
  op.at = here
  if is.verdict == "mirror" then op.session.mirrors[op.asked.id] = { on = is.mirror, asked = op.asked } end
end

function on.route(replay, line)
  local op = operation_of(replay, line, "op_route")
  if not op then return end
  local was, is = bare(line), ask_route(op, line)
  go(replay, op, line, was, is, replay:compare("op_route", line, was, is, about(op)))
end

-- ---- op_admit

--- Admitted, then as now. Where it runs is known here, if nobody was asked about that.
local function begin(replay, op, line)
  local session = op.session
  replay.ops[line.o] = op
  if replay.routed[line.o] then return end
  local is, same = PASS, true
  if session.per_op and not session.was_per_op and sim.may_go_elsewhere(line.name) then
    is = ask_route(op, line)
    same = replay:compare("op_route", line, PASS, is, about(op))
  end
  go(replay, op, line, PASS, is, same)
end

function on.op(replay, line)
  local session = replay:session_of(line, "op_admit")
  if not session then return end
  local op = { session = session, came = line.t, at = home(session, line.b), follows = session.follows,
    asked = { name = line.name, id = line.o, bytes_in = line["in"] } }
  local is = session.handle:admit(facts(op, line, op.at))
  replay:compare("op_admit", line, line, is, about(op))
  if is.verdict == "reject" then
    replay.parted[line.o] = line.verdict ~= "reject" or nil
    return
  end
  op.place = is.place
  session.ops[line.o] = op
  if line.verdict ~= "reject" then
    begin(replay, op, line)
  else
    leave(replay, op, line, sim.may_go_elsewhere(line.name) and ask_route(op, line) or PASS)
  end
end

-- ---- op_failed

--- It is to be done otherwise than it was: elsewhere, once more, or no more.
local function retry(replay, op, line, was, is)
  local there, here = first(replay, op, was.plan), first(replay, op, is.plan)
  if here == there then
    op.follows, op.at = false, here or line.b
  elseif here then
    op.asked.retries = line.attempt
    run_elsewhere(replay, op, line.t, here)
  else
    part(replay, op, line.t, 0,
      { code = line.code, backend = line.b, queue_us = line.queue_us, service_us = line.service_us })
  end
end

function on.failed(replay, line)
  local op = operation_of(replay, line, "op_failed")
  if not op then return end
  if not op.follows and op.at ~= line.b then -- its session moved then, and it failed there
    run_elsewhere(replay, op, line.t, op.at)
    return replay:not_asked "op_failed"
  end
  op.asked.retries = line.attempt - 1
  local result = { code = line.code, backend = line.b, queue_us = line.queue_us, service_us = line.service_us }
  local was, is = bare(line), bare(op.session.handle:failed(facts(op, line, home(op.session, line.home)), result))
  if not replay:compare("op_failed", line, was, is, about(op, { code = line.code, backend = line.b })) then
    retry(replay, op, line, was, is)
  elseif was.plan then
    op.follows = true
  end
end

-- ---- afterwards

--- It ended where it runs now too; or it moved then, to where it does not now.
on["end"] = function (replay, line)
  local op = replay.ops[line.o]
  replay.parted[line.o] = nil
  if not op or op.result then return end
  operations.ended(op)
  op.elsewhere = not op.follows and op.at ~= line.b
  op.asked.bytes_in, op.asked.retries = line["in"], (line.attempt or 1) - 1
  if op.elsewhere then
    op.result = { code = 0, backend = op.at, queue_us = line.queue_us,
      service_us = replay.assumed:time(op.asked.name, op.at, line.o) }
  else
    op.result = { code = line.code, backend = line.b, queue_us = line.queue_us, service_us = line.service_us,
      bytes_out = line.out, cached = line.cached }
  end
end

function on.done(replay, line)
  local op = replay.ops[line.o]
  replay.ops[line.o] = nil
  if not op then return end
  op.session.ops[line.o] = nil
  if not op.result then operations.ended(op) end -- its end was lost
  op.result = op.result or { code = line.code, backend = op.at }
  if not op.elsewhere then op.result.code = line.code end
  tell(op)
end

--- One ran beside it, where it still would.
function on.mirror(replay, line)
  local session = replay.sessions[line.s]
  local mirror = session and session.mirrors[line.o]
  if not mirror or mirror.on ~= line.b then return end
  session.mirrors[line.o] = nil
  session.handle:told({ name = mirror.asked.name, id = line.o, bytes_in = mirror.asked.bytes_in, backend = line.b },
    { code = line.code, backend = line.b, queue_us = line.queue_us, service_us = line.service_us,
      bytes_out = line.out, mirror = line.mirror })
end

return operations
