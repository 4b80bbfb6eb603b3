// SPDX-License-Identifier: MIT
/* hook.h -- the chains of hooks, and a call on its way through one. A model without hooks has no chain: one load and one branch.
 *
 *   db.hooks       entry -> entry -> …          as they were added; under db.hook_lock
 *   model.chain    sorted entries, immutable, counted; made anew when one is added or removed */
#ifndef ORM_HOOK_H
#define ORM_HOOK_H

#include "corm/hook.h"
#include "orm/core.h"

typedef struct orm_hook_entry orm_hook_entry;
struct orm_hook_entry {
    orm_hook_entry   *next;
    atomic_uint       refs;
    const corm_model *model; /* NULL: all */
    corm_model_hook   hook;  /* its name is behind the struct */
};

struct orm_chain {
    atomic_uint     refs;
    uint32_t        actions; /* of all its entries */
    uint32_t        count;
    orm_hook_entry *entries[];
};

/* One reference for the caller, or NULL. */
orm_chain *orm__chain_take(orm_model *model);
void       orm__chain_give(orm_chain *chain);

enum { ORM_FEW_HOOKS = 8, ORM_MOST_HOOK_DEPTH = 8 };

/* One operation's way through a chain. */
typedef struct orm_hook_run {
    corm_hook_call    call;  /* first */
    orm_chain        *chain; /* one reference */
    uint32_t          begun; /* entries whose before function has passed */
    bool              cannot_wait;
    corm_hook_ticket *ticket;
    void            **data, *few[ORM_FEW_HOOKS];
} orm_hook_run;

static inline bool orm__hooked(const orm_model *model) {
    return atomic_load_explicit(&model->chain, memory_order_acquire) != NULL;
}

/* Whether a hook of the model is called for one of the actions. */
bool orm__hooks_on(const orm_model *model, uint32_t actions);

/* False, and nothing to be closed: no hook is called for it. */
CORM_CHECKED corm_status orm__hooks_open(orm_model *model, corm_action action, orm_hook_run *run,
                                         bool *opened, corm_error *err);
/* Calls the before functions. */
CORM_CHECKED corm_status orm__hooks_before(orm_hook_run *run, corm_error *err);
/* Calls the after functions with the outcome, and closes: the status that the caller sees. *err is never NULL and holds the
 * error of a failure. */
corm_status orm__hooks_after(orm_hook_run *run, corm_status status, corm_error *err);

/* A row's validation without a write, through the model's own hooks. */
typedef corm_status      orm_check_function(const orm_model *model, const void *row,
                                            corm_violations *violations, corm_error *err);
CORM_CHECKED corm_status orm__check_hooked(orm_model *model, const void *row,
                                           corm_violations *violations, orm_check_function *run,
                                           corm_error *err);

/* Builds the chain of a new model and puts it into the db's list. */
CORM_CHECKED corm_status orm__hooks_publish(corm_db *db, orm_model *model, corm_error *err);
/* The chain of the model's own hooks, for one that is in no db. */
CORM_CHECKED corm_status orm__hooks_declare(orm_model *model, corm_error *err);
void                     orm__hooks_forget(orm_model *model);
void                     orm__hooks_free(corm_db *db);

/* The path that writes of this thread have from here on; gives the one before, which is to be set again. */
corm_path orm__path_enter(corm_path path);

/* ---- around operations ---- */

typedef corm_status orm_write_function(orm_write *write);

/* A write through its hooks. */
CORM_CHECKED corm_status orm__write_hooked(orm_write *write, orm_write_function *run);
/* The same of one that is added to a batch: its after functions are called when the batch has run. */
CORM_CHECKED corm_status orm__add_hooked(orm_write *write, corm_batch *batch,
                                         corm_status (*add)(orm_write *write, corm_batch *batch));
/* The columns and the validation of a write. */
CORM_CHECKED corm_status orm__validate_hooked(orm_write *write, orm_write_function *run);

CORM_CHECKED corm_status orm__find_hooked(orm_model *model, corm_rows **out,
                                          const corm_find_options *options);
CORM_CHECKED corm_status orm__find_key_hooked(orm_model *model, corm_rows **out,
                                              const corm_value *key, uint32_t count,
                                              corm_error *err);
typedef corm_status      orm_count_function(orm_model *model, uint64_t *out,
                                            const corm_find_options *options);
CORM_CHECKED corm_status orm__count_hooked(orm_model *model, uint64_t *out,
                                           const corm_find_options *options,
                                           orm_count_function      *run);
typedef corm_status      orm_query_function(orm_model *model, const char *cql, corm_rows **out,
                                            const corm_execute_options *options);
CORM_CHECKED corm_status orm__query_hooked(orm_model *model, const char *cql, corm_rows **out,
                                           const corm_execute_options *options,
                                           orm_query_function         *run);
typedef corm_status      orm_delete_function(orm_model *model, const corm_find_options *where);
CORM_CHECKED corm_status orm__delete_where_hooked(orm_model *model, const corm_find_options *where,
                                                  orm_delete_function *run);
/* The after functions of a find, for the next page of its rows. */
CORM_CHECKED corm_status orm__page_hooked(corm_rows *rows, corm_error *err);
/* A copy of the struct whose columns own all that they point to, in the arena. */
CORM_CHECKED corm_status orm__row_copy(const orm_model *model, const void *row, base_arena *arena,
                                       void **out, corm_error *err);

#endif
