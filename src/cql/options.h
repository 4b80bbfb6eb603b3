// SPDX-License-Identifier: MIT
/* options.h -- what stands behind WITH: properties as they are written, and the options
 * of tables. */
#ifndef CQL_OPTIONS_H
#define CQL_OPTIONS_H

#include "cql/schema.h"

/* Where options are read to: memory for what is made, and where errors go. */
typedef struct cql_option_context {
    base_arena *arena;
    corm_error *err;
    bool        anywhere; /* datacenters may have any name: nobody's nodes are known */
} cql_option_context;

/* ---- properties (properties.c) ---- */

/* Names that are not among the known ones: CORM_SYNTAX_ERROR with the first that the server would
 * find. */
CORM_CHECKED corm_status cql__properties_known(const cql_option_context *c,
                                               const cql_property *properties, uint32_t count,
                                               const char *const *known, size_t known_count);

const cql_property *cql__property_find(const cql_property *properties, uint32_t count,
                                       const char *name);

/* The text of a constant, the pairs of a map in the server's order; the other kind of value is a
 * CORM_SYNTAX_ERROR. */
CORM_CHECKED corm_status cql__property_text(const cql_property *property, corm_str *out,
                                            corm_error *err);
CORM_CHECKED corm_status cql__property_map(const cql_option_context *c,
                                           const cql_property *property, cql_map_option *out);
CORM_CHECKED corm_status cql__property_bool(const cql_property *property, bool *out,
                                            corm_error *err);

/* Gives the map own pairs, in the order of a map with that many buckets. */
CORM_CHECKED corm_status cql__map_order(const cql_option_context *c, cql_map_option *map,
                                        uint32_t capacity);

/* Copies the pairs without that name, in the server's order; *value gets what stood there, data
 * NULL: nothing. */
CORM_CHECKED corm_status cql__map_take(const cql_option_context *c, const cql_map_option *from,
                                       const char *name, corm_str *value, cql_map_option *rest);
/* Takes a pair out of own pairs and gives its value; data NULL: it was not there. */
corm_str                 cql__map_remove(cql_map_option *map, const char *name);
CORM_CHECKED corm_status cql__map_add(const cql_option_context *c, cql_map_option *map,
                                      corm_str name, corm_str value);
void                     cql__map_sort(cql_map_option *map); /* by name */

/* Appends 'it''s', {'a': 'b', …}, and the names of the pairs as [a, b]. */
void cql__put_quoted(base_buf *out, corm_str text);
void cql__put_pairs(base_buf *out, const cql_map_option *map);
void cql__put_keys(base_buf *out, const cql_map_option *map);

/* Names and numbers that options share. */
corm_str cql__upper(base_arena *arena, corm_str text); /* ASCII; data NULL without memory */
bool     cql__is_truth_word(corm_str text);            /* true or false, in any case */

/* The whole name of a server's class: as it is when it has a dot, else behind the package. data
 * NULL: no memory. */
corm_str cql__class_name(base_arena *arena, const char *package, corm_str name);

/* ---- tables (options.c) ---- */

/* The server's defaults, to be read over: what one option says may settle another. Strings are
 * static. */
void cql__table_options_init(cql_table_options *options);

/* Sets what the properties say; borrows from them and from the arena. `options` holds what was
 * before. */
CORM_CHECKED corm_status cql__table_options_read(const cql_option_context *c,
                                                 const cql_property *properties, uint32_t count,
                                                 cql_table_options *options);

/* By name; NULL: no further. */
const char *cql__table_option_name(size_t index);

/* Unknown properties, and options whose values do not fit: what the server looks at after all could
 * be read. */
CORM_CHECKED corm_status cql__table_options_check(const cql_option_context *c,
                                                  const cql_property *properties, uint32_t count);
CORM_CHECKED corm_status cql__table_options_validate(const cql_option_context *c,
                                                     const cql_table_options  *options);
bool cql__table_options_equal(const cql_table_options *a, const cql_table_options *b);

/* Appends "name = value", `separator` between two, in the order of DESCRIBE. Views have no default_time_to_live. */
void cql__table_options_print(const cql_table_options *options, bool is_view, const char *separator,
                              base_buf *out);

/* The id a table was asked to have; *given is false when none was. */
CORM_CHECKED corm_status cql__table_options_id(const cql_property *properties, uint32_t count,
                                               bool *given, corm_uuid *id, corm_error *err);

/* ---- single options: from the map or text that is written to the form that is stored and shown
 * ---- */

CORM_CHECKED corm_status cql__read_caching(const cql_option_context *c, const cql_map_option *in,
                                           cql_map_option *out);
CORM_CHECKED corm_status cql__read_compression(const cql_option_context *c,
                                               const cql_map_option *in, cql_map_option *out);
CORM_CHECKED corm_status cql__read_compaction(const cql_option_context *c, const cql_map_option *in,
                                              cql_map_option *out);
CORM_CHECKED corm_status cql__check_compaction(const cql_option_context *c,
                                               const cql_map_option     *compaction);
CORM_CHECKED corm_status cql__read_speculative_retry(const cql_option_context *c, corm_str in,
                                                     corm_str *out);

#endif
