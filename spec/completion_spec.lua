--- packaging/completion.sh: what bash offers for the programs' commands and options.
local harness = require "support.harness"

local ASK = [[
. "$0" && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _luaccel "$1" "${@: -1}" && echo "${COMPREPLY[*]}"
]]

describe("bash's completion of", function ()
  before_each(harness.begin)
  after_each(harness.finish)

  --- What is offered for the last of these words.
  local function offered(program, ...)
    local p = harness.run { "bash", "-c", ASK, harness.source .. "/packaging/completion.sh", harness.bin(program), ... }
    assert.same({ how = "exited", code = 0 }, p.status, p:text())
    return p:expect("^.*$", 1).text
  end

  it("luaccel knows its commands and options", function ()
    assert.equal("close drain info listen ping policy reload session sessions", offered("luaccel", ""))
    assert.equal("session sessions", offered("luaccel", "ses"))
    assert.equal("add list rm", offered("luaccel", "--json", "listen", ""))
    assert.equal("test", offered("luaccel", "policy", "t"))
    assert.equal("record reload replay", table.concat({ offered("luaccel", "policy", "rec"), offered("luaccel", "rel"),
      offered("luaccel", "policy", "rep") }, " "))
    assert.equal("", offered("luaccel", "info", ""))
    assert.equal("--control --count", offered("luaccel", "ping", "--co"))
  end)

  it("vaccelrt-agent knows its options", function ()
    assert.equal("--script --server-address", offered("vaccelrt-agent", "--s"))
    assert.equal("--version", offered("vaccelrt-agent", "--ver"))
  end)
end)
