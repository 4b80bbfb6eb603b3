// SPDX-License-Identifier: MIT
/* builder_where.c -- conditions of builders, in WHERE and in IF. One thread.
 *
 *                     WHERE                         IF
 *   ne                Corm's, on rows of a SELECT   c != ?
 *   is_null           Corm's                        c = null
 *   not_null          Corm's                        c != null
 *   between           c >= ? AND c <= ?             likewise
 *   token             TOKEN(key) op ?               refused */
#include "orm/builder.h"

/* CORM_BETWEEN is its lower bound here. */
static const struct {
    bool         known, token;
    cql_operator op;
} operators[] = {
    [CORM_EQ] = { true, false, CQL_OP_EQ },
    [CORM_NE] = { true, false, CQL_OP_NEQ },
    [CORM_GT] = { true, false, CQL_OP_GT },
    [CORM_GTE] = { true, false, CQL_OP_GTE },
    [CORM_LT] = { true, false, CQL_OP_LT },
    [CORM_LTE] = { true, false, CQL_OP_LTE },
    [CORM_IN] = { true, false, CQL_OP_IN },
    [CORM_CONTAINS] = { true, false, CQL_OP_CONTAINS },
    [CORM_CONTAINS_KEY] = { true, false, CQL_OP_CONTAINS_KEY },
    [CORM_LIKE] = { true, false, CQL_OP_LIKE },
    [CORM_BETWEEN] = { true, false, CQL_OP_GTE },
    [CORM_NULL_OP] = { true, false, CQL_OP_EQ },
    [CORM_NOT_NULL_OP] = { true, false, CQL_OP_NEQ },
    [CORM_TOKEN_GT] = { true, true, CQL_OP_GT },
    [CORM_TOKEN_GTE] = { true, true, CQL_OP_GTE },
    [CORM_TOKEN_LT] = { true, true, CQL_OP_LT },
    [CORM_TOKEN_LTE] = { true, true, CQL_OP_LTE },
};

bool orm__builder_operator(corm_op op, cql_operator *out) {
    if ((unsigned)op >= sizeof operators / sizeof *operators || !operators[op].known) return false;
    *out = operators[op].op;
    return true;
}

static bool operator_of(corm_builder *builder, corm_op op, cql_operator *out) {
    return orm__builder_operator(op, out) ||
           orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a condition has no operator");
}

static bool is_null_op(corm_op op) {
    return op == CORM_NULL_OP || op == CORM_NOT_NULL_OP;
}

/* ---- WHERE ---- */

static cql_relation *new_relation(corm_builder *builder) {
    cql_statement *s = &builder->statement;
    if (s->kind == CQL_STMT_SELECT) {
        return ORM_PUSH(builder, s->as.select.where, s->as.select.where_count);
    }
    return ORM_PUSH(builder, s->as.update.where, s->as.update.where_count);
}

static bool check_value(corm_builder *builder, const corm_term *term) {
    const char *wrong = NULL;
    if (is_null_op(term->op)) return true;
    bool list = term->value.kind == CORM_LIST || term->value.kind == CORM_SET;
    if (term->op == CORM_IN && !list) wrong = "takes a list with corm_in";
    if (term->op == CORM_BETWEEN && term->value2.kind <= CORM_NULL) wrong = "has no second value";
    if (term->value.kind == CORM_UNSET) wrong = "has no value";
    return !wrong || orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "the condition on '%s' %s",
                                      term->column, wrong);
}

/* IN takes a list, whichever way it was given. */
static cql_expr *marker_of(corm_builder *builder, corm_op op, const corm_value *given) {
    corm_value value = *given;
    if (op == CORM_IN) value.kind = CORM_LIST;
    return orm__builder_marker(builder, &value);
}

static bool add_relation(corm_builder *builder, const char *column, corm_op op,
                         const corm_value *value) {
    cql_relation *relation = new_relation(builder);
    const char   *names[] = { column, NULL };
    if (!relation || !operator_of(builder, op, &relation->op)) return false;
    relation->kind = CQL_REL_COLUMN;
    relation->in_marker = op == CORM_IN;
    return orm__builder_columns(builder, names, &relation->columns, &relation->column_count) &&
           orm__builder_one(builder, marker_of(builder, op, value), &relation->terms,
                            &relation->term_count);
}

