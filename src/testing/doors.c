// SPDX-License-Identifier: MIT
/* doors.c -- see doors.h. Owns the list of keyspaces to be dropped. One thread. */
#include "testing/doors.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_KEYSPACES = 16 };

static char names[MOST_KEYSPACES][64];
static char uris[MOST_KEYSPACES][512];

const char *testing__uri(void) {
    const char *uri = getenv("CORM_TEST_URI");
    return uri && *uri ? uri : "corm::memory:";
}

bool testing__is_cluster(void) {
    return strncmp(testing__uri(), "corm:", 5) != 0;
}

bool testing__is_served(void) {
    return getenv("CORM_TEST_SERVED") != NULL;
}

static corm_status drop(corm_session *session, const char *keyspace, corm_error *err) {
    char cql[128];
    snprintf(cql, sizeof cql, "DROP KEYSPACE IF EXISTS \"%s\"", keyspace);
    return corm_execute(session, cql, NULL, { .error = err });
}

static corm_session *open_plain(void) {
    char          uri[512];
    corm_session *session = NULL;
    corm_error    err;
    snprintf(uri, sizeof uri, "%s/?pool_size=1&pool_max_size=1", testing__uri());
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    return session;
}

/* At the end of the program: a failure is nobody's any more. */
static void drop_all(void) {
    corm_session *session = NULL;
    char          uri[512];
    corm_error    err;
    snprintf(uri, sizeof uri, "%s/?pool_size=1&pool_max_size=1", testing__uri());
    if (corm_session_open(&session, uri, NULL, &err) != CORM_OK) return;
    for (int i = 0; i < MOST_KEYSPACES && *names[i]; i++) {
        if (drop(session, names[i], &err) != CORM_OK) fprintf(stderr, "%s\n", err.message);
    }
    corm_session_close(session);
}

/* The keyspace's place in the list. */
static int find(const char *keyspace) {
    for (int i = 0; i < MOST_KEYSPACES; i++) {
        if (!*names[i]) {
            if (i == 0) atexit(drop_all);
            snprintf(names[i], sizeof names[i], "%s", keyspace);
        }
        if (strcmp(names[i], keyspace) == 0) return i;
    }
    fail_msg("too many keyspaces");
    return 0;
}

const char *testing__fresh(const char *keyspace) {
    if (!testing__is_cluster()) return testing__uri();
    corm_error    err;
    int           at = find(keyspace);
    corm_session *session = open_plain();
    assert_ok(drop(session, keyspace, &err), err);
    corm_session_close(session);
    snprintf(uris[at], sizeof uris[at], "%s/?pool_size=2&pool_max_size=4", testing__uri());
    return uris[at];
}

corm_session *testing__open(const char *keyspace) {
    corm_session        *session = NULL;
    corm_error           err;
    corm_session_options options = { .keyspace = keyspace, .create_keyspace = true };
    assert_ok(corm_session_open(&session, testing__fresh(keyspace), &options, &err), err);
    return session;
}
