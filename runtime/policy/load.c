/*
 * load.c - from files to a generation, and from one generation to the next.
 *
 * A generation is built whole beside the active one: every script is compiled, run and has
 * declared itself, and every backend's name is known, or nothing has changed and the sentence in
 * err says why. A generation owns its strings and its registry references; what it leaves in Lua
 * is garbage once they are gone.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1 << 20, LABEL_MAX = 50 };

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

/* ---- reading */

static int read_all(struct load *load, const char *path, int fd)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return refuse(load, "cannot read policy %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(load, "cannot read policy %s: it is a directory", path);
	if (!S_ISREG(st.st_mode))
		return refuse(load, "cannot read policy %s: it is not a regular file", path);
	if (st.st_size > SCRIPT_MAX)
		return refuse(load, "cannot read policy %s: it is larger than 1 MiB", path);
	load->source = malloc((size_t)st.st_size + 1);
	if (!load->source)
		return refuse(load, "no memory to read policy %s", path);
	while (load->len < (size_t)st.st_size) {
		n = read(fd, load->source + load->len, (size_t)st.st_size - load->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(load, "cannot read policy %s: %s", path, strerror(errno));
		if (n == 0)
			break;
		load->len += (size_t)n;
	}
	return 0;
}

static int read_file(struct load *load, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return refuse(load, "cannot read policy %s: %s", path, strerror(errno));
	rc = read_all(load, path, fd);
	close(fd);
	if (rc == 0 && load->len > 0 && load->source[0] == '\x1b')
		return refuse(load, "policy %s is compiled; policies are loaded as text only",
			      path);
	return rc;
}

/* ---- running */

static void compile(lua_State *L, const struct load *load, const char *text, size_t len)
{
	char chunk[POLICY_NAME_MAX + 1];

	snprintf(chunk, sizeof(chunk), "@%s", load->script->file);
	if (luaL_loadbufferx(L, text, len, chunk, "t"))
		lua_error(L);
}

static void run_script(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct load *load = arg;

	/* First as it is, so that a syntax error shows the author's own text. */
	compile(L, load, load->source, load->len);
	lua_pop(L, 1);
	load->text = policy_names_scan(load->source, load->len, load->script, load->gen,
				       &load->text_len);
	if (!load->text)
		luaL_error(L, "no memory for the script's text or the names in it");
	compile(L, load, load->text, load->text_len);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENVIRONMENT]);
	lua_call(L, 0, 1);
	lua_setfenv(L, -2);
	lua_call(L, 0, 0);
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
	const char *slash = strrchr(path, '/');
	int rc;

	snprintf(load->script->file, sizeof(load->script->file), "%.*s", LABEL_MAX,
		 slash && slash[1] ? slash + 1 : path);
	rc = read_file(load, path);
	if (rc == 0)
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
		return refuse(load, "%s:%d: %s names \"%s\"; declared: %s", use->script->file,
			      use->line, use->what, use->name, list);
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
	gen->scripts = calloc(nr_scripts + 1, sizeof(*gen->scripts));
	gen->known = calloc(nr_known + 1, sizeof(*gen->known));
	if (!gen->scripts || !gen->known)
		return gen; /* the caller sees what is missing, and frees */
	gen->nr_scripts = nr_scripts;
	for (size_t i = 0; i < nr_scripts; i++)
		for (int h = 0; h < NR_HOOKS; h++)
			gen->scripts[i].hooks[h].ref = LUA_NOREF;
	while (gen->nr_known < nr_known &&
	       (gen->known[gen->nr_known] = strdup(known[gen->nr_known])))
		gen->nr_known++;
	return gen;
}

static void drop_hooks(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct policy_generation *gen = arg;

	(void)engine;
	for (size_t i = 0; i < gen->nr_scripts; i++)
		for (int h = 0; h < NR_HOOKS; h++)
			luaL_unref(L, LUA_REGISTRYINDEX, gen->scripts[i].hooks[h].ref);
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
	for (size_t i = 0; i < gen->nr_backends; i++)
		free_backend(&gen->backends[i]);
	for (size_t i = 0; i < gen->nr_known; i++)
		free(gen->known[i]);
	free(gen->backends);
	free(gen->known);
	free(gen->uses);
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

void policy_activate(struct policy_engine *engine, struct policy_generation *generation)
{
	struct policy_generation *before = engine->active;

	engine->active = generation;
	policy_generation_free(engine, before);
}

const struct policy_backend *policy_backends(const struct policy_generation *generation,
					     size_t *count)
{
	*count = generation->nr_backends;
	return generation->backends;
}

const char *policy_script_name(const struct policy_generation *generation, size_t i)
{
	return i < generation->nr_scripts ? generation->scripts[i].name : NULL;
}
