-- luacheck's settings for all Lua of the project: luacheck .
std = "luajit"
max_line_length = 120
exclude_files = { "build*/" }

-- What the engine gives to policies (runtime/policy/sandbox.lua).
stds.policy = {
	read_globals = { "backends", "log", "plugin", "policy", "reject", "route" },
}
files["scripts/policies"] = { std = "luajit+policy" }
files["spec/vm"] = { std = "luajit+policy" }
files["spec/**/*_spec.lua"] = { std = "+busted" }
