--- A thousand reloads under load, one in three of a script that is broken in some way. A script says
--- its number in what it refuses, a witness its name in what it answers: so each call proves which
--- script admitted it, and that its session is where it was.
local harness = require "support.harness"
local operator = require "support.operator"
local system = require "support.system"
local wire = require "support.wire"

local ROUNDS, WARM = 1000, 100 -- in all, and after which memory is to stay
local FEW, EACH = 3, 50 -- looks at the memory at either end, and rounds between two: one alone may be at its lowest
local STAYERS, YOUNG = 4, 24 -- sessions for all rounds; sessions that each give way to another
local MOST = 1024 * 1024 / 900 -- bytes that a reload may leave
local PATIENCE = 30 * harness.slow
--- A sanitizer keeps what was freed; its leak check judges then.
local PLAIN = harness.sanitize == ""
local CONTROL = "luaccel.v1.Control"
local STATEMENT, QUESTION = "?", ("?"):rep(300) -- what scripts admit, and what they refuse

--- Script number n sends new sessions to one of the witnesses.
local function plugin_of(n) return n % 2 == 0 and "witness" or "witness2" end

local function script(n)
  return ([[
backends { one = plugin "witness", two = plugin "witness2" }
policy { name = "reload", api = 1, on_error = "reject",
  session_route = function (s)
    s.tags.since = %d
    return route "%s"
  end,
  op_admit = function (op)
    if op.bytes_in > 200 then return reject("script %d, session of " .. op.session.tags.since) end
  end,
}
]]):format(n, n % 2 == 0 and "one" or "two", n)
end

--- What in a good script becomes what, and how the refusal begins then.
local BROKEN = {
  { "policy {", "policy (", "policy.lua:2: ')' expected near '='" },
  { 'route "%l+"', 'route "three"', 'policy.lua:5: route names "three"; declared: one, two' },
  { "op_admit", "op_admid", 'policy.lua:2: policy has no hook or option "op_admid"; it has: ' },
  { 'on_error = "reject",', "", "policy.lua:2: policy needs on_error, which says what happens when a hook fails" },
  { "api = 1", "api = 2", "policy.lua:2: api must be 1, the only version that this agent knows" },
  { "^", "error 'not today'\n", "policy.lua:1: not today" },
  { "^", "local none = nil + 1\n", "policy.lua:1: attempt to perform arithmetic on a nil value" },
  { "^", "io.open '/etc/passwd'\n", "policy.lua:1: attempt to index global 'io' (a nil value)" },
  { "^", "backends { deaf = plugin 'noop' { speed = 9 } }\n",
    "policy.lua:1: backend deaf: option speed = 9 refused: the plugin takes no options" },
  { "^", "backends { far = remote 'carrier pigeon' }\n", "policy.lua:1: backend far: " },
}
--- They take long, so there are few of them.
local SLOW = {
  { "^", "while true do end\n", "policy.lua:1: loading took longer than 1000 ms" },
  { "^", "local t = {} for i = 1, 1e9 do t[i] = {} end\n", "policy.lua: out of memory: policies have 65536 KiB" },
}

