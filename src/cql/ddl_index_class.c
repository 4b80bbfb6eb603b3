// SPDX-License-Identifier: MIT
/* ddl_index_class.c -- custom indexes: the storage-attached index and SASI, which columns and
 * options they take, in the server's words. Both are built as the built-in index is. Pure; any
 * thread. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_index.h"
#include "cql/java.h"

#define SAI "org.apache.cassandra.index.sai.StorageAttachedIndex"
#define SASI "org.apache.cassandra.index.sasi.SASIIndex"
#define ANALYZERS "org.apache.cassandra.index.sasi.analyzer."
#define BOTH_CASES                                                                                 \
    "Options to normalize terms cannot be both uppercase and lowercase at the same time"

bool cql__is_sai(corm_str name) {
    return base__str_equal_nocase(name, corm_str_of("sai")) ||
           base__str_equal_nocase(name, corm_str_of("StorageAttachedIndex")) ||
           corm_str_equal(name, corm_str_of(SAI));
}

bool cql__is_sasi(corm_str name) {
    return corm_str_equal(name, corm_str_of(SASI));
}

/* ---- names of classes and options ---- */

static bool is_sai_option(corm_str name) {
    static const char *const names[] = { "maximum_node_connections",
                                         "construction_beam_width",
                                         "similarity_function",
                                         "search_beam_width", /* Corm's own */
                                         "optimize_for",
                                         "case_sensitive",
                                         "normalize",
                                         "ascii" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (corm_str_equal(name, corm_str_of(names[i]))) return true;
    }
    return false;
}

/* The server has the class and the target among the options when it looks for unknown ones. */
static corm_status unknown_options(cql_ddl *ddl, const cql_map_option *options,
                                   cql_map_option *out) {
    cql_option_context c = cql__ddl_options(ddl);
    uint32_t           kept = 0;
    *out = *options;
    for (int step = 0; step < 2; step++) {
        uint32_t capacity = cql__java_copy_capacity(out->count);
        CORM_TRY(cql__map_add(&c, out, corm_str_of(step == 0 ? "class_name" : "target"),
                              corm_str_of("")));
        CORM_TRY(cql__map_order(&c, out, capacity));
    }
    for (uint32_t i = 0; i < out->count; i++) {
        corm_str name = out->pairs[2 * i];
        bool     own = corm_str_equal(name, corm_str_of("class_name")) ||
                   corm_str_equal(name, corm_str_of("target"));
        if (!own && !is_sai_option(name)) out->pairs[2 * kept++] = name;
    }
    out->count = kept;
    return cql__map_order(&c, out, 2);
}

static corm_status refuse_unknown(cql_ddl *ddl, const cql_map_option *unknown) {
    base_buf keys = { 0 };
    cql__put_keys(&keys, unknown);
    corm_status status = base__buf_status(&keys, ddl->err);
    if (status == CORM_OK) {
        status = base__fail(ddl->err, CORM_CONFIG_ERROR,
                            "Properties specified %.*s are not understood by StorageAttachedIndex",
                            CQL_S(base__buf_str(&keys)));
    }
    base__buf_free(&keys);
    return status;
}

corm_status cql__ddl_check_class(cql_ddl *ddl, corm_str class_name, corm_str index,
                                 const cql_map_option *options) {
    cql_map_option unknown = { 0, NULL };
    if (!cql__is_word(index))
        return base__fail(ddl->err, CORM_CONFIG_ERROR, "Illegal index name %.*s", CQL_S(index));
    if (!class_name.data || cql__is_sasi(class_name)) return CORM_OK;
    if (!cql__is_sai(class_name)) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR, "Unable to find custom indexer class '%.*s'",
                          CQL_S(class_name));
    }
    CORM_TRY(unknown_options(ddl, options, &unknown));
    return unknown.count > 0 ? refuse_unknown(ddl, &unknown) : CORM_OK;
}

static corm_status join_targets(cql_ddl *ddl, const cql_index *targets, uint32_t count,
                                corm_str *out) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        corm_str target = cql__index_target(ddl->arena, targets[i].column, targets[i].target);
        if (!target.data) text.failed = true;
        if (i > 0) base__buf_puts(&text, ", ");
        base__buf_put_str(&text, target);
    }
    corm_status status = base__buf_status(&text, ddl->err);
    *out = base__arena_str(ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return status == CORM_OK && !out->data ? base__fail_memory(ddl->err) : status;
}

