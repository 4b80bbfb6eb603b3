// SPDX-License-Identifier: MIT
/* catalogue.c -- the catalogue's CSV file into products. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "shop.h"

enum { COLUMNS = 8, LINE_SIZE = 4096, MAX_TAGS = 16 };

/* Cuts one line into fields in place: quoted fields lose their quotes, doubled quotes become one. */
static int cut_fields(char *line, char *fields[COLUMNS]) {
    int   count = 0;
    char *at = line, *out;
    while (count < COLUMNS) {
        bool quoted = *at == '"';
        if (quoted) at++;
        fields[count++] = out = at;
        for (; *at && (quoted || *at != ','); *out++ = *at++) {
            if (quoted && *at == '"' && *++at != '"') quoted = false;
            if (!quoted && *at == ',') break;
            if (!*at) break;
        }
        char end = *at++;
        *out = '\0';
        if (end != ',') break;
    }
    return count;
}

/* "{'a', 'b'}" into texts that point into it. */
static corm_set cut_tags(char *text, corm_value items[MAX_TAGS]) {
    corm_set tags = { items, 0 };
    for (char *open = strchr(text, '\''); open && tags.count < MAX_TAGS;
         open = strchr(open, '\'')) {
        char *close = strchr(++open, '\'');
        if (!close) break;
        *close = '\0';
        items[tags.count++] = corm_of_text(open);
        open = close + 1;
    }
    return tags;
}

static corm_status add_product(corm_db *db, char *fields[COLUMNS], corm_error *err) {
    corm_value   tags[MAX_TAGS];
    corm_decimal price;
    corm_status  status = corm_decimal_parse(fields[3], &price, err);
    if (status != CORM_OK) return status;
    product row = {
        .sku = fields[0],
        .name = fields[1],
        .description = fields[2],
        .price = price,
        .category = fields[4],
        .tags = cut_tags(fields[5], tags),
        .inventory_count = (int32_t)strtol(fields[6], NULL, 10),
        .rating = strtof(fields[7], NULL),
    };
    return corm_save(db, &products, &row, { .error = err });
}

corm_status shop_load_catalogue(corm_db *db, const char *path, uint32_t *count, corm_error *err) {
    char  line[LINE_SIZE];
    FILE *file = fopen(path, "r");
    *count = 0;
    if (!file) {
        *err = (corm_error){ .status = CORM_IO };
        snprintf(err->message, sizeof err->message, "%s: %s", path, strerror(errno));
        return CORM_IO;
    }
    for (uint32_t number = 1; fgets(line, sizeof line, file); number++) {
        char      *fields[COLUMNS];
        corm_error problem = { 0 };
        line[strcspn(line, "\r\n")] = '\0';
        if (number == 1) continue;
        if (cut_fields(line, fields) != COLUMNS)
            printf("  line %u of the catalogue has not %d fields\n", (unsigned)number, COLUMNS);
        else if (add_product(db, fields, &problem) != CORM_OK)
            printf("  line %u of the catalogue: %s\n", (unsigned)number, problem.message);
        else
            ++*count;
    }
    fclose(file);
    return CORM_OK;
}
