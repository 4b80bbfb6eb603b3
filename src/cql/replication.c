// SPDX-License-Identifier: MIT
/* replication.c -- the replication option of keyspaces. There is one node in one datacenter, but
 * the options are those of a cluster: they are checked, filled up and kept as the server does.
 * Pure; any thread. */
#include "cql/replication.h"

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/schema_build.h"

#define PACKAGE "org.apache.cassandra.locator"
#define FACTOR "replication_factor"
#define DATACENTER "datacenter1"

typedef struct number_of_copies {
    int32_t     copies;
    corm_str    bad;    /* what was no number; data NULL: none was */
    const char *reason; /* NULL: fine, or `bad` says it */
} number_of_copies;

/* "3"; "3/1" asks for transient copies, which a node must allow first. */
static number_of_copies parse_factor(corm_str text) {
    number_of_copies out = { 0, { NULL, 0 }, NULL };
    const char      *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
    corm_str         full = { text.data, slash ? (size_t)(slash - text.data) : text.len };
    corm_str         rest = { slash ? slash + 1 : text.data, slash ? text.len - full.len - 1 : 0 };
    int32_t          transient = 0;
    if (slash && (rest.len == 0 || memchr(rest.data, '/', rest.len))) {
        out.reason = "Replication factor format is <replicas> or <replicas>/<transient>";
    } else if (!cql__java_int(full, &out.copies)) {
        out.bad = full;
    } else if (slash && !cql__java_int(rest, &transient)) {
        out.bad = rest;
    } else if (transient != 0) {
        out.reason = "Transient replication is not enabled on this node";
    }
    return out;
}

static bool is_fine(const number_of_copies *number) {
    return !number->bad.data && !number->reason && number->copies >= 0;
}

static corm_status check_factor(const cql_option_context *c, corm_str text, int32_t *out) {
    number_of_copies number = parse_factor(text);
    *out = number.copies;
    if (number.reason) return base__fail(c->err, CORM_CONFIG_ERROR, "%s", number.reason);
    if (number.bad.data) {
        return base__fail(c->err, CORM_CONFIG_ERROR, "For input string: \"%.*s\"",
                          CQL_S(number.bad));
    }
    if (number.copies >= 0) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Replication factor must be non-negative, found %d", number.copies);
}

/* ---- filling up ---- */

static corm_status fill_simple(const cql_option_context *c, cql_map_option *options,
                               const cql_map_option *before) {
    if (cql__map_option_get(options, FACTOR).data) return CORM_OK;
    corm_str factor = before ? cql__map_option_get(before, FACTOR) : (corm_str){ NULL, 0 };
    return cql__map_add(c, options, corm_str_of(FACTOR), factor.data ? factor : corm_str_of("1"));
}

static bool has_name(const cql_map_option *options, corm_str name) {
    for (uint32_t i = 0; i < options->count; i++) {
        if (corm_str_equal(options->pairs[2 * i], name)) return true;
    }
    return false;
}

/* Datacenters of before stay unless they are said again. */
static corm_status keep_datacenters(const cql_option_context *c, cql_map_option *options,
                                    const cql_map_option *before) {
    for (uint32_t i = 0; before && i < before->count; i++) {
        corm_str name = before->pairs[2 * i];
        bool     is_datacenter = !corm_str_equal(name, corm_str_of("class")) &&
                             !corm_str_equal(name, corm_str_of(FACTOR));
        if (!is_datacenter || has_name(options, name)) continue;
        CORM_TRY(cql__map_add(c, options, name, before->pairs[2 * i + 1]));
    }
    return CORM_OK;
}

static void drop_zeros(cql_map_option *options) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < options->count; i++) {
        if (corm_str_equal(options->pairs[2 * i + 1], corm_str_of("0"))) continue;
        options->pairs[2 * kept] = options->pairs[2 * i];
        options->pairs[2 * kept + 1] = options->pairs[2 * i + 1];
        kept++;
    }
    options->count = kept;
}

/* A replication factor stands for every datacenter. One that is no number leaves the
 * rest undone. */
static corm_status fill_topology(const cql_option_context *c, cql_map_option *options,
                                 const cql_map_option *before) {
    corm_str factor;
    if (options->count == 0) CORM_TRY(fill_simple(c, options, before));
    CORM_TRY(cql__map_take(c, options, FACTOR, &factor, options));
    if (factor.data) {
        CORM_TRY(keep_datacenters(c, options, before));
        number_of_copies number = parse_factor(factor);
        if (!is_fine(&number)) return CORM_OK;
        if (!has_name(options, corm_str_of(DATACENTER))) {
            corm_str text = base__arena_printf(c->arena, "%d", number.copies);
            if (!text.data) return base__fail_memory(c->err);
            CORM_TRY(cql__map_add(c, options, corm_str_of(DATACENTER), text));
        }
    }
    drop_zeros(options);
    return CORM_OK;
}

