--- luaccel policy replay: what scripts decide about recorded traffic, and where that differs from what was
--- decided then. The simulator's engine asks them, at the recorded times; backends look as they did.
---
--- What differs has consequences, which nobody has recorded. An operation that is sent elsewhere succeeds
--- (replay_operations.lua); a session that is refused now asks for nothing more; one that was refused then is
--- closed at once.
local assumed = require "luaccel.assumed"
local json = require "luaccel.json"
local operations = require "luaccel.replay_operations"
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
  if not was.plan or not is.plan then return not was.plan and not is.plan end
  return same_plan(was.plan, is.plan) and (was.deadline or 0) == (is.deadline or 0)
end

--- Count it, and keep the first.
---@return boolean same
function Replay:compare(hook, line, was, is, about)
  local counts = self.counts[hook]
  if same(was, is) then
    counts.same = counts.same + 1
    return true
  end
  counts.different = counts.different + 1
  if #self.differences < self.show then
    self.differences[#self.differences + 1] = {
      hook = hook, seconds = (line.t - self.origin) / 1e6, session = about.session, peer = about.peer,
      what = about.what, failure = about.failure, was = was, is = is,
    }
  end
  return false
end

function Replay:not_asked(hook)
  self.counts[hook].not_asked = self.counts[hook].not_asked + 1
end

--- What a session's plan is when no script makes one: the hint's.
local function planned(decision, hinted)
  if decision.verdict ~= "pass" then
    return { verdict = decision.verdict, code = decision.code, text = decision.text, where = decision.where,
      plan = decision.plan or decision.backends, deadline = decision.deadline, per_op = decision.per_op }
  end
  if hinted then return { verdict = "route", plan = { hinted }, where = "hint" } end
  return { verdict = "reject", code = ENOTSUP, where = "hint",
    text = "no plugin of the agent serves this session; set VACCEL_PLUGINS or declare backends" }
end

-- ---- time

--- It runs until then.
function Replay:run(op, ends)
  local at = #self.running
  op.ends = ends
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
      operations.finish(next_op)
    end
    next_op = self.running[#self.running]
  end
  self:set_time(t)
end

-- ---- lines of the recording

local on = operations.on

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

local function may_have(backend, operation)
  for _, name in ipairs(backend.has or { operation }) do
    if name == operation then return true end
  end
  return false
end

--- The first of these backends that is up and, as far as is known, has the operation, if one is given.
function Replay:first_of(plan, operation)
  for _, name in ipairs(plan) do
    local seen = self.views[name] or self.world.backends[name]
    if seen and seen.up and (not operation or may_have(seen, operation)) then return name end
  end
end

--- Of a session whose way is its own now: the first of its plan that is up, where it stays.
local function enter(replay, session)
  session.backend = replay:first_of(session.plan) or session.plan[1]
  session.handle:on(session.backend, session.where)
end

--- The end waits for its operations; one whose end is not in the recording has none that could be told.
local function close(replay, session)
  local left = {}
  for _, op in pairs(session.ops) do left[#left + 1] = op end
  table.sort(left, function (a, b) return a.asked.id < b.asked.id end)
  for _, op in ipairs(left) do
    if op.ends then
      operations.finish(op)
    else
      replay.ops[op.asked.id] = nil
      if not op.result then operations.ended(op) end
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
  replay:compare("session_route", line, was, is, { session = line.s, peer = line.peer })
  if is.verdict == "reject" then
    handle:drop()
    if was.verdict ~= "reject" then replay.gone[line.s] = true end
    return
  end
  local session = { id = line.s, handle = handle, plan = is.plan, where = is.where, peer = line.peer, ops = {},
    mirrors = {}, per_op = is.per_op, was_per_op = was.per_op,
    deadline = is.deadline ~= was.deadline and is.deadline or nil, -- else what is recorded counts it
    follows = was.verdict ~= "reject" and same_plan(was.plan, is.plan) }
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
  replay.sessions[line.s] = { id = line.s, handle = handle, plan = line.plan, where = line.where, peer = line.peer,
    follows = true, backend = line.b, per_op = line.per_op, was_per_op = line.per_op, ops = {}, mirrors = {} }
end

function on.on(replay, line)
  local session = replay.sessions[line.s]
  if not session or not session.follows then return end
  session.backend = line.b
  session.handle:on(line.b, session.where)
end

--- The session of a line; nil when it is not asked about: it is refused now, or its beginning is not there.
function Replay:session_of(line, hook)
  local session = self.sessions[line.s]
  if not session then
    self:not_asked(hook)
    if not self.gone[line.s] then self.unknown = self.unknown + 1 end
  end
  return session
end

function on.resource(replay, line)
  local session = replay:session_of(line, "resource_admit")
  if not session then return end
  if line.more_names then replay.nameless = replay.nameless + 1 end
  local is = session.handle:resource { id = line.id, type = line.type, bytes = line.bytes, names = line.names }
  local about = { session = line.s, peer = session.peer, what = line.type }
  replay:compare("resource_admit", line, line, is, about)
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

--- A first way through: all lines are good, and what is there to be assumed, and declared, and of which
--- operations was asked where they run.
local function survey(from)
  local guesses, plugins, routed = assumed.new(), {}, {}
  for line in from:lines() do
    guesses:note(line)
    if line.e == "route" then routed[line.o] = true end
    if line.e == "backend" and not line.declared and line.t == from.first.t then plugins[#plugins + 1] = line.b end
  end
  return guesses, plugins, routed
end

local function new(from, scripts, show)
  local guesses, plugins, routed = survey(from)
  local good, world = pcall(sim.load, { plugins = plugins, time = from.first.time, unpack(scripts) })
  if not good then error({ sentence = tostring(world) }, 0) end
  local hooks = {}
  for _, hook in ipairs(report.HOOKS) do hooks[hook] = counts() end
  return setmetatable({
    world = world, engine = world.engine, assumed = guesses, routed = routed, show = show,
    origin = from.first.t, now = from.first.t,
    counts = hooks, differences = {}, notes = {}, lost = 0, unknown = 0, nameless = 0,
    views = {}, sessions = {}, ops = {}, running = {},
    refused = {}, -- connections, now
    gone = {},    -- sessions that are refused now
    parted = {},  -- operations that are refused now, or on their own
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
    replay:note("%d lines are about sessions or operations whose beginning is not in the recording", replay.unknown)
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
