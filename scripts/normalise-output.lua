#!/usr/bin/env luajit
--- Takes out of the output of programs that use vAccel what differs from run to run: ids, times and
--- addresses. What is left can be compared: of two runs, of a plugin in the process and an agent.
---
---     luajit scripts/normalise-output.lua < OUTPUT
---
--- Or as a module: local normalise = dofile "scripts/normalise-output.lua"; normalise.text(output)
---
--- | what | becomes |
--- |---|---|
--- | the date at the head of a log line | TIME |
--- | nanoseconds of a profile region | TIME |
--- | ids of sessions and resources | ID |
--- | pointers | POINTER |
--- | unix, tcp and vsock addresses | ADDRESS |
--- | the names of run directories, and the ids in those beneath | RUNDIR, ID |
--- | directories of absolute paths | /DIR, before the last component, which stays |
local normalise = {}

--- What comes before an id. The first that fits in a place takes it.
local BEFORE_IDS = {
  "session with id: ", "[Ss]ession ", "session:", "[Rr]esource ", "%(id: ", "/session%.", "/resource%.",
}

--- Paths of more than one component, not those in an address.
local function without_directories(line)
  return (line:gsub("%f[^%s%z'\"(=]/[^%s'\")]*/([^%s'\")/]+)", "/DIR/%1"))
end

---@param line string without its end
---@return string
function normalise.line(line)
  line = line:gsub("^%d%d%d%d%.%d%d%.%d%d%-%d%d:%d%d:%d%d%.%d%d ", "TIME ")
  line = line:gsub("total_time: %d+ nsec", "total_time: TIME nsec")
  line = line:gsub("/vaccel/%w%w%w%w%w%w%f[%W]", "/vaccel/RUNDIR")
  for _, before in ipairs(BEFORE_IDS) do line = line:gsub("(" .. before .. ")%d+", "%1ID") end
  line = line:gsub("%f[%w]0x%x+", "POINTER"):gsub("%(nil%)", "POINTER")
  line = line:gsub("%f[%a]unix://[^%s,)]+", "ADDRESS"):gsub("%f[%a]tcp://[^%s,)]+", "ADDRESS")
  line = line:gsub("%f[%a]vsock://[^%s,)]+", "ADDRESS")
  return without_directories(line)
end

---@param text string
---@return string
function normalise.text(text)
  return (text:gsub("[^\n]+", normalise.line))
end

if arg and arg[0] and arg[0]:match "normalise%-output%.lua$" then
  for line in io.lines() do print(normalise.line(line)) end
end

return normalise
