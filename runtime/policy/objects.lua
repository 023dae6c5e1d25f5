--- objects.lua - session, peer, op and result as scripts see them.
--
-- Each is an empty table whose metatable reads from a table of fields that the script never
-- holds. A field that exists but is absent is nil; one that does not exist is an error with the
-- script's line. Sessions and peers live as long as C says; op and result are one table each,
-- filled before a hook and closed after it.
--
-- The chunk gets `host` (see sandbox.lua) and returns the functions that objects.c and decide.c call.
local host = ...

local fail = host.fail
local TAGS_MAX, TAG_MAX = 64, 256
local next, rawget, setmetatable, type = next, rawget, setmetatable, type

--- The end of the search for a field: nil for one that is absent, an error for one unknown.
---@param what string of which words.c has the fields
local function missing(what)
	local known, fields = {}, host.fields[what]
	for _, name in ipairs(fields) do
		known[name] = true
	end
	local list = table.concat(fields, ", ")
	return function(_, key)
		if not known[key] then
			local name = type(key) == "string" and '"' .. key:sub(1, 40) .. '"' or "of type " .. type(key)
			fail(what .. " has no field " .. name .. "; it has: " .. list)
		end
		return nil
	end
end

local function locked(what, more)
	return function()
		fail(what .. " is read-only" .. (more or ""))
	end
end

local function proxy(data, newindex)
	local meta = { __index = data, __newindex = newindex, __metatable = false }
	return setmetatable({}, meta), meta
end

-- ---- tags

local watched, tag_changed = host.watched, host.tag_changed -- by tags.c

local function set_tag(data, life, key, value)
	local kind = type(value)
	if type(key) ~= "string" or #key > TAG_MAX then
		fail("session.tags: a tag's name is a string of at most " .. TAG_MAX .. " bytes")
	elseif kind == "string" and #value > TAG_MAX then
		fail("session.tags: a tag's text has at most " .. TAG_MAX .. " bytes")
	elseif kind ~= "nil" and kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
		fail("session.tags: a tag is a string, a number or a boolean, not a " .. kind)
	end
	if data[key] == nil and value ~= nil then
		local n = 0
		for _ in next, data do
			n = n + 1
		end
		if n >= TAGS_MAX then
			fail("session.tags: more than " .. TAGS_MAX .. " tags")
		end
	end
	data[key] = value
	local slot = watched[key]
	if slot then
		tag_changed(life, slot, value)
	end
end

---@return table tags, table fields
local function new_tags(life)
	local data = {}
	return (proxy(data, function(_, key, value)
		set_tag(data, life, key, value)
	end)), data
end

-- ---- session and peer

local peer_fields = { __index = missing "peer" }
local absent = missing "session"
local LIFE, TAGS = {}, {} -- the keys of what C counts, and of the tags behind the proxy; no script has them
local session_fields = {
	-- Most sessions never get a tag, so the table is made when one asks for it.
	__index = function(data, key)
		if key == "tags" then
			data.tags, data[TAGS] = new_tags(data[LIFE])
			return data.tags
		elseif key == "age" then
			return host.session_age(data[LIFE])
		elseif key == "inflight" then
			return host.session_inflight(data[LIFE])
		end
		return absent(data, key)
	end,
}
local peer_locked = locked("peer")
local session_locked = locked("session", "; what a policy wants to keep goes into session.tags")

---@return table peer
local function new_peer(transport, listener, addr, uid, gid, pid, cid)
	local data = setmetatable({
		transport = transport, listener = listener, addr = addr,
		uid = uid, gid = gid, pid = pid, cid = cid,
	}, peer_fields)
	return (proxy(data, peer_locked))
end

---@return table session, table fields
local function new_session(id, hint, peer, life)
	local data = setmetatable({ id = id, hint = hint, peer = peer, [LIFE] = life }, session_fields)
	return (proxy(data, session_locked)), data
end

local function set_route(data, backend, plan)
	data.backend, data.plan = backend, plan
end

local function tag_of(data, name)
	local tags = rawget(data, TAGS)
	return tags and tags[name]
end

-- ---- resource

local resource_fields = { __index = missing "resource" }
local resource_locked = locked("resource")

--- Nobody has a digest of its bytes that would mean anything to an operator: digest is nil.
---@return table res
local function new_resource(id, type_, bytes, names)
	local data = setmetatable({ id = id, type = type_, bytes = bytes, names = names }, resource_fields)
	return (proxy(data, resource_locked))
end

-- ---- op and result

local function closed(what)
	return function()
		fail(what .. " can only be read in the hook that was given it")
	end
end

local op_absent = missing "op"
local op_data = setmetatable({}, {
	__index = function(data, key)
		if key == "idempotent" then
			return host.is_idempotent(data.name)
		end
		return op_absent(data, key)
	end,
})
local result_data = setmetatable({}, { __index = missing "result" })
local op_closed, result_closed = closed("op"), closed("result")
local op, op_meta = proxy(op_closed, locked("op"))
local result, result_meta = proxy(result_closed, locked("result"))

local function expire()
	op_meta.__index, result_meta.__index = op_closed, result_closed
end

local function fill(name, id, session, backend, bytes_in, deadline, attempt)
	local data = op_data
	data.name, data.id, data.session = name, id, session
	data.backend, data.bytes_in = backend, bytes_in
	data.deadline, data.attempt = deadline, attempt
	op_meta.__index = data
end

--- Ask an op_admit or op_route.
local function enter_op(hook, ...)
	fill(...)
	local said = hook(op)
	op_meta.__index = op_closed
	return said
end

--- Ask an op_failed, tell an op_done.
local function enter_done(hook, code, by, queue_us, service_us, bytes_out, mirror, cached, ...)
	fill(...)
	local data = result_data
	data.code, data.backend, data.queue_us = code, by, queue_us
	data.service_us, data.bytes_out, data.mirror = service_us, bytes_out, mirror
	data.cached = cached
	result_meta.__index = data
	local said = hook(op, result)
	expire()
	return said
end

return {
	new_peer = new_peer,
	new_session = new_session,
	new_resource = new_resource,
	set_route = set_route,
	tag_of = tag_of,
	enter_op = enter_op,
	enter_done = enter_done,
	expire = expire,
}
