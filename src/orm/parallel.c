// SPDX-License-Identifier: MIT
/* parallel.c -- requests in a ring of slots. Owns the tasks under way; their callbacks, on any thread, fill a slot each. */
#include "orm/parallel.h"

static void landed(void *context, corm_status status, corm_result *result,
                   const corm_error *error) {
    orm_slot *slot = context;
    slot->result = result;
    if (status != CORM_OK && error) slot->error = *error;
}

static corm_status collect(orm_parallel *p, orm_slot *slot) {
    if (!slot->task) return CORM_OK;
    corm_status status = corm_task_wait(slot->task, 0);
    corm_task_free(slot->task);
    slot->task = NULL;
    return p->answered(p->context, slot->request, status, slot->result, &slot->error);
}

static corm_status ask_here(orm_parallel *p, corm_statement *statement, uint32_t request) {
    corm_error   why = { 0 };
    corm_result *result = NULL;
    corm_status  status = corm_run(statement, &result, &why);
    return p->answered(p->context, request, status, result, &why);
}

corm_status orm__parallel_ask(orm_parallel *p, corm_statement *statement, uint32_t request) {
    if (!session__is_cluster(p->session)) return ask_here(p, statement, request);
    orm_slot *slot = &p->slots[p->next++ % ORM_WINDOW];
    CORM_TRY(collect(p, slot));
    *slot = (orm_slot){ .request = request };
    slot->task = corm_run_async(statement, landed, slot);
    return slot->task ? CORM_OK : base__fail_memory(p->err);
}

corm_status orm__parallel_end(orm_parallel *p) {
    for (uint32_t i = 0; i < ORM_WINDOW; i++) {
        CORM_TRY(collect(p, &p->slots[(p->next + i) % ORM_WINDOW]));
    }
    return CORM_OK;
}

void orm__parallel_stop(orm_parallel *p) {
    for (uint32_t i = 0; i < ORM_WINDOW; i++) {
        if (p->slots[i].task) corm_task_cancel(p->slots[i].task);
    }
    for (uint32_t i = 0; i < ORM_WINDOW; i++) {
        orm_slot *slot = &p->slots[i];
        if (!slot->task) continue;
        if (corm_task_wait(slot->task, 0) == CORM_OK) corm_result_free(slot->result);
        corm_task_free(slot->task);
        slot->task = NULL;
    }
}
