// SPDX-License-Identifier: MIT
/* cascade.h -- what deleting a row does to the rows that it has. */
#ifndef ORM_CASCADE_H
#define ORM_CASCADE_H

#include "orm/relation.h"

/* The rows that are being deleted, from this one up to the first. Lives on the stack of the delete. */
struct orm_above {
    const orm_above *above;
    const orm_model *model;
    corm_str         key; /* as orm__key_bytes has it */
    uint32_t         depth;
};

/* The step of the chain, when write->deletes: refusals of the whole tree, then the rows that are had. */
CORM_CHECKED corm_status orm__cascade(orm_write *write);
/* The same for a delete that is added to a batch: it can be refused, and what takes other rows with it cannot be done. */
CORM_CHECKED corm_status orm__cascade_batch(orm_write *write);

/* write.c: deletes a row below others, through the whole chain. */
CORM_CHECKED corm_status orm__delete_below(corm_db *db, const corm_model *model, const void *row,
                                           const corm_write_options *options,
                                           const orm_above          *above);

#endif
