// SPDX-License-Identifier: MIT
/* settings.c -- copies a cluster's options into one arena and fills in what was left to the default. Owns the copy; pure but
 * for the page token key and the client id, which are random. Any thread. */
#include "driver/settings.h"

#include "base/clock.h"
#include "base/fail.h"

enum {
    STANDARD_PORT = 9042,
    HIGHEST_VERSION = 5,
    LOWEST_VERSION = 4,
    LATEST_MS = 24 * 3600 * 1000
};

static const size_t MIB = (size_t)1 << 20;

/* Whole numbers: where they stand, what zero means, and what is allowed. */
#define AT(member) #member, offsetof(corm_cluster_options, member)
static const struct {
    const char *name;
    size_t      at;
    uint32_t    standard, least, most;
} numbers[] = {
    { AT(pool.size), 10, 1, 1024 },
    { AT(pool.max_size), 50, 1, 1024 },
    { AT(pool.requests_per_connection), 1024, 1, 32768 },
    { AT(pool.idle_timeout_ms), 30000, 1, LATEST_MS },
    { AT(pool.max_queued), 65536, 1, UINT32_MAX },
    { AT(health_check.interval_ms), 30000, 1, LATEST_MS },
    { AT(health_check.timeout_ms), 5000, 1, LATEST_MS },
    { AT(retry.max_retries), 3, 1, 1000 },
    { AT(retry.base_delay_ms), 100, 1, LATEST_MS },
    { AT(retry.max_delay_ms), 10000, 1, LATEST_MS },
    { AT(speculative.delay_ms), 100, 1, LATEST_MS },
    { AT(speculative.max_executions), 1, 1, 3 },
    { AT(reconnection.base_delay_ms), 500, 1, LATEST_MS },
    { AT(reconnection.max_delay_ms), 60000, 1, LATEST_MS },
    { AT(reconnection.dials_per_second), 50, 1, 1000000 },
    { AT(reconnection.prepares_per_second), 500, 1, 1000000 },
    { AT(concurrency.initial), 4096, 1, 1 << 20 },
    { AT(concurrency.least), 16, 1, 1 << 20 },
    { AT(concurrency.most), 32768, 1, 1 << 20 },
    { AT(connect_timeout_ms), 5000, 1, LATEST_MS },
    { AT(request_timeout_ms), 15000, 1, LATEST_MS },
    { AT(schema_agreement_ms), 10000, 1, LATEST_MS },
};

/* Enumerations and the number of their values. */
static const struct {
    const char *name;
    size_t      at;
    uint32_t    values;
} choices[] = {
    { AT(tls.verify), CORM_TLS_VERIFY_NONE + 1 },
    { AT(compression), CORM_SNAPPY + 1 },
    { AT(balancing.kind), CORM_BALANCE_RANDOM + 1 },
    { AT(retry.kind), CORM_RETRY_FALLTHROUGH + 1 },
    { AT(retry.backoff), CORM_BACKOFF_CONSTANT + 1 },
    { AT(speculative.kind), CORM_SPECULATE_PERCENTILE + 1 },
};
#undef AT

static const size_t texts[] = {
    offsetof(corm_cluster_options, username),
    offsetof(corm_cluster_options, password),
    offsetof(corm_cluster_options, tls.ca_file),
    offsetof(corm_cluster_options, tls.certificate_file),
    offsetof(corm_cluster_options, tls.key_file),
    offsetof(corm_cluster_options, tls.key_password),
    offsetof(corm_cluster_options, tls.server_name),
    offsetof(corm_cluster_options, application_name),
    offsetof(corm_cluster_options, application_version),
};

/* ---- copies ---- */

static corm_status copy_text(base_arena *arena, const char **text, corm_error *err) {
    if (!*text) return CORM_OK;
    *text = base__arena_str(arena, corm_str_of(*text)).data;
    return *text ? CORM_OK : base__fail_memory(err);
}

/* *object becomes a copy of what it points to; NULL stays. */
static corm_status copy_object(base_arena *arena, const void **object, size_t size,
                               corm_error *err) {
    if (!*object) return CORM_OK;
    *object = base__arena_copy(arena, *object, size);
    return *object ? CORM_OK : base__fail_memory(err);
}

#define COPY_OBJECT(arena, member, err)                                                            \
    copy_object((arena), (const void **)(uintptr_t) & (member), sizeof *(member), (err))

static corm_status copy_list(base_arena *arena, const char *const **list, corm_error *err) {
    if (!*list) return CORM_OK;
    size_t count = 0;
    while ((*list)[count]) count++;
    const char **copy = BASE_NEW_ARRAY(arena, const char *, count + 1);
    if (!copy) return base__fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        copy[i] = (*list)[i];
        CORM_TRY(copy_text(arena, &copy[i], err));
    }
    *list = copy;
    return CORM_OK;
}

