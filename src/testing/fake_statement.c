// SPDX-License-Identifier: MIT
/* fake_statement.c -- what a text is about, and a node's prepared statements. The fake's thread. */
#include "testing/fake.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* ---- texts ---- */

static bool push_marker(base_arena *arena, fake_text *out, corm_str name) {
    corm_str *longer = BASE_NEW_ARRAY(arena, corm_str, out->marker_count + 1);
    if (!longer) return false;
    if (out->marker_count > 0) memcpy(longer, out->markers, out->marker_count * sizeof *longer);
    longer[out->marker_count++] = name;
    out->markers = longer;
    return true;
}

static bool is_colon(const cql_token *token) {
    return token->kind == CQL_TOKEN_SYMBOL && token->text.len == 1 && token->text.data[0] == ':';
}

/* ? and :name, in their order. */
static corm_status find_markers(base_arena *arena, corm_str text, fake_text *out, corm_error *err) {
    cql_lexer lexer;
    cql_token token, before = { .kind = CQL_TOKEN_END };
    cql__lexer_init(&lexer, text);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         before = token, cql__lexer_next(&lexer, &token)) {
        bool named =
            token.kind == CQL_TOKEN_IDENT && is_colon(&before) && before.offset + 1 == token.offset;
        if (token.kind != CQL_TOKEN_MARKER && !named) continue;
        if (!push_marker(arena, out, named ? token.text : (corm_str){ 0 })) {
            return base__fail_memory(err);
        }
    }
    return CORM_OK;
}

static void take_ref(fake_text *out, const cql_ref *ref) {
    if (ref->keyspace.text.data) out->keyspace = ref->keyspace.text;
    out->table = ref->name.text;
}

static void take_modification(fake_text *out, const cql_statement *statement) {
    if (statement->kind == CQL_STMT_INSERT) {
        take_ref(out, &statement->as.insert.table);
        out->is_lwt |= statement->as.insert.if_not_exists;
    } else {
        const cql_update *update = &statement->as.update; /* of DELETE the same struct */
        take_ref(out, &update->table);
        out->is_lwt |= update->if_exists || update->condition_count > 0;
    }
}

static bool is_schema(cql_statement_kind kind) {
    return kind >= CQL_STMT_CREATE_KEYSPACE && kind <= CQL_STMT_DROP_TRIGGER;
}

static void take_statement(fake_text *out, const cql_statement *statement) {
    out->statement = statement;
    switch (statement->kind) {
    case CQL_STMT_SELECT:
        out->kind = FAKE_SELECT;
        take_ref(out, &statement->as.select.table);
        break;
    case CQL_STMT_USE: out->kind = FAKE_USE; break;
    case CQL_STMT_INSERT:
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE: take_modification(out, statement); break;
    case CQL_STMT_BATCH:
        for (uint32_t i = 0; i < statement->as.batch.count; i++) {
            take_modification(out, statement->as.batch.statements[i]);
        }
        break;
    default:
        if (is_schema(statement->kind)) out->kind = FAKE_SCHEMA;
    }
}

corm_status fake__text_read(base_arena *arena, corm_str text, corm_str keyspace, fake_text *out,
                            corm_error *err) {
    cql_statement *statement = NULL;
    *out = (fake_text){ .kind = FAKE_OTHER, .keyspace = keyspace };
    CORM_TRY(find_markers(arena, text, out, err));
    corm_status status = cql__parse(arena, text, &statement, NULL, err);
    if (status == CORM_NO_MEMORY) return status;
    if (status == CORM_OK)
        take_statement(out, statement);
    else if (text.len >= 6 &&
             base__str_equal_nocase((corm_str){ text.data, 6 }, corm_str_of("SELECT"))) {
        out->kind = FAKE_SELECT;
    }
    out->is_system = out->kind == FAKE_SELECT && fake__is_system(out->keyspace);
    return CORM_OK;
}

/* ---- prepared statements ---- */

void fake__digest(corm_bytes a, corm_bytes b, uint8_t out[FAKE_ID_BYTES]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1 ||
        EVP_DigestUpdate(context, a.data, a.len) != 1 ||
        EVP_DigestUpdate(context, b.data, b.len) != 1 ||
        EVP_DigestFinal_ex(context, out, NULL) != 1) {
        memset(out, 0, FAKE_ID_BYTES);
    }
    EVP_MD_CTX_free(context);
}

static corm_str as_key(corm_bytes id) {
    return (corm_str){ (const char *)id.data, id.len };
}

static corm_bytes as_bytes(corm_str text) {
    return (corm_bytes){ (const uint8_t *)text.data, text.len };
}

fake_statement *fake__prepared_find(const fake_node *node, corm_bytes id) {
    return base__map_get(&node->prepared, as_key(id));
}

fake_statement *fake__prepared_add(fake_node *node, corm_str keyspace, corm_str text) {
    fake_statement *made = malloc(sizeof *made + keyspace.len + text.len);
    if (!made) return NULL;
    char *bytes = (char *)(made + 1);
    if (keyspace.len > 0) memcpy(bytes, keyspace.data, keyspace.len);
    if (text.len > 0) memcpy(bytes + keyspace.len, text.data, text.len);
    made->keyspace = (corm_str){ bytes, keyspace.len };
    made->text = (corm_str){ bytes + keyspace.len, text.len };
    fake__digest(as_bytes(keyspace), as_bytes(text), made->id);
    corm_bytes      id = { made->id, FAKE_ID_BYTES };
    fake_statement *known = fake__prepared_find(node, id);
    if (known || !base__map_put(&node->prepared, as_key(id), made)) {
        free(made);
        return known;
    }
    return made;
}

void fake__prepared_remove(fake_node *node, fake_statement *statement) {
    base__map_remove(&node->prepared, as_key((corm_bytes){ statement->id, FAKE_ID_BYTES }));
    free(statement);
}
