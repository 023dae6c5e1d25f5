-- tenants.lua - tenants that pay have a backend of their own and their own rate; all others share one.
--
--     vaccelrt-agent -a vsock://2:2048 --script scripts/policies/tenants.lua
--
-- docs/policies/guide.md explains every word that is used here.

backends {
	blue = remote "tcp://10.0.0.5:2048",
	green = remote "tcp://10.0.0.6:2048",
	shared = plugin "torch" { threads = 2 },
}

-- Which guest is whose, by the CID of its virtual machine, which the guest cannot choose.
local tenant_of = { [3] = "blue", [4] = "blue", [7] = "green" }

-- Where a tenant's sessions run, and nowhere else. So many operations a second are all of its guests'
-- together; what was used up stays used up over a reload, also when the numbers have changed.
local tenants = {
	blue = { plan = route "blue", rate = quota { rate = 200, burst = 50, name = "blue" } },
	green = { plan = route "green", rate = quota { rate = 100, burst = 25, name = "green" } },
}
local others = { plan = route "shared", rate = quota { key = "cid", rate = 10, burst = 5, name = "others" } }

policy {
	name = "tenants",
	api = 1,
	on_error = "reject",

	-- The tag stays with the session, also over reloads; a tenant that is gone by then counts as others do.
	session_route = function(session)
		session.tags.tenant = tenant_of[session.peer.cid or 0]
		return (tenants[session.tags.tenant or ""] or others).plan
	end,

	op_admit = function(op)
		return (tenants[op.session.tags.tenant or ""] or others).rate:ask()
	end,
}
