/*
 * load.c - from files to a generation, and from one generation to the next.
 *
 * A generation is built whole beside the active one: every script is compiled, run and has
 * declared itself, and every backend's name is known, or nothing has changed and the sentence in
 * err says why. A generation owns its strings and its registry references; what it leaves in Lua
 * is garbage once they are gone.
 */
#include "registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
	struct policy_engine *engine;
	struct policy_generation *gen;
	struct script *script;
	char *source; /* as it was read */
	size_t len;
	char *text; /* as it is compiled: names.c */
	size_t text_len;
	uint64_t deadline;
	char *err;
	size_t errsize;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct load *load, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(load->err, load->errsize, format, args);
	va_end(args);
	return -1;
}

const char *policy_script_label(const struct script *script)
{
	return script->name[0] ? script->name : script->file;
}

/* ---- running */

static void run_script(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct load *load = arg;

	/* First as it is, so that a syntax error shows the author's own text. */
	policy_compile(L, load->script, load->source, load->len);
	lua_pop(L, 1);
	load->text = policy_names_scan(load->source, load->len, load->script, load->gen,
				       &load->text_len);
	if (!load->text)
		luaL_error(L, "no memory for the script's text or the names in it");
	policy_compile(L, load->script, load->text, load->text_len);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENVIRONMENT]);
	lua_call(L, 0, 1);
	lua_setfenv(L, -2);
	lua_call(L, 0, 0);
	policy_named_inherit(engine, load->script);
	policy_metrics_inherit(L, engine, load->script);
}

static int run(struct load *load)
{
	struct policy_engine *engine = load->engine;
	uint64_t now = policy_now();
	unsigned left = now < load->deadline ? (unsigned)((load->deadline - now) / 1000) : 0;
	enum policy_outcome outcome;

	engine->loading = load->gen;
	outcome = policy_enter(engine, load->script, run_script, load, left);
	engine->loading = NULL;
	if (outcome == ENTER_OVERRUN)
		snprintf(engine->error, sizeof(engine->error), "loading took longer than %u ms",
			 engine->options.load_budget_us / 1000);
	if (outcome != ENTER_OK)
		return refuse(load, "%s: %s",
			      engine->error_where[0] ? engine->error_where : load->script->file,
			      engine->error);
	if (load->script->line == 0)
		return refuse(load, "%s: no policy { } in this file: nothing would be decided",
			      load->script->file);
	if (!load->script->declared)
		return refuse(load,
			      "%s:%d: this policy { } was not accepted, and the script went on",
			      load->script->file, load->script->line);
	return 0;
}

static int load_script(struct load *load, const char *path)
{
	int rc = policy_read_text(path, "policy", &load->source, &load->len, load->err,
				  load->errsize);

	if (rc)
		return rc;
	policy_script_file(load->script, path);
	rc = run(load);
	free(load->source);
	free(load->text);
	load->source = load->text = NULL;
	load->len = 0;
	return rc;
}

/* Every name that a script uses, now that every backend has been declared. */
static int check_names(struct load *load)
{
	struct policy_generation *gen = load->gen;
	char list[160];

	for (size_t i = 0; i < gen->nr_uses; i++) {
		const struct name_use *use = &gen->uses[i];

		if (policy_names_declared(gen, use->name))
			continue;
		policy_names_list(gen, list, sizeof(list));
		return refuse(load, "%s:%d: %s %s \"%s\"; declared: %s", use->script->file,
			      use->line, use->what,
			      strcmp(use->what, "backends") == 0 ? "has no" : "names", use->name,
			      list);
	}
	free(gen->uses);
	gen->uses = NULL;
	gen->nr_uses = 0;
	return 0;
}

/* ---- generations */

static struct policy_generation *new_generation(size_t nr_scripts, const char *const *known,
						size_t nr_known)
{
	struct policy_generation *gen = calloc(1, sizeof(*gen));

	if (!gen)
		return NULL;
	gen->shared = LUA_NOREF;
	gen->scripts = calloc(nr_scripts + 1, sizeof(*gen->scripts));
	gen->known = calloc(nr_known + 1, sizeof(*gen->known));
	if (!gen->scripts || !gen->known)
		return gen; /* the caller sees what is missing, and frees */
	gen->nr_scripts = nr_scripts;
	for (size_t i = 0; i < nr_scripts; i++)
		for (int h = 0; h < NR_HOOKS; h++)
			gen->scripts[i].hooks[h] = (struct hook){
				.name = policy_hooks[h].name,
				.decides = policy_hooks[h].kinds && !policy_hooks[h].late,
				.ref = LUA_NOREF,
			};
	while (gen->nr_known < nr_known &&
	       (gen->known[gen->nr_known] = strdup(known[gen->nr_known])))
		gen->nr_known++;
	return gen;
}

