-- first.lua - a policy to start from: who is served by which backend, and what is refused.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/first.lua
--
-- docs/policies/guide.md explains every word that is used here.

-- Where an operation can run. The names are yours; the rest of the script uses them.
backends {
	cpu = plugin "torch" { threads = 2 }, -- libvaccel-torch.so: neural networks on the processor
	test = plugin "noop",                 -- libvaccel-noop.so: answers at once and computes nothing
}

-- Who may use the neural networks: guests, by the CID of their virtual machine, and users of
-- this host, by uid. Put your own here.
local guests = { [3] = true, [4] = true, [42] = true }
local users = { [0] = true, [1000] = true }

-- The largest input of an operation, in bytes.
local largest = {
	image_classify = 16 * 1024 * 1024,
	image_detect = 16 * 1024 * 1024,
	image_segment = 16 * 1024 * 1024,
	image_pose = 16 * 1024 * 1024,
	image_depth = 16 * 1024 * 1024,
}

policy {
	name = "first",
	api = 1,

	-- When a function below fails (an error, too much time), refuse rather than guess.
	on_error = "reject",

	-- Asked once for each session. What it returns is tried in order: the second backend serves when
	-- the first cannot be loaded or refuses the session.
	session_route = function(session)
		local peer = session.peer

		-- A virtual machine.
		if peer.cid then
			if guests[peer.cid] then
				return route { "cpu", "test" }
			end
			return reject { code = "EPERM", reason = "guest " .. peer.cid .. " is not on the list" }
		end

		-- A process of this host, on a Unix socket: the kernel says whose it is.
		if peer.uid then
			if users[peer.uid] then
				return route { "cpu", "test" }
			end
			return route "test" -- others may try the interface, and get no answer worth having
		end

		-- Whoever comes over TCP says nothing that could be trusted.
		return reject { code = "EACCES", reason = "no network clients here" }
	end,

	-- Asked before each operation.
	op_admit = function(op)
		-- Whole models are for guests and listed users; anybody else may have images looked at.
		local peer = op.session.peer
		if op.name == "torch_model_load" and not peer.cid and not users[peer.uid] then
			return reject { code = "EPERM", reason = "no models of your own" }
		end

		local limit = largest[op.name]
		if limit and op.bytes_in > limit then
			return reject {
				code = "EINVAL",
				reason = ("%s with %d bytes; at most %d"):format(op.name, op.bytes_in, limit),
			}
		end
	end,

	-- Told after each operation, when the caller has its answer already.
	op_done = function(op, result)
		if result.code ~= 0 then
			log("session", op.session.id, op.name, "on", result.backend, "failed with", result.code)
		end
	end,
}
