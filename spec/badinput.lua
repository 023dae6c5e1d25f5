--- Bad input and what it gets: badinput_spec.lua runs every row. A row has what it is about
--- (`input`), what is started, and what must come of it.
---
---   agent = { arguments }      vaccelrt-agent, which must end with `status`
---   classify = { arguments }   the example, in process unless `through` names an agent's plugins
---   driver = { commands }      the C API; all but the last command must work, the last gives `code`
---
---   text       Lua pattern, in one line of what the program says (stderr; the reason of the driver)
---   plugins    VACCEL_PLUGINS, as short names, of the program that is started (agent, or in process)
---   through    plugins of an agent that the classify or driver row goes through
---   script     text of a policy for the agent row
---   address    VACCEL_RPC_ADDRESS of the classify or driver row instead of an agent's
---   uid        who runs it (needs root)
---   also       "live": an agent serves at @address; "closed folder": @folder is another user's
---
--- In arguments and commands @NAME is a file of `files`, or a name of the spec: @dir, @address,
--- @folder, @data.

---@type table<string, fun(read: fun(path: string): string): string>
local files = {
  noise = function () return "this is no image, and no model either\n" end,
  empty = function () return "" end,
  ["jpeg-cut"] = function (read) return read "images/digit-7.jpg":sub(1, 700) end,
  ["jpeg-head"] = function (read) return read "images/digit-7.jpg":sub(1, 20) end,
  ["png-cut"] = function (read) return read "images/digit-7.png":sub(1, 900) end,
  ["png-lies"] = function (read) -- claims to be 2^31-1 pixels wide and high
    local png = read "images/digit-7.png"
    return png:sub(1, 16) .. "\127\255\255\255\127\255\255\255" .. png:sub(25)
  end,
  ["model-cut"] = function (read) return read "digits.pt":sub(1, 100000) end,
  ["not-a-plugin"] = function () return "\127ELF and then nothing" end,
}

local function policy(hooks)
  return 'policy { name = "p", api = 1, on_error = "reject", ' .. hooks .. " }"
end

local MODEL = { "session s 0", "resource m path @data/digits.pt", "register m s" }

