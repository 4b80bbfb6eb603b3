/* blog.h -- made by corm generate from schema.cql and queries.cql: changes here are lost.
 *
 * What a row may lack has has_x beside it, or holds nothing: text and blobs without data, a zero UUID, an inet,
 * varint or decimal of length 0, a collection without items. A parameter that is written and holds nothing leaves
 * its column alone. Texts, blobs and collections of rows live in the result. */
#ifndef BLOG_GENERATED_H
#define BLOG_GENERATED_H

#include <corm/corm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- user-defined types ---- */

/* The type author. */
typedef struct blog_author {
    corm_str name;
    corm_str email;
    bool has_since;
    corm_date since;
} blog_author;

/* Room for a value of one. */
typedef struct blog_author_cells {
    corm_value items[3];
} blog_author_cells;

/* What the value of a row holds; texts and the like stay where they are. */
void blog_author_read(const corm_value *value, blog_author *out);

/* A value, which stands in *cells and borrows from *from. */
corm_value blog_author_value(const blog_author *from, blog_author_cells *cells);

/* ---- the statements of a session ---- */

/* Made by blog_open(); then any number of threads may use it at once. */
typedef struct blog {
    corm_session *session;
    corm_request_options options; /* of every statement: consistency and so on */
    corm_prepared *publish;
    corm_prepared *get_article;
    corm_prepared *list_articles;
    corm_prepared *retitle;
    corm_prepared *comment;
    corm_prepared *comments_of_day;
    corm_prepared *count_read;
    corm_prepared *reads_of;
} blog;

/* Prepares all statements, so that what does not fit the schema is told at once. On failure there is
 * nothing to close. Close before the session. */
CORM_CHECKED corm_status blog_open(blog *statements, corm_session *session, corm_error *err);
void blog_close(blog *statements);

/* ---- publish ---- */

typedef struct blog_publish_params {
    corm_date month;
    corm_uuid id;
    corm_str title;
    corm_str body;
    bool has_writer;
    blog_author writer;
    corm_set tags; /* frozen<set<text>> */
    corm_decimal price;
    struct {
        bool title, body, writer, tags, price;
    } null; /* write null: deletes what is there */
} blog_publish_params;

typedef struct blog_publish_answer {
    bool applied;
    /* What stood in the way, when not applied: */
    bool is_there;
    bool has_month;
    corm_date month;
    corm_uuid id;
    corm_str body;
    corm_decimal price;
    corm_set tags; /* frozen<set<text>> */
    corm_str title;
    bool has_writer;
    blog_author writer;
    corm_result *result; /* holds what the answer points to */
} blog_publish_answer;

/* An article that is new: one with its id is left as it is.
 * Executes the statement if its condition holds. */
CORM_CHECKED corm_status blog_publish(const blog *statements, const blog_publish_params *params,
    blog_publish_answer *answer, corm_error *err);
