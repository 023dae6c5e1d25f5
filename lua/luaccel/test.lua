--- luaccel policy test: busted, in this program, so that its specs have `require "luaccel.sim"`.

---@param line table words: files, and options for busted
return function (line)
  local found, runner = pcall(require, "busted.runner")
  if not found then
    io.stderr:write "luaccel: policy test needs busted for Lua 5.1 (Debian's package lua-busted)\n"
    return 1
  end
  arg = { [0] = "luaccel policy test", "--output=plainTerminal", unpack(line.words) } -- luacheck: ignore 121
  -- When a spec has failed it raises nil.
  local well, why = pcall(runner, { standalone = false })
  if why then io.stderr:write("luaccel: ", tostring(why), "\n") end
  return well and 0 or 1
end
