// SPDX-License-Identifier: MIT
/* keywords.h -- the symbols of the language: every keyword with its class, and the other tokens. */
#ifndef CQL_KEYWORDS_H
#define CQL_KEYWORDS_H

#include "corm/base.h"

/* Where a keyword may stand for a name. */
enum {
    CQL_WORD_RESERVED = 0,
    CQL_WORD_BASIC = 1, /* any name, also of a function or a user-defined type */
    CQL_WORD_TYPE = 2,  /* a native type: any name but that of a user-defined type */
    CQL_WORD_OTHER = 4, /* any name but that of a function or a user-defined type */
    CQL_WORD_PLAIN = 8, /* the printer leaves such a name without quotes */
    CQL_WORD_NAME = CQL_WORD_BASIC | CQL_WORD_TYPE | CQL_WORD_OTHER
};

/* Sorted by text. X(symbol, text, class); A(the symbol it is another spelling of, text, class). */
// clang-format off
#define CQL_KEYWORD_MAP(X, A)                                                  \
    X(ACCESS, "ACCESS", CQL_WORD_BASIC)                                        \
    X(ADD, "ADD", CQL_WORD_RESERVED)                                           \
    X(AGGREGATE, "AGGREGATE", CQL_WORD_BASIC)                                  \
    X(AGGREGATES, "AGGREGATES", CQL_WORD_BASIC)                                \
    X(ALL, "ALL", CQL_WORD_BASIC)                                              \
    X(ALLOW, "ALLOW", CQL_WORD_RESERVED)                                       \
    X(ALTER, "ALTER", CQL_WORD_RESERVED)                                       \
    X(AND, "AND", CQL_WORD_RESERVED)                                           \
    X(ANN, "ANN", CQL_WORD_BASIC)                                              \
    X(APPLY, "APPLY", CQL_WORD_RESERVED)                                       \
    X(AS, "AS", CQL_WORD_BASIC)                                                \
    X(ASC, "ASC", CQL_WORD_RESERVED)                                           \
    X(ASCII, "ASCII", CQL_WORD_TYPE)                                           \
    X(AUTHORIZE, "AUTHORIZE", CQL_WORD_RESERVED)                               \
    X(BATCH, "BATCH", CQL_WORD_RESERVED)                                       \
    X(BEGIN, "BEGIN", CQL_WORD_RESERVED)                                       \
    X(BIGINT, "BIGINT", CQL_WORD_TYPE)                                         \
    X(BLOB, "BLOB", CQL_WORD_TYPE)                                             \
    X(BOOLEAN, "BOOLEAN", CQL_WORD_TYPE)                                       \
    X(BY, "BY", CQL_WORD_RESERVED)                                             \
    X(CALLED, "CALLED", CQL_WORD_BASIC)                                        \
    X(CAST, "CAST", CQL_WORD_OTHER)                                            \
    X(CIDRS, "CIDRS", CQL_WORD_BASIC)                                          \
    X(CLUSTER, "CLUSTER", CQL_WORD_BASIC | CQL_WORD_PLAIN)                     \
    X(CLUSTERING, "CLUSTERING", CQL_WORD_BASIC)                                \
    A(CQL_K_TABLES, "COLUMNFAMILIES", CQL_WORD_BASIC)                          \
    X(COLUMNFAMILY, "COLUMNFAMILY", CQL_WORD_RESERVED)                         \
    X(COMPACT, "COMPACT", CQL_WORD_BASIC)                                      \
    X(CONTAINS, "CONTAINS", CQL_WORD_BASIC)                                    \
    X(COUNT, "COUNT", CQL_WORD_OTHER)                                          \
    X(COUNTER, "COUNTER", CQL_WORD_TYPE)                                       \
    X(CREATE, "CREATE", CQL_WORD_RESERVED)                                     \
    X(CUSTOM, "CUSTOM", CQL_WORD_BASIC)                                        \
    X(DATACENTERS, "DATACENTERS", CQL_WORD_BASIC)                              \
    X(DATE, "DATE", CQL_WORD_TYPE)                                             \
    X(DECIMAL, "DECIMAL", CQL_WORD_TYPE)                                       \
    X(DEFAULT, "DEFAULT", CQL_WORD_BASIC)                                      \
    X(DELETE, "DELETE", CQL_WORD_RESERVED)                                     \
    X(DESC, "DESC", CQL_WORD_RESERVED)                                         \
    X(DESCRIBE, "DESCRIBE", CQL_WORD_RESERVED)                                 \
    X(DISTINCT, "DISTINCT", CQL_WORD_OTHER)                                    \
    X(DOUBLE, "DOUBLE", CQL_WORD_TYPE)                                         \
    X(DROP, "DROP", CQL_WORD_RESERVED)                                         \
    X(DURATION, "DURATION", CQL_WORD_TYPE)                                     \
    X(ENTRIES, "ENTRIES", CQL_WORD_RESERVED)                                   \
    X(EXECUTE, "EXECUTE", CQL_WORD_RESERVED)                                   \
    X(EXISTS, "EXISTS", CQL_WORD_BASIC)                                        \
    A(CQL_T_BOOLEAN, "FALSE", CQL_WORD_RESERVED)                               \
    X(FILTERING, "FILTERING", CQL_WORD_BASIC)                                  \
    X(FINALFUNC, "FINALFUNC", CQL_WORD_BASIC)                                  \
    X(FLOAT, "FLOAT", CQL_WORD_TYPE)                                           \
    X(FROM, "FROM", CQL_WORD_RESERVED)                                         \
    X(FROZEN, "FROZEN", CQL_WORD_BASIC)                                        \
    X(FULL, "FULL", CQL_WORD_RESERVED)                                         \
    X(FUNCTION, "FUNCTION", CQL_WORD_BASIC)                                    \
    X(FUNCTIONS, "FUNCTIONS", CQL_WORD_BASIC)                                  \
    X(GRANT, "GRANT", CQL_WORD_RESERVED)                                       \
    X(GROUP, "GROUP", CQL_WORD_BASIC)                                          \
    X(HASHED, "HASHED", CQL_WORD_BASIC)                                        \
    X(IDENTITY, "IDENTITY", CQL_WORD_BASIC | CQL_WORD_PLAIN)                   \
    X(IF, "IF", CQL_WORD_RESERVED)                                             \
    X(IN, "IN", CQL_WORD_RESERVED)                                             \
    X(INDEX, "INDEX", CQL_WORD_RESERVED)                                       \
    X(INET, "INET", CQL_WORD_TYPE)                                             \
    X(POSITIVE_INFINITY, "INFINITY", CQL_WORD_RESERVED)                        \
    X(INITCOND, "INITCOND", CQL_WORD_BASIC)                                    \
    X(INPUT, "INPUT", CQL_WORD_BASIC | CQL_WORD_PLAIN)                         \
    X(INSERT, "INSERT", CQL_WORD_RESERVED)                                     \
    X(INT, "INT", CQL_WORD_TYPE)                                               \
    X(INTERNALS, "INTERNALS", CQL_WORD_BASIC)                                  \
    X(INTO, "INTO", CQL_WORD_RESERVED)                                         \
    X(IS, "IS", CQL_WORD_RESERVED)                                             \
    X(JSON, "JSON", CQL_WORD_OTHER)                                            \
    X(KEY, "KEY", CQL_WORD_OTHER | CQL_WORD_PLAIN)                             \
    X(KEYS, "KEYS", CQL_WORD_BASIC | CQL_WORD_PLAIN)                           \
    X(KEYSPACE, "KEYSPACE", CQL_WORD_RESERVED)                                 \
    X(KEYSPACES, "KEYSPACES", CQL_WORD_BASIC)                                  \
    X(LANGUAGE, "LANGUAGE", CQL_WORD_BASIC | CQL_WORD_PLAIN)                   \
    X(LIKE, "LIKE", CQL_WORD_BASIC)                                            \
    X(LIMIT, "LIMIT", CQL_WORD_RESERVED)                                       \
    X(LIST, "LIST", CQL_WORD_BASIC)                                            \
    X(LOGIN, "LOGIN", CQL_WORD_BASIC | CQL_WORD_PLAIN)                         \
    X(MAP, "MAP", CQL_WORD_BASIC)                                              \
    X(MASKED, "MASKED", CQL_WORD_BASIC)                                        \
    X(MATERIALIZED, "MATERIALIZED", CQL_WORD_RESERVED)                         \
    X(MAXWRITETIME, "MAXWRITETIME", CQL_WORD_OTHER)                            \
    X(MBEAN, "MBEAN", CQL_WORD_BASIC)                                          \
    X(MBEANS, "MBEANS", CQL_WORD_BASIC)                                        \
    X(MODIFY, "MODIFY", CQL_WORD_RESERVED)                                     \
    X(POSITIVE_NAN, "NAN", CQL_WORD_RESERVED)                                  \
    X(NOLOGIN, "NOLOGIN", CQL_WORD_BASIC)                                      \
    X(NORECURSIVE, "NORECURSIVE", CQL_WORD_RESERVED)                           \
    X(NOSUPERUSER, "NOSUPERUSER", CQL_WORD_BASIC)                              \
    X(NOT, "NOT", CQL_WORD_RESERVED)                                           \
    X(NULL, "NULL", CQL_WORD_RESERVED)                                         \
    X(OF, "OF", CQL_WORD_RESERVED)                                             \
    X(ON, "ON", CQL_WORD_RESERVED)                                             \
    X(ONLY, "ONLY", CQL_WORD_BASIC)                                            \
    X(OPTIONS, "OPTIONS", CQL_WORD_BASIC | CQL_WORD_PLAIN)                     \
    X(OR, "OR", CQL_WORD_RESERVED)                                             \
    X(ORDER, "ORDER", CQL_WORD_RESERVED)                                       \
    X(PARTITION, "PARTITION", CQL_WORD_BASIC)                                  \
    X(PASSWORD, "PASSWORD", CQL_WORD_BASIC | CQL_WORD_PLAIN)                   \
    X(PER, "PER", CQL_WORD_BASIC)                                              \
    X(PERMISSION, "PERMISSION", CQL_WORD_BASIC | CQL_WORD_PLAIN)               \
    X(PERMISSIONS, "PERMISSIONS", CQL_WORD_BASIC | CQL_WORD_PLAIN)             \
    X(PRIMARY, "PRIMARY", CQL_WORD_RESERVED)                                   \
    X(RENAME, "RENAME", CQL_WORD_RESERVED)                                     \
    X(REPLACE, "REPLACE", CQL_WORD_BASIC)                                      \
    X(RETURNS, "RETURNS", CQL_WORD_BASIC)                                      \
    X(REVOKE, "REVOKE", CQL_WORD_RESERVED)                                     \
    X(ROLE, "ROLE", CQL_WORD_BASIC)                                            \
    X(ROLES, "ROLES", CQL_WORD_BASIC | CQL_WORD_PLAIN)                         \
    X(SCHEMA, "SCHEMA", CQL_WORD_RESERVED)                                     \
    X(SELECT, "SELECT", CQL_WORD_RESERVED)                                     \
    X(SELECT_MASKED, "SELECT_MASKED", CQL_WORD_BASIC)                          \
    X(SET, "SET", CQL_WORD_RESERVED)                                           \
    X(SFUNC, "SFUNC", CQL_WORD_BASIC)                                          \
    X(SMALLINT, "SMALLINT", CQL_WORD_TYPE)                                     \
    X(STATIC, "STATIC", CQL_WORD_BASIC)                                        \
    X(STORAGE, "STORAGE", CQL_WORD_BASIC | CQL_WORD_PLAIN)                     \
    X(STYPE, "STYPE", CQL_WORD_BASIC)                                          \
    X(SUPERUSER, "SUPERUSER", CQL_WORD_BASIC)                                  \
    A(CQL_K_COLUMNFAMILY, "TABLE", CQL_WORD_RESERVED)                          \
    X(TABLES, "TABLES", CQL_WORD_BASIC)                                        \
    X(TEXT, "TEXT", CQL_WORD_TYPE)                                             \
    X(TIME, "TIME", CQL_WORD_TYPE)                                             \
    X(TIMESTAMP, "TIMESTAMP", CQL_WORD_TYPE)                                   \
    X(TIMEUUID, "TIMEUUID", CQL_WORD_TYPE)                                     \
    X(TINYINT, "TINYINT", CQL_WORD_TYPE)                                       \
    X(TO, "TO", CQL_WORD_RESERVED)                                             \
    X(TOKEN, "TOKEN", CQL_WORD_RESERVED)                                       \
    X(TRIGGER, "TRIGGER", CQL_WORD_BASIC)                                      \
    A(CQL_T_BOOLEAN, "TRUE", CQL_WORD_RESERVED)                                \
    X(TRUNCATE, "TRUNCATE", CQL_WORD_RESERVED)                                 \
    X(TTL, "TTL", CQL_WORD_OTHER)                                              \
    X(TUPLE, "TUPLE", CQL_WORD_BASIC)                                          \
    X(TYPE, "TYPE", CQL_WORD_BASIC | CQL_WORD_PLAIN)                           \
    X(TYPES, "TYPES", CQL_WORD_BASIC | CQL_WORD_PLAIN)                         \
    X(UNLOGGED, "UNLOGGED", CQL_WORD_RESERVED)                                 \
    X(UNMASK, "UNMASK", CQL_WORD_BASIC)                                        \
    X(UNSET, "UNSET", CQL_WORD_BASIC)                                          \
    X(UPDATE, "UPDATE", CQL_WORD_RESERVED)                                     \
    X(USE, "USE", CQL_WORD_RESERVED)                                           \
    X(USER, "USER", CQL_WORD_BASIC | CQL_WORD_PLAIN)                           \
    X(USERS, "USERS", CQL_WORD_BASIC | CQL_WORD_PLAIN)                         \
    X(USING, "USING", CQL_WORD_RESERVED)                                       \
    X(UUID, "UUID", CQL_WORD_TYPE)                                             \
    X(VALUES, "VALUES", CQL_WORD_BASIC | CQL_WORD_PLAIN)                       \
    X(VARCHAR, "VARCHAR", CQL_WORD_TYPE)                                       \
    X(VARINT, "VARINT", CQL_WORD_TYPE)                                         \
    X(VECTOR, "VECTOR", CQL_WORD_BASIC)                                        \
    X(VIEW, "VIEW", CQL_WORD_RESERVED)                                         \
    X(WHERE, "WHERE", CQL_WORD_RESERVED)                                       \
    X(WITH, "WITH", CQL_WORD_RESERVED)                                         \
    X(WRITETIME, "WRITETIME", CQL_WORD_OTHER)
