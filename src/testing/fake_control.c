// SPDX-License-Identifier: MIT
/* fake_control.c -- rules, faults, topology changes and figures, as a test asks for them: commands for the fake's thread. */
#include "testing/fake.h"

#include <stdlib.h>

/* A command's arguments and result. */
typedef struct ask {
    int              node;
    uint32_t         number;
    const void      *given;
    const char      *text;
    uint64_t         result;
    corm_fake_counts counts;
    char            *copy;
    corm_error       error;
} ask;

static fake_node *node_of(corm_fake_cluster *fake, int node) {
    return node >= 0 && (uint32_t)node < fake->node_count ? fake->nodes[node] : NULL;
}

static ask run(const corm_fake_cluster *fake, void (*command)(corm_fake_cluster *, void *),
               ask                      what) {
    fake__run((corm_fake_cluster *)(uintptr_t)fake, command, &what);
    return what;
}

/* ---- rules ---- */

static void add_rule(corm_fake_cluster *fake, void *context) {
    ask        *what = context;
    fake_rule **last = &fake->rules;
    what->number = fake->rule_count++;
    fake_rule *rule = fake__rule_new(what->given, &what->error);
    if (!rule) return;
    rule->number = what->number;
    while (*last) last = &(*last)->next;
    *last = rule;
}

uint32_t corm_fake_add_rule(corm_fake_cluster *fake, const corm_fake_rule *rule) {
    return run(fake, add_rule, (ask){ .given = rule }).number;
}

static void ask_hits(corm_fake_cluster *fake, void *context) {
    ask             *what = context;
    const fake_rule *lists[] = { fake->rules, fake->cleared };
    for (int i = 0; i < 2; i++) {
        for (const fake_rule *rule = lists[i]; rule; rule = rule->next) {
            if (rule->number == what->number) what->result = rule->hits;
        }
    }
}

uint64_t corm_fake_hits(const corm_fake_cluster *fake, uint32_t rule) {
    return run(fake, ask_hits, (ask){ .number = rule }).result;
}

static void clear_rules(corm_fake_cluster *fake, void *context) {
    (void)context;
    while (fake->rules) {
        fake_rule *rule = fake->rules;
        fake->rules = rule->next;
        rule->next = fake->cleared;
        fake->cleared = rule;
    }
}

void corm_fake_clear_rules(corm_fake_cluster *fake) {
    run(fake, clear_rules, (ask){ 0 });
}

static void set_faults(corm_fake_cluster *fake, void *context) {
    ask *what = context;
    for (uint32_t i = 0; i < fake->node_count; i++) {
        fake_node *node = fake->nodes[i];
        if (what->node >= 0 && (uint32_t)what->node != i) continue;
        node->has_faults = what->given != NULL;
        node->faults =
            what->given ? *(const corm_fake_faults *)what->given : (corm_fake_faults){ 0 };
    }
}

void corm_fake_set_faults(corm_fake_cluster *fake, int node, const corm_fake_faults *faults) {
    run(fake, set_faults, (ask){ .node = node, .given = faults });
}

/* ---- topology ---- */

static void kill_node(corm_fake_cluster *fake, void *context) {
    fake_node *node = node_of(fake, ((ask *)context)->node);
    if (node) fake__node_stop(node);
}

void corm_fake_kill(corm_fake_cluster *fake, uint32_t node) {
    run(fake, kill_node, (ask){ .node = (int)node });
}

/* A test whose node does not listen any more would wait for ever: it says why. */
static void complain(corm_status status, const corm_error *err) {
    if (status != CORM_OK) fprintf(stderr, "fake cluster: %s\n", err->message);
}

static void revive_node(corm_fake_cluster *fake, void *context) {
    ask       *what = context;
    fake_node *node = node_of(fake, what->node);
    if (!node || node->up || node->removed) return;
    fake__node_forget(node);
    complain(fake__node_listen(node, &what->error), &what->error);
}

void corm_fake_revive(corm_fake_cluster *fake, uint32_t node) {
    run(fake, revive_node, (ask){ .node = (int)node });
}

static void pause_node(corm_fake_cluster *fake, void *context) {
    fake_node *node = node_of(fake, ((ask *)context)->node);
    if (node && node->up) fake__node_pause(node);
}

void corm_fake_pause(corm_fake_cluster *fake, uint32_t node) {
    run(fake, pause_node, (ask){ .node = (int)node });
}

static void resume_node(corm_fake_cluster *fake, void *context) {
    fake_node *node = node_of(fake, ((ask *)context)->node);
    if (node && node->paused) fake__node_resume(node);
}

