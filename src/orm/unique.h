// SPDX-License-Identifier: MIT
/* unique.h -- claims on unique values: the statements on the table of reservations, and the
 * steps of a write. */
#ifndef ORM_UNIQUE_H
#define ORM_UNIQUE_H

#include "orm/core.h"

typedef enum orm_unique_statement {
    UNIQUE_RESERVE,
    UNIQUE_CONFIRM,
    UNIQUE_MOVE,
    UNIQUE_RELEASE,
    UNIQUE_LOOK
} orm_unique_statement;

/* One value of one row. */
typedef struct orm_claim {
    orm_model       *model;
    const orm_field *field;
    cql_value        value, owner;
    int32_t          ttl_seconds; /* of the reservation; 0: none */
    int64_t          until_ms;    /* while this write has it pending */
    base_arena      *arena;
} orm_claim;

/* What a transaction found. */
typedef struct orm_holder {
    bool      applied;
    bool      found;
    cql_value owner;
    bool      is_pending;
    int64_t   until_ms;
} orm_holder;

/* IF NOT EXISTS; *out has the holder when it was not applied. */
CORM_CHECKED corm_status orm__unique_reserve(orm_claim *claim, int64_t until_ms, orm_holder *out,
                                             corm_error *err);
/* Not pending any more, IF it is still as `from` has it; *out tells, and has the holder when it was not applied. */
CORM_CHECKED corm_status orm__unique_confirm(orm_claim *claim, const orm_holder *from,
                                             orm_holder *out, corm_error *err);
/* Owner and pending anew, with the claim's TTL, likewise. */
CORM_CHECKED corm_status orm__unique_move(orm_claim *claim, const orm_holder *from,
                                          const orm_holder *to, orm_holder *out, corm_error *err);
/* Gives back what this write has pending until claim->until_ms, IF it still has it. */
CORM_CHECKED corm_status orm__unique_release(orm_claim *claim, corm_error *err);

/* A row's key as one value, and back. */
CORM_CHECKED corm_status orm__unique_pack_key(const orm_model *model, const cql_value *key,
                                              base_arena *arena, cql_value *out, corm_error *err);
CORM_CHECKED corm_status orm__unique_unpack_key(const orm_model *model, cql_value owner,
                                                base_arena *arena, cql_value **out,
                                                corm_error *err);

#endif
