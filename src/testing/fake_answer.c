// SPDX-License-Identifier: MIT
/* fake_answer.c -- answers on their way: sent now, later, twice, damaged or in pieces.
 *
 * The cluster owns the answers that wait; one timer runs for all of them. The fake's thread. */
#include "testing/fake.h"

#include <stdlib.h>

fake_answer *fake__answer_new(fake_conn *conn, int16_t stream) {
    fake_answer *answer = calloc(1, sizeof *answer);
    if (!answer) {
        fake__conn_close(conn);
        return NULL;
    }
    answer->conn = conn;
    answer->stream = stream;
    answer->opcode = WIRE_OP_RESULT;
    return answer;
}

void fake__answer_free(fake_answer *answer) {
    if (!answer) return;
    wire__answer_free(&answer->answer);
    free(answer);
}

void fake__answer_error(fake_answer *answer, const wire_error *error) {
    answer->opcode = WIRE_OP_ERROR;
    base__buf_clear(&answer->answer.body);
    wire__put_error(&answer->answer.body, error, answer->conn->version);
}

void fake__answer_fail(fake_answer *answer, corm_status status, const char *message) {
    int32_t    code = corm_status_server_code(status);
    wire_error error = { .code = code < 0 ? 0 : code,
                         .status = code < 0 ? CORM_SERVER_ERROR : status,
                         .message = corm_str_of(message) };
    fake__answer_error(answer, &error);
}

static void send_now(fake_answer *answer) {
    fake_conn *conn = answer->conn;
    base_buf   whole = { 0 };
    uint8_t    flags = wire__prefix_flags(&answer->answer);
    wire__put_prefix(&whole, &answer->answer);
    base__buf_put(&whole, answer->answer.body.data, answer->answer.body.len);
    if (whole.failed || answer->answer.body.failed) {
        fake__conn_close(conn);
    } else {
        for (int i = answer->twice ? 0 : 1; i < 2 && !conn->closing; i++) {
            fake__conn_send(conn, flags, answer->stream, answer->opcode, base__buf_bytes(&whole),
                            answer->how);
        }
    }
    base__buf_free(&whole);
    fake__answer_free(answer);
}

void fake__answer_send(fake_answer *answer, uint32_t delay_ms) {
    corm_fake_cluster *fake = answer->conn->node->fake;
    if (delay_ms == 0) {
        send_now(answer);
        return;
    }
    answer->due_ms = uv_now(&fake->loop) + delay_ms;
    fake_answer **at = &fake->waiting;
    while (*at && (*at)->due_ms <= answer->due_ms) at = &(*at)->next;
    answer->next = *at;
    *at = answer;
    fake__answers_arm(fake);
}

void fake__answers_drop(fake_conn *conn) {
    fake_answer **at = &conn->node->fake->waiting;
    while (*at) {
        fake_answer *answer = *at;
        if (answer->conn != conn) {
            at = &answer->next;
            continue;
        }
        *at = answer->next;
        fake__answer_free(answer);
    }
}

/* The first that is due at a node that is not paused; taken out of the list. */
static fake_answer *take_due(corm_fake_cluster *fake) {
    uint64_t now = uv_now(&fake->loop);
    for (fake_answer **at = &fake->waiting; *at && (*at)->due_ms <= now; at = &(*at)->next) {
        fake_answer *answer = *at;
        if (answer->conn->node->paused) continue;
        *at = answer->next;
        answer->next = NULL;
        return answer;
    }
    return NULL;
}

void fake__answers_timer(uv_timer_t *timer) {
    corm_fake_cluster *fake = timer->data;
    fake_answer       *answer;
    while ((answer = take_due(fake))) send_now(answer);
    fake__answers_arm(fake);
}

void fake__answers_arm(corm_fake_cluster *fake) {
    const fake_answer *next = fake->waiting;
    while (next && next->conn->node->paused) next = next->next;
    if (!next) {
        uv_timer_stop(&fake->timer);
        return;
    }
    uint64_t now = uv_now(&fake->loop);
    uv_timer_start(&fake->timer, fake__answers_timer, next->due_ms > now ? next->due_ms - now : 0,
                   0);
}
