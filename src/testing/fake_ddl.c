// SPDX-License-Identifier: MIT
/* fake_ddl.c -- keyspaces, USE, and DDL: it is believed, not checked; the schema version and an event tell of it. The fake's
 * thread. */
#include "testing/fake.h"

#include <stdlib.h>

/* ---- keyspaces ---- */

enum { SYSTEM_KEYSPACES = 3 };

static fake_keyspace **find_keyspace(corm_fake_cluster *fake, corm_str name) {
    fake_keyspace **at = &fake->keyspaces;
    while (*at && !corm_str_equal((*at)->name, name)) at = &(*at)->next;
    return at;
}

corm_status fake__keyspace_add(corm_fake_cluster *fake, corm_str name, corm_str replication,
                               corm_error *err) {
    fake_keyspace *made = malloc(sizeof *made + name.len + replication.len + 1);
    if (!made) return base__fail_memory(err);
    char *bytes = (char *)(made + 1);
    memcpy(bytes, name.data, name.len);
    if (replication.len > 0) memcpy(bytes + name.len, replication.data, replication.len);
    bytes[name.len + replication.len] = 0;
    *made = (fake_keyspace){ .name = { bytes, name.len },
                             .replication = { bytes + name.len, replication.len } };
    *find_keyspace(fake, name) = made;
    return CORM_OK;
}

static void drop_keyspace(corm_fake_cluster *fake, corm_str name) {
    fake_keyspace **at = find_keyspace(fake, name);
    fake_keyspace  *gone = *at;
    if (!gone) return;
    *at = gone->next;
    free(gone);
}

void fake__keyspaces_free(corm_fake_cluster *fake) {
    while (fake->keyspaces) drop_keyspace(fake, fake->keyspaces->name);
}

static const fake_keyspace *system_keyspace(uint32_t at) {
    static const fake_keyspace all[SYSTEM_KEYSPACES] = {
        { .name = { "system", 6 }, .is_local = true },
        { .name = { "system_schema", 13 }, .is_local = true },
        { .name = { "system_traces", 13 } },
    };
    return &all[at];
}

const fake_keyspace *fake__keyspace_at(const corm_fake_cluster *fake, uint32_t row) {
    if (row < SYSTEM_KEYSPACES) return system_keyspace(row);
    const fake_keyspace *at = fake->keyspaces;
    for (row -= SYSTEM_KEYSPACES; at && row > 0; row--) at = at->next;
    return at;
}

static uint32_t nodes_in(const corm_fake_cluster *fake, uint32_t data_centre) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < fake->node_count; i++) {
        count += !fake->nodes[i]->removed && i % fake->options.data_centres == data_centre;
    }
    return count;
}

const char *fake__replication(const corm_fake_cluster *fake, const fake_keyspace *keyspace,
                              base_arena *arena) {
    base_buf text = { 0 };
    if (keyspace->is_local) return "{'class': 'org.apache.cassandra.locator.LocalStrategy'}";
    if (keyspace->replication.len > 0) return keyspace->replication.data;
    base__buf_puts(&text, "{'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy'");
    for (uint32_t dc = 0; dc < fake->options.data_centres; dc++) {
        uint32_t nodes = nodes_in(fake, dc);
        uint32_t factor = fake->options.replication < nodes ? fake->options.replication : nodes;
        base__buf_printf(&text, ", 'dc%u': '%u'", (unsigned)dc + 1, (unsigned)factor);
    }
    base__buf_puts(&text, "}");
    corm_str copy = base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return copy.data;
}

/* ---- USE ---- */

void fake__use(fake_conn *conn, const fake_text *text, fake_answer *answer) {
    corm_fake_cluster *fake = conn->node->fake;
    corm_str           name = text->statement->as.drop.name.name.text;
    corm_error         err;
    bool               known = fake__is_system(name) || *find_keyspace(fake, name);
    if (!known) {
        snprintf(err.message, sizeof err.message, "Keyspace '%.*s' does not exist", (int)name.len,
                 name.data);
        fake__answer_fail(answer, CORM_INVALID, err.message);
    } else if (fake__conn_use(conn, name, &err) != CORM_OK) {
        fake__answer_fail(answer, CORM_SERVER_ERROR, err.message);
    } else {
        wire__put_set_keyspace(&answer->answer.body, name);
    }
}

/* ---- DDL ---- */

typedef struct change {
    const char *what, *target;
    corm_str    keyspace, name;
} change;

/* The literal of a keyspace's replication; the class in full. */
static void put_replication(const cql_expr *map, base_buf *out) {
    for (uint32_t i = 0; i + 1 < map->count; i += 2) {
        corm_str name = map->args[i]->text, value = map->args[i + 1]->text;
        bool     is_class = corm_str_equal(name, corm_str_of("class"));
        base_buf full = { 0 };
        if (is_class && value.len > 0 && !memchr(value.data, '.', value.len)) {
            base__buf_puts(&full, "org.apache.cassandra.locator.");
        }
        base__buf_put_str(&full, value);
        base__buf_puts(out, i ? ", " : "{");
        cql__print_string(name, out);
        base__buf_puts(out, ": ");
        cql__print_string(base__buf_str(&full), out);
        base__buf_free(&full);
    }
    base__buf_puts(out, "}");
}