static bool add_key_names(corm_builder *builder, cql_relation *relation) {
    const orm_model *model = builder->model;
    if (!model) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "only a model knows its partition key: name the columns with "
                                "corm_builder_where_token");
    }
    for (uint32_t i = 0; i < model->partition_count; i++) {
        cql_name *name = ORM_PUSH(builder, relation->columns, relation->column_count);
        if (!name) return false;
        name->text = model->keys[i]->name;
    }
    return true;
}

static bool add_token(corm_builder *builder, const corm_term *term) {
    cql_relation *relation = new_relation(builder);
    if (!relation || !operator_of(builder, term->op, &relation->op)) return false;
    relation->kind = CQL_REL_TOKEN;
    return add_key_names(builder, relation) &&
           orm__builder_one(builder, orm__builder_marker(builder, &term->value), &relation->terms,
                            &relation->term_count);
}

/* Held by corm_builder_rows; copied, as its values are. */
static bool add_local(corm_builder *builder, const corm_term *term) {
    if (builder->statement.kind != CQL_STMT_SELECT) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "the condition on '%s' is not CQL, and a write reads no rows",
                                term->column);
    }
    if (builder->local_count == CORM_MAX_TERMS) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "there are more than %d conditions that are not CQL",
                                CORM_MAX_TERMS);
    }
    corm_term *local = &builder->locals[builder->local_count];
    cql_name   name;
    if (!orm__builder_column(builder, term->column, &name)) return false;
    *local = (corm_term){ .column = name.text.data, .op = term->op };
    if (term->op == CORM_NE) {
        cql_expr *marker = orm__builder_marker(builder, &term->value);
        if (!marker) return false;
        local->value = ((corm_expr *)(void *)marker)->value;
    }
    builder->local_count++;
    return true;
}

static bool add_where(corm_builder *builder, const corm_term *term) {
    cql_operator op;
    if (!operator_of(builder, term->op, &op) || !check_value(builder, term)) return false;
    if (operators[term->op].token) return add_token(builder, term);
    if (is_null_op(term->op) || term->op == CORM_NE) return add_local(builder, term);
    if (!add_relation(builder, term->column, term->op, &term->value)) return false;
    return term->op != CORM_BETWEEN || add_relation(builder, term->column, CORM_LTE, &term->value2);
}

enum { WITH_WHERE = ORM_B_SELECT | ORM_B_UPDATE | ORM_B_DELETE };

corm_builder *corm_builder_where_terms(corm_builder *builder, const corm_term *terms) {
    if (!orm__builder_is(builder, WITH_WHERE, "WHERE")) return builder;
    for (size_t i = 0; terms && terms[i].column; i++) {
        if (!add_where(builder, &terms[i])) break;
    }
    return builder;
}

/* token(a, b) as a left side. */
static bool take_token(corm_builder *builder, const cql_expr *left, cql_relation *relation) {
    relation->kind = CQL_REL_TOKEN;
    for (uint32_t i = 0; i < left->count; i++) {
        cql_name *name = ORM_PUSH(builder, relation->columns, relation->column_count);
        if (!name) return false;
        if (left->args[i]->kind != CQL_EXPR_COLUMN) {
            return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                    "token() as a left side takes columns");
        }
        *name = left->args[i]->name.name;
    }
    return true;
}

static bool take_left(corm_builder *builder, cql_expr *left, cql_relation *relation) {
    bool token = left->kind == CQL_EXPR_CALL && left->count > 0 &&
                 corm_str_equal(left->name.name.text, corm_str_of("token"));
    if (token) return take_token(builder, left, relation);
    cql_expr *column = left->kind == CQL_EXPR_ELEMENT ? left->args[0] : left;
    if (column->kind != CQL_EXPR_COLUMN) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "a condition's left side is a column, an element of one, or "
                                "token() of the partition key");
    }
    relation->kind = column == left ? CQL_REL_COLUMN : CQL_REL_ELEMENT;
    if (column != left) relation->key = left->args[1];
    cql_name *name = ORM_PUSH(builder, relation->columns, relation->column_count);
    if (name) *name = column->name.name;
    return name != NULL;
}

