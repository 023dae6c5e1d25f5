/*
 * sim.h - the engine for Lua programs: what `require "luaccel.engine"` gives to the simulator
 * (lua/luaccel/sim.lua) in the program luaccel. The engine is the agent's own; its clock stands
 * until it is advanced, and backends are what it is told of them.
 */
#ifndef LUACCEL_POLICY_SIM_H
#define LUACCEL_POLICY_SIM_H

#include <lua.h>

int luaopen_luaccel_engine(lua_State *L);

#endif
