// SPDX-License-Identifier: MIT
/* random_statement.h -- random statements of a tenant that tries everything, for tests only.
 *
 * Two tenants use the same keys, 0 to 7. Their other values carry a mark: texts begin with "acme" or "blue", numbers are above 1000
 * or below -1000, so that sums, averages and extremes carry it too. */
#ifndef TENANT_RANDOM_STATEMENT_H
#define TENANT_RANDOM_STATEMENT_H

#include <stdio.h>

#include "base/buf.h"
#include "corm/value.h"

enum { RANDOM_VALUES = 48 };

typedef struct random_statement {
    uint64_t   state; /* not 0 */
    bool       is_b;  /* whose values are written */
    bool       markers, has_like;
    base_buf   text;
    uint32_t   count;
    corm_value values[RANDOM_VALUES];
    char       texts[RANDOM_VALUES][24];
} random_statement;

typedef random_statement rs;

static inline uint32_t rs_below(rs *r, uint32_t n) {
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state >> 16) % n);
}

static inline bool rs_one_in(rs *r, uint32_t n) {
    return rs_below(r, n) == 0;
}

static inline void rs_put(rs *r, const char *text) {
    base__buf_puts(&r->text, text);
}

#define RS_PICK(r, ...)                                                                            \
    rs_put((r), ((const char *const[]){ __VA_ARGS__ })[rs_below(                                   \
                    (r), sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

/* ---- values ---- */

static inline bool rs_marker(rs *r, corm_value value) {
    if (!r->markers || r->count == RANDOM_VALUES - 1 || rs_one_in(r, 2)) return false;
    r->values[r->count++] = value;
    rs_put(r, "?");
    return true;
}

static inline void rs_key(rs *r) {
    int32_t key = (int32_t)rs_below(r, 8);
    if (!rs_marker(r, corm_v(key))) base__buf_printf(&r->text, "%d", (int)key);
}

static inline void rs_number(rs *r) {
    int32_t n = 1001 + (int32_t)rs_below(r, 999);
    if (r->is_b) n = -n;
    if (!rs_marker(r, corm_v(n))) base__buf_printf(&r->text, "%d", (int)n);
}

static inline void rs_text(rs *r) {
    char *text = r->texts[r->count];
    snprintf(text, sizeof r->texts[0], "%s%u", r->is_b ? "blue" : "acme", rs_below(r, 20));
    if (!rs_marker(r, corm_v((const char *)text))) base__buf_printf(&r->text, "'%s'", text);
}

/* The names of the other, as an attacker knows them. */
static inline void rs_foreign(rs *r) {
    RS_PICK(r, "tenants_t__blue_m1.users", "tenants_t__acme.users", "tenants_t.blue_m1__users",
            "tenants_t.acme__users", "tenants_t.tenants", "tenants", "acme__events",
            "blue_m1__events", "system.local", "system_auth.roles", "system_schema.columns",
            "system_schema.tables", "system.peers_v2", "\"tenants_t__blue_m1\".events");
}

static inline void rs_table(rs *r, const char *own) {
    if (rs_one_in(r, 60)) {
        rs_foreign(r);
        return;
    }
    if (rs_one_in(r, 3)) rs_put(r, "tenants_t.");
    rs_put(r, own);
}

static inline void rs_operator(rs *r) {
    RS_PICK(r, " = ", " = ", " > ", " >= ", " < ", " <= ");
}

/* ---- SELECT ---- */

/* One condition on the table: 0 users, 1 events, 2 hits. */
static inline void rs_condition(rs *r, int table) {
    static const char *const keys[] = { "id", "user", "page" };
    switch (rs_below(r, 12)) {
    case 0:
    case 1:
    case 2:
        rs_put(r, keys[table]);
        rs_put(r, " = ");
        table == 2 ? rs_put(r, "'p'") : rs_key(r);
        break;
    case 3:
        rs_put(r, keys[table]);
        rs_put(r, " IN (");
        table == 2 ? rs_put(r, "'p', 'q'") : (rs_key(r), rs_put(r, ", "), rs_key(r));
        rs_put(r, ")");
        break;
    case 4:
        base__buf_printf(&r->text, "token(%s)", keys[table]);
        rs_operator(r);
        if (rs_one_in(r, 2) && table != 2) {
            rs_put(r, "token(");
            rs_key(r);
            rs_put(r, ")");
        } else {
            RS_PICK(r, "0", "-9223372036854775808", "9223372036854775807", "-5");
        }
        break;
    case 5:
    case 6:
        rs_put(r, table == 1 ? "at" : "n");
        rs_operator(r);
        table == 1 ? rs_key(r) : rs_number(r);
        break;
    case 7:
        rs_put(r, table == 1 ? "what = " : "name = ");
        rs_text(r);
        break;
    case 8:
        RS_PICK(r, "tags CONTAINS ", "m CONTAINS KEY ");
        rs_text(r);
        break;
    case 9:
        rs_put(r, table == 1 ? "(at) > (" : "n = (");
        table == 1 ? rs_key(r) : rs_number(r);
        rs_put(r, ")");
        break;
    case 10:
        if (r->has_like && table == 1) {
            RS_PICK(r, "what LIKE 'acme%'", "what LIKE 'blue%'", "what LIKE '%1%'");
            break;
        }
        rs_put(r, table == 1 ? "v = " : "m['a'] = ");
        rs_number(r);
        break;
    default:
        RS_PICK(r, "tenant_id = 'blue-1'", "tenant_id = 'acme'", "tenant_id IN ('acme', 'blue-1')",
                "tenant_id != 'acme'", "token(tenant_id, id) > 0",
                "(tenant_id, id) = ('blue-1', 1)", "id = :\"corm tenant\"");
    }
}

static inline void rs_where(rs *r, int table, uint32_t most) {
    uint32_t count = rs_below(r, most + 1);
    for (uint32_t i = 0; i < count; i++) {
        rs_put(r, i == 0 ? " WHERE " : " AND ");
        rs_condition(r, table);
    }
}

static inline void rs_selection(rs *r, int table) {
    if (rs_one_in(r, 8)) rs_put(r, "JSON ");
    if (rs_one_in(r, 6)) {
        rs_put(r, table == 0   ? "DISTINCT id"
                  : table == 1 ? "DISTINCT user, note"
                               : "DISTINCT page");
        return;
    }
    if (rs_one_in(r, 40)) rs_put(r, "tenant_id, ");
    static const char *const users[] = { "*",
                                         "*",
                                         "id, name",
                                         "name, tags, m",
                                         "count(*)",
                                         "count(name), max(n), min(n)",
                                         "sum(n), avg(n)",
                                         "token(id), id",
                                         "writetime(name), name",
                                         "CAST(n AS text), id AS k",
                                         "home.city, home",
                                         "max(name), min(name)",
                                         "m['a'], tags",
                                         "to_json(m)" };
    static const char *const events[] = { "*",
                                          "*",
                                          "user, at, what",
                                          "note, v",
                                          "count(*)",
                                          "max(v), min(v), max(at)",
                                          "sum(v)",
                                          "token(user), at",
                                          "user, count(*)",
                                          "at, max(what)",
                                          "ttl(v), what",
                                          "max(what), user" };
    switch (table) {
    case 0: rs_put(r, users[rs_below(r, sizeof users / sizeof *users)]); break;
    case 1: rs_put(r, events[rs_below(r, sizeof events / sizeof *events)]); break;
    default: RS_PICK(r, "*", "page, n", "sum(n), count(*)");
    }
}

static inline void rs_select(rs *r) {
    static const char *const names[] = { "users", "events", "hits" };
    uint32_t                 pick = rs_below(r, 30);
    if (pick == 0) {
        rs_put(r, "SELECT id FROM points ");
        if (rs_one_in(r, 2)) rs_put(r, "WHERE id = 1 ");
        rs_put(r, "ORDER BY at ANN OF [1, 2] LIMIT 5");
        return;
    }
    if (pick == 1) {
        RS_PICK(r, "SELECT * FROM countries", "SELECT * FROM votes",
                "SELECT count(*) FROM votes WHERE id = 1");
        return;
    }
    int table = pick < 14 ? 0 : pick < 28 ? 1 : 2;
    rs_put(r, "SELECT ");
    rs_selection(r, table);
    rs_put(r, " FROM ");
    rs_table(r, names[table]);
    rs_where(r, table, 3);
    if (table == 1 && rs_one_in(r, 5)) RS_PICK(r, " GROUP BY user", " GROUP BY user, at");
    if (table == 1 && rs_one_in(r, 6)) RS_PICK(r, " ORDER BY at DESC", " ORDER BY at ASC");
    if (rs_one_in(r, 8)) rs_put(r, " PER PARTITION LIMIT 1");
    if (rs_one_in(r, 4)) RS_PICK(r, " LIMIT 1", " LIMIT 3", " LIMIT 100");
    if (!rs_one_in(r, 3)) rs_put(r, " ALLOW FILTERING");
}

/* ---- writes ---- */

static inline void rs_using(rs *r) {
    if (rs_one_in(r, 8))
        RS_PICK(r, " USING TTL 1000", " USING TIMESTAMP 5",
                " USING TIMESTAMP 9000000000000000 AND TTL 100000");
}

static inline void rs_json(rs *r) {
    const char *mark = r->is_b ? "blue" : "acme";
    rs_put(r, " JSON '{");
    if (rs_one_in(r, 6))
        RS_PICK(r, "\"tenant_id\": \"blue-1\", ", "\"tenant_id\": \"acme\", ",
                "\"TENANT_ID\": \"acme\", ", "\"tenant\\u005fid\": \"blue-1\", ",
                "\"\\\"tenant_id\\\"\": \"acme\", ");
    base__buf_printf(&r->text, "\"id\": %u, \"name\": \"%s%u\"", rs_below(r, 8), mark,
                     rs_below(r, 20));
    RS_PICK(r, "}'", "}' DEFAULT UNSET", "}'", ", \"tenant_id\": \"blue-1\"}'",
            "} {\"tenant_id\": \"acme\"}'", "}' DEFAULT NULL");
}

static inline void rs_insert(rs *r) {
    if (rs_one_in(r, 30)) {
        rs_put(r, "INSERT INTO votes (id, n) VALUES (1, 2)");
        return;
    }
    bool users = rs_one_in(r, 2);
    rs_put(r, "INSERT INTO ");
    rs_table(r, users ? "users" : "events");
    if (users && rs_one_in(r, 5)) {
        rs_json(r);
    } else if (users) {
        bool foreign = rs_one_in(r, 30);
        rs_put(r, foreign ? " (tenant_id, id, name, n) VALUES ('blue-1', "
                          : " (id, name, n, tags) VALUES (");
        rs_key(r);
        rs_put(r, ", ");
        rs_text(r);
        rs_put(r, ", ");
        rs_number(r);
        if (!foreign) rs_put(r, ", {");
        if (!foreign) rs_text(r);
        rs_put(r, foreign ? ")" : "})");
    } else {
        rs_put(r, " (user, at, what, v, note) VALUES (");
        rs_key(r);
        rs_put(r, ", ");
        rs_key(r);
        rs_put(r, ", ");
        rs_text(r);
        rs_put(r, ", ");
        rs_number(r);
        rs_put(r, ", ");
        rs_text(r);
        rs_put(r, ")");
    }
    if (rs_one_in(r, 10)) {
        rs_put(r, " IF NOT EXISTS");
    } else {
        rs_using(r);
    }
}

static inline void rs_condition_if(rs *r, bool users) {
    if (!rs_one_in(r, 6)) return;
    RS_PICK(r, " IF EXISTS", users ? " IF name = " : " IF what = ");
    if (r->text.data[r->text.len - 1] == ' ') rs_text(r);
}

static inline void rs_update(rs *r) {
    if (rs_one_in(r, 8)) {
        rs_put(r, "UPDATE hits SET n = n ");
        base__buf_printf(&r->text, "%c %u WHERE page = '%c'", r->is_b ? '-' : '+',
                         2000 + rs_below(r, 9), "pq"[rs_below(r, 2)]);
        return;
    }
    bool users = rs_one_in(r, 2);
    rs_put(r, "UPDATE ");
    rs_table(r, users ? "users" : "events");
    rs_using(r);
    if (users) {
        switch (rs_below(r, 5)) {
        case 0:
            rs_put(r, " SET tags = tags + {");
            rs_text(r);
            rs_put(r, "}");
            break;
        case 1:
            rs_put(r, " SET m['a'] = ");
            rs_number(r);
            break;
        case 2:
            rs_put(r, " SET home = {street: ");
            rs_text(r);
            rs_put(r, ", city: ");
            rs_text(r);
            rs_put(r, "}");
            break;
        case 3:
            RS_PICK(r, " SET tenant_id = 'x', n = ", " SET n = ", " SET n = ");
            rs_number(r);
            break;
        default: rs_put(r, " SET name = "); rs_text(r);
        }
        rs_put(r, " WHERE id = ");
    } else {
        rs_put(r, rs_one_in(r, 2) ? " SET what = " : " SET note = ");
        rs_text(r);
        rs_put(r, " WHERE user = ");
    }
    rs_key(r);
    if (!users && !rs_one_in(r, 4)) {
        rs_put(r, " AND at = ");
        rs_key(r);
    }
    if (rs_one_in(r, 40)) rs_put(r, " AND tenant_id = 'blue-1'");
    rs_condition_if(r, users);
}

static inline void rs_delete(rs *r) {
    bool users = rs_one_in(r, 2);
    rs_put(r, "DELETE ");
    if (rs_one_in(r, 3)) rs_put(r, users ? "name, m['a'] " : "what ");
    rs_put(r, "FROM ");
    rs_table(r, users ? "users" : "events");
    if (rs_one_in(r, 40)) return; /* without WHERE */
    rs_put(r, users ? " WHERE id = " : " WHERE user = ");
    rs_key(r);
    if (!users && rs_one_in(r, 2)) {
        rs_put(r, " AND at");
        rs_operator(r);
        rs_key(r);
    }
    rs_condition_if(r, users);
}

static inline void rs_write(rs *r) {
    switch (rs_below(r, 5)) {
    case 0: rs_delete(r); break;
    case 1: rs_update(r); break;
    case 2: rs_update(r); break;
    default: rs_insert(r);
    }
}

static inline void rs_batch(rs *r) {
    uint32_t count = 1 + rs_below(r, 4);
    RS_PICK(r, "BEGIN BATCH ", "BEGIN UNLOGGED BATCH ", "BEGIN BATCH USING TIMESTAMP 7 ");
    for (uint32_t i = 0; i < count; i++) {
        rs_write(r);
        rs_put(r, "; ");
    }
    rs_put(r, "APPLY BATCH");
}

/* ---- everything else ---- */

static inline void rs_other(rs *r) {
    RS_PICK(
        r, "USE tenants_t", "USE tenants_t__blue_m1", "USE system", "DESCRIBE KEYSPACES",
        "DESCRIBE TABLES", "DESCRIBE KEYSPACE", "DESCRIBE SCHEMA", "DESCRIBE CLUSTER",
        "DESCRIBE TABLE users", "DESCRIBE KEYSPACE tenants_t__acme",
        "DESCRIBE tenants_t__blue_m1.users", "DESCRIBE TABLE acme__users",
        "SELECT * FROM system_schema.tables", "SELECT * FROM system_schema.columns",
        "SELECT keyspace_name FROM system_schema.keyspaces", "SELECT * FROM system_schema.types",
        "SELECT * FROM system_schema.indexes", "SELECT * FROM system.local",
        "SELECT * FROM system_views.settings", "LIST ROLES", "CREATE ROLE x",
        "GRANT ALL ON ALL KEYSPACES TO x", "DROP KEYSPACE tenants_t",
        "DROP KEYSPACE tenants_t__blue_m1", "ALTER KEYSPACE tenants_t WITH durable_writes = false",
        "DROP TABLE tenants_t__acme.users", "TRUNCATE tenants_t__blue_m1.users",
        "TRUNCATE acme__users", "DROP TABLE IF EXISTS tenants",
        "ALTER TABLE IF EXISTS tenants ADD x int", "CREATE INDEX ON tenants (state)",
        "ALTER TABLE users DROP IF EXISTS tenant_id", "ALTER TABLE users ADD tenant_id int",
        "DROP TABLE countries", "TRUNCATE votes", "DROP TYPE address",
        "UPDATE tenants SET state = 'x' WHERE id = 'acme'",
        "CREATE FUNCTION f(a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return a;'",
        "CREATE TRIGGER t ON users USING 'x'", "SELECT tenants_t__acme.f(1) FROM users");
}

/* What changes the schema takes long: seldom. */
static inline void rs_schema(rs *r) {
    RS_PICK(
        r, "CREATE TABLE extra (id int PRIMARY KEY, name text)",
        "CREATE TABLE IF NOT EXISTS extra (id int, b text, PRIMARY KEY ((id, b)))",
        "DROP TABLE IF EXISTS extra", "ALTER TABLE users ADD IF NOT EXISTS more int",
        "CREATE INDEX IF NOT EXISTS extra_name ON extra (name)", "DROP INDEX IF EXISTS extra_name",
        "CREATE TYPE IF NOT EXISTS t2 (a int, b frozen<address>)", "TRUNCATE events",
        "TRUNCATE extra", "ALTER TABLE users WITH comment = 'x'",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS by_name AS SELECT id, name FROM users WHERE name IS NOT NULL AND id IS NOT NULL PRIMARY KEY (name, id)",
        "SELECT * FROM by_name", "DROP MATERIALIZED VIEW IF EXISTS by_name");
}

/* One character less or another; not in a value that would be written, whose mark it would take away, and no arithmetic, which
 * would do so too. */
static inline void rs_damage(rs *r) {
    static const char some[] = "'\"(){}[].,;:?= \n$0az_\\";
    const char       *text = base__buf_cstr(&r->text);
    size_t            most = text[0] == 'S' ? r->text.len : strcspn(text, "'-0123456789?");
    size_t            at = most > 0 ? rs_below(r, (uint32_t)most) : 0;
    if (rs_one_in(r, 2)) {
        r->text.data[at] = (uint8_t)some[rs_below(r, sizeof some - 1)];
    } else {
        memmove(r->text.data + at, r->text.data + at + 1, r->text.len - at - 1);
        r->text.len--;
    }
}

static inline const char *rs_next(rs *r) {
    base__buf_clear(&r->text);
    r->count = 0;
    r->markers = rs_one_in(r, 3);
    uint32_t pick = rs_below(r, 1000);
    if (pick < 450) {
        rs_select(r);
    } else if (pick < 850) {
        rs_write(r);
    } else if (pick < 930) {
        rs_batch(r);
    } else if (pick < 998) {
        rs_other(r);
    } else {
        rs_schema(r);
    }
    if (rs_one_in(r, 25)) rs_damage(r);
    return base__buf_cstr(&r->text);
}

#endif
