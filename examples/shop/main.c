// SPDX-License-Identifier: MIT
/* main.c -- the life of a shop: a catalogue, customers, refused rows, a search, an order, pages.
 *
 * Usage: example_shop [URI]; without one the folder ./shop. The folder stays: `corm shell corm:./shop` opens it. */
#include <stdio.h>
#include <stdlib.h>

#include "shop.h"

static corm_db *db;

/* What goes wrong ends the program, with the library's own words. */
static void must(corm_status status, const corm_error *err, const char *what) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(status), err->message);
    exit(1);
}

static void title(const char *text) {
    printf("\n%s\n", text);
}

static void open_shop(const char *uri) {
    corm_error err = { 0 };
    printf("Opening %s\n", uri);
    must(corm_open(&db, uri,
                   { .session = { .keyspace = "shop", .create_keyspace = true }, .error = &err }),
         &err, "open");
    must(corm_load(db, &customers, &err), &err, "customers");
    must(corm_load(db, &products, &err), &err, "products");
    must(corm_load(db, &orders, &err), &err, "orders");
    printf("  tables customers, products and orders fit their models\n");
}

static void load_catalogue(const char *path) {
    corm_error err = { 0 };
    uint32_t   count;
    uint64_t   total;
    title("The catalogue");
    must(corm_count(db, &products, &total, { .error = &err }), &err, "count");
    if (total) {
        printf("  is there already: %llu products\n", (unsigned long long)total);
        return;
    }
    must(shop_load_catalogue(db, path, &count, &err), &err, "catalogue");
    printf("  %u products read from %s\n", (unsigned)count, "catalogue.csv");
}

static void show_customer(const customer *who) {
    char id[37];
    corm_uuid_format(who->id, id);
    printf("  %s <%s> is customer %s\n", who->name, who->email, id);
}

/* Signs up, or finds who signed up in an earlier run. */
static corm_uuid sign_up(void) {
    corm_error err = { 0 };
    corm_rows *rows;
    customer   ada = {
          .email = "ada@example.com",
          .name = "Ada Lovelace",
          .phone = "+44 20 7946 0018",
          .address = corm_map_of(corm_v("street"), corm_v("12 St James's Square"), corm_v("city"),
                                 corm_v("London")),
          .preferences = corm_map_of(corm_v("newsletter"), corm_v("weekly")),
    };
    title("A customer signs up");
    corm_status status = corm_insert(db, &customers, &ada, { .error = &err });
    if (status == CORM_OK) {
        show_customer(&ada);
        return ada.id;
    }
    if (status != CORM_NOT_UNIQUE) must(status, &err, "sign up");
    must(corm_find_one(db, &customers, &rows,
                       { .where = { corm_eq("email", "ada@example.com") }, .error = &err }),
         &err, "find");
    const customer *known = corm_rows_first(rows);
    if (!known) must(CORM_NOT_FOUND, &err, "find");
    printf("  she signed up before\n");
    show_customer(known);
    corm_uuid id = known->id;
    corm_rows_free(rows);
    return id;
}

static void refuse_duplicate(void) {
    corm_error err = { 0 };
    customer   twin = { .email = "ada@example.com", .name = "Somebody Else" };
    title("The same email again");
    corm_status status = corm_insert(db, &customers, &twin, { .error = &err });
    if (status != CORM_NOT_UNIQUE) must(CORM_INVALID_ARGUMENT, &err, "a duplicate email was taken");
    printf("  refused: %s\n", err.message);
}

static void refuse_invalid(void) {
    corm_error      err = { 0 };
    corm_violations wrong = { 0 };
    customer        nobody = { .email = "not an address", .name = "X", .phone = "call me" };
    title("A row that breaks several rules");
    corm_status status =
        corm_insert(db, &customers, &nobody, { .violations = &wrong, .error = &err });
    if (status != CORM_VALIDATION)
        must(CORM_INVALID_ARGUMENT, &err, "an invalid customer was taken");
    for (uint32_t i = 0; i < wrong.count; i++)
        printf("  %s: %s\n", wrong.items[i].field, wrong.items[i].message);
}

static void show_products(const corm_rows *rows) {
    for (CORM_EACH(product, p, rows)) {
        char price[32];
        corm_decimal_format(&p->price, price, sizeof price);
        printf("  %-10s %-32s %8s  rated %.1f, %d in stock\n", p->sku, p->name, price,
               (double)p->rating, (int)p->inventory_count);
    }
}

