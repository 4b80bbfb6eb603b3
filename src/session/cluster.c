// SPDX-License-Identifier: MIT
/* cluster.c -- the door to Cassandra or ScyllaDB: hands requests to the driver, which calls back on its loop's thread.
 *
 * Owns the driver's cluster. Any thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/driver.h"
#include "driver/prepared.h"
#include "session/uri.h"

typedef struct cluster_door {
    session_door    door; /* first */
    driver_cluster *cluster;
} cluster_door;

static driver_cluster *cluster_of(session_door *door) {
    return ((cluster_door *)door)->cluster;
}

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    return driver__execute(cluster_of(door), keyspace, request, answer, err);
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    driver__submit(cluster_of(door), keyspace, request, answer, callback, context);
}

static bool in_callback(session_door *door) {
    return driver__in_callback(cluster_of(door));
}

static void turn(session_door *door) {
    driver__turn(cluster_of(door));
}

static void cancel(session_door *door, void *context) {
    driver__cancel(cluster_of(door), context);
}

static corm_status stats(session_door *door, const corm_stats **out, corm_error *err) {
    return driver__stats(cluster_of(door), out, err);
}

static corm_status agree(session_door *door, uint32_t timeout_ms, corm_error *err) {
    return driver__wait_for_agreement(cluster_of(door), timeout_ms, err);
}

static corm_status tokens(session_door *door, int64_t **out, uint32_t *count, corm_error *err) {
    return driver__tokens(cluster_of(door), out, count, err);
}

static const corm_cluster_options *options(session_door *door) {
    return &driver__settings(cluster_of(door))->options;
}

static void close_door(session_door *door) {
    driver__close(cluster_of(door));
    free(door);
}

#define COMMON                                                                                     \
    .execute = execute, .submit = submit, .prepared_ref = driver__prepared_ref,                    \
    .prepared_unref = driver__prepared_unref, .close = close_door, .asynchronous = true,           \
    .in_callback = in_callback, .cancel = cancel, .stats = stats, .agree = agree,                  \
    .tokens = tokens, .options = options

static const session_door_ops with_thread = { COMMON };
static const session_door_ops on_callers_loop = { COMMON, .turn = turn };

static corm_status check_options(const session_uri *uri, corm_error *err) {
    if (uri->cluster._canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the cluster options are not initialised");
    }
    if (!uri->options.read_only) return CORM_OK;
    return base__fail(err, CORM_UNSUPPORTED,
                      "read_only is the embedded store's; a cluster has roles and permissions");
}

static corm_status connect(const session_uri *uri, driver_cluster **out, corm_error *err) {
    driver_settings settings;
    corm_status     status = driver__settings_make(uri->contacts, uri->contact_count, &uri->cluster,
                                                   uri->options.consistency, &settings, err);
    if (status == CORM_OK) return driver__open(&settings, out, err);
    driver__settings_free(&settings);
    return status;
}

corm_status session__open_cluster(const session_uri *uri, session_door **out, corm_error *err) {
    CORM_TRY(check_options(uri, err));
    cluster_door *door = calloc(1, sizeof *door);
    if (!door) return base__fail_memory(err);
    corm_status status = connect(uri, &door->cluster, err);
    if (status != CORM_OK) {
        free(door);
        return status;
    }
    door->door.ops = driver__has_own_thread(door->cluster) ? &with_thread : &on_callers_loop;
    *out = &door->door;
    return CORM_OK;
}
