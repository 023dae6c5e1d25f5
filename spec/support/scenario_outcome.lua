--- What came of a step of a scenario, in words that are the same of the simulator and of an agent.
local outcome = {}

--- Sentences of policies are compared; others name what only an agent knows.
function outcome.refused(code, text)
  return ("refused: %d %s"):format(code, text and text:match "^refused by policy.*" or "")
end

function outcome.session(plan, where, backend)
  return ("plan %s (%s), on %s"):format(table.concat(plan, ","), where, backend)
end

--- What scripts wrote. An agent tells op_done and session_close when it is idle, so in no fixed order.
function outcome.lines(lines)
  local found = {}
  for _, line in ipairs(lines) do
    -- An agent also names the file, and who was refused.
    local said = line:match "policy p: [^/].*" or line:match "policy p %(%S+%): %S+ failed: .*"
    if not line:find("refused by", 1, true) then found[#found + 1] = said end
  end
  table.sort(found)
  return found
end

return outcome