void blog_publish_free(blog_publish_answer *answer);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_publish_async(const blog *statements, const blog_publish_params *params,
    corm_task_callback callback, void *context, corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_publish_read(corm_result *result, blog_publish_answer *answer, corm_error *err);

/* ---- get_article ---- */

typedef struct blog_get_article_params {
    corm_date month;
    corm_uuid id;
} blog_get_article_params;

typedef struct blog_get_article_row {
    corm_str title;
    corm_str body;
    bool has_writer;
    blog_author writer;
    corm_set tags; /* frozen<set<text>> */
    corm_decimal price;
    corm_result *result; /* holds what the row points to */
} blog_get_article_row;

/* Reads one row. CORM_NOT_FOUND when there is none. */
CORM_CHECKED corm_status blog_get_article(const blog *statements, const blog_get_article_params *params,
    blog_get_article_row *row, corm_error *err);
void blog_get_article_free(blog_get_article_row *row);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_get_article_async(const blog *statements, const blog_get_article_params *params,
    corm_task_callback callback, void *context, corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_get_article_read(corm_result *result, blog_get_article_row *row,
    corm_error *err);

/* ---- list_articles ---- */

typedef struct blog_list_articles_params {
    corm_date month;
} blog_list_articles_params;

typedef struct blog_list_articles_row {
    corm_uuid id;
    corm_str title;
    bool has_writer;
    blog_author writer;
} blog_list_articles_row;

typedef struct blog_list_articles_rows {
    blog_list_articles_row *items;
    uint32_t count;
    corm_bytes next; /* where the next page begins; data NULL: this was the last */
    corm_result *result; /* holds what the rows point to */
} blog_list_articles_rows;

/* The newest first.
 * Reads one page: the first, or the one at `from`, the `next` of the page before. A page_size
 * of 0 is the session's. */
CORM_CHECKED corm_status blog_list_articles(const blog *statements, const blog_list_articles_params *params,
    uint32_t page_size, corm_bytes from, blog_list_articles_rows *rows, corm_error *err);
void blog_list_articles_free(blog_list_articles_rows *rows);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_list_articles_async(const blog *statements,
    const blog_list_articles_params *params, uint32_t page_size, corm_bytes from,
    corm_task_callback callback, void *context, corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_list_articles_read(corm_result *result, blog_list_articles_rows *rows,
    corm_error *err);

/* ---- retitle ---- */

typedef struct blog_retitle_params {
    corm_str title;
    corm_date month;
    corm_uuid id;
    corm_str old_title;
    struct {
        bool title;
    } null; /* write null: deletes what is there */
} blog_retitle_params;

typedef struct blog_retitle_answer {
    bool applied;
    /* What stood in the way, when not applied: */
    bool is_there;
    corm_str title;
    corm_result *result; /* holds what the answer points to */
} blog_retitle_answer;

/* Executes the statement if its condition holds. */
CORM_CHECKED corm_status blog_retitle(const blog *statements, const blog_retitle_params *params,
    blog_retitle_answer *answer, corm_error *err);
void blog_retitle_free(blog_retitle_answer *answer);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_retitle_async(const blog *statements, const blog_retitle_params *params,
    corm_task_callback callback, void *context, corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_retitle_read(corm_result *result, blog_retitle_answer *answer, corm_error *err);

/* ---- comment ---- */

typedef struct blog_comment_params {
    corm_uuid article;
    corm_date day;
    corm_uuid id;
    corm_str name;
    corm_str body;
    bool has_ttl;
    int32_t ttl;
    struct {
        bool name, body;
    } null; /* write null: deletes what is there */
} blog_comment_params;

/* Executes the statement. */
CORM_CHECKED corm_status blog_comment(const blog *statements, const blog_comment_params *params,
    corm_error *err);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_comment_async(const blog *statements, const blog_comment_params *params,
    corm_task_callback callback, void *context, corm_error *err);

/* ---- comments_of_day ---- */

typedef struct blog_comments_of_day_params {
    corm_uuid article;
    corm_date day;
    bool has_most;
    int32_t most;
} blog_comments_of_day_params;

typedef struct blog_comments_of_day_row {
    corm_uuid id;
    corm_str name;
    corm_str body;
} blog_comments_of_day_row;

typedef struct blog_comments_of_day_rows {
    blog_comments_of_day_row *items;
    uint32_t count;
    corm_result *result; /* holds what the rows point to */
} blog_comments_of_day_rows;

/* Reads all rows. */
CORM_CHECKED corm_status blog_comments_of_day(const blog *statements,
    const blog_comments_of_day_params *params, blog_comments_of_day_rows *rows, corm_error *err);
void blog_comments_of_day_free(blog_comments_of_day_rows *rows);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_comments_of_day_async(const blog *statements,
    const blog_comments_of_day_params *params, corm_task_callback callback, void *context,
    corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_comments_of_day_read(corm_result *result, blog_comments_of_day_rows *rows,
    corm_error *err);

/* ---- count_read ---- */

typedef struct blog_count_read_params {
    corm_uuid article;
} blog_count_read_params;

/* Counting is not idempotent, and close is close enough here.
 * Executes the statement. */
CORM_CHECKED corm_status blog_count_read(const blog *statements, const blog_count_read_params *params,
    corm_error *err);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_count_read_async(const blog *statements, const blog_count_read_params *params,
    corm_task_callback callback, void *context, corm_error *err);

/* ---- reads_of ---- */

typedef struct blog_reads_of_params {
    corm_uuid article;
} blog_reads_of_params;

typedef struct blog_reads_of_row {
    bool has_n;
    int64_t n;
    corm_result *result; /* holds what the row points to */
} blog_reads_of_row;

/* Reads one row. CORM_NOT_FOUND when there is none. */
CORM_CHECKED corm_status blog_reads_of(const blog *statements, const blog_reads_of_params *params,
    blog_reads_of_row *row, corm_error *err);
void blog_reads_of_free(blog_reads_of_row *row);

/* The same without waiting. NULL on failure, and then the callback does not run. */
corm_task *blog_reads_of_async(const blog *statements, const blog_reads_of_params *params,
    corm_task_callback callback, void *context, corm_error *err);
/* For the callback: takes the result over, also when it fails. */
CORM_CHECKED corm_status blog_reads_of_read(corm_result *result, blog_reads_of_row *row, corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
