/*
 * reload.c - see reload.h. What can fail comes first and is undone; what cannot comes after it.
 */
#include "reload.h"
#include "answers.h"
#include "bounds.h"
#include "config.h"
#include "decide.h"
#include "log.h"
#include <stdio.h>
#include <string.h>

/* Those that are asked for and not there. One that has other settings now stays as it is. */
static int add_listeners(struct listeners *listeners, const struct options *next, char *err,
			 size_t errsize)
{
	struct listen_option asked;
	bool exists;
	size_t i;

	for (i = 0; i < next->listens.count; i++) {
		if (listen_parse(&asked, next->listens.text[i], err, errsize))
			return -1;
		exists = listeners_find(listeners, asked.address.uri);
		listen_release(&asked);
		if (!exists && !listeners_add(listeners, next->listens.text[i], err, errsize))
			return -1;
	}
	return 0;
}

/* "unix:///a" of "unix:///a,mode=0660" */
static int uri_length(const char *text)
{
	return (int)strcspn(text, ",");
}

static const char *find_listen(const struct options *options, const char *text)
{
	int length = uri_length(text);
	size_t i;

	for (i = 0; i < options->listens.count; i++)
		if (uri_length(options->listens.text[i]) == length &&
		    !strncmp(options->listens.text[i], text, (size_t)length))
			return options->listens.text[i];
	return NULL;
}

static void remove_listeners(struct listeners *listeners, const struct options *before,
			     const struct options *next)
{
	struct listener *listener;
	const char *text, *now;
	char uri[512];
	size_t i;

	for (i = 0; i < before->listens.count; i++) {
		text = before->listens.text[i];
		now = find_listen(next, text);
		if (now && strcmp(now, text) != 0)
			log_warn("%s: its settings have changed: needs a restart, or `luaccel "
				 "listen rm` and add",
				 text);
		snprintf(uri, sizeof(uri), "%.*s", uri_length(text), text);
		listener = now ? NULL : listeners_find(listeners, uri);
		if (listener)
			listeners_remove(listeners, listener);
	}
}

/* Other policies, or none, decide from now on. */
static void in_force(struct agent *agent)
{
	answers_settle(agent);
	waiting_ask_again(agent);
}

/* A policy that is there no more leaves its sessions where they are, as any reload does. */
static int load_policies(struct agent *agent, const struct options *next, char *err, size_t errsize)
{
	struct policy_engine *before = agent->policy;
	int ret;

	if (!next->scripts.count) {
		if (agent->policy)
			policy_activate(agent->policy, NULL);
		in_force(agent);
		return 0;
	}
	agent->policy = agent->engine;
	ret = decide_load(agent, (const char *const *)next->scripts.text, next->scripts.count, err,
			  errsize);
	if (ret)
		agent->policy = before;
	else
		in_force(agent);
	return ret;
}

static void say_if_changed(const char *what, const char *before, const char *next)
{
	if (strcmp(before ? before : "", next ? next : "") != 0)
		log_warn("%s has changed: needs a restart", what);
}

static void say_what_stays(const struct options *before, const struct options *next)
{
	char allowed[2048], allows[2048];

	say_if_changed("vaccel_config", before->vaccel_config, next->vaccel_config);
	say_if_changed("control", before->control, next->control);
	say_if_changed("metrics", before->metrics, next->metrics);
	allow_describe(&before->allow, allowed, sizeof(allowed));
	allow_describe(&next->allow, allows, sizeof(allows));
	say_if_changed("allow", allowed, allows);
	if (before->threads != next->threads)
		log_warn("threads has changed: needs a restart");
	if (before->loops != next->loops)
		log_warn("loops has changed: needs a restart");
}

/* What is in force of what needs a restart, so that it is said again until there is one. */
static void adopt(struct options *options, struct options *next)
{
	const struct option_texts listens = options->listens, scripts = options->scripts;

	options->listens = next->listens;
	options->scripts = next->scripts;
	next->listens = listens;
	next->scripts = scripts;
	options->limits = next->limits;
	options->drain_timeout = next->drain_timeout;
}

int reload(struct lifecycle *life, char *err, size_t errsize)
{
	struct agent *agent = life->agent;
	struct options next;
	int ret = -1;

	if (agent->draining)
		return snprintf(err, errsize, "the agent is draining"), -1;
	if (config_read(&next, agent->engine, life->argc, life->argv) >= 0) {
		snprintf(err, errsize, "%s", next.why);
		goto release_next;
	}
	/* What --allow permits needs a restart: also listening beyond loopback. */
	if (add_listeners(&agent->listeners, &next, err, errsize) ||
	    load_policies(agent, &next, err, errsize)) {
		listeners_settle(&agent->listeners, false);
		goto release_next;
	}
	listeners_settle(&agent->listeners, true);
	remove_listeners(&agent->listeners, life->options, &next);
	say_what_stays(life->options, &next);
	adopt(life->options, &next);
	bounds_set(agent, life->options);
	ret = 0;

release_next:
	options_release(&next);
	return ret;
}
