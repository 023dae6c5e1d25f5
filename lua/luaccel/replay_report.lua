--- What luaccel policy replay has found, for programs and for people.
local json = require "luaccel.json"
local sim = require "luaccel.sim"

local report = {}

report.HOOKS = { "peer_accept", "session_route", "resource_admit", "op_admit", "op_route", "op_failed" }

--- The code by its name, when it has one.
local function named(code) return code and (sim.code_name(code) or tostring(code)) or nil end

local function decision(d)
  return { verdict = d.verdict, code = d.verdict == "reject" and named(d.code) or nil,
    text = d.verdict == "reject" and d.text or nil, where = d.where, plan = d.plan and json.list(d.plan) or nil,
    mirror = d.mirror, deadline = d.deadline }
end

local function failure(f) return f and { code = named(f.code), backend = f.backend } or nil end

local function difference(d)
  return { hook = d.hook, seconds = d.seconds, session = d.session, peer = d.peer, what = d.what,
    failure = failure(d.failure), was = decision(d.was), is = decision(d.is) }
end

--- All of it, as JSON has it.
---@param replay luaccel.Replay
---@return table
function report.of(replay)
  local out = { hooks = {}, differences = json.list {}, assumed = json.list(replay.assumed.list), asked = 0,
    different = 0, not_asked = 0, notes = json.list(replay.notes), lines = json.list(replay.world:lines()) }
  for hook, counts in pairs(replay.counts) do
    out.hooks[hook] = counts
    out.asked = out.asked + counts.same + counts.different
    out.different = out.different + counts.different
    out.not_asked = out.not_asked + counts.not_asked
  end
  for i, d in ipairs(replay.differences) do out.differences[i] = difference(d) end
  return out
end

-- ---- in words

local function peer_text(peer)
  if peer.cid then return "cid=" .. peer.cid end
  if peer.addr then return "addr=" .. peer.addr end
  return peer.uid and "uid=" .. peer.uid or "a peer"
end

--- When nothing is said.
local PASS = { op_route = "where its session is", op_failed = "not tried again" }

local function decision_text(d, hook)
  if d.verdict == "reject" then
    -- A policy's text has the line.
    return ("%s, %s"):format(d.code, d.text)
  elseif d.plan then
    return ("%s%s (%s)%s"):format(d.verdict == "retry" and "tried again on " or "", table.concat(d.plan, ", "),
      d.where or "?", d.deadline and (", deadline %g s"):format(d.deadline) or "")
  end
  return PASS[hook] or "admitted"
end

local function say_difference(d)
  print(("%+.3f s%s %s: %s%s%s: was %s; is %s"):format(d.seconds, d.session and " session " .. d.session or "",
    peer_text(d.peer), d.hook, d.what and " " .. d.what or "",
    d.failure and (", %s on %s"):format(d.failure.code, d.failure.backend or "?") or "",
    decision_text(d.was, d.hook), decision_text(d.is, d.hook)))
end

local function say_assumed(a)
  print(("assumed: %d %s on %s succeed%s (%s)"):format(a.count, a.op, a.backend,
    a.us and (" in %g ms"):format(a.us / 1e3) or "", a.how))
end

--- Differences, assumptions, counts; to stderr what scripts wrote, and what is to be known of the recording.
---@param out table as report.of() gives it
function report.say(out)
  for _, note in ipairs(out.notes) do io.stderr:write("luaccel: ", note, "\n") end
  for _, text in ipairs(out.lines) do io.stderr:write(text, "\n") end
  for _, d in ipairs(out.differences) do say_difference(d) end
  local left = out.different - #out.differences
  if left > 0 then print(("and %d more (--show N)"):format(left)) end
  for _, a in ipairs(out.assumed) do say_assumed(a) end
  for _, hook in ipairs(report.HOOKS) do
    local counts = out.hooks[hook]
    print(("%-14s  %d the same, %d different%s"):format(hook, counts.same, counts.different,
      counts.not_asked > 0 and (", %d not asked"):format(counts.not_asked) or ""))
  end
  print(("%d of %d decisions differ"):format(out.different, out.asked))
end

return report
