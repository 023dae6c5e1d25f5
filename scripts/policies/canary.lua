-- canary.lua - one session in twenty tries the new agent, and none does any more once it fails.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/canary.lua
--
-- docs/policies/guide.md explains every word that is used here.

-- Two agents, which serve two versions of a model.
backends {
	stable = remote "tcp://10.0.0.5:2048",
	new = remote "tcp://10.0.0.6:2048",
}

policy {
	name = "canary",
	api = 1,
	on_error = { default = "stable" },

	-- The new one may fail one operation in fifty, and is judged when it has done a hundred. Given
	-- up, it stays so until a line here changes: after a repair, give the trial another name.
	session_route = canary { "new", "stable", percent = 5, errors = 0.02, least = 100, name = "first-trial" },

	op_done = function(op, result)
		if result.backend == "new" and result.code ~= 0 then
			log("new failed at", op.name, "with", result.code)
		end
	end,
}