static corm_status refuse_class(const cql_option_context *c, corm_str class) {
    if (corm_str_equal(class, corm_str_of(PACKAGE ".OldNetworkTopologyStrategy"))) {
        return base__fail(
            c->err, CORM_CONFIG_ERROR,
            "The support for the OldNetworkTopologyStrategy has been removed in C* version 4.0. "
            "The keyspace strategy should be switch to NetworkTopologyStrategy");
    }
    return base__fail(c->err, CORM_CONFIG_ERROR, "Unable to find replication strategy class '%.*s'",
                      CQL_S(class));
}

corm_status cql__read_replication(const cql_option_context *c, const cql_map_option *in,
                                  const cql_map_option *before, cql_map_option *out, bool *local) {
    corm_str       name;
    cql_map_option options;
    CORM_TRY(cql__map_take(c, in, "class", &name, &options));
    corm_str class = cql__class_name(c->arena, PACKAGE, name);
    if (!class.data) return base__fail_memory(c->err);
    *local = corm_str_equal(class, corm_str_of(PACKAGE ".LocalStrategy"));
    if (corm_str_equal(class, corm_str_of(PACKAGE ".SimpleStrategy"))) {
        CORM_TRY(fill_simple(c, &options, before));
    } else if (corm_str_equal(class, corm_str_of(PACKAGE ".NetworkTopologyStrategy"))) {
        CORM_TRY(fill_topology(c, &options, before));
    } else if (!*local) {
        return refuse_class(c, class);
    }
    *out = (cql_map_option){ 0, NULL };
    CORM_TRY(cql__map_add(c, out, corm_str_of("class"), class));
    for (uint32_t i = 0; i < options.count; i++) {
        CORM_TRY(cql__map_add(c, out, options.pairs[2 * i], options.pairs[2 * i + 1]));
    }
    return CORM_OK;
}

/* ---- checking ---- */

static corm_status refuse_option(const cql_option_context *c, corm_str name, const char *strategy,
                                 corm_str keyspace) {
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Unrecognized strategy option {%.*s} passed to %s for keyspace %.*s",
                      CQL_S(name), strategy, CQL_S(keyspace));
}

static corm_status check_simple(const cql_option_context *c, corm_str keyspace,
                                const cql_map_option *replication, int32_t *replicas) {
    CORM_TRY(check_factor(c, cql__map_option_get(replication, FACTOR), replicas));
    for (uint32_t i = 1; i < replication->count; i++) {
        corm_str name = replication->pairs[2 * i];
        if (!corm_str_equal(name, corm_str_of(FACTOR)))
            return refuse_option(c, name, "SimpleStrategy", keyspace);
    }
    return CORM_OK;
}

static corm_status check_topology(const cql_option_context *c, corm_str keyspace,
                                  const cql_map_option *replication, int32_t *replicas) {
    for (uint32_t i = 1; i < replication->count; i++) {
        if (base__str_equal_nocase(replication->pairs[2 * i], corm_str_of(FACTOR))) {
            return base__fail(c->err, CORM_CONFIG_ERROR,
                              FACTOR " should not appear as an option at construction time for "
                                     "NetworkTopologyStrategy");
        }
        CORM_TRY(check_factor(c, replication->pairs[2 * i + 1], replicas));
    }
    if (replication->count <= 1) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Configuration for at least one datacenter must be present");
    }
    for (uint32_t i = 1; i < replication->count; i++) {
        corm_str name = replication->pairs[2 * i];
        if (c->anywhere || corm_str_equal(name, corm_str_of(DATACENTER))) continue;
        return refuse_option(c, name, "NetworkTopologyStrategy", keyspace);
    }
    return CORM_OK;
}

corm_status cql__check_replication(const cql_option_context *c, corm_str keyspace,
                                   const cql_map_option *replication, int32_t *replicas,
                                   corm_str *datacenter) {
    corm_str class = cql__map_option_get(replication, "class");
    bool simple = corm_str_equal(class, corm_str_of(PACKAGE ".SimpleStrategy"));
    *replicas = 1;
    *datacenter = simple ? (corm_str){ NULL, 0 } : corm_str_of(DATACENTER);
    return simple ? check_simple(c, keyspace, replication, replicas)
                  : check_topology(c, keyspace, replication, replicas);
}
