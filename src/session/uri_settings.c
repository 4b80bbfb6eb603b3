// SPDX-License-Identifier: MIT
/* uri_settings.c -- the settings of a URI: one table for both kinds of doors. Pure but for the arena.
 *
 * What the caller's structs say goes before the URI: a member that is not zero stays. */
#include "base/text.h"
#include "session/uri.h"

enum { EMBEDDED = 1, CLUSTER = 2, BOTH = EMBEDDED | CLUSTER, NAME_DISTANCE = 3 };
enum { DAY_MS = 24 * 3600 * 1000 };

typedef struct setting setting;

/* What a setter gets: the option's place, and everything else. */
typedef struct setting_place {
    session_uri *uri;
    base_arena  *arena;
    void        *at;
} setting_place;

typedef session_setting (*setter)(const setting *s, const setting_place *place, const char *value);

struct setting {
    const char        *name;
    const char        *values; /* what is allowed, for messages */
    uint8_t            doors;
    setter             set;
    size_t             at; /* in session_uri */
    uint64_t           least, most;
    const char *const *words; /* of an enumeration, by their numbers; NULL ends them */
};

/* ---- kinds of values ---- */

static session_setting set_text(const setting *s, const setting_place *place, const char *value) {
    const char **text = place->at;
    (void)s;
    if (!*text) *text = value;
    return *value ? SESSION_SETTING_READ : SESSION_SETTING_VALUE;
}

static bool read_flag(const char *value, bool *out) {
    *out = strcmp(value, "true") == 0;
    return *out || strcmp(value, "false") == 0;
}

static session_setting set_flag(const setting *s, const setting_place *place, const char *value) {
    bool *flag = place->at, given;
    (void)s;
    if (!read_flag(value, &given)) return SESSION_SETTING_VALUE;
    *flag |= given;
    return SESSION_SETTING_READ;
}

/* A member that says the opposite of the setting. */
static session_setting set_not(const setting *s, const setting_place *place, const char *value) {
    bool *flag = place->at, given;
    (void)s;
    if (!read_flag(value, &given)) return SESSION_SETTING_VALUE;
    *flag |= !given;
    return SESSION_SETTING_READ;
}

static bool read_number(const setting *s, const char *value, uint64_t *out) {
    int64_t number;
    if (!base__parse_i64(corm_str_of(value), &number) || number < 0) return false;
    *out = (uint64_t)number;
    return *out >= s->least && *out <= s->most;
}

static session_setting set_u32(const setting *s, const setting_place *place, const char *value) {
    uint32_t *out = place->at;
    uint64_t  number;
    if (!read_number(s, value, &number)) return SESSION_SETTING_VALUE;
    if (*out == 0) *out = (uint32_t)number;
    return SESSION_SETTING_READ;
}

static session_setting set_u8(const setting *s, const setting_place *place, const char *value) {
    uint8_t *out = place->at;
    uint64_t number;
    if (!read_number(s, value, &number)) return SESSION_SETTING_VALUE;
    if (*out == 0) *out = (uint8_t)number;
    return SESSION_SETTING_READ;
}

static session_setting set_size(const setting *s, const setting_place *place, const char *value) {
    size_t  *out = place->at;
    uint64_t number;
    if (!read_number(s, value, &number)) return SESSION_SETTING_VALUE;
    if (*out == 0) *out = (size_t)number;
    return SESSION_SETTING_READ;
}

/* The enumerations have the size of an int, as every enumeration of corm/ has. */
_Static_assert(sizeof(corm_balancing) == sizeof(int) && sizeof(corm_consistency) == sizeof(int),
               "a word is stored as an int");

static session_setting set_word(const setting *s, const setting_place *place, const char *value) {
    int *out = place->at;
    for (int i = 0; s->words[i]; i++) {
        if (!base__str_equal_nocase(corm_str_of(value), corm_str_of(s->words[i]))) continue;
        if (*out == 0) *out = i;
        return SESSION_SETTING_READ;
    }
    return SESSION_SETTING_VALUE;
}

