// SPDX-License-Identifier: MIT
/* main.c -- a test without a server: how a program behaves when a replica is slow, answers with an error, or is gone.
 * Linked with corm-testing and corm. */
#include <corm/corm.h>
#include <corm/testing.h>
#include <stdio.h>
#include <stdlib.h>

static corm_error err;

static void check(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

/* The code under test: greets a user by name, or "nobody". */
static void greet(corm_session *session) {
    corm_result *users = NULL;
    check(corm_execute(session, "SELECT name FROM users WHERE id = 1", &users, { .error = &err }));
    const corm_row *row = corm_result_next(users);
    corm_str        name = row ? corm_row_text(row, 0) : corm_str_of("nobody");
    printf("hello, %.*s\n", (int)name.len, name.data);
    corm_result_free(users);
}

int main(void) {
    corm_fake_cluster *fake = NULL;
    corm_session      *session = NULL;
    corm_fake_options  three = { .nodes = 3 };
    check(corm_fake_start(&fake, &three, &err));

    /* The first answer is an error, then there is a row. */
    corm_fake_rule unavailable = { .node = -1,
                                   .match = "FROM users",
                                   .times = 1,
                                   .error = CORM_UNAVAILABLE,
                                   .message = "too few replicas",
                                   .required = 2,
                                   .received = 1 };
    corm_fake_rule one_row = {
        .node = -1, .match = "FROM users", .columns = "name text", .rows = "'Ada'"
    };
    uint32_t failing = corm_fake_add_rule(fake, &unavailable);
    corm_fake_add_rule(fake, &one_row);

    corm_session_options options = { .keyspace = "shop" };
    check(corm_session_open(&session, corm_fake_uri(fake), &options, &err));
    greet(session);
    printf("%llu answer was \"unavailable\", and Corm asked another node\n",
           (unsigned long long)corm_fake_hits(fake, failing));

    corm_fake_kill(fake, 1);
    greet(session);

    char *last = corm_fake_last_request(fake, -1);
    printf("the last request:\n%s", last ? last : "");
    free(last);
    corm_session_close(session);
    corm_fake_stop(fake);
    return 0;
}
