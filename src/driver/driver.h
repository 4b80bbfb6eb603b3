// SPDX-License-Identifier: MIT
/* driver.h -- the driver as the session sees it. Any thread, unless said otherwise. */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include "driver/settings.h"
#include "wire/result.h"

typedef struct driver_cluster driver_cluster;

typedef void (*driver_callback)(void *context, corm_status status, const corm_error *err);

/* Connects: returns when the control connection has read the nodes and one connection is ready (with the caller's loop:
 * runs it until then), or with the error of the last contact point. Takes the settings over, also on failure. */
CORM_CHECKED corm_status driver__open(driver_settings *settings, driver_cluster **out,
                                      corm_error *err);
/* Ends requests under way with CORM_CLOSED, closes all connections, ends the thread. Not inside a callback. */
void driver__close(driver_cluster *cluster);

/* `request`, its parts and `answer` live until the callback, which runs exactly once on the loop's thread. Never blocks. */
void driver__submit(driver_cluster *cluster, corm_str keyspace, const wire_request *request,
                    wire_answer *answer, driver_callback callback, void *context);
/* Gives up on what was submitted with this context, if it has not ended. */
void driver__cancel(driver_cluster *cluster, void *context);
/* The same, waiting. CORM_WOULD_DEADLOCK inside a callback. */
CORM_CHECKED corm_status driver__execute(driver_cluster *cluster, corm_str keyspace,
                                         const wire_request *request, wire_answer *answer,
                                         corm_error *err);

bool driver__in_callback(const driver_cluster *cluster);
bool driver__has_own_thread(const driver_cluster *cluster);
void driver__turn(driver_cluster *cluster); /* the caller's loop, once */

/* See corm/cluster.h. */
CORM_CHECKED corm_status driver__stats(driver_cluster *cluster, const corm_stats **out,
                                       corm_error *err);
CORM_CHECKED corm_status driver__wait_for_agreement(driver_cluster *cluster, uint32_t timeout_ms,
                                                    corm_error *err);
const driver_settings   *driver__settings(const driver_cluster *cluster);

/* The ring's tokens, sorted; a malloc'ed copy, the caller's to free(). *count 0 where they are not known. */
CORM_CHECKED corm_status driver__tokens(driver_cluster *cluster, int64_t **tokens, uint32_t *count,
                                        corm_error *err);

/* The token of a prepared statement's partition key with these values; false when it is not wholly bound. */
bool driver__token_of(const wire_prepared *prepared, const cql_value *values, uint32_t count,
                      int64_t *token);

#endif
