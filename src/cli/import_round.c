// SPDX-License-Identifier: MIT
/* import_round.c -- writes are sent without waiting, so that the store commits many at once; a round waits for all of its
 * own. Callbacks come on threads of the session. */
#include <stdlib.h>

#include "base/fail.h"
#include "cli/import.h"

import_round *cli__round_new(void) {
    import_round *round = calloc(1, sizeof *round);
    if (!round) return NULL;
    pthread_mutex_init(&round->lock, NULL);
    pthread_cond_init(&round->idle, NULL);
    return round;
}

static void wait_for_all(import_round *round) {
    pthread_mutex_lock(&round->lock);
    while (round->under_way) pthread_cond_wait(&round->idle, &round->lock);
    pthread_mutex_unlock(&round->lock);
}

static void begin_again(import_round *round) {
    for (uint32_t i = 0; i < round->count; i++) free(round->slots[i].error);
    round->count = 0;
    round->bytes = 0;
    base__arena_reset(&round->arena);
}

void cli__round_free(import_round *round) {
    if (!round) return;
    wait_for_all(round);
    begin_again(round);
    base__arena_free(&round->arena);
    pthread_cond_destroy(&round->idle);
    pthread_mutex_destroy(&round->lock);
    free(round);
}

bool cli__round_is_full(const import_round *round) {
    return round->count == IMPORT_ROUND || round->bytes > IMPORT_ROUND_BYTES;
}

/* Stands for the failure where there is no memory for its text. */
static corm_error *copy_error(corm_status status, const corm_error *error) {
    corm_error *copy = malloc(sizeof *copy);
    if (!copy) return NULL;
    if (error)
        *copy = *error;
    else
        base__fail(copy, status, "%s", corm_status_text(status));
    return copy;
}

static void on_done(void *context, corm_status status, corm_result *result,
                    const corm_error *error) {
    import_slot  *slot = context;
    import_round *round = slot->round;
    corm_error   *copy = status == CORM_OK ? NULL : copy_error(status, error);
    corm_result_free(result);
    pthread_mutex_lock(&round->lock);
    slot->error = copy;
    slot->failed = status != CORM_OK;
    if (--round->under_way == 0) pthread_cond_signal(&round->idle);
    pthread_mutex_unlock(&round->lock);
}

corm_status cli__round_send(import_round *round, corm_statement *statement, corm_str record,
                            uint64_t line, corm_error *err) {
    import_slot *slot = &round->slots[round->count];
    *slot = (import_slot){ .round = round, .line = line };
    slot->record = base__arena_str(&round->arena, record);
    if (!slot->record.data) return base__fail_memory(err);
    round->count++;
    round->bytes += record.len;
    pthread_mutex_lock(&round->lock);
    round->under_way++;
    pthread_mutex_unlock(&round->lock);
    corm_task *task = corm_run_async(statement, on_done, slot);
    if (task) {
        corm_task_free(task);
        return CORM_OK;
    }
    pthread_mutex_lock(&round->lock);
    round->under_way--;
    pthread_mutex_unlock(&round->lock);
    round->count--;
    return base__fail_memory(err);
}

/* Whether the record is to blame, not the store or the machine. */
static bool is_of_record(corm_status status) {
    return status == CORM_INVALID || status == CORM_INVALID_ARGUMENT || status == CORM_CONVERSION;
}

static corm_status finish_slot(const import_slot *slot, stream_rejects *rejects, uint64_t *written,
                               corm_error *err) {
    if (!slot->failed) {
        ++*written;
        return CORM_OK;
    }
    if (!slot->error) return base__fail_memory(err);
    if (!is_of_record(slot->error->status)) {
        if (err) *err = *slot->error;
        return slot->error->status;
    }
    corm_error reason = *slot->error;
    reason.line = (uint32_t)slot->line;
    reason.column = 1;
    return stream__reject(rejects, slot->record, &reason, err);
}

corm_status cli__round_finish(import_round *round, stream_rejects *rejects, uint64_t *written,
                              corm_error *err) {
    corm_status status = CORM_OK;
    wait_for_all(round);
    for (uint32_t i = 0; i < round->count && status == CORM_OK; i++)
        status = finish_slot(&round->slots[i], rejects, written, err);
    begin_again(round);
    return status;
}
