-- shadowing.lua - one operation in twenty runs on the new agent as well, and its answer is compared.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/shadowing.lua
--
-- No caller waits for the new agent, or sees anything of it. docs/policies/guide.md explains every
-- word that is used here.

backends {
	stable = remote "tcp://10.0.0.5:2048",
	new = remote "tcp://10.0.0.6:2048",
}

local compared, unequal = 0, 0

policy {
	name = "shadowing",
	api = 1,
	on_error = { default = "stable" },

	session_route = function()
		return route { "stable", per_op = true }
	end,

	op_route = sample { "new", percent = 5 },

	-- Called for the operations themselves, without result.mirror, and for what ran beside them.
	op_done = function(op, result)
		if not result.mirror then return end
		compared = compared + 1
		if result.mirror == "equal" then return end
		unequal = unequal + 1
		log(op.name, "of session", op.session.id, "on new:", result.mirror, "code", result.code)
	end,
}

every(60, function()
	if compared > 0 then log(unequal, "of", compared, "answers were not equal") end
end)
