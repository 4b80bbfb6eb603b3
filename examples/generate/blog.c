/* blog.c -- made by corm generate from schema.cql and queries.cql: changes here are lost. */
#include "blog.h"

#include <stdio.h>
#include <stdlib.h>

static corm_status fail(corm_error *err, corm_status status, const char *text) {
    if (!err) return status;
    memset(err, 0, sizeof *err);
    err->status = status;
    snprintf(err->message, sizeof err->message, "%s", text);
    return status;
}

static corm_status begin(const blog *statements, corm_prepared *prepared,
    corm_statement **out, corm_error *err) {
    *out = corm_statement_new(prepared);
    if (!*out) return fail(err, CORM_NO_MEMORY, "memory is exhausted");
    *corm_statement_options(*out) = statements->options;
    return CORM_OK;
}

static corm_status end(corm_statement **statement, corm_status status) {
    if (status == CORM_OK) return CORM_OK;
    corm_statement_free(*statement);
    *statement = NULL;
    return status;
}

/* A column that is not there reads as null. */
static uint32_t at(const corm_result *result, const char *name) {
    return (uint32_t)corm_result_column_index(result, name);
}

/* ---- user-defined types ---- */

/* Fields that were added later are not in older values. */
static const corm_value *field_at(const corm_value *value, uint32_t index) {
    static const corm_value none = { .kind = CORM_NULL };
    return index < value->as.items.count ? &value->as.items.items[index] : &none;
}

void blog_author_read(const corm_value *value, blog_author *out) {
    const corm_value *field;
    memset(out, 0, sizeof *out);
    if (value->kind != CORM_UDT) return;
    field = field_at(value, 0);
    if (field->kind == CORM_TEXT) {
        out->name = field->as.text;
    }
    field = field_at(value, 1);
    if (field->kind == CORM_TEXT) {
        out->email = field->as.text;
    }
    field = field_at(value, 2);
    if (field->kind == CORM_DATE) {
        out->has_since = true;
        out->since = field->as.date;
    }
}

corm_value blog_author_value(const blog_author *from, blog_author_cells *cells) {
    corm_value *items = cells->items;
    items[0] = from->name.data ? corm_of_str(from->name) : corm_null();
    items[1] = from->email.data ? corm_of_str(from->email) : corm_null();
    items[2] = from->has_since ? corm_of_date(from->since) : corm_null();
    return corm_of_items(CORM_UDT, items, 3);
}

/* ---- publish ---- */

static const char publish_cql[] =
    "INSERT INTO articles (month, id, title, body, writer, tags, price) VALUES (?, ?, ?, "
    "?, ?, ?, ?) IF NOT EXISTS";

static corm_status bind_publish(const blog *statements, const blog_publish_params *params,
    corm_statement **out, corm_error *err) {
    struct {
        blog_author_cells writer;
    } cells;
    corm_status status = begin(statements, statements->publish, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_date(params->month), err);
    if (!status)
        status = corm_statement_bind(*out, 1, corm_of_uuid(params->id), err);
    if (!status && params->null.title)
        status = corm_statement_bind(*out, 2, corm_null(), err);
    else if (!status && params->title.data)
        status = corm_statement_bind(*out, 2, corm_of_str(params->title), err);
    if (!status && params->null.body)
        status = corm_statement_bind(*out, 3, corm_null(), err);
    else if (!status && params->body.data)
        status = corm_statement_bind(*out, 3, corm_of_str(params->body), err);
    if (!status && params->null.writer)
        status = corm_statement_bind(*out, 4, corm_null(), err);
    else if (!status && params->has_writer)
        status = corm_statement_bind(*out, 4, blog_author_value(&params->writer, &cells.writer), err);
    if (!status && params->null.tags)
        status = corm_statement_bind(*out, 5, corm_null(), err);
    else if (!status && params->tags.items)
        status = corm_statement_bind(*out, 5, corm_of_set(params->tags), err);
    if (!status && params->null.price)
        status = corm_statement_bind(*out, 6, corm_null(), err);
    else if (!status && params->price.unscaled.length)
        status = corm_statement_bind(*out, 6, corm_of_decimal(params->price), err);
    return end(out, status);
}

