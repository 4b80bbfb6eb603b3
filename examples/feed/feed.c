// SPDX-License-Identifier: MIT
/* feed.c -- a view that keeps itself: orders are written, and the change feed keeps the stock of each item up to date, exactly once, also
 * when the consumer is stopped and begins again.
 *
 * What the consumer makes of a change and the position behind it are one batch: either both are there, or the change comes
 * again. Here both live in the same folder; the consumer could as well have one of its own. */
#include <corm/corm.h>
#include <corm/feed.h>
#include <stdio.h>

static const char *const schema[] = {
    "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    ("CREATE TABLE shop.orders (customer int, number int, item text, pieces int, "
     "PRIMARY KEY (customer, number)) WITH cdc = true"),
    "CREATE TABLE shop.sold (item text PRIMARY KEY, pieces int)",
    "CREATE TABLE shop.progress (consumer text PRIMARY KEY, position text)",
};

static const char *const orders[] = {
    "INSERT INTO shop.orders (customer, number, item, pieces) VALUES (1, 1, 'pen', 5)",
    "INSERT INTO shop.orders (customer, number, item, pieces) VALUES (1, 2, 'ink', 1)",
    "INSERT INTO shop.orders (customer, number, item, pieces) VALUES (2, 1, 'pen', 10)",
    "UPDATE shop.orders SET pieces = 7 WHERE customer = 1 AND number = 1",
    "DELETE FROM shop.orders WHERE customer = 2",
};