static bool check_right(corm_builder *builder, corm_op op, const corm_expr *right) {
    bool two = op == CORM_BETWEEN || is_null_op(op) || op == CORM_NE;
    if (two) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "this operator has no right side that is an expression");
    }
    return right ||
           orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a condition has no right side");
}

corm_builder *corm_builder_where_expr(corm_builder *builder, corm_expr *left, corm_op op,
                                      corm_expr *right) {
    if (!orm__builder_is(builder, WITH_WHERE, "WHERE")) return builder;
    if (!left) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a condition has no left side");
        return builder;
    }
    if (!check_right(builder, op, right)) return builder;
    cql_relation *relation = new_relation(builder);
    if (!relation || !operator_of(builder, op, &relation->op)) return builder;
    relation->in_marker = op == CORM_IN && right->node.kind == CQL_EXPR_MARKER;
    if (take_left(builder, &left->node, relation)) {
        orm__builder_one(builder, &right->node, &relation->terms, &relation->term_count);
    }
    return builder;
}

static cql_expr *tuple_of(corm_builder *builder, const corm_value *values, uint32_t count) {
    corm_expr *tuple = BASE_NEW(&builder->arena, corm_expr);
    if (!tuple) {
        orm__builder_no_memory(builder);
        return NULL;
    }
    tuple->node.kind = CQL_EXPR_TUPLE;
    tuple->node.height = 1;
    for (uint32_t i = 0; i < count; i++) {
        cql_expr *marker = orm__builder_marker(builder, &values[i]);
        if (!orm__builder_one(builder, marker, &tuple->node.args, &tuple->node.count)) return NULL;
    }
    return &tuple->node;
}

corm_builder *corm_builder_where_tuple(corm_builder *builder, const char *const *columns,
                                       corm_op op, const corm_value *values, uint32_t count) {
    if (!orm__builder_is(builder, WITH_WHERE, "WHERE")) return builder;
    bool compares = (op >= CORM_EQ && op <= CORM_IN && op != CORM_NE);
    if (!compares) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "tuples are compared, or in a list");
        return builder;
    }
    cql_relation *relation = new_relation(builder);
    if (!relation || !operator_of(builder, op, &relation->op)) return builder;
    relation->kind = CQL_REL_MULTI;
    if (!orm__builder_columns(builder, columns, &relation->columns, &relation->column_count)) {
        return builder;
    }
    uint32_t width = relation->column_count;
    if (count == 0 || count % width != 0 || (op != CORM_IN && count != width)) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                         "a tuple of %u columns is compared with %u values", width, count);
        return builder;
    }
    for (uint32_t i = 0; i < count; i += width) {
        cql_expr *tuple = tuple_of(builder, values + i, width);
        if (!orm__builder_one(builder, tuple, &relation->terms, &relation->term_count)) break;
    }
    return builder;
}

corm_builder *corm_builder_where_token(corm_builder *builder, const char *const *columns,
                                       corm_op op, corm_expr *right) {
    if (!orm__builder_is(builder, WITH_WHERE, "WHERE")) return builder;
    if (op >= CORM_TOKEN_GT && op <= CORM_TOKEN_LTE) {
        op = (corm_op[]){ CORM_GT, CORM_GTE, CORM_LT, CORM_LTE }[op - CORM_TOKEN_GT];
    }
    if (!check_right(builder, op, right)) return builder;
    cql_relation *relation = new_relation(builder);
    if (!relation || !operator_of(builder, op, &relation->op)) return builder;
    relation->kind = CQL_REL_TOKEN;
    if (orm__builder_columns(builder, columns, &relation->columns, &relation->column_count)) {
        orm__builder_one(builder, &right->node, &relation->terms, &relation->term_count);
    }
    return builder;
}

