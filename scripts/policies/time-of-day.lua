-- time-of-day.lua - batch users run at night and on Sundays; by day the machine is for everybody else.
--
--     vaccelrt-agent -a unix:///run/luaccel/agent.sock --script scripts/policies/time-of-day.lua
--
-- docs/policies/guide.md explains every word that is used here.

backends { cpu = plugin "torch" { threads = 2 } }

-- Who runs batches, by uid.
local batch = { [2000] = true, [2001] = true }

-- When the day begins and ends, in hours of UTC; "*t" in place of "!*t" below makes it local time.
local morning, evening = 7, 19

local function is_day()
	local now = os.date "!*t"
	return now.wday ~= 1 and now.hour >= morning and now.hour < evening
end

local refusal = ("batches run from %d to %d UTC and on Sundays"):format(evening, morning)

policy {
	name = "time-of-day",
	api = 1,
	on_error = "reject",

	session_route = function(session)
		if batch[session.peer.uid or -1] and is_day() then
			return reject(refusal, "EAGAIN")
		end
		return route "cpu"
	end,

	-- Sessions that are still there in the morning wait for the evening, too.
	op_admit = function(op)
		if batch[op.session.peer.uid or -1] and is_day() then
			return reject(refusal, "EAGAIN")
		end
	end,
}