static void drop_hooks(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct policy_generation *gen = arg;

	for (size_t i = 0; i < gen->nr_scripts; i++)
		for (int h = 0; h < NR_HOOKS; h++)
			luaL_unref(L, LUA_REGISTRYINDEX, gen->scripts[i].hooks[h].ref);
	for (size_t i = 0; i < gen->nr_named; i++)
		luaL_unref(L, LUA_REGISTRYINDEX, gen->named[i].ref);
	policy_timers_unref(L, gen);
	policy_metrics_unref(L, gen);
	luaL_unref(L, LUA_REGISTRYINDEX, gen->shared);
	policy_tags_unwatch(L, engine, gen);
}

static void free_backend(struct policy_backend *backend)
{
	for (size_t i = 0; i < backend->nr_options; i++) {
		free((char *)backend->options[i].key);
		free((char *)backend->options[i].value);
	}
	free((struct policy_option *)backend->options);
	free((char *)backend->name);
	free((char *)backend->kind);
	free((char *)backend->target);
	free((char *)backend->where);
}

void policy_generation_free(struct policy_engine *engine, struct policy_generation *gen)
{
	if (!gen)
		return;
	policy_enter(engine, NULL, drop_hooks, gen, engine->options.load_budget_us);
	policy_collect(engine);
	policy_timers_free(gen);
	for (size_t i = 0; i < gen->nr_backends; i++)
		free_backend(&gen->backends[i]);
	for (size_t i = 0; i < gen->nr_known; i++)
		free(gen->known[i]);
	free(gen->backends);
	free(gen->known);
	free(gen->uses);
	free(gen->named);
	free(gen->metrics);
	free(gen->scripts);
	free(gen);
}

int policy_load(struct policy_engine *engine, const char *const *paths, size_t nr_paths,
		const char *const *known, size_t nr_known, struct policy_generation **generation,
		char *err, size_t errsize)
{
	struct load load = { .engine = engine, .err = err, .errsize = errsize };
	int rc = 0;

	load.deadline = policy_now() + (uint64_t)engine->options.load_budget_us * 1000;
	load.gen = new_generation(nr_paths, known, nr_known);
	if (!load.gen || load.gen->nr_scripts != nr_paths || load.gen->nr_known != nr_known)
		rc = refuse(&load, "no memory to load policies");
	for (size_t i = 0; rc == 0 && i < nr_paths; i++) {
		load.script = &load.gen->scripts[i];
		rc = load_script(&load, paths[i]);
	}
	if (rc == 0)
		rc = check_names(&load);
	if (rc) {
		policy_generation_free(engine, load.gen);
		return -1;
	}
	*generation = load.gen;
	return 0;
}

/* What was counted goes on by the policies' names. */
static void keep_counts(const struct policy_generation *before, struct policy_generation *next)
{
	for (size_t i = 0; i < next->nr_scripts; i++)
		for (size_t k = 0; k < before->nr_scripts; k++)
			if (!strcmp(before->scripts[k].name, next->scripts[i].name))
				for (int hook = 0; hook < NR_HOOKS; hook++)
					next->scripts[i].hooks[hook].counts =
						before->scripts[k].hooks[hook].counts;
}

void policy_activate(struct policy_engine *engine, struct policy_generation *generation)
{
	struct policy_generation *before = engine->active;

	if (before && generation)
		keep_counts(before, generation);
	engine->active = generation;
	policy_epoch_advance(engine);
	if (generation)
		policy_timers_begin(engine, generation);
	policy_generation_free(engine, before);
}

const struct policy_backend *policy_backends(const struct policy_generation *generation,
					     size_t *count)
{
	*count = generation->nr_backends;
	return generation->backends;
}

const struct policy_generation *policy_active(const struct policy_engine *engine)
{
	return engine->active;
}

const char *policy_script_name(const struct policy_generation *generation, size_t i)
{
	return i < generation->nr_scripts ? generation->scripts[i].name : NULL;
}

const uint64_t policy_bounds_us[POLICY_BOUNDS] = { 1, 10, 100, 1000, 5000, 20000, 100000 };

bool policy_hook_counts(const struct policy_generation *generation, size_t i, size_t hook,
			const char **name, const struct policy_counts **counts)
{
	const struct hook *asked;

	if (hook >= NR_HOOKS)
		return false;
	asked = &generation->scripts[i].hooks[hook];
	*name = policy_hooks[hook].name;
	*counts = asked->ref == LUA_NOREF ? NULL : &asked->counts;
	return true;
}
