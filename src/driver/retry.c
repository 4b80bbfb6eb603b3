// SPDX-License-Identifier: MIT
/* retry.c -- what is to be done about a failure, and after which pause. Pure but for a policy of the user's.
 *
 *   DEFAULT        read time-out         once, when enough replicas answered but not the one with the data
 *                  write time-out        once, when the batch log was what timed out
 *                  unavailable           once, on the next node: this one may be cut off
 *                  read, write failure   once, on the next node, when idempotent
 *                  overloaded, bootstrapping, server error, lost connection    the next node, while there is one
 *
 * Whatever is decided here, request.c sends no write again that may have been applied and is not idempotent. */
#include "driver/cluster.h"
#include "driver/policy.h"

static corm_retry_decision verdict(corm_retry_verdict what) {
    return (corm_retry_decision){ .verdict = what };
}

/* A node that is bootstrapping has done nothing; the others may have. */
static bool says_next_node(const corm_failure *failure) {
    corm_status status = failure->status;
    if (status == CORM_BOOTSTRAPPING) return true;
    bool node = status == CORM_OVERLOADED || status == CORM_SERVER_ERROR || status == CORM_IO ||
                status == CORM_PROTOCOL_ERROR || status == CORM_TRUNCATE_ERROR;
    return node && failure->idempotent;
}

/* A replica that is ending fails what it has begun, until the other nodes know that it is gone. */
static bool may_succeed_elsewhere(const corm_failure *failure) {
    return failure->idempotent &&
           (failure->status == CORM_READ_FAILURE || failure->status == CORM_WRITE_FAILURE);
}

static corm_retry_decision decide_default(const corm_failure *failure) {
    bool first = failure->retries == 0;
    switch (failure->status) {
    case CORM_READ_TIMEOUT: {
        bool enough = failure->received >= failure->required && !failure->data_present;
        return verdict(first && enough ? CORM_RETRY_SAME_NODE : CORM_RETHROW);
    }
    case CORM_WRITE_TIMEOUT: {
        bool log = failure->write_type == CORM_WRITE_BATCH_LOG;
        return verdict(first && log ? CORM_RETRY_SAME_NODE : CORM_RETHROW);
    }
    case CORM_UNAVAILABLE: return verdict(first ? CORM_RETRY_NEXT_NODE : CORM_RETHROW);
    case CORM_READ_FAILURE:
    case CORM_WRITE_FAILURE:
        return verdict(first && may_succeed_elsewhere(failure) ? CORM_RETRY_NEXT_NODE
                                                               : CORM_RETHROW);
    default: return verdict(says_next_node(failure) ? CORM_RETRY_NEXT_NODE : CORM_RETHROW);
    }
}

/* ---- BACKOFF ---- */

uint32_t driver__backoff_ms(const corm_retry_options *options, uint32_t retries, uint64_t random) {
    if (options->backoff == CORM_BACKOFF_CONSTANT) return options->base_delay_ms;
    uint64_t most = options->max_delay_ms;
    uint64_t delay = (uint64_t)options->base_delay_ms << (retries < 31 ? retries : 31);
    if (delay > most) delay = most;
    return (uint32_t)(random % (delay + 1));
}

static corm_retry_decision decide_backoff(const corm_retry_options *options,
                                          driver_cluster *cluster, const corm_failure *failure) {
    bool same = failure->status == CORM_READ_TIMEOUT || failure->status == CORM_WRITE_TIMEOUT;
    bool may = same || failure->status == CORM_UNAVAILABLE || says_next_node(failure) ||
               may_succeed_elsewhere(failure);
    if (!may || failure->retries >= options->max_retries) return verdict(CORM_RETHROW);
    corm_retry_decision out = verdict(same ? CORM_RETRY_SAME_NODE : CORM_RETRY_NEXT_NODE);
    uint32_t            random = driver__random(cluster, UINT32_MAX);
    out.delay_ms = driver__backoff_ms(options, failure->retries, random);
    return out;
}

/* ---- DOWNGRADING ---- */

static bool is_serial(corm_consistency consistency) {
    return consistency == CORM_SERIAL || consistency == CORM_LOCAL_SERIAL;
}

/* The highest consistency that so many replicas can give. */
static corm_retry_decision downgrade(const corm_failure *failure, int32_t known) {
    corm_retry_decision out = verdict(CORM_RETRY_SAME_NODE);
    if (known >= 3)
        out.consistency = CORM_THREE;
    else if (known == 2)
        out.consistency = CORM_TWO;
    else if (known == 1 || failure->consistency == CORM_EACH_QUORUM)
        out.consistency = CORM_ONE;
    else
        out.verdict = CORM_RETHROW;
    return out;
}

static corm_retry_decision downgrade_read(const corm_failure *failure) {
    if (is_serial(failure->consistency)) return verdict(CORM_RETHROW);
    if (failure->received < failure->required) return downgrade(failure, failure->received);
    return verdict(failure->data_present ? CORM_RETHROW : CORM_RETRY_SAME_NODE);
}

/* A write that one replica has is there for good: hints and repair bring it to the others. */
static corm_retry_decision downgrade_write(const corm_failure *failure) {
    switch (failure->write_type) {
    case CORM_WRITE_SIMPLE:
    case CORM_WRITE_BATCH: return verdict(failure->received > 0 ? CORM_RETRY_IGNORE : CORM_RETHROW);
    case CORM_WRITE_UNLOGGED_BATCH: return downgrade(failure, failure->received);
    case CORM_WRITE_BATCH_LOG: return verdict(CORM_RETRY_SAME_NODE);
    default: return verdict(CORM_RETHROW);
    }
}

static corm_retry_decision decide_downgrading(const corm_failure *failure) {
    bool first = failure->retries == 0;
    switch (failure->status) {
    case CORM_READ_TIMEOUT: return first ? downgrade_read(failure) : verdict(CORM_RETHROW);
    case CORM_WRITE_TIMEOUT: return first ? downgrade_write(failure) : verdict(CORM_RETHROW);
    case CORM_UNAVAILABLE:
        if (!first) return verdict(CORM_RETHROW);
        if (is_serial(failure->consistency)) return verdict(CORM_RETRY_NEXT_NODE);
        return downgrade(failure, failure->alive);
    default: return decide_default(failure);
    }
}

static corm_retry_decision ask_policy(const corm_retry_policy *policy, driver_cluster *cluster,
                                      const corm_failure *failure) {
    cluster->calling++;
    corm_retry_decision out = policy->decide(policy->context, failure);
    cluster->calling--;
    return out;
}

corm_retry_decision driver__retry_decide(const corm_retry_options *options, driver_cluster *cluster,
                                         const corm_failure *failure) {
    if (options->policy) return ask_policy(options->policy, cluster, failure);
    switch (options->kind) {
    case CORM_RETRY_BACKOFF: return decide_backoff(options, cluster, failure);
    case CORM_RETRY_DOWNGRADING: return decide_downgrading(failure);
    case CORM_RETRY_FALLTHROUGH: return verdict(CORM_RETHROW);
    case CORM_RETRY_DEFAULT: break;
    }
    return decide_default(failure);
}
