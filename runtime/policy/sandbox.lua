--- sandbox.lua - what policy scripts find in place of Lua's libraries.
--
-- Runs once for an engine, in the real globals, before any script. A script's globals are a table
-- of its own; what is shared between scripts is behind read-only proxies. Everything here either
-- takes a bounded time or runs as Lua, where the watchdog stops it; nothing here calls a script's
-- function from C, as nested calls would use up C's stack.
--
-- The chunk gets `host`, the C functions of sandbox.c, and returns the function that makes a
-- script's globals, and the proxy maker that objects.lua uses as well.

---@class policy.host
---@field fail fun(message: string)         raise with the script's own line
---@field search fun(s: string, p: string, init?: number): number?, number?, ...
---@field find_plain fun(s: string, p: string, init?: number): number?, number?
---@field check_depth fun(limit: number, who: string) raise when more calls than that are open
---@field emit fun(line: string)
---@field policy function
---@field backends table                declares when it is called, see backends.c
---@field plugin function
---@field remote function
---@field route function
---@field reject function
---@field retry function
---@field mirror function
---@field every fun(seconds: number, fn: function)
---@field after fun(seconds: number, fn: function)
local host = ...

local fail = host.fail
local SUBJECT_MAX = 65536
local ELEMENTS_MAX = 10000
local COROUTINES_DEEP = 16
local CALLS_DEEP = 100 -- at a pcall

local error, next, pcall, rawset, select, setmetatable, tostring, type, unpack_ =
	error, next, pcall, rawset, select, setmetatable, tostring, type, unpack
local byte, concat_, format_, insert_, sub = string.byte, table.concat, string.format, table.insert, string.sub
local raw_metatable = debug.getmetatable

--- A view of `fields` that can be read and not changed.
---@param fields table
---@param what string its name in the error
---@return table
local function read_only(fields, what)
	return setmetatable({}, {
		__index = fields,
		__newindex = function()
			fail(what .. " is read-only")
		end,
		__metatable = false,
	})
end

-- ---- string