static corm_status create_keyspace(corm_fake_cluster *fake, const cql_create_keyspace *s,
                                   corm_error *err) {
    base_buf replication = { 0 };
    for (uint32_t i = 0; i < s->property_count; i++) {
        const cql_property *property = &s->properties[i];
        if (corm_str_equal(property->name.text, corm_str_of("replication")) &&
            property->value->kind == CQL_EXPR_MAP) {
            put_replication(property->value, &replication);
        }
    }
    drop_keyspace(fake, s->name.text);
    corm_status status = fake__keyspace_add(fake, s->name.text, base__buf_str(&replication), err);
    base__buf_free(&replication);
    return status;
}

static const char *verb_of(const cql_statement *statement) {
    const char *name = cql__statement_name(statement->kind);
    return name[0] == 'C' ? "CREATED" : name[0] == 'A' ? "UPDATED" : "DROPPED";
}

static const cql_ref *ref_of(const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_CREATE_TABLE: return &s->as.create_table.table;
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_TYPE:
    case CQL_STMT_ALTER_VIEW: return &s->as.alter_table.table;
    case CQL_STMT_CREATE_TYPE: return &s->as.create_type.name;
    case CQL_STMT_CREATE_INDEX: return &s->as.create_index.table;
    case CQL_STMT_CREATE_VIEW: return &s->as.create_view.name;
    case CQL_STMT_CREATE_FUNCTION: return &s->as.create_function.name;
    case CQL_STMT_CREATE_TRIGGER: return &s->as.trigger.table;
    default: return &s->as.drop.name;
    }
}

static void describe(const fake_text *text, change *out) {
    const cql_statement *s = text->statement;
    out->what = verb_of(s);
    if (s->kind == CQL_STMT_CREATE_KEYSPACE || s->kind == CQL_STMT_ALTER_KEYSPACE) {
        *out = (change){ out->what, "KEYSPACE", s->as.keyspace.name.text, { 0 } };
        return;
    }
    const cql_ref *ref = ref_of(s);
    if (s->kind == CQL_STMT_DROP_KEYSPACE) {
        *out = (change){ out->what, "KEYSPACE", ref->name.text, { 0 } };
        return;
    }
    bool type = s->kind == CQL_STMT_CREATE_TYPE || s->kind == CQL_STMT_ALTER_TYPE ||
                s->kind == CQL_STMT_DROP_TYPE;
    bool index = s->kind == CQL_STMT_CREATE_INDEX || s->kind == CQL_STMT_DROP_INDEX;
    out->what = index ? "UPDATED" : out->what;
    out->target = type ? "TYPE" : "TABLE";
    out->keyspace = ref->keyspace.text.data ? ref->keyspace.text : text->keyspace;
    out->name = ref->name.text;
}

static corm_status apply(corm_fake_cluster *fake, const cql_statement *s, bool *exists,
                         corm_error *err) {
    if (s->kind == CQL_STMT_DROP_KEYSPACE) drop_keyspace(fake, s->as.drop.name.name.text);
    if (s->kind == CQL_STMT_ALTER_KEYSPACE) return create_keyspace(fake, &s->as.keyspace, err);
    if (s->kind != CQL_STMT_CREATE_KEYSPACE) return CORM_OK;
    *exists = *find_keyspace(fake, s->as.keyspace.name.text) != NULL;
    return *exists ? CORM_OK : create_keyspace(fake, &s->as.keyspace, err);
}

static void answer_existing(const fake_text *text, fake_answer *answer) {
    const cql_create_keyspace *s = &text->statement->as.keyspace;
    wire_error                 error = { .code = 0x2400,
                                         .status = CORM_ALREADY_EXISTS,
                                         .message = corm_str_of("Cannot add existing keyspace"),
                                         .keyspace = s->name.text };
    if (s->if_not_exists)
        wire__put_void(&answer->answer.body);
    else
        fake__answer_error(answer, &error);
}

void fake__ddl(fake_conn *conn, const fake_text *text, fake_answer *answer) {
    corm_fake_cluster *fake = conn->node->fake;
    change             said = { 0 };
    bool               exists = false;
    corm_error         err;
    if (apply(fake, text->statement, &exists, &err) != CORM_OK) {
        fake__answer_fail(answer, CORM_SERVER_ERROR, err.message);
        return;
    }
    if (exists) {
        answer_existing(text, answer);
        return;
    }
    describe(text, &said);
    fake->schema_serial++;
    wire__put_schema_change(&answer->answer.body, said.what, said.target, said.keyspace, said.name);
    wire_event event = { .kind = WIRE_SCHEMA_CHANGE_EVENT,
                         .change = corm_str_of(said.what),
                         .target = corm_str_of(said.target),
                         .keyspace = said.keyspace,
                         .name = said.name };
    fake__send_event(fake, &event);
}
