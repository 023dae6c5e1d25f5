-- quotas.lua - so many operations a second for each virtual machine, and sessions in turn on two
-- agents.
--
--     vaccelrt-agent -a vsock://2:2048 --script scripts/policies/quotas.lua
--
-- quota and round_robin are objects: C runs them, no Lua is entered. docs/policies/guide.md has their options.

-- Put your own here.
backends {
	first = remote "tcp://10.0.0.5:2048",
	second = remote "tcp://10.0.0.6:2048",
}

policy {
	name = "quotas",
	api = 1,
	on_error = "reject",

	-- Each session begins at the next backend; when that is down, the other serves.
	session_route = round_robin { "first", "second" },

	-- 200 operations a second for each guest, and 50 at once after a pause. Who is no guest (a
	-- process of this host, a client over TCP) shares one allowance with all others of that kind.
	op_admit = quota { key = "cid", rate = 200, burst = 50 },
}