void corm_fake_resume(corm_fake_cluster *fake, uint32_t node) {
    run(fake, resume_node, (ask){ .node = (int)node });
}

static void move_node(corm_fake_cluster *fake, void *context) {
    ask       *what = context;
    fake_node *node = node_of(fake, what->node);
    if (!node || node->removed) return;
    fake__node_forget(node);
    complain(fake__node_move(node, (uint8_t)what->number, &what->error), &what->error);
}

void corm_fake_move(corm_fake_cluster *fake, uint32_t node, uint8_t last) {
    run(fake, move_node, (ask){ .node = (int)node, .number = last });
}

static void add_node(corm_fake_cluster *fake, void *context) {
    ask        *what = context;
    corm_status status = fake__node_add(fake, true, &what->error);
    complain(status, &what->error);
    if (status != CORM_OK) return;
    const fake_node *node = fake->nodes[fake->node_count - 1];
    fake__send_node_event(fake, WIRE_TOPOLOGY_CHANGE, "NEW_NODE", node);
    fake__send_node_event(fake, WIRE_STATUS_CHANGE, "UP", node);
}

void corm_fake_add_node(corm_fake_cluster *fake) {
    run(fake, add_node, (ask){ 0 });
}

static void remove_node(corm_fake_cluster *fake, void *context) {
    fake_node *node = node_of(fake, ((ask *)context)->node);
    if (!node || node->removed) return;
    node->removed = true;
    fake__node_stop(node);
    fake__send_node_event(fake, WIRE_TOPOLOGY_CHANGE, "REMOVED_NODE", node);
}

void corm_fake_remove_node(corm_fake_cluster *fake, uint32_t node) {
    run(fake, remove_node, (ask){ .node = (int)node });
}

static void send_event(corm_fake_cluster *fake, void *context) {
    ask       *what = context;
    fake_node *node = node_of(fake, what->node);
    bool       status = strcmp(what->text, "UP") == 0 || strcmp(what->text, "DOWN") == 0;
    if (!node) return;
    fake__send_node_event(fake, status ? WIRE_STATUS_CHANGE : WIRE_TOPOLOGY_CHANGE, what->text,
                          node);
}

void corm_fake_send_event(corm_fake_cluster *fake, const char *change, uint32_t node) {
    run(fake, send_event, (ask){ .node = (int)node, .text = change });
}

static void set_disagree(corm_fake_cluster *fake, void *context) {
    fake->disagree = ((ask *)context)->number != 0;
}

void corm_fake_disagree(corm_fake_cluster *fake, bool disagree) {
    run(fake, set_disagree, (ask){ .number = disagree });
}

/* ---- figures ---- */

static void add_counts(corm_fake_counts *sum, const corm_fake_counts *more) {
    uint64_t       *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)more;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) to[i] += from[i];
}

static void sum_counts(corm_fake_cluster *fake, void *context) {
    ask *what = context;
    for (uint32_t i = 0; i < fake->node_count; i++) {
        if (what->node < 0 || (uint32_t)what->node == i) {
            add_counts(&what->counts, &fake->nodes[i]->counts);
        }
    }
}

corm_fake_counts corm_fake_count(const corm_fake_cluster *fake, int node) {
    return run(fake, sum_counts, (ask){ .node = node }).counts;
}

static void copy_last(corm_fake_cluster *fake, void *context) {
    ask       *what = context;
    fake_node *node = what->node < 0 ? fake->last_node : node_of(fake, what->node);
    if (!node || node->last_request.len == 0) return;
    const char *text = base__buf_cstr(&node->last_request);
    if (text) what->copy = strdup(text);
}

char *corm_fake_last_request(const corm_fake_cluster *fake, int node) {
    return run(fake, copy_last, (ask){ .node = node }).copy;
}

static uint64_t requests_of(const corm_fake_cluster *fake, int node) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < FAKE_MOST_NODES; i++) {
        if (fake->nodes[i] && (node < 0 || (uint32_t)node == i)) {
            sum += atomic_load(&fake->nodes[i]->requests);
        }
    }
    return sum;
}

bool corm_fake_wait_requests(corm_fake_cluster *fake, int node, uint64_t at_least,
                             uint32_t timeout_ms) {
    uint64_t end = uv_hrtime() + (uint64_t)timeout_ms * 1000000;
    bool     enough;
    uv_mutex_lock(&fake->lock);
    while (!(enough = requests_of(fake, node) >= at_least)) {
        uint64_t now = uv_hrtime();
        if (now >= end || uv_cond_timedwait(&fake->seen, &fake->lock, end - now) != 0) break;
    }
    enough = enough || requests_of(fake, node) >= at_least;
    uv_mutex_unlock(&fake->lock);
    return enough;
}