// clang-format on

/* X(symbol, how the server names it in a message) */
#define CQL_SYMBOL_MAP(X)                                                                          \
    X(END, "EOF")                                                                                  \
    X(ERROR, "<invalid>")                                                                          \
    X(IDENT, "IDENT")                                                                              \
    X(QUOTED, "QUOTED_NAME")                                                                       \
    X(EMPTY_QUOTED, "EMPTY_QUOTED_NAME")                                                           \
    X(STRING, "STRING_LITERAL")                                                                    \
    X(INTEGER, "INTEGER")                                                                          \
    X(FLOAT, "FLOAT")                                                                              \
    X(BOOLEAN, "BOOLEAN")                                                                          \
    X(UUID, "UUID")                                                                                \
    X(HEX, "HEXNUMBER")                                                                            \
    X(DURATION, "DURATION")                                                                        \
    X(NEGATIVE_NAN, "K_NEGATIVE_NAN")                                                              \
    X(NEGATIVE_INFINITY, "K_NEGATIVE_INFINITY")                                                    \
    X(QMARK, "QMARK")                                                                              \
    X(RANGE, "RANGE")                                                                              \
    X(EXPR, "'expr('")                                                                             \
    X(LPAREN, "'('")                                                                               \
    X(RPAREN, "')'")                                                                               \
    X(LBRACKET, "'['")                                                                             \
    X(RBRACKET, "']'")                                                                             \
    X(LBRACE, "'{'")                                                                               \
    X(RBRACE, "'}'")                                                                               \
    X(COMMA, "','")                                                                                \
    X(DOT, "'.'")                                                                                  \
    X(SEMICOLON, "';'")                                                                            \
    X(COLON, "':'")                                                                                \
    X(PLUS, "'+'")                                                                                 \
    X(MINUS, "'-'")                                                                                \
    X(STAR, "'\\*'")                                                                               \
    X(SLASH, "'/'")                                                                                \
    X(PERCENT, "'%'")                                                                              \
    X(LT, "'<'")                                                                                   \
    X(LTE, "'<='")                                                                                 \
    X(GT, "'>'")                                                                                   \
    X(GTE, "'>='")                                                                                 \
    X(EQ, "'='")                                                                                   \
    X(NEQ, "'!='")                                                                                 \
    X(PLUS_EQ, "'+='")                                                                             \
    X(MINUS_EQ, "'-='")

