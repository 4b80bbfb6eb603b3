// SPDX-License-Identifier: MIT
/* shop.h -- the shop's rows and models, and what its parts offer each other. */
#ifndef SHOP_H
#define SHOP_H

#include <corm/corm.h>

typedef struct customer {
    corm_uuid      id;
    char          *email;
    char          *name;
    char          *phone;
    corm_map       address;
    corm_map       preferences;
    corm_timestamp created_at;
    corm_timestamp updated_at;
} customer;

typedef struct product {
    corm_uuid      id;
    char          *sku;
    char          *name;
    char          *description;
    corm_decimal   price;
    char          *category;
    corm_set       tags;
    int32_t        inventory_count;
    float          rating;
    corm_list      vector_embedding;
    corm_timestamp created_at;
    corm_timestamp updated_at;
} product;

typedef struct shop_order {
    corm_uuid      id;
    corm_uuid      customer_id;
    corm_list      items;
    char          *status;
    corm_decimal   total_amount;
    corm_map       shipping_address;
    corm_timestamp created_at;
    corm_timestamp updated_at;
} shop_order;

extern const corm_model customers, products, orders;

/* Reads the catalogue, a CSV file with a header line, into products; *count is how many. A line that is not one is
 * reported with its number and passed over. */
corm_status shop_load_catalogue(corm_db *db, const char *path, uint32_t *count, corm_error *err);

#endif
