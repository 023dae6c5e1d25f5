--- The examples of docs/policies/guide.md that go from a wish to a script: as they stand there they pass check
--- and test, and explain says what it says there.
local harness = require "support.harness"
local system = require "support.system"

describe("the examples of docs/policies/guide.md", function ()
  local text, script

  --- The first indented text after these words, as it was before it was put there.
  local function block(words)
    local _, at = text:find(words, 1, true)
    assert(at, words)
    local lines = {}
    for line in text:sub(at + 1):gmatch "([^\n]*)\n" do
      if line:find "^    " then
        lines[#lines + 1] = line:sub(5)
      elseif #lines > 0 and line ~= "" then
        break
      elseif #lines > 0 then
        lines[#lines + 1] = line
      end
    end
    return table.concat(lines, "\n") .. "\n"
  end

  before_each(function ()
    harness.begin()
    text = system.read(harness.source .. "/docs/policies/guide.md")
    script = block "as `tenant.lua`"
    harness.file("tenant.lua", script)
  end)
  after_each(harness.finish)

  local function luaccel(...)
    local p = harness.run { harness.bin "luaccel", "policy", ... }
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
    return p
  end

  it("has at most a dozen lines and passes the check", function ()
    local _, lines = script:gsub("[^\n]+", "")
    assert.is_true(lines <= 12)
    luaccel("check", "tenant.lua")
  end)

  it("is explained as it says", function ()
    local command, answer = text:match "```\n%$ luaccel policy (explain tenant%.lua [^\n]*\\\n[^\n]*)\n(.-)```"
    local words = {}
    for word in command:gsub("\\\n", ""):gmatch "%S+" do words[#words + 1] = word end
    local lines = {}
    for _, line in ipairs(luaccel(unpack(words)).lines) do lines[#lines + 1] = line.text .. "\n" end
    assert.equal(answer, table.concat(lines))
  end)

  it("passes its test", function ()
    harness.file("tenant_spec.lua", block "and `tenant_spec.lua`")
    luaccel("test", "tenant_spec.lua"):expect("2 successes / 0 failures / 0 errors", 1)
  end)

  it("of tenants and numbers passes the check and its test", function ()
    harness.file("limits.lua", block "as `limits.lua`")
    harness.file("limits_spec.lua", block "`limits_spec.lua` holds")
    luaccel("check", "limits.lua")
    luaccel("test", "limits_spec.lua"):expect("1 success / 0 failures / 0 errors", 1)
  end)
end)
