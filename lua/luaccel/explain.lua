--- luaccel policy explain: callers and their operations put to scripts, and what comes of it with the
--- line that said so.
local json = require "luaccel.json"
local sim = require "luaccel.sim"

local SESSION = { transport = true, cid = 1, uid = 1, gid = 1, pid = 1, addr = true, listener = true, hint = 1 }
local OP = { bytes_in = 1 }

--- What is wrong with the command line, for the exit status 2.
local function usage(...)
  error({ usage = string.format(...) }, 0)
end

--- "cid=42,hint=3"
local function fields(option, list, known)
  local found = {}
  for word in list:gmatch "[^,]+" do
    local name, value = word:match "^([%w_]+)=(.*)$"
    if not name or not known[name] then
      local names = {}
      for field in pairs(known) do names[#names + 1] = field end
      table.sort(names)
      usage('%s has no "%s"; it takes: %s', option, word, table.concat(names, "=, ") .. "=")
    end
    if known[name] == 1 then value = tonumber(value) or usage('%s: %s is no number', option, word) end
    found[name] = value
  end
  return found
end

local function names(list)
  local found = {}
  for name in list:gmatch "[^,]+" do
    found[#found + 1] = name
  end
  return found
end

local function operation(text)
  local name, rest = text:match "^([^,]*),?(.*)$"
  if not sim.is_operation(name) then
    usage('--op: there is no operation "%s"; one is image_classify,bytes_in=4096', name)
  end
  return { name = name, given = text, fields = fields("--op", rest, OP) }
end

-- ---- what would happen

--- The code by its name, when it has one.
local function named(code)
  return code and code ~= 0 and (sim.code_name(code) or code) or nil
end

local function outcome_of_op(session, op)
  local said = session:op(op.name, op.fields)
  return { op = op.given, verdict = said.verdict, code = named(said.code), text = said.text,
    where = said.where, backend = said.backend }
end

local function outcome_of(world, caller, ops)
  local session, refusal = world:session(caller.fields)
  local out = { session = caller.given, ops = json.list {} }
  if not session then
    out.verdict, out.code, out.text = "reject", named(refusal.code), refusal.text
    out.where, out.why = refusal.where, refusal.why
    return out
  end
  out.verdict, out.plan, out.where = "route", json.list(session.plan), session.where
  for i, op in ipairs(ops) do
    out.ops[i] = outcome_of_op(session, op)
  end
  out.backend, out.why = session.backend, session.why ~= "" and session.why or nil
  session:close()
  return out
end

-- ---- in words

local function say_op(op)
  if op.verdict == "reject" then
    print(("  %s: %s, %s"):format(op.op, op.code, op.text))
  elseif op.code then
    print(("  %s: runs on %s and fails, %s"):format(op.op, op.backend, op.code))
  else
    print(("  %s: runs on %s"):format(op.op, op.backend))
  end
end

local function say(out)
  if out.verdict == "reject" then
    print(("session %s: %s, %s"):format(out.session, out.code, out.text))
    return
  end
  print(("session %s: %s (%s)%s"):format(out.session, table.concat(out.plan, ", "), out.where,
    out.why and ("; on %s, as %s"):format(out.backend, out.why) or ""))
  for _, op in ipairs(out.ops) do
    say_op(op)
  end
end

local function explain(line)
  if #line.sessions == 0 then usage "policy explain needs a caller: --session cid=42" end
  local ops = {}
  for i, text in ipairs(line.ops) do
    ops[i] = operation(text)
  end
  local callers = {}
  for i, text in ipairs(line.sessions) do
    callers[i] = { given = text, fields = fields("--session", text, SESSION) }
  end
  local world = sim.load { plugins = names(line.backends), time = os.time(), unpack(line.words) }
  for _, name in ipairs(names(line.down)) do
    local backend = world.backends[name]
    if not backend then usage('--down: the scripts and --backends have no backend "%s"', name) end
    backend.up = false
  end
  local outs = json.list {}
  for i, caller in ipairs(callers) do
    outs[i] = outcome_of(world, caller, ops)
    if not line.json then say(outs[i]) end
  end
  if line.json then print(json.encode { sessions = outs, lines = json.list(world:lines()) }) end
  for _, text in ipairs(world:lines()) do
    io.stderr:write(text, "\n")
  end
end

---@param line table the command line, as agent/luaccel/lua.c gives it
---@return integer status
return function (line)
  local good, why = pcall(explain, line)
  if good then return 0 end
  io.stderr:write("luaccel: ", type(why) == "table" and why.usage or tostring(why), "\n")
  return type(why) == "table" and 2 or 1
end
