--- What policies do, as data: policy_scenarios_spec.lua has each run by the simulator and by an agent,
--- and they must say the same. A hook, an object, an option or a word of scripts that no scenario uses
--- is a failure there, so whoever adds one to the engine adds a scenario here.
---
---     name       what it shows
---     script     the policy; its name is p
---     plugins    what VACCEL_PLUGINS names
---     backends   those that the script declares and that are not as they should be: its plugin
---     steps      in order:
---       { "session", NAME, listener = "door", tcp = true, hint = 0 }    a peer comes and opens one
---       { "op", NAME, bytes = 100 }                                     an image to classify
---       { "resource", NAME, type = "model", name = "net", bytes = 10 }
---       { "close", NAME }    before the end, where closing is told
---       { "wait", TEXT, seconds = 1 }    until the script has written it; the simulator goes on by so much
---       { "reload", script = "..." }
---
--- Plugins are the specs' (support/witness.c): witness and witness2 do anything, mute only noop, refuse
--- takes no session, frail fails what it runs, absent is not there. Nothing may depend on how fast
--- it goes: quotas have rates of 0.001.

local TWO = [[backends { one = plugin "witness", two = plugin "witness2" }
]]

--- A policy with these hooks and options, from line 2 on.
local function policy(body, on_error)
  return ('policy { name = "p", api = 1, on_error = %s,\n%s }'):format(on_error or '"reject"', body)
end

local function fails(on_error)
  return {
    name = "a hook that fails, with on_error " .. on_error,
    script = TWO .. policy([[
      session_route = function (s) if s.hint == 7 then error "no" end return route "one" end,
      op_admit = function (op) local t = nil; return t.x end]], on_error),
    plugins = { "mute" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "session", "b", hint = 7 } },
  }
end

