-- maintenance.lua - takes a backend out of service without breaking what runs there.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/maintenance.lua
--
-- Name the backend in `closing` and run `luaccel reload`: new sessions go elsewhere, and those that are
-- there have `grace` seconds to end; `luaccel sessions` says which are left. Service the machine, empty
-- `closing` and reload again. docs/policies/guide.md explains every word that is used here.

backends {
	first = remote "tcp://10.0.0.5:2048",
	second = remote "tcp://10.0.0.6:2048",
}

local closing = {} -- { first = true }
local grace = 600
local ends = os.time() + grace

local plans = {
	all = round_robin { "first", "second", name = "all" },
	first = route "first",
	second = route "second",
}

policy {
	name = "maintenance",
	api = 1,
	on_error = "reject",

	session_route = function()
		if closing.first and closing.second then
			return reject("all is being serviced", "EAGAIN")
		elseif closing.first then
			return plans.second
		elseif closing.second then
			return plans.first
		end
		return plans.all:ask()
	end,

	op_admit = function(op)
		if closing[op.backend] and os.time() >= ends then
			return reject(op.backend .. " is being serviced: open a new session", "EAGAIN")
		end
	end,
}