/* ---- IF ---- */

enum { WITH_IF = ORM_B_UPDATE | ORM_B_DELETE };

static cql_condition *new_condition(corm_builder *builder, corm_op op) {
    cql_update    *update = &builder->statement.as.update;
    cql_condition *condition = ORM_PUSH(builder, update->conditions, update->condition_count);
    if (!condition || !operator_of(builder, op, &condition->op)) return NULL;
    return condition;
}

static bool add_condition(corm_builder *builder, const char *column, corm_op op,
                          const corm_value *value) {
    cql_condition *condition = new_condition(builder, op);
    if (!condition || !orm__builder_column(builder, column, &condition->column)) return false;
    condition->in_marker = op == CORM_IN;
    cql_expr *right = is_null_op(op) ? orm__builder_null(builder) : marker_of(builder, op, value);
    return orm__builder_one(builder, right, &condition->terms, &condition->term_count);
}

static bool add_if(corm_builder *builder, const corm_term *term) {
    cql_operator op;
    if (!operator_of(builder, term->op, &op) || !check_value(builder, term)) return false;
    if (operators[term->op].token || term->op == CORM_LIKE) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "IF does not have the operator of the condition on '%s'",
                                term->column);
    }
    if (!add_condition(builder, term->column, term->op, &term->value)) return false;
    return term->op != CORM_BETWEEN ||
           add_condition(builder, term->column, CORM_LTE, &term->value2);
}

static bool may_have_if(corm_builder *builder) {
    if (!orm__builder_is(builder, WITH_IF, "IF")) return false;
    return !builder->statement.as.update.if_exists ||
           orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "IF EXISTS stands alone");
}

corm_builder *corm_builder_if_terms(corm_builder *builder, const corm_term *terms) {
    if (!may_have_if(builder)) return builder;
    for (size_t i = 0; terms && terms[i].column; i++) {
        if (!add_if(builder, &terms[i])) break;
    }
    return builder;
}

static bool take_if_left(corm_builder *builder, cql_expr *left, cql_condition *condition) {
    bool      part = left->kind == CQL_EXPR_ELEMENT || left->kind == CQL_EXPR_FIELD;
    cql_expr *column = part ? left->args[0] : left;
    if (column->kind != CQL_EXPR_COLUMN) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "IF compares a column, or an element or a field of one");
    }
    condition->column = column->name.name;
    if (left->kind == CQL_EXPR_ELEMENT) condition->element = left->args[1];
    if (left->kind == CQL_EXPR_FIELD) condition->field = left->name.name;
    return true;
}

corm_builder *corm_builder_if_expr(corm_builder *builder, corm_expr *left, corm_op op,
                                   corm_expr *right) {
    if (!may_have_if(builder)) return builder;
    bool nothing = is_null_op(op);
    if (!left || (!right && !nothing) || op == CORM_BETWEEN) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                         "a condition of IF has a left side, an operator and a right side");
        return builder;
    }
    cql_condition *condition = new_condition(builder, op);
    if (!condition || !take_if_left(builder, &left->node, condition)) return builder;
    cql_expr *term = nothing ? orm__builder_null(builder) : &right->node;
    condition->in_marker = op == CORM_IN && term && term->kind == CQL_EXPR_MARKER;
    orm__builder_one(builder, term, &condition->terms, &condition->term_count);
    return builder;
}

corm_builder *corm_builder_if_exists(corm_builder *builder) {
    if (!orm__builder_is(builder, WITH_IF, "IF EXISTS")) return builder;
    if (builder->statement.as.update.condition_count > 0) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "IF EXISTS stands alone");
    }
    builder->statement.as.update.if_exists = true;
    return builder;
}

corm_builder *corm_builder_if_not_exists(corm_builder *builder) {
    if (!orm__builder_is(builder, ORM_B_INSERT, "IF NOT EXISTS")) return builder;
    builder->statement.as.insert.if_not_exists = true;
    return builder;
}
