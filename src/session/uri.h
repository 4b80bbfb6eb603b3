// SPDX-License-Identifier: MIT
/* uri.h -- the URI that opens a session, taken apart. Of this folder and of src/config. */
#ifndef SESSION_URI_H
#define SESSION_URI_H

#include "base/arena.h"
#include "corm/cluster.h"
#include "driver/settings.h"
#include "session/door.h"

typedef struct session_uri {
    corm_str             scheme;  /* as it is written */
    const char          *path;    /* of a folder, decoded; NULL: ":memory:", or a cluster */
    corm_session_options options; /* the caller's, and the URI's where the caller said nothing */
    /* cassandra:, scylla: */
    bool                  is_cluster;
    const driver_contact *contacts;
    uint32_t              contact_count;
    corm_cluster_options  cluster; /* the caller's, and the URI's where the caller said nothing */
} session_uri;

/* Reads scheme:path?name=value&name=value or scheme://user:pass@host:port,host/keyspace?name=value. Texts live in the
 * arena. CORM_INVALID_ARGUMENT names the part that is wrong; passwords are not repeated. */
CORM_CHECKED corm_status session__uri_read(base_arena *arena, const char *text,
                                           const corm_session_options *options, session_uri *out,
                                           corm_error *err);

/* The door to a cluster: cluster.c. */
CORM_CHECKED corm_status session__open_cluster(const session_uri *uri, session_door **out,
                                               corm_error *err);

/* ---- between uri.c and uri_settings.c ---- */

typedef enum session_setting {
    SESSION_SETTING_READ,
    SESSION_SETTING_UNKNOWN,
    SESSION_SETTING_VALUE, /* the value is none of it */
    SESSION_SETTING_DOOR,  /* it is of the other kind of URI */
    SESSION_SETTING_MEMORY
} session_setting;

/* Sets what `name` says from its decoded value, unless it is set already. */
session_setting session__setting_read(session_uri *uri, base_arena *arena, corm_str name,
                                      const char *value);
/* NULL behind the last. */
const char *session__setting_name(size_t index);
/* What a setting takes, for messages; and the nearest name, NULL when nothing is near. */
const char *session__setting_values(corm_str name);
const char *session__setting_nearest(corm_str name, bool is_cluster);

#endif
