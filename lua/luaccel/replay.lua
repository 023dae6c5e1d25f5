--- luaccel policy replay: what scripts decide about recorded traffic, and where that differs from what was
--- decided then. The simulator's engine asks them, at the recorded times; backends look as they did.
---
--- What differs has consequences, which nobody has recorded. An operation that is sent elsewhere succeeds
--- (assumed.lua); a session that is refused now asks for nothing more; one that was refused then is closed at
--- once.
local assumed = require "luaccel.assumed"
local json = require "luaccel.json"
local recording = require "luaccel.recording"
local report = require "luaccel.replay_report"
local sim = require "luaccel.sim"

local ENOTSUP = 95

---@class luaccel.Replay
---@field counts table<string, { same: integer, different: integer, not_asked: integer }> by hook
---@field differences table[] the first of them
---@field notes string[]
local Replay = {}
Replay.__index = Replay

-- ---- decisions, compared

local function same_plan(a, b)
  if #a ~= #b then return false end
  for i, name in ipairs(a) do
    if name ~= b[i] then return false end
  end
  return true
end

--- What counts is what becomes of the caller, not the words or the line.
local function same(was, is)
  if was.verdict == "reject" or is.verdict == "reject" then return was.verdict == is.verdict and was.code == is.code end
  return not was.plan or same_plan(was.plan, is.plan) and (was.deadline or 0) == (is.deadline or 0)
end

--- Count it, and keep the first.
function Replay:compare(hook, line, was, is, about)
  local counts = self.counts[hook]
  if same(was, is) then
    counts.same = counts.same + 1
    return
  end
  counts.different = counts.different + 1
  if #self.differences == self.show then return end
  self.differences[#self.differences + 1] = {
    hook = hook, seconds = (line.t - self.origin) / 1e6, session = line.s, peer = about.peer, what = about.what,
    was = was, is = is,
  }
end

function Replay:not_asked(hook)
  self.counts[hook].not_asked = self.counts[hook].not_asked + 1
end

--- What a session's plan is when no script makes one: the hint's.
local function planned(decision, hinted)
  if decision.verdict ~= "pass" then
    return { verdict = decision.verdict, code = decision.code, text = decision.text, where = decision.where,
      plan = decision.plan or decision.backends, deadline = decision.deadline }
  end
  if hinted then return { verdict = "route", plan = { hinted }, where = "hint" } end
  return { verdict = "reject", code = ENOTSUP, where = "hint",
    text = "no plugin of the agent serves this session; set VACCEL_PLUGINS or declare backends" }
end

-- ---- time

--- It does not run any more, if it ever did: it may still wait for its turn.
local function ended(op)
  if op.place and not op.place:admitted() then
    op.place:leave()
  else
    op.session.handle:ended()
  end
end

--- What was assumed to run ends when its time has come.
local function finish(op)
  ended(op)
  op.session.handle:told(op.asked, { code = 0, backend = op.session.backend, service_us = op.us })
  op.session.ops[op.asked.id] = nil
end

function Replay:run(op, t, us)
  local at = #self.running
  op.ends, op.us = t + us, us
  while at > 0 and self.running[at].ends < op.ends do at = at - 1 end
  table.insert(self.running, at + 1, op) -- the next to end is the last
end

function Replay:set_time(t)
  if t > self.now then self.engine:advance((t - self.now) / 1e6) end
  self.now = math.max(t, self.now)
end