return {
  {
    name = "a route, its fallbacks and a refusal",
    script = [[
backends { gone = plugin "absent", no = plugin "refuse", one = plugin "witness" }
]] .. policy [[
      session_route = function (s)
        if s.peer.transport == "tcp" then return reject("no network", "EACCES") end
        if s.peer.listener == "staff" then return route { "gone", "no", "one" } end
        if s.peer.uid == nil then return reject "who?" end
        return route "one"
      end]],
    backends = { gone = "absent", no = "refuse" },
    steps = {
      { "session", "a", listener = "staff" }, { "op", "a", bytes = 10 }, { "session", "b", tcp = true },
      { "session", "c" }, { "op", "c", bytes = 10 },
    },
  },
  {
    name = "a backend that does not know the operation",
    script = [[backends { mute = plugin "mute", one = plugin "witness" }
]] .. policy 'session_route = function () return route { "mute", "one" } end',
    backends = { mute = "mute" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 } },
  },
  {
    name = "a backend that is down is told",
    script = [[backends { gone = plugin "absent", one = plugin "witness" }
]] .. policy [[
      session_route = function () return route { "gone", "one" } end,
      backend_state = function (b, up) log("state", b.name, up) end]],
    backends = { gone = "absent" },
    steps = { { "wait", "state gone false", seconds = 1 }, { "session", "a" } },
  },
  {
    name = "what backends are like",
    script = [[
backends { gone = plugin "absent", mute = plugin "mute", one = plugin "witness", far = remote "unix:///nowhere.sock" }
local function seen(b)
  return table.concat({ b.name, tostring(b.up), b.inflight, b.operations, b.errors, tostring(b.p50_us ~= nil),
    tostring(b.supports "image_classify"), tostring(b.supports "noop") }, " ")
end
]] .. policy [[
      session_route = function (s)
        log(seen(backends.gone), seen(backends.mute), seen(backends.one), seen(backends.far), s.inflight)
        if backends.mute.supports "image_classify" then return route "mute" end
        return route "one"
      end,
      op_admit = function (op)
        log("admit", op.session.inflight, op.attempt, op.deadline, op.idempotent)
        if op.session.age > 1000 then return reject "old" end
      end]],
    backends = { gone = "absent", mute = "mute", far = "absent" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 }, { "session", "b" } },
  },
  {
    name = "timers",
    script = [[
local times, open = 0, false
after(0.02, function () open = true log "open" end)
every(0.02, function () times = times + 1 if times == 3 then log "three times" end end)
]] .. policy [[
      session_route = function () if not open then return reject "too early" end end]],
    plugins = { "witness" },
    steps = { { "wait", "open", seconds = 0.5 }, { "wait", "three times", seconds = 0.5 }, { "session", "a" } },
  },
  {
    name = "another agent that is not there",
    script = [[backends { away = remote "unix:///nowhere.sock", one = plugin "witness" }
]] .. policy 'session_route = function () return route { "away", "one" } end',
    backends = { away = "absent" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 } },
  },
  {
    name = "no backend of the plan",
    script = [[backends { gone = plugin "absent", no = plugin "refuse", one = plugin "witness" }
]] .. policy [[
      session_route = function (s) return route(s.hint == 1 and "gone" or "no") end,
      session_close = function (s) log("closed", s.id, s.backend) end]],
    backends = { gone = "absent", no = "refuse" },
    steps = { { "session", "a" }, { "session", "b", hint = 1 } },
  },
  {
    name = "the hint, where no script decides",
    script = policy "session_route = function () end",
    plugins = { "witness" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 } },
  },
  {
    name = "the door",
    script = policy [[
      peer_accept = function (peer)
        if peer.listener == "side" then return reject("not here", "EBUSY") end
      end]],
    plugins = { "witness" },
    steps = { { "session", "a", listener = "side" }, { "session", "b" } },
  },
  {
    name = "resources",
    script = policy [[
      resource_admit = function (s, res)
        if res.type ~= "model" then return reject("models only, not " .. res.names[1]) end
        if res.bytes > 10 then return reject(res.bytes .. " are too many", "ENOSPC") end
        s.tags.models = (s.tags.models or 0) + 1
      end,
      op_admit = function (op) if not op.session.tags.models then return reject "no model" end end]],
    plugins = { "witness" },
    steps = {
      { "session", "a" }, { "resource", "a", type = "model", name = "big", bytes = 11 },
      { "op", "a", bytes = 10 }, { "resource", "a", type = "data", name = "d", bytes = 1 },
      { "resource", "a", type = "model", name = "net", bytes = 10 }, { "op", "a", bytes = 10 },
    },
  },
  {
    name = "operations, before and after",
    script = [[backends { one = plugin "witness" }
]] .. policy [[
      session_route = function () return route "one" end,
      op_admit = function (op) if op.bytes_in > 1000 then return reject { code = "EINVAL", reason = op.name } end end,
      op_done = function (op, result) log("done", op.name, op.backend, result.code, result.backend, op.session.id) end,
      session_close = function (s) log("closed", s.backend, s.plan) end]],
    steps = {
      { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 2000 }, { "op", "a", bytes = 20 },
      { "close", "a" },
    },
  },
  {
    name = "operations that run elsewhere, or on two backends",
    script = [[backends { one = plugin "calm", two = plugin "calm2", mute = plugin "mute", frail = plugin "frail" }
]] .. policy [[
      session_route = function () return route { "one", per_op = true } end,
      op_route = function (op)
        if op.bytes_in > 3000 then return mirror "frail" end
        if op.bytes_in > 2000 then return mirror "two" end
        if op.bytes_in > 1000 then return route { "mute", "two" } end
      end,
      op_done = function (op, result) log("done", op.bytes_in > 2000, result.backend, result.code, result.mirror) end]],
    backends = { mute = "mute", frail = "frail" },
    steps = {
      { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 1500 }, { "op", "a", bytes = 2500 },
      { "op", "a", bytes = 3500 }, { "close", "a" },
    },
  },
  {
    name = "a sample of operations on a second backend",
    script = [[backends { one = plugin "calm", two = plugin "calm2", gone = plugin "absent" }
]] .. policy [[
      session_route = function () return route { "one", per_op = true } end,
      op_route = sample { "gone", "two", percent = 50 },
      op_done = function (op, result) log("done", result.backend, result.code, result.mirror) end]],
    backends = { gone = "absent" },
    steps = {
      { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 },
      { "op", "a", bytes = 10 }, { "close", "a" },
    },
  },
  {
    name = "what a route may say beside its backends",
    script = TWO .. [[
local asked, answers = 0, cache { bytes = 1e5 }
]] .. policy [[
      session_route = function (s)
        asked = asked + 1
        local here = asked % 2 == 1 and "one" or "two"
        if s.hint == 1 then return route { here, uses = 1, ttl = 1000 } end
        if s.hint == 2 then return route { here, sticky = true } end
        return route { here, deadline = 1000, cache = answers }
      end,
      op_admit = function (op) log("deadline", op.deadline ~= nil) end]],
    steps = {
      { "session", "a", hint = 1 }, { "session", "b", hint = 1 }, { "session", "c", hint = 1 },
      { "session", "d", hint = 2 }, { "session", "e", hint = 2 }, { "session", "f", hint = 2 },
      { "session", "g" }, { "op", "g", bytes = 10 }, { "op", "a", bytes = 10 },
    },
  },
  {
    name = "operations that are tried again",
    script = [[backends { frail = plugin "frail", mute = plugin "mute", one = plugin "witness" }
]] .. policy [[
      session_route = function () return route "frail" end,
      op_failed = function (op, result)
        if op.bytes_in > 2000 then return retry "frail" end
        if op.bytes_in > 1000 then return retry { "mute", "one" } end
      end,
      op_done = function (op, result) log("done", op.attempt, result.backend, result.code) end]],
    backends = { frail = "frail", mute = "mute" },
    steps = {
      { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 1500 }, { "op", "a", bytes = 2500 },
      { "close", "a" },
    },
  },
  fails '"reject"', fails '"allow"', fails '{ default = "two" }',
  {
    name = "sessions in turn",
    script = TWO .. policy 'session_route = round_robin { "one", "two" }',
    steps = { { "session", "a" }, { "session", "b" }, { "session", "c" } },
  },
  {
    name = "sessions by weight",
    script = TWO .. policy "session_route = weighted { one = 2, two = 1 }",
    steps = { { "session", "a" }, { "session", "b" }, { "session", "c" }, { "session", "d" } },
  },
  {
    name = "sessions where least is in flight",
    script = [[backends { gone = plugin "absent", one = plugin "witness", two = plugin "witness2" }
]] .. policy 'session_route = least_inflight { "gone", "one", "two" }',
    backends = { gone = "absent" },
    steps = { { "session", "a" }, { "session", "b" }, { "op", "b", bytes = 10 }, { "session", "c" } },
  },
  {
    name = "sessions of one listener together",
    script = TWO .. policy 'session_route = hash { "one", "two", key = "listener", load = 2 }',
    steps = {
      { "session", "a", listener = "vm1" }, { "session", "b", listener = "vm2" },
      { "session", "c", listener = "vm3" }, { "session", "d", listener = "vm4" },
      { "session", "e", listener = "vm1" }, { "session", "f", listener = "vm2" },
    },
  },
  {
    name = "backends in order while they do well",
    script = TWO .. policy [[
      session_route = breaker { "one", "two", errors = 0.5, least = 1, window = 600, rest = 600 }]],
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "session", "b" } },
  },
  {
    name = "a canary for every second session",
    script = TWO .. policy [[
      session_route = canary { "two", "one", percent = 50, errors = 0.5, p99_us = 1e12, least = 1, window = 600 }]],
    steps = {
      { "session", "a" }, { "session", "b" }, { "op", "b", bytes = 10 }, { "session", "c" }, { "session", "d" },
    },
  },
  {
    name = "one operation at once, one after the other",
    script = policy 'op_admit = concurrency { limit = 1, key = "uid" }',
    plugins = { "witness" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "session", "b" }, { "op", "b", bytes = 10 } },
  },
  {
    name = "more wait",
    script = policy 'op_admit = concurrency { limit = 1, key = "uid", queue = 2, wait = 60 }',
    plugins = { "witness" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 } },
  },
  {
    name = "answers that are kept, which the simulator has not",
    script = [[backends { one = plugin "witness" }
local kept = cache { bytes = 1e6, ttl = 60, key = "uid" }
]] .. policy 'session_route = function () return route { "one", cache = kept } end',
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 } },
  },
  {
    name = "a quota for each listener, also after a reload",
    script = policy 'op_admit = quota { rate = 0.001, burst = 2, key = "listener", keys = 10 }',
    plugins = { "witness" },
    steps = {
      { "session", "a", listener = "vm1" }, { "session", "b", listener = "vm2" },
      { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 }, { "op", "b", bytes = 10 },
      { "reload", script = policy 'op_admit = quota { rate = 0.001, burst = 2, key = "listener", keys = 10 }' },
      { "op", "a", bytes = 10 }, { "op", "b", bytes = 10 }, { "op", "b", bytes = 10 },
    },
  },
  {
    name = "a quota for each tag, that can change",
    script = TWO .. policy [[
      session_route = function (s) s.tags.tenant = s.hint return route "one" end,
      op_admit = (function ()
        local few = quota { rate = 0.001, burst = 1, key = "tag:tenant" }
        return function (op)
          if op.bytes_in > 100 then op.session.tags.tenant = "other" end
          return few:ask()
        end
      end)()]],
    steps = {
      { "session", "a", hint = 1 }, { "session", "b", hint = 2 }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 },
      { "op", "b", bytes = 10 }, { "op", "a", bytes = 200 }, { "op", "b", bytes = 200 }, { "op", "a", bytes = 10 },
    },
  },
  {
    name = "what scripts have in common, over a reload",
    script = policy [[
      op_admit = (function ()
        local jobs, names = shared_counter "jobs", shared_table "names"
        return function (op)
          names:set(jobs:add(), op.name)
        end
      end)()]],
    plugins = { "witness" },
    steps = {
      { "session", "a" }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 10 },
      { "reload", script = policy [[
        op_admit = (function ()
          local jobs, names, new = shared_counter "jobs", shared_table "names", shared_table "new"
          return function (op)
            jobs:add(-1)
            log(jobs:get(), names:get(1), names:get(2), names:get(3), names:size(), new:size())
          end
        end)()]] },
      { "op", "a", bytes = 10 },
    },
  },
  {
    name = "numbers of a script's own",
    script = policy [[
      op_admit = (function ()
        local sizes = metric { name = "sizes", help = "Of operations.", kind = "counter", labels = { "hint" } }
        return function (op)
          sizes:add(op.bytes_in, op.session.hint)
          if op.session.hint == 7 then sizes:add(-1, 7) end
        end
      end)()]],
    plugins = { "witness" },
    steps = { { "session", "a" }, { "op", "a", bytes = 10 }, { "session", "b", hint = 7 }, { "op", "b", bytes = 10 } },
  },
  {
    name = "an object that a function asks",
    script = TWO .. policy [[
      session_route = function () return route "two" end,
      op_admit = (function ()
        local few = quota { name = "few", rate = 0.001, burst = 1 }
        return function (op) if op.bytes_in > 100 then return few:ask() end end
      end)()]],
    steps = {
      { "session", "a" }, { "op", "a", bytes = 200 }, { "op", "a", bytes = 10 }, { "op", "a", bytes = 200 },
    },
  },
}
