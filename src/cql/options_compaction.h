// SPDX-License-Identifier: MIT
/* options_compaction.h -- what the rules of compaction strategies share. */
#ifndef CQL_OPTIONS_COMPACTION_H
#define CQL_OPTIONS_COMPACTION_H

#include "cql/options.h"

typedef struct cql_compaction_check {
    const cql_option_context *c;
    const cql_map_option     *options; /* all of them */
} cql_compaction_check;

typedef struct cql_compaction_rule {
    const char *name;
    corm_status (*check)(const cql_compaction_check *x, const char *name,
                         corm_str value); /* NULL: takes everything */
} cql_compaction_rule;

enum { CQL_UNIFIED_RULES = 10 };
extern const cql_compaction_rule cql__unified_rules[CQL_UNIFIED_RULES];

/* "VALUE is not a parsable KIND for NAME". */
corm_status cql__refuse_number(const cql_compaction_check *x, const char *kind, const char *name,
                               corm_str value);
corm_status cql__rule_int(const cql_compaction_check *x, const char *name, corm_str value,
                          int32_t *out);
corm_status cql__check_switch(const cql_compaction_check *x, const char *name, corm_str value);

#endif
