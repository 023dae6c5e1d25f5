--- luajit generate.lua DIRECTORY OUTPUT: functions.inc, structs.inc, enums.inc and macros.inc of
--- the tables in DIRECTORY, into the directory OUTPUT. See tables.lua.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local tables = require "tables"

for _, kind in ipairs { "functions", "structs", "enums", "macros" } do
  local list = tables.list(kind, tables.read(("%s/%s.tsv"):format(arg[1], kind)))
  local file = assert(io.open(("%s/%s.inc"):format(arg[2], kind), "w"))
  assert(file:write(list))
  assert(file:close())
end