static void search(void) {
    corm_error err = { 0 };
    corm_rows *rows;
    title("Search: kitchen, rated 4.5 and better, the best first");
    must(corm_find(db, &products, &rows,
                   { .where = { corm_eq("category", "kitchen"), corm_gte("rating", 4.5f) },
                     .order_by = { { "rating", .descending = true } },
                     .limit = 5,
                     .allow_filtering = true,
                     .error = &err }),
         &err, "search");
    show_products(rows);
    corm_rows_free(rows);

    title("Search: names with \"Kettle\"");
    must(corm_find(db, &products, &rows,
                   { .where = { corm_like("name", "%Kettle%") },
                     .limit = 3,
                     .allow_filtering = true,
                     .error = &err }),
         &err, "search");
    show_products(rows);
    corm_rows_free(rows);
}

/* Takes one from the stock, if it is as it was seen: a lightweight transaction. */
static void take_from_stock(const product *p) {
    corm_error err = { 0 };
    product    change = { .id = p->id, .inventory_count = p->inventory_count - 1 };
    must(corm_update(db, &products, &change,
                     { .only = { "inventory_count" },
                       .condition = { corm_eq("inventory_count", p->inventory_count) },
                       .error = &err }),
         &err, "stock");
}

static void place_order(corm_uuid customer_id) {
    corm_error err = { 0 };
    corm_rows *rows;
    title("An order");
    must(corm_find_one(db, &products, &rows,
                       { .where = { corm_eq("category", "toys"), corm_gt("inventory_count", 0) },
                         .allow_filtering = true,
                         .error = &err }),
         &err, "find");
    const product *toy = corm_rows_first(rows);
    if (!toy) must(CORM_NOT_FOUND, &err, "a toy in stock");
    char price[32];
    corm_decimal_format(&toy->price, price, sizeof price);
    corm_map   item = corm_map_of(corm_v("sku"), corm_v(toy->sku), corm_v("quantity"), corm_v("1"),
                                  corm_v("price"), corm_v((const char *)price));
    shop_order order = {
        .customer_id = customer_id,
        .items = corm_list_of(corm_v(item)),
        .status = "pending",
        .total_amount = toy->price,
        .shipping_address = corm_map_of(corm_v("city"), corm_v("London")),
    };
    must(corm_insert(db, &orders, &order, { .error = &err }), &err, "order");
    take_from_stock(toy);
    printf("  ordered: %s for %s, %d left\n", toy->name, price, (int)toy->inventory_count - 1);

    shop_order paid = { .id = order.id, .status = "paid" };
    must(
        corm_update(db, &orders, &paid, { .only = { "status" }, .if_exists = true, .error = &err }),
        &err, "pay");
    corm_rows_free(rows);
}

static void show_orders(corm_uuid customer_id) {
    corm_error err = { 0 };
    corm_rows *rows;
    title("Her orders");
    must(corm_find(db, &orders, &rows,
                   { .where = { corm_eq("customer_id", customer_id) }, .error = &err }),
         &err, "orders");
    for (CORM_EACH(shop_order, o, rows)) {
        char when[40], total[32];
        corm_timestamp_format(o->created_at, when);
        corm_decimal_format(&o->total_amount, total, sizeof total);
        printf("  %s  %-8s %8s  %u item\n", when, o->status, total, (unsigned)o->items.count);
    }
    corm_rows_free(rows);
}

static void turn_pages(void) {
    corm_error err = { 0 };
    corm_rows *rows;
    uint32_t   pages = 1, seen;
    title("All products, 100 a page");
    must(corm_find(db, &products, &rows,
                   { .one_page = true, .request = { .page_size = 100 }, .error = &err }),
         &err, "page");
    for (seen = corm_rows_count(rows); corm_rows_has_more(rows);
         seen += corm_rows_count(rows), pages++)
        must(corm_rows_next_page(rows, &err), &err, "page");
    printf("  %u products on %u pages\n", (unsigned)seen, (unsigned)pages);
    corm_rows_free(rows);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_shop(argc > 1 ? argv[1] : "corm:./shop");
    load_catalogue(CORM_EXAMPLE_DIR "/catalogue.csv");
    corm_uuid ada = sign_up();
    refuse_duplicate();
    refuse_invalid();
    search();
    place_order(ada);
    show_orders(ada);
    turn_pages();
    corm_db_close(db);
    return 0;
}