--- MODEL and further commands.
local function with_model(...)
  local commands = { unpack(MODEL) }
  for _, command in ipairs { ... } do commands[#commands + 1] = command end
  return commands
end

local rows = {
  -- Images.
  { input = "an image that is none", plugins = "torch", driver = with_model "classify s @noise",
    code = 22, text = "neither .*JPEG.* nor .*PNG" },
  { input = "an image that is none, through an agent", through = "torch", driver = with_model "classify s @noise",
    code = 22, text = "neither .*JPEG.* nor .*PNG" },
  { input = "an image of no bytes", plugins = "torch", driver = with_model "classify s @empty", code = 22, text = "." },
  { input = "an image of no bytes, through an agent", through = "torch", driver = with_model "classify s @empty",
    code = 22, text = "." },
  { input = "a JPEG cut in the middle", plugins = "torch", driver = with_model "classify s @jpeg-cut",
    code = 22, text = "JPEG" },
  { input = "a JPEG cut in the middle, through an agent", through = "torch",
    driver = with_model "classify s @jpeg-cut", code = 22, text = "JPEG" },
  { input = "a JPEG cut in its head", plugins = "torch", driver = with_model "classify s @jpeg-head",
    code = 22, text = "JPEG" },
  { input = "a PNG cut in the middle", plugins = "torch", driver = with_model "classify s @png-cut",
    code = 22, text = "PNG" },
  { input = "a PNG that claims to be enormous", plugins = "torch", driver = with_model "classify s @png-lies",
    code = 22, text = "PNG" },

  -- Models.
  { input = "a model that is none", plugins = "torch",
    driver = { "session s 0", "resource m path @noise", "register m s", "load s m" }, code = 22, text = "model" },
  { input = "a model that is none, through an agent", through = "torch",
    driver = { "session s 0", "resource m path @noise", "register m s", "load s m" }, code = 22, text = "model" },
  { input = "a model that is none, for an image", plugins = "torch",
    driver = { "session s 0", "resource m path @noise", "register m s", "classify s @data/images/digit-7.png" },
    code = 22, text = "model" },
  { input = "a model cut in the middle", through = "torch",
    driver = { "session s 0", "resource m path @model-cut", "register m s", "load s m" }, code = 22, text = "model" },
  { input = "no model at all", plugins = "torch",
    driver = { "session s 0", "classify s @data/images/digit-7.png" }, code = 22, text = "model" },
  { input = "a model that is not registered", through = "torch",
    driver = { "session s 0", "resource m path @data/digits.pt", "load s m" }, code = 1, text = "" },
  { input = "a model that is not there", plugins = "torch",
    driver = { "session s 0", "resource m path @dir/nowhere.pt" }, code = 22, text = "nowhere%.pt" },
  { input = "a model's input of the wrong shape", through = "torch",
    driver = with_model("load s m", "run s m @data/digits.pt 3x3 1 @dir/out"), code = 22, text = "." },

  -- The example.
  { input = "classify without arguments", plugins = "noop", classify = {}, status = 22, text = "^Usage: " },
  { input = "classify, iterations that are no number", plugins = "noop", classify = { "@noise", "many" },
    status = 22, text = "^Usage: " },
  { input = "classify, iterations below one", plugins = "noop", classify = { "@noise", "-3" },
    status = 22, text = "^Usage: " },
  { input = "classify, an image that is not there", plugins = "noop", classify = { "@dir/nowhere.png", "1" },
    status = 2, text = "nowhere%.png: 2 %(No such file" },
  { input = "classify, an image that is none", through = "torch",
    classify = { "@noise", "1", "@data/digits.pt" }, status = 22, text = "neither .*JPEG.* nor .*PNG" },
  { input = "classify, a truncated JPEG", through = "torch",
    classify = { "@jpeg-cut", "1", "@data/digits.pt" }, status = 22, text = "JPEG" },
  { input = "classify, a model that is none", through = "torch",
    classify = { "@data/images/digit-7.png", "1", "@noise" }, status = 22, text = "model" },
  { input = "classify, no plugin", classify = { "@noise", "1" }, status = 95, text = "VACCEL_PLUGINS" },
  { input = "classify, a plugin that is not there", plugins = "nowhere", classify = { "@noise", "1" },
    status = 104, text = "libvaccel%-nowhere%.so" },

  -- Nobody at the other end.
  { input = "no agent, unix", plugins = "rpc", address = "unix://@dir/nobody.sock", driver = { "session s 0" },
    code = 71, text = "unix://.*/nobody%.sock.*vaccelrt%-agent" },
  { input = "no agent, tcp", plugins = "rpc", address = "tcp://127.0.0.1:1", driver = { "session s 0" },
    code = 71, text = "tcp://127%.0%.0%.1:1.*vaccelrt%-agent" },
  { input = "an address that is none", plugins = "rpc", address = "nonsense", driver = { "session s 0" },
    code = 22, text = '"nonsense"; use unix:///PATH' },
  { input = "no right to the agent's socket", also = "closed folder", plugins = "rpc", uid = 20001,
    address = "unix://@folder/agent.sock", driver = { "session s 0" },
    code = 71, text = "agent%.sock.*Permission denied" },

  -- The agent's scripts.
  { input = "a script that is not there", agent = { "--script", "@dir/nowhere.lua" }, status = 1,
    text = "nowhere%.lua.*No such file" },
  { input = "a script that is a folder", agent = { "--script", "@dir" }, status = 1, text = "directory" },
  { input = "a syntax error", script = "policy {\n  name = \n}", status = 1, text = "policy%.lua:3: " },
  { input = "a script that is no Lua at all", script = "\27LJ\2\10", status = 1, text = "policy%.lua" },
  { input = "a script that declares nothing", script = "local x = 1", status = 1, text = "policy%.lua.*policy" },
  { input = "an unknown backend", plugins = "noop", status = 1,
    script = policy 'session_route = function (s)\n return route "gpu" end',
    text = 'policy%.lua:2: route names "gpu"; declared: noop' },
  { input = "an unknown backend in on_error", plugins = "noop", status = 1,
    script = 'policy { name = "p", api = 1, on_error = { default = "gpu" } }',
    text = 'policy%.lua:1: on_error names "gpu"; declared: noop' },
  { input = "an unknown hook", plugins = "noop", script = policy "session_rout = function (s) end", status = 1,
    text = 'policy%.lua:1: .*"session_rout"' },
  { input = "a hook that is no function", plugins = "noop", script = policy "op_admit = 1", status = 1,
    text = "policy%.lua:1: op_admit is a number" },
  { input = "no on_error", plugins = "noop", script = 'policy { name = "p", api = 1 }', status = 1,
    text = "policy%.lua:1: .*on_error" },
  { input = "an option that the plugin does not know", status = 1,
    script = 'backends { b = plugin "noop" { speed = 9 } }\n' .. policy "",
    text = "policy%.lua:1: .*backend b.*speed" },
  { input = "two backends on one library", status = 1,
    script = 'backends { a = plugin "noop", b = plugin "noop" }\n' .. policy "",
    text = "policy%.lua:1: .*one library" },
  { input = "a script that does not come back", script = "while true do end", status = 1, text = "policy%.lua:1" },
  { input = "a script that eats memory", script = "local t = {}\nfor i = 1, 1e9 do t[i] = ('x'):rep(6e4) .. i end",
    status = 1, text = "policy%.lua: out of memory" },
  { input = "only backends that cannot be loaded", status = 1,
    script = 'backends { gpu = plugin "nowhere" }\n' .. policy "",
    text = "backend gpu is down: .*libvaccel%-nowhere%.so" },

  -- The agent's plugins.
  { input = "a plugin of VACCEL_PLUGINS that is not there", plugins = "nowhere", agent = {}, status = 1,
    text = "libvaccel%-nowhere%.so" },
  { input = "a plugin that is no library", agent = { "--vaccel-config", "plugins=@not-a-plugin" }, status = 1,
    text = "not%-a%-plugin" },

  -- The agent's addresses.
  { input = "an address in use", also = "live", agent = { "-a", "@address" }, status = 1,
    text = "cannot listen on unix://.*: .*an agent runs there already" },
  { input = "no right to the socket's folder", also = "closed folder", uid = 20001,
    agent = { "-a", "unix://@folder/agent.sock" }, status = 1, text = "agent%.sock: Permission denied; " },
  { input = "a folder that is not there", agent = { "-a", "unix://@dir/no/agent.sock" }, status = 1,
    text = "no/agent%.sock: No such file or directory; " },
  { input = "a file where the socket should be", agent = { "-a", "unix://@noise" }, status = 1,
    text = "a file that is no socket is there" },
  { input = "an agent's address that is none", agent = { "-a", "nonsense" }, status = 2,
    text = '"nonsense"; use unix:///PATH' },
  { input = "a scheme that nobody knows", agent = { "-a", "http://localhost:80" }, status = 2,
    text = 'Unsupported protocol in "http://localhost:80"' },
  { input = "a vsock port that is no number", agent = { "-a", "vsock://2:http" }, status = 2,
    text = "vsock://2:http: " },
  { input = "a socket's path that is too long", agent = { "-a", "unix://@dir/" .. ("x"):rep(120) }, status = 2,
    text = "use a shorter one" },
  { input = "tcp for the whole network", agent = { "-a", "tcp://0.0.0.0:0" }, status = 2,
    text = "%-%-allow plaintext" },

  -- The agent's flags.
  { input = "a flag that is none", agent = { "--fast" }, status = 2, text = "%-%-fast" },
  { input = "a flag without its value", agent = { "--script" }, status = 2, text = "%-%-script" },
  { input = "a word that is no flag", agent = { "start" }, status = 2, text = '"start"' },
  { input = "threads that are no number", agent = { "--threads", "many" }, status = 2, text = '"many"' },
  { input = "no loop", agent = { "--loops", "0" }, status = 2, text = 'a number from 1 to 64, not "0"' },
  { input = "too many loops", agent = { "--loops", "65" }, status = 2, text = 'a number from 1 to 64, not "65"' },
  { input = "a time that is none", agent = { "--drain-timeout", "soon" }, status = 2, text = '"soon"' },
  { input = "a limit that is none", agent = { "--limit", "wishes=3" }, status = 2, text = '"wishes"' },
  { input = "a limit without a number", agent = { "--limit", "sessions=lots" }, status = 2, text = '"lots"' },
  { input = "permission that is none", agent = { "--allow", "everything" }, status = 2, text = '"everything"' },
  { input = "permission for a path that is not whole", agent = { "--allow", "exec,path=models" }, status = 2,
    text = '"models"' },
  { input = "permission for a directory that is not there", plugins = "noop", agent = { "--allow", "path=@dir/no" },
    status = 1, text = "path=.*/no: No such file" },
  { input = "a key that --vaccel-config does not know", agent = { "--vaccel-config", "colour=red" }, status = 2,
    text = '"colour"' },
  { input = "a socket's mode that is none", agent = { "-a", "unix://@dir/a.sock,mode=rw" }, status = 2,
    text = '"mode=rw"' },
}

return { files = files, rows = rows }
