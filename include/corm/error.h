// SPDX-License-Identifier: MIT
/* error.h -- errors are values: a status, and on request a message with its place.
 *
 * Every function that can fail returns a corm_status and takes, as its last argument, an optional
 * `corm_error *` on the caller's stack, which it fills on failure and leaves alone on success. */
#ifndef CORM_ERROR_H
#define CORM_ERROR_H

#include "corm/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, value, retryable, server code or -1, sentence).
 * Server codes: native protocol v5 specification, section 8. */
#define CORM_STATUS_MAP(X)                                                                         \
    X(OK, 0, false, -1, "success")                                                                 \
    X(NO_MEMORY, 1, true, -1, "memory is exhausted")                                               \
    X(INVALID_ARGUMENT, 2, false, -1, "an argument is not valid")                                  \
    X(NOT_FOUND, 3, false, -1, "no such thing exists")                                             \
    X(IO, 4, false, -1, "the operating system reported an input or output error")                  \
    X(DISK_FULL, 5, false, -1, "the disk is full")                                                 \
    X(CORRUPT, 6, false, -1, "a stored file is damaged")                                           \
    X(VERSION, 7, false, -1, "the store was written by another version of Corm")                   \
    X(CANCELLED, 8, false, -1, "the operation was cancelled")                                      \
    X(TIMEOUT, 9, true, -1, "the operation timed out")                                             \
    X(WOULD_DEADLOCK, 10, false, -1, "waiting here would never end")                               \
    X(CLOSED, 11, false, -1, "the session is closed")                                              \
    X(CONVERSION, 12, false, -1, "a value cannot be converted to the type asked for")              \
    X(VALIDATION, 13, false, -1, "a row breaks a rule of its model")                               \
    X(NOT_UNIQUE, 14, false, -1, "a value that must be unique is taken")                           \
    X(UNSUPPORTED, 15, false, -1, "this is not supported here")                                    \
    X(SCHEMA_MISMATCH, 16, false, -1, "the table does not fit the model")                          \
    X(NOT_APPLIED, 17, false, -1, "a condition did not hold, nothing was changed")                 \
    X(FEED_LOST, 18, false, -1, "changes behind a position of the feed are no longer kept")        \
    X(LEASE_LOST, 19, false, -1, "another process may have taken over the work")                   \
    X(HOOK_FAILED, 20, false, -1, "it was done, but a hook behind it failed")                      \
    X(SERVER_ERROR, 32, false, 0x0000, "the server failed")                                        \
    X(PROTOCOL_ERROR, 33, false, 0x000A, "the native protocol was violated")                       \
    X(BAD_CREDENTIALS, 34, false, 0x0100, "authentication failed")                                 \
    X(UNAVAILABLE, 35, true, 0x1000, "not enough replicas are alive")                              \
    X(OVERLOADED, 36, true, 0x1001, "the coordinator is overloaded")                               \
    X(BOOTSTRAPPING, 37, true, 0x1002, "the coordinator is bootstrapping")                         \
    X(TRUNCATE_ERROR, 38, false, 0x1003, "the truncation failed")                                  \
    X(WRITE_TIMEOUT, 39, true, 0x1100, "the replicas did not answer a write in time")              \
    X(READ_TIMEOUT, 40, true, 0x1200, "the replicas did not answer a read in time")                \
    X(READ_FAILURE, 41, false, 0x1300, "a replica failed to read")                                 \
    X(FUNCTION_FAILURE, 42, false, 0x1400, "a function failed")                                    \
    X(WRITE_FAILURE, 43, false, 0x1500, "a replica failed to write")                               \
    X(CDC_WRITE_FAILURE, 44, false, 0x1600, "the change log is full")                              \
    X(CAS_WRITE_UNKNOWN, 45, false, 0x1700, "the outcome of a lightweight transaction is unknown") \
    X(SYNTAX_ERROR, 46, false, 0x2000, "the statement is not CQL")                                 \
    X(UNAUTHORIZED, 47, false, 0x2100, "the role lacks a permission")                              \
    X(INVALID, 48, false, 0x2200, "the statement is not valid")                                    \
    X(CONFIG_ERROR, 49, false, 0x2300, "the statement asks for a setting that is not valid")       \
    X(ALREADY_EXISTS, 50, false, 0x2400, "the keyspace or table exists already")                   \
    X(UNPREPARED, 51, true, 0x2500, "the prepared statement is not known to the node")

typedef enum corm_status {
#define CORM_STATUS_ENUM(name, value, retryable, code, text) CORM_##name = (value),
    CORM_STATUS_MAP(CORM_STATUS_ENUM)
#undef CORM_STATUS_ENUM
} corm_status;

/* Filled on failure. `message` is one or more lines of UTF-8, zero-terminated. */
typedef struct corm_error {
    corm_status status;
    uint32_t    line;   /* in the CQL text, from 1; 0 when there is no place */
    uint32_t    column; /* in the CQL text, from 0 as the server counts */
    char keyspace[49];  /* of what exists (CORM_ALREADY_EXISTS), of the function; else empty */
    char table
        [224]; /* what exists: empty for a keyspace; CORM_FUNCTION_FAILURE: "name(type, type)" */
    char message[1024];
} corm_error;

/* The constant's name without its prefix, such as "SYNTAX_ERROR"; "UNKNOWN" for other numbers. */
CORM_API const char *corm_status_name(corm_status status);

/* One sentence on what the status means. Never NULL. */
CORM_API const char *corm_status_text(corm_status status);

/* Whether the same call may succeed when it is made again unchanged. */
CORM_API bool corm_status_is_retryable(corm_status status);

/* The native protocol's error code for the status, or -1 where the protocol has none. */
CORM_API int32_t corm_status_server_code(corm_status status);

#ifdef __cplusplus
}
#endif
#endif