corm_status cql__ddl_refuse_targets(cql_ddl *ddl, corm_str class_name, corm_str index,
                                    const cql_index *targets, uint32_t count) {
    cql_map_option none = { 0, NULL };
    corm_str       text;
    CORM_TRY(cql__ddl_check_class(ddl, class_name, index, &none));
    CORM_TRY(join_targets(ddl, targets, count, &text));
    if (cql__is_sasi(class_name)) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR, "failed to retrieve target column for: %.*s",
                          CQL_S(text));
    }
    if (count > 1) {
        return base__fail(ddl->err, CORM_INVALID,
                          "A storage-attached index cannot be created over multiple columns: %.*s",
                          CQL_S(text));
    }
    return base__fail(ddl->err, CORM_INVALID, "Failed to retrieve target column for: %.*s",
                      CQL_S(text));
}

/* ---- the storage-attached index ---- */

/* What one index is checked with. `type` is that of its terms; for the entries of a map, of its
 * values. */
typedef struct sai_check {
    cql_ddl         *ddl;
    const cql_table *table;
    const cql_index *index;
    cql_map_option   options;
    const cql_type  *type;
    bool             entries;
} sai_check;

static corm_str option(const sai_check *x, const char *name) {
    return cql__map_option_get(&x->options, name);
}

static const cql_type *term_type(const cql_index *index) {
    const cql_type *type = index->column->type;
    if (!cql__type_is_multicell(type) || type->id == CQL_UDT) return type;
    return index->target == CQL_TARGET_KEYS ? type->params[0] : type->params[type->count - 1];
}

