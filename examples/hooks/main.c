// SPDX-License-Identifier: MIT
/* Hooks that normalise, refuse and wait; events of what was written: docs/hooks.md, docs/events.md. */
#include <corm/corm.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static corm_error err;

static void must(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

typedef struct user {
    int32_t id;
    char    email[64], card[20];
} user;

/* ---- before: a change, and a refusal ---- */

static corm_status lower(corm_hook_call *call, void *context, corm_error *error) {
    user *u = call->row;
    (void)context, (void)error;
    for (char *c = u->email; *c; c++) *c = (char)tolower((unsigned char)*c);
    return CORM_OK;
}

static corm_status keep_admin(corm_hook_call *call, void *context, corm_error *error) {
    const user *u = call->row;
    (void)context;
    if (u->id != 1) return CORM_OK;
    snprintf(error->message, sizeof error->message, "the admin stays");
    return CORM_UNAUTHORIZED;
}

/* ---- a function that needs time: another thread finishes it ---- */

static void *ask_elsewhere(void *ticket) {
    corm_hook_call *call = corm_hook_hold(ticket);
    if (call)
        printf("%s of user %d is let through\n", corm_action_name(call->action),
               ((user *)call->row)->id);
    corm_hook_done(ticket, CORM_OK, NULL);
    return NULL;
}

static pthread_t asker;

static corm_status ask(corm_hook_call *call, void *context, corm_error *error) {
    corm_hook_ticket *ticket = corm_hook_later(call);
    (void)context, (void)error;
    if (!ticket) return CORM_NO_MEMORY;
    return pthread_create(&asker, NULL, ask_elsewhere, ticket) == 0 ? CORM_OK : CORM_NO_MEMORY;
}

static const corm_model_hook user_hooks[] = {
    { .name = "lower", .on = CORM_ON_INSERT | CORM_ON_UPDATE, .before = lower },
    { .name = "ask", .on = CORM_ON_INSERT, .before = ask, .order = 10, .timeout_ms = 2000 },
    { .name = "keep admin", .on = CORM_ON_DELETE, .before = keep_admin },
    { 0 },
};

#define COL(member) CORM_COLUMN(user, member)
static const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(email) },
                { COL(card), .shown = CORM_MASKED_PARTLY } },
    .hooks = user_hooks,
};
#undef COL

static void tell(const corm_event *event, void *context) {
    char *json = corm_event_json(event);
    (void)context;
    printf("%s %s card %s\n", event->type, event->subject, corm_event_value(event, "card"));
    free(json);
}

int main(void) {
    corm_db     *db;
    corm_events *events;
    must(corm_events_open(&events, &err));
    must(corm_events_subscribe(events, "row.*", tell, NULL, NULL, NULL, &err));
    must(corm_open(&db, "corm::memory:",
                   { .session = { .keyspace = "shop", .create_keyspace = true },
                     .events = events,
                     .error = &err }));
    user u = { 1, "Ada@Example.ORG", "4111222233334444" };
    must(corm_insert(db, &users, &u, { .error = &err }));
    pthread_join(asker, NULL);
    printf("written as %s\n", u.email);
    corm_status status = corm_delete(db, &users, &u, { .error = &err });
    printf("%s: %s\n", corm_status_name(status), err.message);
    corm_db_close(db);
    corm_events_close(events);
    return status == CORM_UNAUTHORIZED ? 0 : 1;
}
