// SPDX-License-Identifier: MIT
/* request_parts.h -- what the files around request.c share. The loop's thread.
 *
 *   request.c      begins, waits, ends          begin.c      what a request is: profile, route, timestamp, facts
 *   attempt.c      one message to one node      answer.c     what a RESULT changes
 *   failure.c      whether it is tried again    speculation.c  a second attempt beside the first
 *   prepare.c      PREPARE once for all         reprepare.c  UNPREPARED                       named.c  keyspaces in v4 */
#ifndef DRIVER_REQUEST_PARTS_H
#define DRIVER_REQUEST_PARTS_H

#include "base/fail.h"
#include "driver/request.h"

/* ---- request.c ---- */

/* Sends it to the next node that takes it; waits or ends when there is none. Not while an attempt is under way. */
void driver__request_go(driver_request *request);
/* Ends it. The request is gone behind this call. */
void driver__request_end(driver_request *request, corm_status status);
void driver__request_fail(driver_request *request, corm_status status, const char *format, ...)
    CORM_PRINTF(3, 4);
/* Whether an answer, or a statement to be prepared again, is waited for. */
static inline bool driver__request_is_busy(const driver_request *request) {
    return request->under_way > 0 || request->waits_for != NULL;
}
/* The next node is this one; NULL: the plan's next. */
void driver__request_aim(driver_request *request, driver_node *node);

/* ---- begin.c ---- */

/* Fills in `sent`, profile and statement. */
CORM_CHECKED corm_status driver__request_prepare(driver_request *request, corm_error *err);
void                     driver__request_plan(driver_request *request);
bool                     driver__request_is_idempotent(driver_request *request);

/* ---- attempt.c ---- */

typedef enum driver_sending {
    DRIVER_SENT,
    DRIVER_NO_ROOM, /* this node takes no request now */
    DRIVER_ENDED    /* it could not be written at all: the request has ended */
} driver_sending;
driver_sending driver__attempt_send(driver_request *request, driver_node *node, bool speculative);
/* Gives up on all answers; what is known of the nodes that owe them is noted when `late`. */
void driver__attempts_abandon(driver_request *request, bool late);
/* "127.0.0.1:9042, 127.0.0.2:9042" */
void driver__attempts_name(const driver_request *request, base_buf *out);

/* ---- answer.c ---- */

void driver__answer_result(driver_request *request, driver_attempt *attempt,
                           const wire_frame *frame);
/* Puts a cached statement into the answer. */
corm_status driver__answer_prepared(driver_request *request, driver_prepared *prepared);

/* ---- failure.c ---- */

/* A node answered ERROR, or (`lost`) its connection was lost, or its answer made no sense; request->error says what. */
void driver__failure_of_error(driver_request *request, driver_node *node, const wire_error *error);
void driver__failure_of_loss(driver_request *request, driver_node *node, corm_status status);
/* "127.0.0.1:9042: the words" behind what was tried before. */
void driver__note_tried(driver_request *request, const driver_node *node, const char *why);

/* ---- speculation.c ---- */

void driver__speculation_begin(driver_request *request, driver_node *node);

/* ---- prepare.c ---- */

/* Answers from the cache, follows another request (true: nothing is left to do), or leads. */
bool driver__prepare_begin(driver_request *request);
/* The leader has its statement, or failed with request->error. */
void driver__prepare_done(driver_request *request, driver_prepared *prepared);
void driver__prepare_end(driver_request *request, corm_status status);

/* ---- reprepare.c ---- */

/* The node does not know the statement with this id. */
void driver__reprepare(driver_request *request, driver_node *node, corm_bytes id);
void driver__reprepare_leave(driver_request *request);
void driver__reprepares_end(driver_cluster *cluster);

/* ---- named.c ---- */

/* Before v5: puts the keyspace into the texts of `sent`; *use when that is not possible and the connection is in another. */
CORM_CHECKED corm_status driver__name_keyspace(driver_request *request, const driver_conn *conn,
                                               bool *use, corm_error *err);
void                     driver__put_use(base_buf *body, corm_str keyspace);

/* ---- observe.c ---- */

bool driver__is_observed(const driver_settings *settings);
void driver__observe_end(driver_request *request, corm_status status, uint64_t latency_us);
void driver__observe_warnings(driver_request *request);

#endif
