-- gpu-first.lua - the machine with the GPU as long as it answers and has room, else this processor.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/gpu-first.lua
--
-- docs/policies/guide.md explains every word that is used here.

-- The GPU's machine runs an agent of its own; nothing is encrypted on the way.
backends {
	gpu = remote "tcp://10.0.0.7:2048",
	cpu = plugin "torch" { threads = 2 },
}

-- What may be in flight on the GPU when a new session begins there.
local room = 16

policy {
	name = "gpu-first",
	api = 1,

	-- Should this script fail, everything goes to the processor, which is always there.
	on_error = { default = "cpu" },

	-- The second backend of a plan serves when the first is down or refuses the session.
	session_route = function()
		if backends.gpu.inflight >= room then
			return route { "cpu", "gpu" }
		end
		return route { "gpu", "cpu" }
	end,

	backend_state = function(backend, up)
		if backend.name == "gpu" and not up then
			log "without the GPU: new sessions begin on the processor"
		end
	end,
}
