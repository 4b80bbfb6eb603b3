// SPDX-License-Identifier: MIT
/* models.c -- customers, products and orders: their tables and their rules. */
#include "shop.h"

#define COL(member) CORM_COLUMN(customer, member)
const corm_model customers = {
    .table = "customers",
    .row_size = sizeof(customer),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(email), .unique = true, .validate = { .required = true, .email = true } },
        { COL(name), .validate = { .required = true, .min_length = 2, .max_length = 80 } },
        { COL(phone), .validate = { .pattern = "^\\+?[0-9 ()-]{5,20}$", .message = "must be a telephone number" } },
        { COL(address) },
        { COL(preferences) },
        { COL(created_at), .generate = CORM_NEW_NOW },
        { COL(updated_at), .generate = CORM_EACH_NOW },
    },
};
#undef COL

#define COL(member) CORM_COLUMN(product, member)
const corm_model products = {
    .table = "products",
    .row_size = sizeof(product),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(sku), .unique = true, .validate = { .required = true, .pattern = "^[A-Z]{3}-[0-9]+$" } },
        { COL(name), .validate = { .required = true, .min_length = 2 } },
        { COL(description) },
        { COL(price), .validate = { .required = true, .has_min = true, .min = 0.01 } },
        { COL(category), .indexed = true, .validate = { .required = true } },
        { COL(tags) },
        { COL(inventory_count), .validate = { .has_min = true, .min = 0 } },
        { COL(rating), .validate = { .has_min = true, .min = 0, .has_max = true, .max = 5 } },
        { COL(vector_embedding), .cql = "list<float>" },
        { COL(created_at), .generate = CORM_NEW_NOW },
        { COL(updated_at), .generate = CORM_EACH_NOW },
    },
};
#undef COL

#define COL(member) CORM_COLUMN(shop_order, member)
const corm_model orders = {
    .table = "orders",
    .row_size = sizeof(shop_order),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_TIMEUUID, .cql = "timeuuid" },
        { COL(customer_id), .indexed = true, .validate = { .required = true } },
        { COL(items), .cql = "list<frozen<map<text, text>>>", .validate = { .required = true, .min_length = 1 } },
        { COL(status), .validate = { .required = true, .one_of = { "pending", "paid", "shipped", "delivered" } } },
        { COL(total_amount) },
        { COL(shipping_address) },
        { COL(created_at), .generate = CORM_NEW_NOW },
        { COL(updated_at), .generate = CORM_EACH_NOW },
    },
};
#undef COL