---@param s any
---@param who string
---@return string
local function subject(s, who)
	if type(s) == "number" then
		s = tostring(s)
	elseif type(s) ~= "string" then
		fail(who .. ": a string is expected, got " .. (s == nil and "nil" or "a " .. type(s)))
	end
	if #s > SUBJECT_MAX then
		fail(format_("%s: a string of %d bytes; the limit is %d", who, #s, SUBJECT_MAX))
	end
	return s
end

---@param n any
---@param who string
---@return number|nil
local function position(n, who)
	if n ~= nil and type(n) ~= "number" then
		fail(who .. ": a number is expected, got a " .. type(n))
	end
	return n
end

--- The captures of a match, or all of it where the pattern has none.
local function captures(s, first, last, ...)
	if not first then
		return nil
	elseif select("#", ...) == 0 then
		return sub(s, first, last)
	end
	return ...
end

local str = {}

-- Linear and bounded by the size of what they get.
for _, name in ipairs({ "lower", "upper", "reverse" }) do
	local real, who = string[name], "string." .. name
	str[name] = function(s)
		return real(subject(s, who))
	end
end
for _, name in ipairs({ "byte", "char", "len", "sub" }) do
	str[name] = string[name]
end

function str.rep(s, n)
	s = subject(s, "string.rep")
	n = position(n, "string.rep") or 0
	if n > 0 and #s * n > SUBJECT_MAX then
		fail("string.rep: the result would be larger than " .. SUBJECT_MAX .. " bytes")
	end
	return string.rep(s, n)
end

--- Tables through their __tostring here, as format would call it from C.
local function printable(n, value, ...)
	if n == 0 then
		return
	end
	local kind = type(value)
	if kind == "string" then
		subject(value, "string.format")
	elseif kind ~= "number" then
		value = tostring(value)
	end
	return value, printable(n - 1, ...)
end

function str.format(pattern, ...)
	local n = select("#", ...)
	if n > 100 then
		fail("string.format: more than 100 values")
	end
	return format_(subject(pattern, "string.format"), printable(n, ...))
end

function str.find(s, pattern, init, plain)
	s, pattern = subject(s, "string.find"), subject(pattern, "string.find")
	if plain then
		return host.find_plain(s, pattern, position(init, "string.find"))
	end
	return host.search(s, pattern, position(init, "string.find"))
end

function str.match(s, pattern, init)
	s, pattern = subject(s, "string.match"), subject(pattern, "string.match")
	return captures(s, host.search(s, pattern, position(init, "string.match")))
end

function str.gmatch(s, pattern)
	s, pattern = subject(s, "string.gmatch"), subject(pattern, "string.gmatch")
	local at, anchored = 1, byte(pattern) == 94

	local function step(first, last, ...)
		if not first or anchored then
			at = #s + 2
		else
			at = last >= first and last + 1 or first + 1
		end
		return captures(s, first, last, ...)
	end

	return function()
		if at > #s + 1 then
			return nil
		end
		return step(host.search(s, pattern, at))
	end
end

--- What a replacement text makes of a match: %0 to %9 and %%.
local function expand(text, whole, ...)
	local out, n, i = {}, 0, 1
	while i <= #text do
		local escape = host.find_plain(text, "%", i)
		n = n + 1
		out[n] = sub(text, i, (escape or #text + 1) - 1)
		if not escape then
			break
		end
		local digit = byte(text, escape + 1)
		n = n + 1
		if digit == 37 then
			out[n] = "%"
		elseif digit == 48 then
			out[n] = whole
		elseif digit and digit > 48 and digit <= 57 and digit - 48 <= select("#", ...) then
			out[n] = (select(digit - 48, ...))
		elseif digit == 49 then
			out[n] = whole
		else
			fail("string.gsub: the replacement has a '%' that names no capture")
		end
		i = escape + 2
	end
	return concat_(out)
end

local function replacement(with, whole, ...)
	local kind = type(with)
	local value
	if kind == "string" then
		return expand(with, whole, ...)
	elseif kind == "table" then
		value = with[select("#", ...) > 0 and (...) or whole]
	elseif select("#", ...) > 0 then
		value = with(...)
	else
		value = with(whole)
	end
	if not value then
		return whole
	elseif type(value) ~= "string" and type(value) ~= "number" then
		fail("string.gsub: the replacement is a " .. type(value))
	end
	return value
end

function str.gsub(s, pattern, with, limit)
	s, pattern = subject(s, "string.gsub"), subject(pattern, "string.gsub")
	if type(with) == "number" or type(with) == "string" then
		with = subject(with, "string.gsub")
	elseif type(with) ~= "table" and type(with) ~= "function" then
		fail("string.gsub: the replacement must be a string, a table or a function")
	end
	limit = position(limit, "string.gsub") or #s + 1
	local out, n, count, at, anchored = {}, 0, 0, 1, byte(pattern) == 94

	local function add(text)
		n = n + 1
		out[n] = text
	end
	local function step(first, last, ...)
		if not first then
			return false
		end
		count = count + 1
		add(sub(s, at, first - 1))
		add(replacement(with, sub(s, first, last), ...))
		at = last + 1
		if last < first then -- an empty match moves on by a byte
			add(sub(s, first, first))
			at = first + 1
		end
		return not anchored
	end

	while count < limit and at <= #s + 1 do
		if not step(host.search(s, pattern, at)) then
			break
		end
	end
	add(sub(s, at))
	return concat_(out), count
end

-- ---- table

---@param t any
---@param who string
local function elements(t, n, who)
	if type(t) ~= "table" then
		fail(who .. ": a table is expected, got " .. (t == nil and "nil" or "a " .. type(t)))
	elseif n > ELEMENTS_MAX then
		fail(format_("%s: %d elements; the limit is %d", who, n, ELEMENTS_MAX))
	end
end

local function range(t, i, j, who)
	i = position(i, who) or 1
	j = position(j, who) or (type(t) == "table" and #t or 0)
	elements(t, j - i + 1, who)
	return i, j
end

local tab = { maxn = table.maxn }

function tab.concat(t, separator, i, j)
	i, j = range(t, i, j, "table.concat")
	return concat_(t, subject(separator or "", "table.concat"), i, j)
end

function tab.insert(t, ...)
	elements(t, select("#", ...) > 1 and #t or 0, "table.insert")
	return insert_(t, ...)
end

function tab.remove(t, at)
	elements(t, position(at, "table.remove") and #t or 0, "table.remove")
	return table.remove(t, at)
end

local function less(a, b)
	return a < b
end

--- Merge a[low..middle] and a[middle+1..high] by way of `spare`.
local function merge(a, spare, low, middle, high, before)
	local left, right = low, middle + 1
	for i = low, high do
		spare[i] = a[i]
	end
	for i = low, high do
		if left <= middle and (right > high or not before(spare[right], spare[left])) then
			a[i], left = spare[left], left + 1
		else
			a[i], right = spare[right], right + 1
		end
	end
end

--- In Lua, as one comparison in C can take long when strings are. Stable.
function tab.sort(t, before)
	local n = type(t) == "table" and #t or 0
	elements(t, n, "table.sort")
	if before ~= nil and type(before) ~= "function" then
		fail("table.sort: the order must be a function")
	end
	local spare, width = {}, 1
	while width < n do
		for low = 1, n - width, 2 * width do
			local high = low + 2 * width - 1
			merge(t, spare, low, low + width - 1, high < n and high or n, before or less)
		end
		width = 2 * width
	end
end

local function unpack_bounded(t, i, j)
	i, j = range(t, i, j, "unpack")
	return unpack_(t, i, j)
end

-- ---- coroutine: as it is, but not nested without end, since each level uses C's stack

local create, resume_, running = coroutine.create, coroutine.resume, coroutine.running
local depth_of = setmetatable({}, { __mode = "k" })

local function resume(co, ...)
	local current = running()
	local depth = (current and depth_of[current] or 0) + 1
	if depth > COROUTINES_DEEP then
		fail("coroutines are nested more than " .. COROUTINES_DEEP .. " deep")
	end
	if type(co) == "thread" then
		depth_of[co] = depth
	end
	return resume_(co, ...)
end

local function results(ok, ...)
	if not ok then
		error((...), 0)
	end
	return ...
end

local co = {
	create = create,
	isyieldable = coroutine.isyieldable,
	resume = resume,
	running = running,
	status = coroutine.status,
	yield = coroutine.yield,
}

function co.wrap(f)
	local thread = create(f)
	return function(...)
		return results(resume(thread, ...))
	end
end

-- ---- os: the time and nothing else

local clock_ = { clock = host.clock, difftime = os.difftime }

function clock_.date(pattern, time)
	pattern = subject(pattern or "%c", "os.date")
	if #pattern > 256 then
		fail("os.date: a format of more than 256 bytes")
	end
	return os.date(pattern, position(time, "os.date") or host.time())
end

function clock_.time(date)
	if date == nil then
		return host.time()
	elseif type(date) ~= "table" then
		fail("os.time: a table is expected, got a " .. type(date))
	end
	local plain = {} -- read here: os.time would run metamethods from C
	for _, field in ipairs({ "year", "month", "day", "hour", "min", "sec", "isdst" }) do
		plain[field] = date[field]
	end
	return os.time(plain)
end

-- ---- the rest

--- rawset reaches past __newindex, so not into what is locked.
local function rawset_unlocked(t, key, value)
	local meta = type(t) == "table" and raw_metatable(t)
	if meta and rawget(meta, "__metatable") ~= nil then
		fail("rawset: this table is read-only")
	end
	return rawset(t, key, value)
end

--- Past its deadline a script is thrown out of every pcall anew, which takes time for each.
local function pcall_bounded(f, ...)
	host.check_depth(CALLS_DEEP, "pcall")
	return pcall(f, ...)
end

local function line_of(...)
	local n = select("#", ...)
	if n > 100 then
		fail("log: more than 100 values")
	end
	local out = {}
	for i = 1, n do
		out[i] = sub(tostring((select(i, ...))), 1, 1024)
	end
	return concat_(out, " ")
end

local function log(...)
	host.emit(line_of(...))
end

local function copy(t)
	local c = {}
	for k, v in next, t do
		c[k] = v
	end
	return c
end

local libraries = {
	string = read_only(str, "string"),
	table = read_only(tab, "table"),
	coroutine = read_only(co, "coroutine"),
	os = read_only(clock_, "os"),
	math = read_only(copy(math), "math"),
	bit = read_only(copy(bit), "bit"),
}

local functions = {
	assert = assert,
	error = error,
	getmetatable = getmetatable,
	ipairs = ipairs,
	log = log,
	next = next,
	pairs = pairs,
	pcall = pcall_bounded,
	print = log,
	rawequal = rawequal,
	rawget = rawget,
	rawset = rawset_unlocked,
	select = select,
	setmetatable = setmetatable,
	tonumber = tonumber,
	tostring = tostring,
	type = type,
	unpack = unpack_bounded,
	policy = host.policy,
	backends = host.backends,
	plugin = host.plugin,
	remote = host.remote,
	route = host.route,
	reject = host.reject,
	retry = host.retry,
	mirror = host.mirror,
	every = host.every,
	after = host.after,
}

for name, make in next, host.objects do
	functions[name] = make
end

-- ("x"):rep(3) finds the same guarded functions; nobody reaches or replaces the metatable.
local of_strings = raw_metatable("")
of_strings.__index = str
of_strings.__metatable = false

--- A script's globals.
---@return table
local function environment()
	local env = copy(functions)
	for name, library in next, libraries do
		env[name] = library
	end
	env._G = env
	return env
end

return environment
