// SPDX-License-Identifier: MIT
/* blog_for_tests.h -- authors with posts, a profile, tags and teams: models of every kind of relation. */
#ifndef BLOG_FOR_TESTS_H
#define BLOG_FOR_TESTS_H

#include "corm/relation.h"
#include "orm/orm_for_tests.h"

typedef struct author {
    int32_t id;
    char   *name;
    char   *nick; /* unique */
} author;
typedef struct profile {
    int32_t author_id;
    char   *text;
} profile;
typedef struct post {
    int32_t      author_id, at;
    char        *title;
    corm_opt_int likes;
    corm_opt_int section;
} post;
typedef struct comment {
    int32_t id;
    int32_t author_id, post_at;
    char   *text, *by; /* by: the nick of an author */
} comment;
typedef struct section {
    int32_t id;
    char   *name;
} section;
typedef struct membership {
    int32_t author_id, team_id;
} membership;
typedef struct team {
    int32_t id;
    char   *name;
} team;

extern const corm_model authors, profiles, posts, comments, sections, memberships, teams;

#endif