static corm_status copy_balancing(base_arena *arena, corm_balancing_options *balancing,
                                  corm_error *err) {
    CORM_TRY(copy_text(arena, &balancing->local_dc, err));
    CORM_TRY(copy_text(arena, &balancing->local_rack, err));
    CORM_TRY(copy_list(arena, &balancing->allow, err));
    CORM_TRY(copy_list(arena, &balancing->deny, err));
    return COPY_OBJECT(arena, balancing->policy, err);
}

static corm_status copy_contacts(driver_settings *out, const driver_contact *contacts,
                                 uint32_t count, corm_error *err) {
    if (count == 0) return base__fail(err, CORM_INVALID_ARGUMENT, "no contact point is given");
    driver_contact *copy = BASE_NEW_ARRAY(&out->arena, driver_contact, count);
    if (!copy) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = contacts[i];
        if (!copy[i].name || !*copy[i].name) {
            return base__fail(err, CORM_INVALID_ARGUMENT, "a contact point has no name");
        }
        CORM_TRY(copy_text(&out->arena, &copy[i].name, err));
        if (copy[i].port == 0) copy[i].port = STANDARD_PORT;
    }
    out->contacts = copy;
    out->contact_count = count;
    return CORM_OK;
}

static corm_status copy_options(driver_settings *out, corm_error *err) {
    corm_cluster_options *o = &out->options;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CORM_TRY(copy_text(&out->arena, (const char **)(void *)((char *)o + texts[i]), err));
    }
    CORM_TRY(copy_balancing(&out->arena, &o->balancing, err));
    CORM_TRY(COPY_OBJECT(&out->arena, o->authenticator, err));
    return COPY_OBJECT(&out->arena, o->retry.policy, err);
}

/* ---- defaults ---- */

static corm_status out_of_range(corm_error *err, const char *name, uint32_t least, uint32_t most) {
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the cluster option '%s' must be between %u and %u", name, least, most);
}

static corm_status complete_numbers(corm_cluster_options *o, corm_error *err) {
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint32_t *number = (uint32_t *)(void *)((char *)o + numbers[i].at);
        if (*number == 0) *number = numbers[i].standard;
        if (*number < numbers[i].least || *number > numbers[i].most) {
            return out_of_range(err, numbers[i].name, numbers[i].least, numbers[i].most);
        }
    }
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        uint32_t choice;
        memcpy(&choice, (char *)o + choices[i].at, sizeof choice);
        if (choice >= choices[i].values) {
            return out_of_range(err, choices[i].name, 0, choices[i].values - 1);
        }
    }
    return CORM_OK;
}

/* An option left to its default gives way to one that was given: a pool with `max_size` 4 is of size 4. */
static void fit_defaults(const corm_cluster_options *given, corm_cluster_options *o) {
    if (!given->pool.size && o->pool.size > o->pool.max_size) o->pool.size = o->pool.max_size;
    if (!given->pool.max_size && o->pool.max_size < o->pool.size) o->pool.max_size = o->pool.size;
    const corm_concurrency_options *c = &given->concurrency;
    if (!c->most && o->concurrency.most < o->concurrency.least) {
        o->concurrency.most = o->concurrency.least;
    }
    if (!c->least && o->concurrency.least > o->concurrency.most) {
        o->concurrency.least = o->concurrency.most;
    }
    if (!c->initial && o->concurrency.initial > o->concurrency.most) {
        o->concurrency.initial = o->concurrency.most;
    }
    if (!c->initial && o->concurrency.initial < o->concurrency.least) {
        o->concurrency.initial = o->concurrency.least;
    }
    const corm_reconnection_options *r = &given->reconnection;
    if (!r->max_delay_ms && o->reconnection.max_delay_ms < o->reconnection.base_delay_ms) {
        o->reconnection.max_delay_ms = o->reconnection.base_delay_ms;
    }
    if (!r->base_delay_ms && o->reconnection.base_delay_ms > o->reconnection.max_delay_ms) {
        o->reconnection.base_delay_ms = o->reconnection.max_delay_ms;
    }
}

static void fit_retry(const corm_retry_options *given, corm_retry_options *retry) {
    if (!given->max_delay_ms && retry->max_delay_ms < retry->base_delay_ms) {
        retry->max_delay_ms = retry->base_delay_ms;
    }
    if (!given->base_delay_ms && retry->base_delay_ms > retry->max_delay_ms) {
        retry->base_delay_ms = retry->max_delay_ms;
    }
}

