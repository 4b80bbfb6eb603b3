// SPDX-License-Identifier: MIT
/* main.c -- a blog over the functions that `corm generate` made of queries.cql:
 *
 *   corm generate --schema schema.cql queries.cql --name blog
 *
 * blog.h has a struct of parameters and one of rows for each statement; the compiler knows every type. */
#include <stdio.h>
#include <stdlib.h>

#include "blog.h"

static void must(corm_status status, const corm_error *err, const char *what) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(status), err->message);
    exit(1);
}

static corm_session *open_blog(void) {
    static const char *const ddl[] = {
        "CREATE TYPE IF NOT EXISTS author (name text, email text, since date)",
        ("CREATE TABLE IF NOT EXISTS articles (month date, id timeuuid, title text, body text, "
         "writer frozen<author>, tags frozen<set<text>>, price decimal, PRIMARY KEY (month, id)) "
         "WITH CLUSTERING ORDER BY (id DESC)"),
        ("CREATE TABLE IF NOT EXISTS comments (article timeuuid, day date, id timeuuid, name text, "
         "body text, PRIMARY KEY ((article, day), id))"),
        "CREATE TABLE IF NOT EXISTS reads (article timeuuid PRIMARY KEY, n counter)",
    };
    corm_error    err = { 0 };
    corm_session *session;
    must(corm_session_open(&session, "corm:./blog",
                           &(corm_session_options){ .keyspace = "blog", .create_keyspace = true },
                           &err),
         &err, "open");
    for (size_t i = 0; i < sizeof ddl / sizeof ddl[0]; i++)
        must(corm_execute(session, ddl[i], NULL, { .error = &err }), &err, "schema");
    return session;
}

static const corm_date month = { 20454 }; /* 2026-01-01 */

static corm_uuid publish(const blog *statements, const char *title) {
    corm_error          err = { 0 };
    blog_publish_answer answer;
    corm_value          tags[] = { corm_of_text("c"), corm_of_text("cql") };
    blog_publish_params article = {
        .month = month,
        .id = corm_uuid_time(),
        .title = corm_str_of(title),
        .body = corm_str_of("Statements with names become functions."),
        .has_writer = true,
        .writer = { .name = corm_str_of("Ada"), .has_since = true, .since = { 20089 } },
        .tags = { tags, 2 },
        .price = corm_decimal_of(199, 2),
    };
    must(blog_publish(statements, &article, &answer, &err), &err, "publish");
    printf("%s: %s\n", title, answer.applied ? "published" : "was there");
    blog_publish_free(&answer);
    return article.id;
}

static void show(const blog *statements, corm_uuid id) {
    corm_error           err = { 0 };
    blog_get_article_row row;
    char                 price[32];
    must(blog_get_article(statements, &(blog_get_article_params){ .month = month, .id = id }, &row,
                          &err),
         &err, "get");
    corm_decimal_format(&row.price, price, sizeof price);
    printf("\"%.*s\" by %.*s, %u tags, %s\n", (int)row.title.len, row.title.data,
           (int)row.writer.name.len, row.writer.name.data, row.tags.count, price);
    printf("the author's email is %s\n", row.writer.email.data ? "known" : "not known");
    blog_get_article_free(&row);
}

static void retitle(const blog *statements, corm_uuid id, const char *from, const char *to) {
    corm_error          err = { 0 };
    blog_retitle_answer answer;
    blog_retitle_params change = {
        .month = month, .id = id, .title = corm_str_of(to), .old_title = corm_str_of(from)
    };
    must(blog_retitle(statements, &change, &answer, &err), &err, "retitle");
    if (answer.applied)
        printf("retitled\n");
    else
        printf("not retitled: the title is \"%.*s\"\n", (int)answer.title.len, answer.title.data);
    blog_retitle_free(&answer);
}

static void list(const blog *statements) {
    corm_error              err = { 0 };
    blog_list_articles_rows rows;
    uint8_t                 kept[1024];
    corm_bytes              from = { NULL, 0 };
    for (int page = 1; page == 1 || from.data; page++) {
        must(blog_list_articles(statements, &(blog_list_articles_params){ .month = month }, 2, from,
                                &rows, &err),
             &err, "list");
        for (uint32_t i = 0; i < rows.count; i++)
            printf("page %d: %.*s\n", page, (int)rows.items[i].title.len, rows.items[i].title.data);
        from = (corm_bytes){ NULL, 0 };
        if (rows.next.data && rows.next.len <= sizeof kept) {
            memcpy(kept, rows.next.data, rows.next.len);
            from = (corm_bytes){ kept, rows.next.len };
        }
        blog_list_articles_free(&rows);
    }
}

static void discuss(const blog *statements, corm_uuid id) {
    corm_error                err = { 0 };
    blog_comments_of_day_rows rows;
    blog_reads_of_row         reads;
    blog_comment_params       comment = { .article = id,
                                          .day = month,
                                          .id = corm_uuid_time(),
                                          .name = corm_str_of("Grace"),
                                          .has_ttl = true,
                                          .ttl = 86400 };
    must(blog_comment(statements, &comment, &err), &err, "comment");
    must(blog_comments_of_day(statements,
                              &(blog_comments_of_day_params){ .article = id, .day = month }, &rows,
                              &err),
         &err, "comments");
    for (uint32_t i = 0; i < rows.count; i++)
        printf("%.*s said %s\n", (int)rows.items[i].name.len, rows.items[i].name.data,
               rows.items[i].body.data ? "something" : "nothing");
    blog_comments_of_day_free(&rows);
    for (int i = 0; i < 3; i++)
        must(blog_count_read(statements, &(blog_count_read_params){ .article = id }, &err), &err,
             "count");
    must(blog_reads_of(statements, &(blog_reads_of_params){ .article = id }, &reads, &err), &err,
         "reads");
    printf("read %lld times\n", (long long)reads.n);
    blog_reads_of_free(&reads);
}

int main(void) {
    corm_error    err = { 0 };
    corm_session *session = open_blog();
    blog          statements;
    must(blog_open(&statements, session, &err), &err, "prepare");
    publish(&statements, "Why names");
    corm_uuid id = publish(&statements, "Why types");
    publish(&statements, "Why not");
    show(&statements, id);
    retitle(&statements, id, "Why C", "Why not C");
    retitle(&statements, id, "Why types", "Types, and why");
    list(&statements);
    discuss(&statements, id);
    blog_close(&statements);
    corm_session_close(session);
    return 0;
}