typedef enum cql_symbol {
#define CQL_SYMBOL_ENUM(name, shown) CQL_T_##name,
    CQL_SYMBOL_MAP(CQL_SYMBOL_ENUM)
#undef CQL_SYMBOL_ENUM
        CQL_FIRST_KEYWORD,
    CQL_BEFORE_KEYWORDS = CQL_FIRST_KEYWORD - 1,
#define CQL_KEYWORD_ENUM(name, text, word) CQL_K_##name,
#define CQL_KEYWORD_ALIAS(name, text, word)
    CQL_KEYWORD_MAP(CQL_KEYWORD_ENUM, CQL_KEYWORD_ALIAS)
#undef CQL_KEYWORD_ENUM
#undef CQL_KEYWORD_ALIAS
        CQL_SYMBOL_COUNT
} cql_symbol;

/* The keyword with this text in any case, else CQL_T_IDENT. */
cql_symbol cql__keyword(const char *text, size_t len);

/* CQL_WORD_… of a keyword; CQL_WORD_RESERVED for every other symbol. */
unsigned cql__word_class(cql_symbol symbol);

/* "K_SELECT", "','", "IDENT" */
const char *cql__symbol_name(cql_symbol symbol);

/* "SELECT"; NULL when the symbol is no keyword. */
const char *cql__symbol_text(cql_symbol symbol);

#endif