/* Names with commas between them. */
static session_setting set_list(const setting *s, const setting_place *place, const char *value) {
    const char *const **out = place->at;
    size_t              count = 1;
    (void)s;
    if (!*value) return SESSION_SETTING_VALUE;
    for (const char *c = value; *c; c++) count += *c == ',';
    const char **list = BASE_NEW_ARRAY(place->arena, const char *, count + 1);
    for (size_t i = 0; list && i < count; i++) {
        size_t len = strcspn(value, ",");
        list[i] = base__arena_str(place->arena, (corm_str){ value, len }).data;
        if (!list[i]) return SESSION_SETTING_MEMORY;
        value += len + 1;
    }
    if (list && !*out) *out = list;
    return list ? SESSION_SETTING_READ : SESSION_SETTING_MEMORY;
}

/* ---- settings that say more than one thing ---- */

static session_setting set_durability(const setting *s, const setting_place *place,
                                      const char *value) {
    bool relaxed = strcmp(value, "relaxed") == 0;
    (void)s;
    place->uri->options.relaxed_durability |= relaxed;
    return relaxed || strcmp(value, "full") == 0 ? SESSION_SETTING_READ : SESSION_SETTING_VALUE;
}

/* A number of retries asks for the policy that counts them; none, for the one that never retries. */
static session_setting set_retries(const setting *s, const setting_place *place,
                                   const char *value) {
    corm_retry_options *retry = place->at;
    uint64_t            number;
    if (!read_number(s, value, &number)) return SESSION_SETTING_VALUE;
    if (retry->max_retries == 0) retry->max_retries = (uint32_t)number;
    if (retry->kind == 0) retry->kind = number > 0 ? CORM_RETRY_BACKOFF : CORM_RETRY_FALLTHROUGH;
    return SESSION_SETTING_READ;
}

static const char *const backoffs[] = { "exponential", "constant", NULL };

static session_setting set_backoff(const setting *s, const setting_place *place,
                                   const char *value) {
    corm_retry_options *retry = &place->uri->cluster.retry;
    session_setting     read = set_word(s, place, value);
    if (read == SESSION_SETTING_READ && retry->kind == 0) retry->kind = CORM_RETRY_BACKOFF;
    return read;
}

static session_setting set_speculative_delay(const setting *s, const setting_place *place,
                                             const char *value) {
    corm_speculative_options *speculative = &place->uri->cluster.speculative;
    session_setting           read = set_u32(s, place, value);
    if (read == SESSION_SETTING_READ && speculative->kind == 0) {
        speculative->kind = CORM_SPECULATE_CONSTANT;
    }
    return read;
}

static session_setting set_percentile(const setting *s, const setting_place *place,
                                      const char *value) {
    corm_speculative_options *speculative = place->at;
    uint64_t                  number;
    if (!read_number(s, value, &number)) return SESSION_SETTING_VALUE;
    if (speculative->kind == 0) speculative->kind = CORM_SPECULATE_PERCENTILE;
    if (speculative->percentile == 0) speculative->percentile = (double)number;
    return SESSION_SETTING_READ;
}

/* ---- the table ---- */

static const char *const consistencies[] = {
    [CORM_CONSISTENCY_DEFAULT] = "", /* none is called so */
    [CORM_ANY] = "any",
    [CORM_ONE] = "one",
    [CORM_TWO] = "two",
    [CORM_THREE] = "three",
    [CORM_QUORUM] = "quorum",
    [CORM_ALL] = "all",
    [CORM_LOCAL_QUORUM] = "local_quorum",
    [CORM_EACH_QUORUM] = "each_quorum",
    [CORM_SERIAL] = "serial",
    [CORM_LOCAL_SERIAL] = "local_serial",
    [CORM_LOCAL_ONE] = "local_one",
    NULL,
};
static const char *const compressions[] = { "none", "lz4", "snappy", NULL };
static const char *const balancings[] = { "default", "round-robin", "least-connections", "random",
                                          NULL };
static const char *const verifications[] = { "full", "chain", "none", NULL };
static const char *const retry_kinds[] = { "default", "backoff", "downgrading", "fallthrough",
                                           NULL };

#define SESSION(member) offsetof(session_uri, options.member)
#define NODES(member) offsetof(session_uri, cluster.member)
#define FLAG "true or false"
#define MS "1 to 86400000"