--- The script of a round, and how its refusal begins; a good one has none.
local function script_of(round, n)
  if round % 3 ~= 0 then return script(n) end
  local number = round / 3
  local list = number % 100 < #SLOW and SLOW or BROKEN
  local change = list[number % #list + 1]
  local text, changes = script(n):gsub(change[1], change[2], 1)
  assert(changes == 1, change[1])
  return text, change[3]
end

local function resident(agent)
  return 1024 * tonumber(system.read(("/proc/%d/status"):format(agent.pid)):match "VmRSS:%s*(%d+)")
end

---@class Visit
---@field peer table
---@field id integer
---@field from integer the script that was live when it began
---@field since integer? the script that routed it; what its first question is told

describe("a thousand reloads under load", function ()
  local agent, control, peers, visits
  local live, calls -- the number of the script in force; how many calls were answered as they should be

  before_each(function ()
    harness.begin()
    -- One arena: threads of a pool come and go, and malloc keeps what each arena had at its most.
    agent = operator.agent { policy = script(1), env = { MALLOC_ARENA_MAX = "1" } }
    control = wire.connect(operator.socket())
    peers, visits, live, calls = {}, {}, 1, 0
  end)
  after_each(function ()
    wire.close_all()
    harness.finish()
  end)

  local function new_peer()
    local peer = { wire = wire.connect(agent.address), under_way = {} }
    peers[#peers + 1] = peer
    return peer
  end

  --- A session of a peer that waits for nothing else.
  local function visit(peer)
    return { peer = peer, from = live, id = peer.wire:session() }
  end

  local function ask(session, text)
    local stream = session.peer.wire:start("ImageClassification", wire.image(session.id, text))
    session.peer.under_way[stream] = { session = session, from = live, text = text }
  end

  local function check_question(call, response)
    local words = (wire.failure(response) or {}).text or response.message
    local number, since = words:match "^refused by policy reload %(policy%.lua:%d%): script (%d+), session of (%d+)$"
    assert.is_truthy(number, words)
    number, since = tonumber(number), tonumber(since)
    assert.is_true(number >= call.from and number <= live, ("%s; from %d to %d"):format(words, call.from, live))
    call.session.since = call.session.since or since
    assert.equal(call.session.since, since)
    assert.is_true(since >= call.session.from and since <= live, words)
  end

  local function check_statement(call, response)
    assert.equal(0, response.code, response.message)
    assert.equal(plugin_of(call.session.since), response.fields[1][1]:match "plugin=(%w+)")
  end

  --- Every answer that is still to come, and that each is right.
  local function settle()
    for _, peer in ipairs(peers) do
      while next(peer.under_way) do
        local response = wire.response(assert(peer.wire:receive(PATIENCE), "the agent hung up"))
        local call = assert(peer.under_way[response.stream], "an answer to no call")
        peer.under_way[response.stream] = nil
        if call.text == QUESTION then check_question(call, response) else check_statement(call, response) end
        calls = calls + 1
      end
    end
  end

  local function ask_all(sessions)
    for _, session in ipairs(sessions) do
      ask(session, STATEMENT)
      ask(session, QUESTION)
    end
  end

  --- Those that have been here longest go.
  local function part(number)
    while #visits > number do
      local session = table.remove(visits, 1)
      local response = session.peer.wire:call("DestroySession", wire.int(1, session.id))
      assert.equal(0, response.code, response.message)
    end
  end

  --- A reload with calls before, beside and after it; none is under way at the end.
  local function round(number, stayers, guests)
    local text, why = script_of(number, live + 1)
    system.write(harness.dir .. "/policy.lua", text)
    ask_all(stayers)
    control:start("Reload", "", CONTROL)
    local beside = visit(guests)
    ask(beside, QUESTION)
    ask_all(stayers)
    ask_all(visits)
    local response = wire.response(assert(control:receive(PATIENCE), "the agent hung up"))
    if why then
      assert.equal(why, response.message:sub(1, #why))
    else
      assert.equal(0, response.code, response.message)
      live = live + 1
    end
    settle()
    local after = visit(guests)
    ask(after, QUESTION)
    settle()
    ask_all { after, beside, unpack(stayers) }
    settle()
    visits[#visits + 1], visits[#visits + 2] = beside, after
    part(YOUNG)
  end

  it("leaves sessions where they are and calls to the live script, fails none and keeps no memory", function ()
    local driver = harness.driver { address = agent.address }
    local guests, stayers, looks = new_peer(), {}, {}
    driver:must "session s 0"
    for number = 1, ROUNDS do
      driver:tell "loop s 50 64"
      if #stayers < STAYERS then
        stayers[#stayers + 1] = visit(new_peer())
        ask(stayers[#stayers], QUESTION)
        settle()
      end
      round(number, stayers, guests)
      local answer = driver:answer(PATIENCE)
      assert.is_true(answer.ok, answer.line)
      if number >= WARM and number % EACH == 0 then looks[#looks + 1] = resident(agent) end
    end
    local grown = math.min(unpack(looks, #looks - FEW + 1)) - math.max(unpack(looks, 1, FEW))
    local rounds = ROUNDS - WARM - 2 * (FEW - 1) * EACH
    print(("reload: %d reloads, %d scripts, %d calls that prove it and %d others; %+.0f KiB in %d reloads")
      :format(ROUNDS, live, calls, 50 * ROUNDS, grown / 1024, rounds))
    assert.equal(ROUNDS - math.floor(ROUNDS / 3) + 1, live)
    if PLAIN then assert.is_true(grown < MOST * rounds, grown .. " bytes") end
    driver:close()
    agent:stop()
  end)
end)