static corm_status check_pairs(const corm_cluster_options *o, corm_error *err) {
    if (o->pool.max_size < o->pool.size) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the cluster option 'pool.max_size' is below 'pool.size'");
    }
    if (o->concurrency.least > o->concurrency.most) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the cluster option 'concurrency.most' is below 'concurrency.least'");
    }
    if (o->concurrency.initial < o->concurrency.least ||
        o->concurrency.initial > o->concurrency.most) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the cluster option 'concurrency.initial' must be between "
                          "'concurrency.least' and 'concurrency.most'");
    }
    if (o->reconnection.base_delay_ms > o->reconnection.max_delay_ms) {
        return base__fail(
            err, CORM_INVALID_ARGUMENT,
            "the cluster option 'reconnection.max_delay_ms' is below 'reconnection.base_delay_ms'");
    }
    if (o->retry.base_delay_ms > o->retry.max_delay_ms) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the cluster option 'retry.max_delay_ms' is below 'retry.base_delay_ms'");
    }
    if (o->password && !o->username) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the cluster option 'password' is given without 'username'");
    }
    if (!(o->speculative.percentile > 0 && o->speculative.percentile < 100)) {
        return base__fail(
            err, CORM_INVALID_ARGUMENT,
            "the cluster option 'speculative.percentile' must be above 0 and below 100");
    }
    return CORM_OK;
}

static corm_status complete(const corm_cluster_options *given, corm_cluster_options *o,
                            corm_error *err) {
    CORM_TRY(complete_numbers(o, err));
    fit_defaults(given, o);
    fit_retry(&given->retry, &o->retry);
    if (o->protocol_version == 0) o->protocol_version = HIGHEST_VERSION;
    if (o->protocol_version < LOWEST_VERSION || o->protocol_version > HIGHEST_VERSION) {
        return out_of_range(err, "protocol_version", LOWEST_VERSION, HIGHEST_VERSION);
    }
    if (o->speculative.percentile == 0) o->speculative.percentile = 99.0;
    if (o->prepared_cache_bytes == 0) o->prepared_cache_bytes = 32 * MIB;
    if (o->max_frame_bytes == 0) o->max_frame_bytes = 256 * MIB;
    if (!o->tls.key_file) o->tls.key_file = o->tls.certificate_file;
    if (o->username && !o->password) o->password = "";
    return check_pairs(o, err);
}

/* ---- profiles ---- */

static void inherit_u32(uint32_t *number, uint32_t standard) {
    if (*number == 0) *number = standard;
}

static void inherit_balancing(corm_balancing_options *own, const corm_balancing_options *of) {
    corm_balancing_options all = *of;
    if (own->kind != CORM_BALANCE_DEFAULT) all.policy = NULL;
    if (own->kind != CORM_BALANCE_DEFAULT) all.kind = own->kind;
    if (own->policy) all.policy = own->policy;
    if (own->local_dc) all.local_rack = NULL;
    if (own->local_dc) all.local_dc = own->local_dc;
    if (own->local_rack) all.local_rack = own->local_rack;
    if (own->remote_nodes) all.remote_nodes = own->remote_nodes;
    all.no_token_awareness |= own->no_token_awareness;
    *own = all;
}

static void inherit_retry(corm_retry_options *own, const corm_retry_options *of) {
    corm_retry_options given = *own;
    if (own->kind == CORM_RETRY_DEFAULT && !own->policy) own->policy = of->policy;
    if (own->kind == CORM_RETRY_DEFAULT) own->kind = of->kind;
    if (own->backoff == CORM_BACKOFF_EXPONENTIAL) own->backoff = of->backoff;
    inherit_u32(&own->max_retries, of->max_retries);
    inherit_u32(&own->base_delay_ms, of->base_delay_ms);
    inherit_u32(&own->max_delay_ms, of->max_delay_ms);
    fit_retry(&given, own);
}

static void inherit_speculative(corm_speculative_options *own, const corm_speculative_options *of) {
    if (own->kind == CORM_SPECULATE_NEVER) own->kind = of->kind;
    inherit_u32(&own->delay_ms, of->delay_ms);
    inherit_u32(&own->max_executions, of->max_executions);
    if (own->percentile == 0) own->percentile = of->percentile;
}

static corm_status copy_profile(base_arena *arena, corm_profile *profile, corm_error *err) {
    if (!profile->name || !*profile->name) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a profile has no name");
    }
    CORM_TRY(copy_text(arena, &profile->name, err));
    CORM_TRY(copy_balancing(arena, &profile->balancing, err));
    return COPY_OBJECT(arena, profile->retry.policy, err);
}