static const setting settings[] = {
    { "keyspace", "a keyspace's name", BOTH, set_text, SESSION(keyspace), 0, 0, NULL },
    { "create_keyspace", FLAG, BOTH, set_flag, SESSION(create_keyspace), 0, 0, NULL },
    { "page_size", "1 to 10000000", BOTH, set_u32, SESSION(page_size), 1, 10000000, NULL },
    { "consistency", "one, quorum, local_quorum …", BOTH, set_word, SESSION(consistency), 0, 0,
      consistencies },
    { "durability", "full or relaxed", EMBEDDED, set_durability, 0, 0, 0, NULL },
    { "read_only", FLAG, EMBEDDED, set_flag, SESSION(read_only), 0, 0, NULL },
    { "create", FLAG, EMBEDDED, set_not, SESSION(must_exist), 0, 0, NULL },
    { "worker_threads", "1 to 256", EMBEDDED, set_u32, SESSION(worker_threads), 1, 256, NULL },
    { "dc", "a data centre's name", CLUSTER, set_text, NODES(balancing.local_dc), 0, 0, NULL },
    { "rack", "a rack's name", CLUSTER, set_text, NODES(balancing.local_rack), 0, 0, NULL },
    { "balancing", "default, round-robin, least-connections or random", CLUSTER, set_word,
      NODES(balancing.kind), 0, 0, balancings },
    { "remote_nodes", "0 to 1000", CLUSTER, set_u32, NODES(balancing.remote_nodes), 0, 1000, NULL },
    { "token_awareness", FLAG, CLUSTER, set_not, NODES(balancing.no_token_awareness), 0, 0, NULL },
    { "shard_awareness", FLAG, CLUSTER, set_not, NODES(no_shard_awareness), 0, 0, NULL },
    { "allow", "addresses or host ids, with commas", CLUSTER, set_list, NODES(balancing.allow), 0,
      0, NULL },
    { "deny", "addresses or host ids, with commas", CLUSTER, set_list, NODES(balancing.deny), 0, 0,
      NULL },
    { "tls", FLAG, CLUSTER, set_flag, NODES(tls.enabled), 0, 0, NULL },
    { "tls_ca", "a file", CLUSTER, set_text, NODES(tls.ca_file), 0, 0, NULL },
    { "tls_cert", "a file", CLUSTER, set_text, NODES(tls.certificate_file), 0, 0, NULL },
    { "tls_key", "a file", CLUSTER, set_text, NODES(tls.key_file), 0, 0, NULL },
    { "tls_key_password", "a password", CLUSTER, set_text, NODES(tls.key_password), 0, 0, NULL },
    { "tls_verify", "full, chain or none", CLUSTER, set_word, NODES(tls.verify), 0, 0,
      verifications },
    { "tls_server_name", "a name", CLUSTER, set_text, NODES(tls.server_name), 0, 0, NULL },
    { "tls13_only", FLAG, CLUSTER, set_flag, NODES(tls.tls13_only), 0, 0, NULL },
    { "protocol_version", "4 or 5", CLUSTER, set_u8, NODES(protocol_version), 4, 5, NULL },
    { "compression", "none, lz4 or snappy", CLUSTER, set_word, NODES(compression), 0, 0,
      compressions },
    { "pool_size", "1 to 1024", CLUSTER, set_u32, NODES(pool.size), 1, 1024, NULL },
    { "pool_max_size", "1 to 1024", CLUSTER, set_u32, NODES(pool.max_size), 1, 1024, NULL },
    { "pool_idle_timeout_ms", MS, CLUSTER, set_u32, NODES(pool.idle_timeout_ms), 1, DAY_MS, NULL },
    { "pool_max_queued", "1 to 4294967295", CLUSTER, set_u32, NODES(pool.max_queued), 1, UINT32_MAX,
      NULL },
    { "requests_per_connection", "1 to 32768", CLUSTER, set_u32,
      NODES(pool.requests_per_connection), 1, 32768, NULL },
    { "health_check", FLAG, CLUSTER, set_not, NODES(health_check.disabled), 0, 0, NULL },
    { "health_interval_ms", MS, CLUSTER, set_u32, NODES(health_check.interval_ms), 1, DAY_MS,
      NULL },
    { "health_timeout_ms", MS, CLUSTER, set_u32, NODES(health_check.timeout_ms), 1, DAY_MS, NULL },
    { "retry", "default, backoff, downgrading or fallthrough", CLUSTER, set_word, NODES(retry.kind),
      0, 0, retry_kinds },
    { "retries", "0 to 1000", CLUSTER, set_retries, NODES(retry), 0, 1000, NULL },
    { "backoff", "exponential or constant", CLUSTER, set_backoff, NODES(retry.backoff), 0, 0,
      backoffs },
    { "retry_base_delay_ms", MS, CLUSTER, set_u32, NODES(retry.base_delay_ms), 1, DAY_MS, NULL },
    { "retry_max_delay_ms", MS, CLUSTER, set_u32, NODES(retry.max_delay_ms), 1, DAY_MS, NULL },
    { "speculative_delay_ms", MS, CLUSTER, set_speculative_delay, NODES(speculative.delay_ms), 1,
      DAY_MS, NULL },
    { "speculative_percentile", "1 to 99", CLUSTER, set_percentile, NODES(speculative), 1, 99,
      NULL },
    { "speculative_executions", "1 to 3", CLUSTER, set_u32, NODES(speculative.max_executions), 1, 3,
      NULL },
    { "reconnect_base_delay_ms", MS, CLUSTER, set_u32, NODES(reconnection.base_delay_ms), 1, DAY_MS,
      NULL },
    { "reconnect_max_delay_ms", MS, CLUSTER, set_u32, NODES(reconnection.max_delay_ms), 1, DAY_MS,
      NULL },
    { "dials_per_second", "1 to 1000000", CLUSTER, set_u32, NODES(reconnection.dials_per_second), 1,
      1000000, NULL },
    { "prepares_per_second", "1 to 1000000", CLUSTER, set_u32,
      NODES(reconnection.prepares_per_second), 1, 1000000, NULL },
    { "concurrency_limit", FLAG, CLUSTER, set_not, NODES(concurrency.disabled), 0, 0, NULL },
    { "connect_timeout_ms", MS, CLUSTER, set_u32, NODES(connect_timeout_ms), 1, DAY_MS, NULL },
    { "request_timeout_ms", MS, CLUSTER, set_u32, NODES(request_timeout_ms), 1, DAY_MS, NULL },
    { "schema_agreement_ms", MS, CLUSTER, set_u32, NODES(schema_agreement_ms), 1, DAY_MS, NULL },
    { "slow_query_ms", MS, CLUSTER, set_u32, NODES(slow_query_ms), 1, DAY_MS, NULL },
    { "prepared_cache_bytes", "a number of bytes", CLUSTER, set_size, NODES(prepared_cache_bytes),
      1, SIZE_MAX, NULL },
    { "max_frame_bytes", "a number of bytes", CLUSTER, set_size, NODES(max_frame_bytes), 1,
      SIZE_MAX, NULL },
    { "client_timestamps", FLAG, CLUSTER, set_not, NODES(no_client_timestamps), 0, 0, NULL },
    { "schema_metadata", FLAG, CLUSTER, set_not, NODES(no_schema_metadata), 0, 0, NULL },
    { "application_name", "a name", CLUSTER, set_text, NODES(application_name), 0, 0, NULL },
    { "application_version", "a version", CLUSTER, set_text, NODES(application_version), 0, 0,
      NULL },
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

static const setting *find(corm_str name) {
    for (size_t i = 0; i < SETTINGS; i++) {
        if (corm_str_equal(name, corm_str_of(settings[i].name))) return &settings[i];
    }
    return NULL;
}

session_setting session__setting_read(session_uri *uri, base_arena *arena, corm_str name,
                                      const char *value) {
    const setting *s = find(name);
    if (!s) return SESSION_SETTING_UNKNOWN;
    if (!(s->doors & (uri->is_cluster ? CLUSTER : EMBEDDED))) return SESSION_SETTING_DOOR;
    if (!*value) return SESSION_SETTING_VALUE;
    setting_place place = { uri, arena, (char *)uri + s->at };
    return s->set(s, &place, value);
}

const char *session__setting_name(size_t index) {
    return index < SETTINGS ? settings[index].name : NULL;
}

const char *session__setting_values(corm_str name) {
    const setting *s = find(name);
    return s ? s->values : "";
}

const char *session__setting_nearest(corm_str name, bool is_cluster) {
    const char *nearest = NULL;
    size_t      least = NAME_DISTANCE + 1;
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!(settings[i].doors & (is_cluster ? CLUSTER : EMBEDDED))) continue;
        size_t distance = base__edit_distance(name, corm_str_of(settings[i].name));
        if (distance < least) nearest = settings[i].name;
        if (distance < least) least = distance;
    }
    return nearest;
}