static corm_str shown_type(const sai_check *x) {
    base_buf        text = { 0 };
    const cql_type *map = x->index->column->type;
    if (x->entries) {
        base__buf_puts(&text, "'org.apache.cassandra.db.marshal.CompositeType(");
        cql__type_print_marshal(map->params[0], &text);
        base__buf_u8(&text, ',');
        cql__type_print_marshal(map->params[1], &text);
        base__buf_puts(&text, ")'");
    } else {
        cql__type_print(x->type, &text);
    }
    corm_str out =
        text.failed ? (corm_str){ NULL, 0 } : base__arena_str(x->ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

static corm_status refuse_type(const sai_check *x, const char *format) {
    corm_str type = shown_type(x);
    if (!type.data) return base__fail_memory(x->ddl->err);
    return base__fail(x->ddl->err, CORM_INVALID, format, CQL_S(type));
}

static cql_index_target sai_target(const cql_index *index) {
    return index->target == CQL_TARGET_COLUMN ? CQL_TARGET_VALUES : index->target;
}

static corm_status check_single(const sai_check *x) {
    uint32_t same = 0;
    for (uint32_t i = 0; i < x->table->index_count; i++) {
        const cql_index *other = &x->table->indexes[i];
        same += cql__is_sai(other->class_name) && other->column->id == x->index->column->id &&
                sai_target(other) == sai_target(x->index);
    }
    if (same <= 1) return CORM_OK;
    return base__fail(x->ddl->err, CORM_INVALID,
                      "Cannot create more than one storage-attached index on the same column: %.*s",
                      CQL_S(x->index->column->name));
}

static const char *const analyzer_options[] = { "ascii", "case_sensitive", "normalize" };

static corm_status refuse_analyzed_key(const sai_check *x) {
    base_buf           text = { 0 };
    cql_option_context c = cql__ddl_options(x->ddl);
    cql_map_option     analyzed = { 0, NULL };
    for (size_t i = 0; i < 3; i++) {
        corm_str value = option(x, analyzer_options[i]);
        if (value.data)
            CORM_TRY(cql__map_add(&c, &analyzed, corm_str_of(analyzer_options[i]), value));
    }
    cql__put_pairs(&text, &analyzed);
    corm_status status = base__buf_status(&text, x->ddl->err);
    if (status == CORM_OK) {
        status =
            base__fail(x->ddl->err, CORM_INVALID,
                       "Analysis options are not supported on primary key columns, but found %.*s",
                       CQL_S(base__buf_str(&text)));
    }
    base__buf_free(&text);
    return status;
}

static corm_status check_analyzer(const sai_check *x) {
    bool any =
        option(x, "ascii").data || option(x, "case_sensitive").data || option(x, "normalize").data;
    if (!any) return CORM_OK;
    if (x->index->column->kind <= CQL_CLUSTERING) return refuse_analyzed_key(x);
    bool text = !x->entries && (x->type->id == CQL_TEXT || x->type->id == CQL_ASCII);
    if (!text) return refuse_type(x, "CQL type %.*s cannot be analyzed.");
    for (size_t i = 0; i < 3; i++) {
        corm_str value = option(x, analyzer_options[i]);
        if (!value.data || cql__is_truth_word(value)) continue;
        if (value.len == 0) {
            return base__fail(x->ddl->err, CORM_INVALID, "Empty value for boolean option '%s'",
                              analyzer_options[i]);
        }
        return base__fail(x->ddl->err, CORM_INVALID, "Illegal value for boolean option '%s': %.*s",
                          analyzer_options[i], CQL_S(value));
    }
    return CORM_OK;
}

static corm_status check_number(const sai_check *x, const char *name, const char *what,
                                int32_t most) {
    corm_str value = option(x, name);
    int32_t  number;
    if (!value.data) return CORM_OK;
    if (!cql__java_int(value, &number)) {
        return base__fail(x->ddl->err, CORM_INVALID,
                          "%s %.*s is not a valid integer for index null", what, CQL_S(value));
    }
    if (number > 0 && number <= most) return CORM_OK;
    return base__fail(x->ddl->err, CORM_INVALID, "%s for index null cannot be <= 0 or > %d, was %d",
                      what, most, number);
}

/* Whether the option is one of the words; `upper` gets it in upper case, data NULL when it was not
 * given. */
static corm_status read_word(const sai_check *x, const char *name, const char *const *words,
                             size_t count, corm_str *upper, bool *known) {
    corm_str value = option(x, name);
    *upper = value;
    *known = true;
    if (!value.data) return CORM_OK;
    *upper = cql__upper(x->ddl->arena, value);
    *known = false;
    if (!upper->data) return base__fail_memory(x->ddl->err);
    for (size_t i = 0; i < count; i++) *known |= corm_str_equal(*upper, corm_str_of(words[i]));
    return CORM_OK;
}

static corm_status check_words(const sai_check *x, bool *cosine) {
    static const char *const functions[] = { "EUCLIDEAN", "DOT_PRODUCT", "COSINE" };
    static const char *const aims[] = { "LATENCY", "RECALL" };
    corm_str                 word;
    bool                     known;
    CORM_TRY(read_word(x, "similarity_function", functions, 3, &word, &known));
    if (!known) {
        return base__fail(x->ddl->err, CORM_INVALID,
                          "Similarity function %.*s was not recognized for index null. Valid "
                          "values are: EUCLIDEAN, DOT_PRODUCT, COSINE",
                          CQL_S(word));
    }
    *cosine = !word.data || corm_str_equal(word, corm_str_of("COSINE"));
    CORM_TRY(read_word(x, "optimize_for", aims, 2, &word, &known));
    if (known) return CORM_OK;
    return base__fail(
        x->ddl->err, CORM_INVALID,
        "optimize_for '%.*s' was not recognized for index null. Valid values are: LATENCY, RECALL",
        CQL_S(word));
}

static corm_status check_vector_options(const sai_check *x, bool *cosine) {
    bool any = option(x, "maximum_node_connections").data ||
               option(x, "construction_beam_width").data || option(x, "similarity_function").data ||
               option(x, "optimize_for").data || option(x, "search_beam_width").data;
    *cosine = true;
    if (!any) return CORM_OK;
    if (x->entries || x->type->id != CQL_VECTOR)
        return refuse_type(x, "CQL type %.*s cannot have vector options");
    CORM_TRY(check_number(x, "maximum_node_connections", "Maximum number of connections", 512));
    CORM_TRY(check_number(x, "construction_beam_width", "Construction beam width", 3200));
    CORM_TRY(check_number(x, "search_beam_width", "Search beam width", 3200));
    return check_words(x, cosine);
}

/* Scalars but blob and duration, and whatever is one value with others inside. */
static bool is_supported(const cql_type *type) {
    switch (type->id) {
    case CQL_BLOB:
    case CQL_COUNTER:
    case CQL_DURATION:
    case CQL_CUSTOM:
    case CQL_EMPTY: return false;
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_UDT: return type->frozen;
    default: return true;
    }
}

static corm_status check_type(const sai_check *x) {
    const cql_type *unsupported = is_supported(x->type) ? NULL : x->type;
    if (x->entries && !is_supported(x->index->column->type->params[0]))
        unsupported = x->index->column->type->params[0];
    if (!unsupported) return CORM_OK;
    sai_check only = *x;
    only.entries = false;
    only.type = unsupported;
    return refuse_type(&only, "Unsupported type: %.*s");
}

static corm_status check_vector(const sai_check *x, bool cosine) {
    if (x->entries || x->type->id != CQL_VECTOR) return CORM_OK;
    if (x->type->params[0]->id != CQL_FLOAT) {
        return base__fail(x->ddl->err, CORM_INVALID,
                          "SAI ANN indexes are only allowed on vector columns with float elements");
    }
    if (x->type->dimension == 1 && cosine) {
        return base__fail(x->ddl->err, CORM_INVALID,
                          "Cosine similarity is not supported for single-dimension vectors");
    }
    return cql__ddl_warn(
        x->ddl,
        corm_str_of("SAI ANN indexes on vector columns are experimental and are not recommended "
                    "for production use.\nThey don't yet support SELECT queries with:\n * "
                    "Consistency level higher than ONE/LOCAL_ONE.\n * Paging.\n * No LIMIT "
                    "clauses.\n * PER PARTITION LIMIT clauses.\n * GROUP BY clauses.\n * "
                    "Aggregation functions.\n * Filters on columns without a SAI index."));
}

static corm_status check_sai(cql_ddl *ddl, const cql_table *table, const cql_index *index) {
    bool      cosine;
    sai_check x = {
        .ddl = ddl,
        .table = table,
        .index = index,
        .options = { index->option_count, index->options },
        .type = term_type(index),
        .entries = index->target == CQL_TARGET_ENTRIES,
    };
    CORM_TRY(check_single(&x));
    CORM_TRY(check_analyzer(&x));
    CORM_TRY(check_vector_options(&x, &cosine));
    CORM_TRY(check_type(&x));
    return check_vector(&x, cosine);
}

/* ---- SASI ---- */

/* Descending columns have a type of their own, which is no text to the server. */
static bool is_sasi_text(const cql_column *column) {
    return (column->type->id == CQL_TEXT || column->type->id == CQL_ASCII) && !column->descending;
}

static corm_status check_analyzer_class(cql_ddl *ddl, corm_str class, const cql_column *column) {
    static const char *const names[] = { "StandardAnalyzer", "NonTokenizingAnalyzer",
                                         "DelimiterAnalyzer", "NoOpAnalyzer" };
    bool                     text = is_sasi_text(column);
    corm_str                 package = corm_str_of(ANALYZERS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        corm_str name = { class.data + package.len, class.len - package.len };
        if (!base__str_has_prefix(class, package) || !corm_str_equal(name, corm_str_of(names[i])))
            continue;
        if (text || corm_str_equal(name, corm_str_of("NoOpAnalyzer"))) return CORM_OK;
        base_buf shown = { 0 };
        cql__type_print(column->type, &shown);
        corm_status status = base__buf_status(&shown, ddl->err);
        if (status == CORM_OK) {
            status = base__fail(ddl->err, CORM_CONFIG_ERROR, "%s does not support type %.*s",
                                names[i], CQL_S(base__buf_str(&shown)));
        }
        base__buf_free(&shown);
        return status;
    }
    return base__fail(ddl->err, CORM_CONFIG_ERROR, "Unable to find analyzer class '%.*s'",
                      CQL_S(class));
}

static bool is_true(corm_str value) {
    return base__str_equal_nocase(value, corm_str_of("true"));
}

static bool has(const cql_map_option *options, const char *name) {
    return cql__map_option_get(options, name).data != NULL;
}

static bool says(const cql_map_option *options, const char *name) {
    return is_true(cql__map_option_get(options, name));
}

/* Words are neither stemmed nor left out here: that takes the tables of a language. */
static corm_status check_words_options(cql_ddl *ddl, const cql_map_option *options) {
    static const char *const refused[] = { "tokenization_enable_stemming",
                                           "tokenization_skip_stop_words" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (says(options, refused[i]))
            return base__fail(ddl->err, CORM_CONFIG_ERROR, "%s is not supported by Corm",
                              refused[i]);
    if (says(options, "tokenization_normalize_lowercase") &&
        says(options, "tokenization_normalize_uppercase"))
        return base__fail(ddl->err, CORM_CONFIG_ERROR, BOTH_CASES);
    return CORM_OK;
}

static corm_status check_whole_options(cql_ddl *ddl, const cql_map_option *options) {
    if (has(options, "case_sensitive") &&
        (has(options, "normalize_lowercase") || has(options, "normalize_uppercase")))
        return base__fail(ddl->err, CORM_CONFIG_ERROR,
                          "case_sensitive option cannot be specified together with either "
                          "normalize_lowercase or normalize_uppercase");
    if (says(options, "normalize_lowercase") && says(options, "normalize_uppercase"))
        return base__fail(ddl->err, CORM_CONFIG_ERROR, BOTH_CASES);
    return CORM_OK;
}

static corm_status check_analyzer_options(cql_ddl *ddl, const cql_map_option *options,
                                          corm_str class) {
    bool analyzed = has(options, "analyzed") ? says(options, "analyzed") : class.data != NULL;
    if (!analyzed) return CORM_OK;
    corm_str whole = corm_str_of(ANALYZERS "NonTokenizingAnalyzer");
    if (class.data && corm_str_equal(class, whole)) return check_whole_options(ddl, options);
    if (class.data && !corm_str_equal(class, corm_str_of(ANALYZERS "StandardAnalyzer")))
        return CORM_OK;
    return check_words_options(ddl, options);
}

static corm_status check_sparse(cql_ddl *ddl, const cql_map_option *options,
                                const cql_column *column) {
    corm_str literal = cql__map_option_get(options, "is_literal");
    corm_str analyzed = cql__map_option_get(options, "analyzed");
    bool class = cql__map_option_get(options, "analyzer_class").data != NULL;
    if (literal.data ? is_true(literal) : is_sasi_text(column)) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR,
                          "SPARSE mode is only supported on non-literal columns.");
    }
    if (analyzed.data ? !is_true(analyzed) : !class) return CORM_OK;
    return base__fail(ddl->err, CORM_CONFIG_ERROR, "SPARSE mode doesn't support analyzers.");
}

static corm_status check_sasi(cql_ddl *ddl, const cql_index *index) {
    cql_map_option  options = { index->option_count, index->options };
    const cql_type *type = index->column->type;
    corm_str        mode = cql__map_option_get(&options, "mode");
    corm_str class = cql__map_option_get(&options, "analyzer_class");
    if (cql__type_is_multicell(type)) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR,
                          "complex columns are not yet supported by SASI");
    }
    if (index->column->kind == CQL_PARTITION_KEY) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR,
                          "partition key columns are not yet supported by SASI");
    }
    if (class.data) CORM_TRY(check_analyzer_class(ddl, class, index->column));
    if (is_sasi_text(index->column)) CORM_TRY(check_analyzer_options(ddl, &options, class));
    if (!mode.data || base__str_equal_nocase(mode, corm_str_of("prefix")) ||
        base__str_equal_nocase(mode, corm_str_of("contains"))) {
        return CORM_OK;
    }
    if (base__str_equal_nocase(mode, corm_str_of("sparse")))
        return check_sparse(ddl, &options, index->column);
    return base__fail(ddl->err, CORM_CONFIG_ERROR, "Incorrect index mode: %.*s", CQL_S(mode));
}

corm_status cql__ddl_validate_index(cql_ddl *ddl, const cql_table *table, const cql_index *index) {
    if (cql__is_sai(index->class_name)) return check_sai(ddl, table, index);
    return cql__is_sasi(index->class_name) ? check_sasi(ddl, index) : CORM_OK;
}