static corm_status check_profile(const corm_profile *profile, corm_error *err) {
    const char *wrong = NULL;
    if (profile->consistency > CORM_LOCAL_ONE) wrong = "consistency";
    if (profile->serial_consistency != CORM_SERIAL &&
        profile->serial_consistency != CORM_LOCAL_SERIAL) {
        wrong = "serial_consistency";
    }
    if (profile->balancing.kind > CORM_BALANCE_RANDOM) wrong = "balancing.kind";
    if (profile->retry.kind > CORM_RETRY_FALLTHROUGH) wrong = "retry.kind";
    if (profile->retry.base_delay_ms > profile->retry.max_delay_ms) wrong = "retry.max_delay_ms";
    if (profile->speculative.kind > CORM_SPECULATE_PERCENTILE) wrong = "speculative.kind";
    if (profile->speculative.max_executions > 3) wrong = "speculative.max_executions";
    if (!(profile->speculative.percentile > 0 && profile->speculative.percentile < 100)) {
        wrong = "speculative.percentile";
    }
    if (!wrong) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' of the profile '%s' is out of range", wrong,
                      profile->name);
}

static corm_status complete_profile(const driver_settings *settings, corm_profile *profile,
                                    corm_error *err) {
    const corm_profile *of = &settings->profile;
    if (profile->consistency == 0) profile->consistency = of->consistency;
    if (profile->serial_consistency == 0) profile->serial_consistency = of->serial_consistency;
    inherit_u32(&profile->request_timeout_ms, of->request_timeout_ms);
    inherit_balancing(&profile->balancing, &of->balancing);
    inherit_retry(&profile->retry, &of->retry);
    inherit_speculative(&profile->speculative, &of->speculative);
    return check_profile(profile, err);
}

static void make_own_profile(driver_settings *out) {
    const corm_cluster_options *o = &out->options;
    out->profile = (corm_profile){
        .name = "",
        .consistency = out->consistency,
        .serial_consistency = CORM_SERIAL,
        .request_timeout_ms = o->request_timeout_ms,
        .balancing = o->balancing,
        .retry = o->retry,
        .speculative = o->speculative,
    };
}

static corm_status make_profiles(driver_settings *out, corm_error *err) {
    uint32_t count = out->options.profile_count;
    make_own_profile(out);
    corm_profile *copy = BASE_NEW_ARRAY(&out->arena, corm_profile, count);
    if (!copy) return base__fail_memory(err);
    if (count > 0) memcpy(copy, out->options.profiles, count * sizeof *copy);
    out->options.profiles = copy;
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(copy_profile(&out->arena, &copy[i], err));
        CORM_TRY(complete_profile(out, &copy[i], err));
    }
    return CORM_OK;
}

/* ---- all of it ---- */

static corm_status make_secrets(driver_settings *out, corm_error *err) {
    corm_uuid client = corm_uuid_random();
    corm_uuid_format(client, out->client_id);
    if (out->options.page_token_key) {
        memcpy(out->page_token_key, out->options.page_token_key, sizeof out->page_token_key);
    } else if (!base__random(out->page_token_key, sizeof out->page_token_key)) {
        return base__fail(err, CORM_IO, "the operating system gives no random bytes");
    }
    out->options.page_token_key = NULL; /* the copy in `out` may be moved */
    return CORM_OK;
}

corm_status driver__settings_make(const driver_contact *contacts, uint32_t contact_count,
                                  const corm_cluster_options *options, corm_consistency consistency,
                                  driver_settings *out, corm_error *err) {
    static const corm_cluster_options none;
    memset(out, 0, sizeof *out);
    if (!options) options = &none;
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the cluster options are not initialised");
    }
    out->options = *options;
    out->consistency = consistency ? consistency : CORM_LOCAL_ONE;
    CORM_TRY(copy_contacts(out, contacts, contact_count, err));
    CORM_TRY(copy_options(out, err));
    CORM_TRY(complete(options, &out->options, err));
    CORM_TRY(make_secrets(out, err));
    return make_profiles(out, err);
}

void driver__settings_free(driver_settings *settings) {
    if (!settings) return;
    base__arena_free(&settings->arena);
    memset(settings, 0, sizeof *settings);
}

const corm_profile *driver__settings_profile(const driver_settings *settings, const char *name) {
    if (!name || !*name) return &settings->profile;
    for (uint32_t i = 0; i < settings->options.profile_count; i++) {
        if (strcmp(settings->options.profiles[i].name, name) == 0) {
            return &settings->options.profiles[i];
        }
    }
    return NULL;
}
