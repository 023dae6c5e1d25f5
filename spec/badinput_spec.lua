--- Runs the rows of badinput.lua: a status or code, a sentence, and no crash, hang or leak.
local badinput = require "badinput"
local harness = require "support.harness"
local system = require "support.system"

local data = harness.data

describe("bad input:", function ()
  local names

  before_each(function ()
    harness.begin()
    names = { dir = harness.dir, data = data }
    for name, make in pairs(badinput.files) do
      names[name] = harness.file(name, make(function (path) return system.read(data .. "/" .. path) end))
    end
  end)
  after_each(harness.finish)

  local function fill(text)
    return (text:gsub("@([%w-]+)", function (name) return assert(names[name], "no file @" .. name) end))
  end

  local function fill_all(texts)
    local filled = {}
    for i, text in ipairs(texts) do filled[i] = fill(text) end
    return filled
  end

  local function prepare(row)
    if row.also == "live" then
      names.address = harness.agent { plugins = "noop" }.address
    elseif row.also == "closed folder" then
      names.folder = system.mkdir(harness.dir .. "/closed")
      harness.agent { plugins = "noop", addresses = { "unix://" .. names.folder .. "/live.sock" } }
      os.execute("chmod 0700 " .. names.folder)
    end
    if row.through then
      names.address = harness.agent { plugins = row.through }.address
      return "rpc", names.address
    end
    return row.plugins, row.address and fill(row.address)
  end

  local function run_agent(row, plugins)
    local words = fill_all(row.agent or {})
    local addresses
    for _, word in ipairs(words) do if word == "-a" then addresses = {} end end
    local p = harness.agent_that_fails {
      plugins = plugins, policy = row.script, args = words, uid = row.uid, addresses = addresses,
    }
    return p.status, p:text "err", row.status
  end

  local function run_classify(row, plugins, address)
    local words = fill_all(row.classify)
    local p = harness.run({ harness.bin "classify", unpack(words) }, {
      uid = row.uid, env = { VACCEL_PLUGINS = harness.plugins(plugins), VACCEL_RPC_ADDRESS = address },
    })
    return p.status, p:text "err", row.status
  end

  local function run_driver(row, plugins, address)
    local driver = harness.driver { plugins = plugins, address = address, uid = row.uid }
    for i = 1, #row.driver - 1 do driver:must(fill(row.driver[i])) end
    local code, reason = driver:fails(fill(row.driver[#row.driver]))
    assert.equal(row.code, code, reason)
    driver:close()
    return driver.status, reason, 0
  end

  for _, row in ipairs(badinput.rows) do
    it(row.input, function ()
      local torch = row.through == "torch" or row.plugins == "torch"
      local why = harness.lacks((row.uid and "users " or "") .. (torch and "torch" or ""))
      if why then return pending(why) end
      local plugins, address = prepare(row)
      local run = row.driver and run_driver or row.classify and run_classify or run_agent
      local status, text, expected = run(row, plugins, address)
      assert.same({ how = "exited", code = expected }, status, text)
      local found = row.text == ""
      for line in text:gmatch "[^\n]+" do found = found or line:find(row.text) ~= nil end
      assert.is_true(found, ("no line like `%s` in:\n%s"):format(row.text, text))
    end)
  end
end)
