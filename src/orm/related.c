// SPDX-License-Identifier: MIT
/* related.c -- what was read of relations, for the program. One thread at a time, as the rows. */
#include <stdlib.h>

#include "orm/relation.h"

void orm__related_free(corm_rows *rows) {
    for (uint32_t i = 0; i < rows->related_count; i++) {
        corm_rows_free(rows->related[i].rows);
        free(rows->related[i].ranges);
    }
    free(rows->related);
    rows->related = NULL;
    rows->related_count = 0;
}

corm_related corm_rows_related(const corm_rows *rows, uint32_t index, const char *relation) {
    for (uint32_t i = 0; rows && relation && i < rows->related_count; i++) {
        const orm_related *related = &rows->related[i];
        if (strcmp(related->relation->name.data, relation) != 0) continue;
        if (index >= related->parents) break;
        corm_related out = { .rows = related->rows,
                             .at = related->ranges[2 * (size_t)index],
                             .count = related->ranges[2 * (size_t)index + 1] };
        if (out.count > 0) out.first = corm_rows_at(related->rows, out.at);
        return out;
    }
    return (corm_related){ 0 };
}

corm_related corm_related_to(const corm_rows *rows, const void *row, const char *relation) {
    const uint8_t *at = row;
    if (!rows || !row || !rows->structs || at < rows->structs) return (corm_related){ 0 };
    size_t index = (size_t)(at - rows->structs) / rows->model->spec->row_size;
    if (index >= rows->count) return (corm_related){ 0 };
    return corm_rows_related(rows, (uint32_t)index, relation);
}

void *corm_related_one(const corm_rows *rows, const void *row, const char *relation) {
    return corm_related_to(rows, row, relation).first;
}

corm_populated corm_rows_populated(const corm_rows *rows) {
    corm_populated all = { 0 };
    for (uint32_t i = 0; rows && i < rows->related_count; i++) {
        const orm_related *related = &rows->related[i];
        corm_populated     below = corm_rows_populated(related->rows);
        all.passes += related->cost.passes + below.passes;
        all.requests += related->cost.requests + below.requests;
        all.keys += related->cost.keys + below.keys;
        all.rows += related->cost.rows + below.rows;
    }
    return all;
}
