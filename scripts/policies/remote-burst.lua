-- remote-burst.lua - this host's own backend first, and another host's agent for what is too much.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/remote-burst.lua
--
-- docs/policies/guide.md explains every word that is used here.

-- The other host runs an agent, ours or any of vAccel's: vaccelrt-agent -a tcp://10.0.0.5:65500
-- Nothing is encrypted on the way: use a network that is yours alone, or a tunnel.
backends {
	here = plugin "torch" { threads = 2 },
	away = remote "tcp://10.0.0.5:65500",
}

-- Sessions that this host takes at once.
local room = 8

-- Those that were sent to it and have not ended. After a reload it counts anew; sessions from before
-- are not forgotten by themselves, so for a while this host may have more than there is room for.
local taken = 0

policy {
	name = "remote-burst",
	api = 1,
	on_error = { default = "here" },

	-- Whichever is second serves when the first refuses: when the plugin could not be loaded or does
	-- not know the operation; when the other agent is down, or is full as well.
	session_route = function(session)
		if taken >= room then
			return route { "away", "here" }
		end
		taken = taken + 1
		session.tags.counted = true
		return route { "here", "away" }
	end,

	session_close = function(session)
		if session.tags.counted then
			taken = math.max(taken - 1, 0)
		end
	end,
}