function Replay:go_to(t)
  local next_op = self.running[#self.running]
  while next_op and next_op.ends <= t do
    self.running[#self.running] = nil
    if next_op.session.ops[next_op.asked.id] then
      self:set_time(next_op.ends)
      finish(next_op)
    end
    next_op = self.running[#self.running]
  end
  self:set_time(t)
end

-- ---- lines of the recording

local on = {}

local VIEW = { "up", "inflight", "operations", "errors", "p50_us", "p99_us" }

function on.view(replay, line)
  local view = replay.views[line.b] or { up = false }
  replay.views[line.b] = view
  for _, field in ipairs(VIEW) do
    if line[field] ~= nil then view[field] = line[field] end
  end
  replay.engine:view(line.b, view, view.has)
end

--- One that is there when the recording begins, or after a reload.
function on.backend(replay, line)
  replay.views[line.b] = { up = false, has = line.has }
  on.view(replay, line)
  if not line.up and line.t == replay.origin then replay.engine:tell(line.b, false) end
end

function on.state(replay, line) replay.engine:tell(line.b, line.up) end

function on.load(replay, line)
  replay:note("policies were loaded again at %+.3f s: what was decided after that, others decided",
    (line.t - replay.origin) / 1e6)
end

function on.lost(replay, line) replay.lost = replay.lost + line.n end

function on.over() end

function on.accept(replay, line)
  local is = replay.engine:accept(line.peer)
  replay:compare("peer_accept", line, line, is, { peer = line.peer })
  replay.refused[line.c] = is.verdict == "reject" or nil
end

--- Of a session whose way is its own now: the first of its plan that is up, where it stays.
local function enter(replay, session)
  for _, name in ipairs(session.plan) do
    local seen = replay.views[name] or replay.world.backends[name]
    if not session.backend and seen and seen.up then session.backend = name end
  end
  session.handle:on(session.backend or session.plan[1], session.where)
end

--- The end waits for its operations; one whose end is not in the recording has none that could be told.
local function close(replay, session)
  local left = {}
  for _, op in pairs(session.ops) do left[#left + 1] = op end
  table.sort(left, function (a, b) return a.asked.id < b.asked.id end)
  for _, op in ipairs(left) do
    if op.ends then
      finish(op)
    else
      replay.ops[op.asked.id] = nil
      if not op.result then ended(op) end
    end
  end
  session.handle:close()
end

function on.session(replay, line)
  if replay.refused[line.c] then
    if line.verdict ~= "reject" then replay.gone[line.s] = true end
    return replay:not_asked "session_route"
  end
  local handle = replay.engine:session(line.s, line.hint, line.peer)
  local was, is = planned(line, line.hinted), planned(handle:route(), line.hinted)
  replay:compare("session_route", line, was, is, { peer = line.peer })
  if is.verdict == "reject" then
    handle:drop()
    if was.verdict ~= "reject" then replay.gone[line.s] = true end
    return
  end
  local session = { handle = handle, plan = is.plan, where = is.where, peer = line.peer, ops = {},
    deadline = is.deadline, follows = was.verdict ~= "reject" and same_plan(was.plan, is.plan) }
  if not session.follows then enter(replay, session) end
  if was.verdict == "reject" then
    close(replay, session)
  else
    replay.sessions[line.s] = session
  end
end

--- One that was there before: what scripts said about it then is not known.
function on.known(replay, line)
  local handle = replay.engine:session(line.s, line.hint, line.peer)
  if line.b then handle:on(line.b, line.where) end
  replay.sessions[line.s] = { handle = handle, plan = line.plan, where = line.where, peer = line.peer, follows = true,
    backend = line.b, ops = {} }
end

function on.on(replay, line)
  local session = replay.sessions[line.s]
  if not session or not session.follows then return end
  session.backend = line.b
  session.handle:on(line.b, session.where)
end

--- The session of a line; nil when it is not asked about: it is refused now, or its beginning is not there.
local function session_of(replay, line, hook)
  local session = replay.sessions[line.s]
  if not session then
    replay:not_asked(hook)
    if not replay.gone[line.s] then replay.unknown = replay.unknown + 1 end
  end
  return session
end

function on.resource(replay, line)
  local session = session_of(replay, line, "resource_admit")
  if not session then return end
  if line.more_names then replay.nameless = replay.nameless + 1 end
  local is = session.handle:resource { id = line.id, type = line.type, bytes = line.bytes, names = line.names }
  replay:compare("resource_admit", line, line, is, { peer = session.peer, what = line.type })
end

local function shorter(a, b) return a and b and math.min(a, b) or a or b end

function on.op(replay, line)
  local session = session_of(replay, line, "op_admit")
  if not session then return end
  local asked = { name = line.name, id = line.o, bytes_in = line["in"],
    backend = session.follows and line.b or session.backend, deadline = shorter(line.deadline, session.deadline) }
  local is = session.handle:admit(asked)
  replay:compare("op_admit", line, line, is, { peer = session.peer, what = line.name })
  if is.verdict == "reject" then return end
  asked.deadline = nil -- as it is in op_done
  local op = { session = session, asked = asked, place = is.place }
  session.ops[line.o] = op
  if line.verdict == "reject" or not session.follows and session.backend ~= line.b then
    session.backend = session.backend or session.plan[1]
    replay:run(op, line.t, replay.assumed:time(line.name, session.backend, line.o))
  else
    replay.ops[line.o] = op
  end
end

--- It ended where it runs now too; or it moved then, to where it does not now.
on["end"] = function (replay, line)
  local op = replay.ops[line.o]
  if not op or op.result then return end
  local session = op.session
  ended(op)
  if session.follows or session.backend == line.b then
    op.result = { code = line.code, backend = line.b, queue_us = line.queue_us, service_us = line.service_us,
      bytes_out = line.out }
  else
    op.result = { code = 0, backend = session.backend, queue_us = line.queue_us,
      service_us = replay.assumed:time(op.asked.name, session.backend, line.o) }
    op.elsewhere = true
  end
  op.asked.bytes_in, op.asked.backend = line["in"], op.result.backend
end

function on.done(replay, line)
  local op = replay.ops[line.o]
  replay.ops[line.o] = nil
  if not op then return end
  op.session.ops[line.o] = nil
  if not op.result then ended(op) end -- its end was lost
  op.result = op.result or { code = line.code, backend = op.asked.backend }
  if not op.elsewhere then op.result.code = line.code end
  op.session.handle:told(op.asked, op.result)
end

function on.close(replay, line)
  local session = replay.sessions[line.s]
  replay.sessions[line.s], replay.gone[line.s] = nil, nil
  if session then close(replay, session) end
end

-- ---- the whole

function Replay:note(...)
  self.notes[#self.notes + 1] = string.format(...)
end

local function counts()
  return { same = 0, different = 0, not_asked = 0 }
end

--- A first way through: all lines are good, and what is there to be assumed, and declared.
local function survey(from)
  local guesses, plugins = assumed.new(), {}
  for line in from:lines() do
    guesses:note(line)
    if line.e == "backend" and not line.declared and line.t == from.first.t then plugins[#plugins + 1] = line.b end
  end
  return guesses, plugins
end

local function new(from, scripts, show)
  local guesses, plugins = survey(from)
  local good, world = pcall(sim.load, { plugins = plugins, time = from.first.time, unpack(scripts) })
  if not good then error({ sentence = tostring(world) }, 0) end
  local hooks = {}
  for _, hook in ipairs(report.HOOKS) do hooks[hook] = counts() end
  return setmetatable({
    world = world, engine = world.engine, assumed = guesses, show = show, origin = from.first.t, now = from.first.t,
    counts = hooks, differences = {}, notes = {}, lost = 0, unknown = 0, nameless = 0,
    views = {}, sessions = {}, ops = {}, running = {},
    refused = {}, -- connections, now
    gone = {},    -- sessions that are refused now
  }, Replay)
end

--- Backends that the agent did not have are what the simulator takes them for.
function Replay:note_backends(first)
  local there = {}
  for _, name in ipairs(first.backends) do there[name] = true end
  for name in pairs(self.world.backends) do
    if not there[name] then self:note("the agent had no backend %s: it is up, and nothing is known of it", name) end
  end
  table.sort(self.notes)
end

local function replay_file(path, scripts, show)
  local from = recording.open(path)
  local replay = new(from, scripts, show)
  replay:note_backends(from.first)
  for line, number in from:lines() do
    local good, why = pcall(function ()
      replay:go_to(line.t)
      on[line.e](replay, line)
    end)
    if not good then error({ sentence = ("%s:%d: %s"):format(path, number, tostring(why)) }, 0) end
  end
  if replay.lost > 0 then
    replay:note("%d lines were lost when it was recorded: what follows from them is not seen", replay.lost)
  end
  if replay.nameless > 0 then
    replay:note("%d resources have more names than the recording does", replay.nameless)
  end
  if replay.unknown > 0 then
    replay:note("%d lines are about sessions whose beginning is not in the recording", replay.unknown)
  end
  if from.why then replay:note("%s", from.why) end
  return replay
end

---@param line table the command line, as agent/luaccel/lua.c gives it
---@return integer status 0 nothing differs, 1 something does, 2 neither can be said
return function (line)
  local path, scripts = line.words[1], { unpack(line.words, 2) }
  if #scripts == 0 then
    io.stderr:write "luaccel: policy replay takes a recording and at least one script\n"
    return 2
  end
  local good, replay = pcall(replay_file, path, scripts, line.show)
  if not good then
    io.stderr:write("luaccel: ", type(replay) == "table" and replay.sentence or tostring(replay), "\n")
    return 2
  end
  local out = report.of(replay)
  if line.json then print(json.encode(out)) else report.say(out) end
  return out.different > 0 and 1 or 0
end