static corm_status take_publish(const corm_result *result, const corm_row *row,
    blog_publish_answer *out, corm_error *err) {
    corm_value cell;
    const corm_value *value = &cell;
    corm_status status;
    if ((status = corm_row_value(row, at(result, "month"), &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_DATE) {
        out->has_month = true;
        out->month = value->as.date;
    }
    out->id = corm_row_uuid(row, at(result, "id"));
    if (!corm_row_is_null(row, at(result, "body"))) out->body = corm_row_text(row, at(result, "body"));
    if ((status = corm_row_value(row, at(result, "price"), &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_DECIMAL) {
        out->price = value->as.decimal;
    }
    if ((status = corm_row_value(row, at(result, "tags"), &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_SET) {
        out->tags = (corm_set){ value->as.items.items, value->as.items.count };
    }
    if (!corm_row_is_null(row, at(result, "title"))) out->title = corm_row_text(row, at(result, "title"));
    if ((status = corm_row_value(row, at(result, "writer"), &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_UDT) {
        out->has_writer = true;
        blog_author_read(value, &out->writer);
    }
    return CORM_OK;
}

corm_status blog_publish_read(corm_result *result, blog_publish_answer *answer, corm_error *err) {
    const corm_row *row;
    corm_status status = CORM_OK;
    memset(answer, 0, sizeof *answer);
    answer->applied = corm_result_applied(result);
    answer->is_there = !answer->applied && corm_result_column_count(result) > 1;
    if (answer->is_there && (row = corm_result_next(result)))
        status = take_publish(result, row, answer, err);
    if (status)
        corm_result_free(result);
    else
        answer->result = result;
    return status;
}

void blog_publish_free(blog_publish_answer *answer) {
    corm_result_free(answer->result);
    memset(answer, 0, sizeof *answer);
}

corm_status blog_publish(const blog *statements, const blog_publish_params *params,
    blog_publish_answer *answer, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_publish(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_publish_read(result, answer, err) : status;
}

corm_task *blog_publish_async(const blog *statements, const blog_publish_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_publish(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- get_article ---- */

static const char get_article_cql[] =
    "SELECT title, body, writer, tags, price FROM articles WHERE month = ? AND id = ?";

static corm_status bind_get_article(const blog *statements,
    const blog_get_article_params *params, corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->get_article, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_date(params->month), err);
    if (!status)
        status = corm_statement_bind(*out, 1, corm_of_uuid(params->id), err);
    return end(out, status);
}

static corm_status take_get_article(const corm_row *row, blog_get_article_row *out,
    corm_error *err) {
    corm_value cell;
    const corm_value *value = &cell;
    corm_status status;
    if (!corm_row_is_null(row, 0)) out->title = corm_row_text(row, 0);
    if (!corm_row_is_null(row, 1)) out->body = corm_row_text(row, 1);
    if ((status = corm_row_value(row, 2, &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_UDT) {
        out->has_writer = true;
        blog_author_read(value, &out->writer);
    }
    if ((status = corm_row_value(row, 3, &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_SET) {
        out->tags = (corm_set){ value->as.items.items, value->as.items.count };
    }
    if ((status = corm_row_value(row, 4, &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_DECIMAL) {
        out->price = value->as.decimal;
    }
    return CORM_OK;
}

corm_status blog_get_article_read(corm_result *result, blog_get_article_row *row,
    corm_error *err) {
    const corm_row *cells = NULL;
    corm_status status = CORM_OK;
    memset(row, 0, sizeof *row);
    if (corm_result_column_count(result) != 5)
        status = fail(err, CORM_SCHEMA_MISMATCH, "get_article: the result has not 5 columns");
    if (!status) status = corm_result_step(result, &cells, err);
    if (!status && !cells) status = fail(err, CORM_NOT_FOUND, "get_article: there is no such row");
    if (!status) status = take_get_article(cells, row, err);
    if (status)
        corm_result_free(result);
    else
        row->result = result;
    return status;
}

void blog_get_article_free(blog_get_article_row *row) {
    corm_result_free(row->result);
    memset(row, 0, sizeof *row);
}

corm_status blog_get_article(const blog *statements, const blog_get_article_params *params,
    blog_get_article_row *row, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_get_article(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_get_article_read(result, row, err) : status;
}

corm_task *blog_get_article_async(const blog *statements, const blog_get_article_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_get_article(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- list_articles ---- */

static const char list_articles_cql[] =
    "SELECT id, title, writer FROM articles WHERE month = ?";

static corm_status bind_list_articles(const blog *statements,
    const blog_list_articles_params *params, corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->list_articles, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_date(params->month), err);
    return end(out, status);
}

static corm_status take_list_articles(const corm_row *row, blog_list_articles_row *out,
    corm_error *err) {
    corm_value cell;
    const corm_value *value = &cell;
    corm_status status;
    out->id = corm_row_uuid(row, 0);
    if (!corm_row_is_null(row, 1)) out->title = corm_row_text(row, 1);
    if ((status = corm_row_value(row, 2, &cell, err)) != CORM_OK) return status;
    if (value->kind == CORM_UDT) {
        out->has_writer = true;
        blog_author_read(value, &out->writer);
    }
    return CORM_OK;
}

corm_status blog_list_articles_read(corm_result *result, blog_list_articles_rows *rows,
    corm_error *err) {
    const corm_row *cells;
    corm_status status = CORM_OK;
    uint32_t count = corm_result_row_count(result);
    memset(rows, 0, sizeof *rows);
    rows->result = result;
    rows->items = calloc(count ? count : 1, sizeof *rows->items);
    if (!rows->items) status = fail(err, CORM_NO_MEMORY, "memory is exhausted");
    if (corm_result_column_count(result) != 3)
        status = fail(err, CORM_SCHEMA_MISMATCH, "list_articles: the result has not 3 columns");
    while (!status && rows->count < count && (cells = corm_result_next(result)))
        status = take_list_articles(cells, &rows->items[rows->count++], err);
    if (!status && corm_result_has_more(result))
        rows->next = corm_result_paging_state(result);
    if (status) blog_list_articles_free(rows);
    return status;
}

void blog_list_articles_free(blog_list_articles_rows *rows) {
    free(rows->items);
    corm_result_free(rows->result);
    memset(rows, 0, sizeof *rows);
}

corm_status blog_list_articles(const blog *statements, const blog_list_articles_params *params,
    uint32_t page_size, corm_bytes from, blog_list_articles_rows *rows, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_list_articles(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    corm_statement_options(statement)->page_size = (int32_t)page_size;
    corm_statement_options(statement)->paging_state = from;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_list_articles_read(result, rows, err) : status;
}

corm_task *blog_list_articles_async(const blog *statements,
    const blog_list_articles_params *params, uint32_t page_size, corm_bytes from,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_list_articles(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_statement_options(statement)->page_size = (int32_t)page_size;
    corm_statement_options(statement)->paging_state = from;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- retitle ---- */

static const char retitle_cql[] =
    "UPDATE articles SET title = :title WHERE month = :month AND id = :id IF title = :old_title";

static corm_status bind_retitle(const blog *statements, const blog_retitle_params *params,
    corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->retitle, out, err);
    if (!status && params->null.title)
        status = corm_statement_bind(*out, 0, corm_null(), err);
    else if (!status && params->title.data)
        status = corm_statement_bind(*out, 0, corm_of_str(params->title), err);
    if (!status)
        status = corm_statement_bind(*out, 1, corm_of_date(params->month), err);
    if (!status)
        status = corm_statement_bind(*out, 2, corm_of_uuid(params->id), err);
    if (!status)
        status = corm_statement_bind(*out, 3, params->old_title.data ? corm_of_str(params->old_title) : corm_null(), err);
    return end(out, status);
}

static corm_status take_retitle(const corm_result *result, const corm_row *row,
    blog_retitle_answer *out, corm_error *err) {
    (void)err;
    if (!corm_row_is_null(row, at(result, "title"))) out->title = corm_row_text(row, at(result, "title"));
    return CORM_OK;
}

corm_status blog_retitle_read(corm_result *result, blog_retitle_answer *answer, corm_error *err) {
    const corm_row *row;
    corm_status status = CORM_OK;
    memset(answer, 0, sizeof *answer);
    answer->applied = corm_result_applied(result);
    answer->is_there = !answer->applied && corm_result_column_count(result) > 1;
    if (answer->is_there && (row = corm_result_next(result)))
        status = take_retitle(result, row, answer, err);
    if (status)
        corm_result_free(result);
    else
        answer->result = result;
    return status;
}

void blog_retitle_free(blog_retitle_answer *answer) {
    corm_result_free(answer->result);
    memset(answer, 0, sizeof *answer);
}

corm_status blog_retitle(const blog *statements, const blog_retitle_params *params,
    blog_retitle_answer *answer, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_retitle(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_retitle_read(result, answer, err) : status;
}

corm_task *blog_retitle_async(const blog *statements, const blog_retitle_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_retitle(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- comment ---- */

static const char comment_cql[] =
    "INSERT INTO comments (article, day, id, name, body) VALUES (?, ?, ?, ?, ?) USING TTL "
    ":\"ttl\"";

static corm_status bind_comment(const blog *statements, const blog_comment_params *params,
    corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->comment, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_uuid(params->article), err);
    if (!status)
        status = corm_statement_bind(*out, 1, corm_of_date(params->day), err);
    if (!status)
        status = corm_statement_bind(*out, 2, corm_of_uuid(params->id), err);
    if (!status && params->null.name)
        status = corm_statement_bind(*out, 3, corm_null(), err);
    else if (!status && params->name.data)
        status = corm_statement_bind(*out, 3, corm_of_str(params->name), err);
    if (!status && params->null.body)
        status = corm_statement_bind(*out, 4, corm_null(), err);
    else if (!status && params->body.data)
        status = corm_statement_bind(*out, 4, corm_of_str(params->body), err);
    if (!status && params->has_ttl)
        status = corm_statement_bind(*out, 5, corm_of_i32(params->ttl), err);
    return end(out, status);
}

corm_status blog_comment(const blog *statements, const blog_comment_params *params,
    corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_comment(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, NULL, err);
    corm_statement_free(statement);
    return status;
}

corm_task *blog_comment_async(const blog *statements, const blog_comment_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_comment(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- comments_of_day ---- */

static const char comments_of_day_cql[] =
    "SELECT id, name, body FROM comments WHERE article = ? AND day = ? LIMIT :most";

static corm_status bind_comments_of_day(const blog *statements,
    const blog_comments_of_day_params *params, corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->comments_of_day, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_uuid(params->article), err);
    if (!status)
        status = corm_statement_bind(*out, 1, corm_of_date(params->day), err);
    if (!status && params->has_most)
        status = corm_statement_bind(*out, 2, corm_of_i32(params->most), err);
    return end(out, status);
}

static corm_status take_comments_of_day(const corm_row *row, blog_comments_of_day_row *out,
    corm_error *err) {
    (void)err;
    out->id = corm_row_uuid(row, 0);
    if (!corm_row_is_null(row, 1)) out->name = corm_row_text(row, 1);
    if (!corm_row_is_null(row, 2)) out->body = corm_row_text(row, 2);
    return CORM_OK;
}

corm_status blog_comments_of_day_read(corm_result *result, blog_comments_of_day_rows *rows,
    corm_error *err) {
    const corm_row *cells;
    corm_status status = CORM_OK;
    uint32_t count = corm_result_row_count(result);
    memset(rows, 0, sizeof *rows);
    rows->result = result;
    rows->items = calloc(count ? count : 1, sizeof *rows->items);
    if (!rows->items) status = fail(err, CORM_NO_MEMORY, "memory is exhausted");
    if (corm_result_column_count(result) != 3)
        status = fail(err, CORM_SCHEMA_MISMATCH, "comments_of_day: the result has not 3 columns");
    while (!status && rows->count < count && (cells = corm_result_next(result)))
        status = take_comments_of_day(cells, &rows->items[rows->count++], err);
    if (status) blog_comments_of_day_free(rows);
    return status;
}

void blog_comments_of_day_free(blog_comments_of_day_rows *rows) {
    free(rows->items);
    corm_result_free(rows->result);
    memset(rows, 0, sizeof *rows);
}

corm_status blog_comments_of_day(const blog *statements,
    const blog_comments_of_day_params *params, blog_comments_of_day_rows *rows, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_comments_of_day(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    corm_statement_options(statement)->page_size = -1;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_comments_of_day_read(result, rows, err) : status;
}

corm_task *blog_comments_of_day_async(const blog *statements,
    const blog_comments_of_day_params *params, corm_task_callback callback, void *context,
    corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_comments_of_day(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_statement_options(statement)->page_size = -1;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- count_read ---- */

static const char count_read_cql[] =
    "UPDATE reads SET n = n + 1 WHERE article = ?";

static corm_status bind_count_read(const blog *statements, const blog_count_read_params *params,
    corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->count_read, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_uuid(params->article), err);
    return end(out, status);
}

corm_status blog_count_read(const blog *statements, const blog_count_read_params *params,
    corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_count_read(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, NULL, err);
    corm_statement_free(statement);
    return status;
}

corm_task *blog_count_read_async(const blog *statements, const blog_count_read_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_count_read(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- reads_of ---- */

static const char reads_of_cql[] =
    "SELECT n FROM reads WHERE article = ?";

static corm_status bind_reads_of(const blog *statements, const blog_reads_of_params *params,
    corm_statement **out, corm_error *err) {
    corm_status status = begin(statements, statements->reads_of, out, err);
    if (!status)
        status = corm_statement_bind(*out, 0, corm_of_uuid(params->article), err);
    return end(out, status);
}

static corm_status take_reads_of(const corm_row *row, blog_reads_of_row *out, corm_error *err) {
    (void)err;
    out->has_n = !corm_row_is_null(row, 0);
    out->n = corm_row_bigint(row, 0);
    return CORM_OK;
}

corm_status blog_reads_of_read(corm_result *result, blog_reads_of_row *row, corm_error *err) {
    const corm_row *cells = NULL;
    corm_status status = CORM_OK;
    memset(row, 0, sizeof *row);
    if (corm_result_column_count(result) != 1)
        status = fail(err, CORM_SCHEMA_MISMATCH, "reads_of: the result has not 1 columns");
    if (!status) status = corm_result_step(result, &cells, err);
    if (!status && !cells) status = fail(err, CORM_NOT_FOUND, "reads_of: there is no such row");
    if (!status) status = take_reads_of(cells, row, err);
    if (status)
        corm_result_free(result);
    else
        row->result = result;
    return status;
}

void blog_reads_of_free(blog_reads_of_row *row) {
    corm_result_free(row->result);
    memset(row, 0, sizeof *row);
}

corm_status blog_reads_of(const blog *statements, const blog_reads_of_params *params,
    blog_reads_of_row *row, corm_error *err) {
    corm_result *result;
    corm_statement *statement;
    corm_status status = bind_reads_of(statements, params, &statement, err);
    if (status != CORM_OK) return status;
    status = corm_run(statement, &result, err);
    corm_statement_free(statement);
    return status == CORM_OK ? blog_reads_of_read(result, row, err) : status;
}

corm_task *blog_reads_of_async(const blog *statements, const blog_reads_of_params *params,
    corm_task_callback callback, void *context, corm_error *err) {
    corm_statement *statement;
    corm_status status = bind_reads_of(statements, params, &statement, err);
    if (status != CORM_OK) return NULL;
    corm_task *task = corm_run_async(statement, callback, context);
    corm_statement_free(statement);
    if (!task) fail(err, CORM_NO_MEMORY, "memory is exhausted");
    return task;
}

/* ---- the statements of a session ---- */

corm_status blog_open(blog *statements, corm_session *session, corm_error *err) {
    corm_status status = CORM_OK;
    memset(statements, 0, sizeof *statements);
    statements->session = session;
    if (!status)
        status = corm_prepare(session, publish_cql, &statements->publish, err);
    if (!status)
        status = corm_prepare(session, get_article_cql, &statements->get_article, err);
    if (!status)
        status = corm_prepare(session, list_articles_cql, &statements->list_articles, err);
    if (!status)
        status = corm_prepare(session, retitle_cql, &statements->retitle, err);
    if (!status)
        status = corm_prepare(session, comment_cql, &statements->comment, err);
    if (!status)
        status = corm_prepare(session, comments_of_day_cql, &statements->comments_of_day, err);
    if (!status)
        status = corm_prepare(session, count_read_cql, &statements->count_read, err);
    if (!status)
        status = corm_prepare(session, reads_of_cql, &statements->reads_of, err);
    if (status) blog_close(statements);
    return status;
}

void blog_close(blog *statements) {
    corm_prepared_free(statements->publish);
    corm_prepared_free(statements->get_article);
    corm_prepared_free(statements->list_articles);
    corm_prepared_free(statements->retitle);
    corm_prepared_free(statements->comment);
    corm_prepared_free(statements->comments_of_day);
    corm_prepared_free(statements->count_read);
    corm_prepared_free(statements->reads_of);
    memset(statements, 0, sizeof *statements);
}
