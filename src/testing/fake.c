// SPDX-License-Identifier: MIT
/* fake.c -- the fake cluster's life, its thread, and the calls that change or ask something.
 *
 * Owns the cluster. A call from outside becomes a command that the fake's thread runs while the caller waits. */
#include "testing/fake.h"

#include <signal.h>
#include <stdlib.h>

/* ---- commands ---- */

static void on_wake(uv_async_t *wake) {
    corm_fake_cluster *fake = wake->data;
    uv_mutex_lock(&fake->lock);
    if (fake->command) fake->command(fake, fake->command_context);
    fake->command = NULL;
    uv_cond_broadcast(&fake->done);
    uv_mutex_unlock(&fake->lock);
}

void fake__run(corm_fake_cluster *fake, void (*command)(corm_fake_cluster *, void *),
               void              *context) {
    uv_mutex_lock(&fake->lock);
    while (fake->command) uv_cond_wait(&fake->done, &fake->lock);
    fake->command = command;
    fake->command_context = context;
    uv_async_send(&fake->wake);
    while (fake->command == command && fake->command_context == context) {
        uv_cond_wait(&fake->done, &fake->lock);
    }
    uv_mutex_unlock(&fake->lock);
}

/* A peer that is gone must not end the program: writing to it says so, too. */
static void block_pipe_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void run_loop(void *argument) {
    corm_fake_cluster *fake = argument;
    block_pipe_signal();
    uv_run(&fake->loop, UV_RUN_DEFAULT);
}

/* ---- start ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
    return value ? value : otherwise;
}

static corm_status copy_text(base_arena *arena, const char **text, corm_error *err) {
    if (!*text) return CORM_OK;
    *text = base__arena_str(arena, corm_str_of(*text)).data;
    return *text ? CORM_OK : base__fail_memory(err);
}

static corm_status take_options(corm_fake_cluster *fake, const corm_fake_options *given,
                                corm_error *err) {
    corm_fake_options *own = &fake->options;
    if (given) *own = *given;
    own->nodes = or_default(own->nodes, 1);
    own->data_centres = or_default(own->data_centres, 1);
    own->racks = or_default(own->racks, 1);
    own->replication = or_default(own->replication, 3);
    own->least_version = (uint8_t)or_default(own->least_version, 3);
    own->most_version = (uint8_t)or_default(own->most_version, 5);
    own->seed = own->seed ? own->seed : 1;
    if (!own->keyspaces) own->keyspaces = "shop";
    if (own->nodes > FAKE_MOST_NODES) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "nodes: at most %d", FAKE_MOST_NODES);
    }
    const char **texts[] = { &own->username, &own->password,      &own->tls_certificate,
                             &own->tls_key,  &own->tls_client_ca, &own->keyspaces };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CORM_TRY(copy_text(&fake->arena, texts[i], err));
    }
    return CORM_OK;
}

static corm_status add_keyspaces(corm_fake_cluster *fake, corm_error *err) {
    corm_str rest = corm_str_of(fake->options.keyspaces);
    while (rest.len > 0) {
        const char *comma = memchr(rest.data, ',', rest.len);
        size_t      len = comma ? (size_t)(comma - rest.data) : rest.len;
        corm_str    name = base__str_trim((corm_str){ rest.data, len });
        if (name.len > 0) CORM_TRY(fake__keyspace_add(fake, name, (corm_str){ 0 }, err));
        len += comma ? 1 : 0;
        rest = (corm_str){ rest.data + len, rest.len - len };
    }
    return CORM_OK;
}

static corm_status write_uri(corm_fake_cluster *fake, corm_error *err) {
    base_buf uri = { 0 };
    base__buf_puts(&uri, "cassandra://");
    for (uint32_t i = 0; i < fake->node_count; i++) {
        char address[16];
        fake__node_address(fake->nodes[i], address);
        base__buf_printf(&uri, "%s%s:%u", i ? "," : "", address, (unsigned)fake->ports[0]);
    }
    fake->uri = base__buf_cstr(&uri) ? (char *)uri.data : NULL;
    return fake->uri ? CORM_OK : base__fail_memory(err);
}

static corm_status prepare_nodes(corm_fake_cluster *fake, corm_error *err) {
    if (fake->options.tls_certificate) {
        CORM_TRY(fake__tls_context(&fake->options, &fake->tls, err));
    }
    CORM_TRY(fake__reserve_ports(fake, err));
    for (uint32_t i = 0; i < fake->options.nodes; i++) CORM_TRY(fake__node_add(fake, true, err));
    CORM_TRY(add_keyspaces(fake, err));
    return write_uri(fake, err);
}

static void close_timers(corm_fake_cluster *fake, void *context) {
    (void)context;
    for (uint32_t i = 0; i < fake->node_count; i++) fake__node_stop(fake->nodes[i]);
    uv_close((uv_handle_t *)&fake->timer, NULL);
    uv_close((uv_handle_t *)&fake->wake, NULL);
}

static void free_cluster(corm_fake_cluster *fake) {
    for (uint32_t i = 0; i < fake->node_count; i++) fake__node_free(fake->nodes[i]);
    fake__rules_free(fake->rules);
    fake__rules_free(fake->cleared);
    fake__keyspaces_free(fake);
    fake__tls_context_free(fake->tls);
    uv_cond_destroy(&fake->seen);
    uv_cond_destroy(&fake->done);
    uv_mutex_destroy(&fake->lock);
    base__arena_free(&fake->arena);
    free(fake->uri);
    free(fake);
}

/* The loop's thread does not run (any more): what is open is closed here. */
static void end_loop(corm_fake_cluster *fake) {
    uv_run(&fake->loop, UV_RUN_DEFAULT);
    uv_loop_close(&fake->loop);
    free_cluster(fake);
}

static corm_status make(corm_fake_cluster **out, corm_error *err) {
    corm_fake_cluster *fake = calloc(1, sizeof *fake);
    if (!fake) return base__fail_memory(err);
    if (uv_loop_init(&fake->loop) != 0) {
        free(fake);
        return base__fail(err, CORM_IO, "an event loop cannot be made");
    }
    if (uv_mutex_init(&fake->lock) != 0 || uv_cond_init(&fake->done) != 0 ||
        uv_cond_init(&fake->seen) != 0 || uv_async_init(&fake->loop, &fake->wake, on_wake) != 0 ||
        uv_timer_init(&fake->loop, &fake->timer) != 0) {
        abort(); /* a test cannot go on without locks */
    }
    fake->wake.data = fake;
    fake->timer.data = fake;
    *out = fake;
    return CORM_OK;
}

corm_status corm_fake_start(corm_fake_cluster **out, const corm_fake_options *options,
                            corm_error *err) {
    corm_fake_cluster *fake = NULL;
    CORM_TRY(make(&fake, err));
    corm_status status = take_options(fake, options, err);
    if (status == CORM_OK) status = prepare_nodes(fake, err);
    if (status == CORM_OK && uv_thread_create(&fake->thread, run_loop, fake) != 0) {
        status = base__fail(err, CORM_IO, "a thread cannot be started");
    }
    if (status != CORM_OK) {
        close_timers(fake, NULL);
        end_loop(fake);
        return status;
    }
    *out = fake;
    return CORM_OK;
}

void corm_fake_stop(corm_fake_cluster *fake) {
    if (!fake) return;
    fake__run(fake, close_timers, NULL);
    uv_thread_join(&fake->thread);
    end_loop(fake);
}

const char *corm_fake_uri(const corm_fake_cluster *fake) {
    return fake->uri;
}

uint16_t corm_fake_port(const corm_fake_cluster *fake) {
    return fake->ports[0];
}