static int failed(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

static int run_all(corm_session *session, const char *const *statements, size_t count) {
    corm_error err = { 0 };
    for (size_t i = 0; i < count; i++)
        if (corm_execute(session, statements[i], NULL, { .error = &err }))
            return failed(statements[i], &err);
    return 0;
}

/* How many pieces of which item an image speaks of: nothing, when there is no row. */
static int32_t pieces_of(corm_result *image, corm_str *item) {
    const corm_row *row = corm_result_next(image);
    if (!row) return 0;
    int at = corm_result_column_index(image, "item");
    if (at >= 0) *item = corm_row_text(row, (uint32_t)at);
    return corm_row_int(row, (uint32_t)corm_result_column_index(image, "pieces"));
}

static corm_status sold_so_far(corm_session *session, corm_str item, int32_t *pieces,
                               corm_error *err) {
    corm_result *result;
    corm_status  status = corm_execute(session, "SELECT pieces FROM shop.sold WHERE item = ?",
                                       &result, { .values = { corm_v(item) }, .error = err });
    *pieces = 0;
    if (status) return status;
    const corm_row *row = corm_result_next(result);
    if (row) *pieces = corm_row_int(row, 0);
    corm_result_free(result);
    return CORM_OK;
}

/* One change: what is sold, and the position behind it, in one batch. */
static corm_status take_over(corm_session *session, const corm_change *change, corm_error *err) {
    corm_result *before, *after;
    corm_str     item = { "", 0 };
    int32_t      sold;
    char         position[CORM_FEED_POSITION_TEXT];
    corm_status  status = corm_change_before(change, &before, err);
    if (!status) status = corm_change_after(change, &after, err);
    if (status) return status;
    int32_t difference = -pieces_of(before, &item);
    difference += pieces_of(after, &item);
    status = sold_so_far(session, item, &sold, err);
    if (status) return status;
    corm_feed_position_format(corm_change_position(change), position);
    corm_batch *batch = corm_batch_new(session, CORM_LOGGED);
    if (!batch) return CORM_NO_MEMORY;
    corm_value totals[] = { corm_v(item), corm_v(sold + difference) };
    corm_value place[] = { corm_v("stock"), corm_v((const char *)position) };
    status = corm_batch_add_text(batch, "INSERT INTO shop.sold (item, pieces) VALUES (?, ?)",
                                 totals, 2, err);
    if (!status)
        status = corm_batch_add_text(
            batch, "INSERT INTO shop.progress (consumer, position) VALUES (?, ?)", place, 2, err);
    if (!status) status = corm_batch_run(batch, NULL, err);
    corm_batch_free(batch);
    return status;
}

/* Where the consumer was; the feed's oldest change when it never was anywhere. */
static corm_status where_it_was(corm_session *session, corm_feed_options *options,
                                corm_error *err) {
    corm_result *result;
    corm_status  status =
        corm_execute(session, "SELECT position FROM shop.progress WHERE consumer = 'stock'",
                     &result, { .error = err });
    if (status) return status;
    const corm_row *row = corm_result_next(result);
    if (row) {
        char     text[CORM_FEED_POSITION_TEXT];
        corm_str kept = corm_row_text(row, 0);
        snprintf(text, sizeof text, "%.*s", (int)kept.len, kept.data);
        options->from = CORM_FEED_BEHIND;
        status = corm_feed_position_parse(text, &options->position, err);
    }
    corm_result_free(result);
    return status;
}

/* Consumes `most` changes at most, and forgets all it knew. */
static int consume(corm_session *session, int most) {
    const char       *tables[] = { "shop.orders" };
    corm_feed_options options = { .tables = tables, .table_count = 1 };
    corm_feed        *feed;
    corm_error        err = { 0 };
    corm_status       status = where_it_was(session, &options, &err);
    if (!status) status = corm_feed_open(session, &options, &feed, &err);
    if (status) return failed("feed", &err);
    while (most-- > 0) {
        const corm_change *change;
        status = corm_feed_next(feed, 0, &change, &err);
        if (status || !change) break;
        if (corm_change_kind_of(change) <= CORM_CHANGE_DELETE)
            status = take_over(session, change, &err);
        if (status) break;
        printf("%s\n", corm_change_kind_name(corm_change_kind_of(change)));
    }
    corm_feed_close(feed);
    return status ? failed("change", &err) : 0;
}

/* A change that was not waited for: on a thread of the feed's. */
static void tell(void *context, corm_status status, const corm_change *change,
                 const corm_error *err) {
    (void)context;
    if (status)
        (void)failed("change", err);
    else if (change)
        printf("told of %s\n", corm_change_kind_name(corm_change_kind_of(change)));
}

/* The program does something else until the next change is there. */
static int be_told(corm_session *session) {
    static const char *const order[] = {
        "INSERT INTO shop.orders (customer, number, item, pieces) VALUES (3, 1, 'ink', 2)",
    };
    corm_feed_options options = { .from = CORM_FEED_NOW,
                                  .tables = (const char *const[]){ "shop.orders" },
                                  .table_count = 1 };
    corm_feed        *feed;
    corm_error        err = { 0 };
    if (corm_feed_open(session, &options, &feed, &err)) return failed("feed", &err);
    corm_task *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, tell, NULL);
    int        code = run_all(session, order, 1);
    if (task && !code && corm_task_wait(task, 0)) code = 1;
    corm_feed_close(feed);
    corm_task_free(task);
    return task ? code : 1;
}

static int show(corm_session *session) {
    corm_result *result;
    corm_error   err = { 0 };
    if (corm_execute(session, "SELECT item, pieces FROM shop.sold", &result, { .error = &err }))
        return failed("sold", &err);
    for (const corm_row *row; (row = corm_result_next(result));) {
        corm_str item = corm_row_text(row, 0);
        printf("%.*s: %d\n", (int)item.len, item.data, corm_row_int(row, 1));
    }
    corm_result_free(result);
    return 0;
}

int main(void) {
    corm_session *session;
    corm_error    err = { 0 };
    if (corm_session_open(&session, "corm::memory:", NULL, &err)) return failed("open", &err);
    /* An UPDATE of the pieces does not name the item: so changes tell whole rows. */
    corm_feed_settings settings = { .whole_rows = true };
    if (corm_feed_configure(session, &settings, &err)) return failed("configure", &err);
    int code = run_all(session, schema, sizeof schema / sizeof *schema) ||
               run_all(session, orders, sizeof orders / sizeof *orders) || consume(session, 3) ||
               consume(session, 100) || show(session) || be_told(session);
    corm_session_close(session);
    return code;
}
