-- luacheck's settings for all Lua of the project: luacheck .
std = "luajit"
max_line_length = 120
exclude_files = { "build*/" }

-- What the engine gives to policies (runtime/policy/sandbox.lua).
stds.policy = {
	read_globals = {
		"after", "backends", "breaker", "cache", "canary", "concurrency", "every", "hash", "least_inflight", "log", "metric",
		"mirror", "plugin", "policy", "quota", "reject", "remote", "retry", "round_robin", "route", "sample",
		"shared_counter", "shared_table", "weighted",
	},
}
files["scripts/policies"] = { std = "luajit+policy" }
files["spec/vm/policy.lua"] = { std = "luajit+policy" }
files["spec/**/*_spec.lua"] = { std = "+busted" }
