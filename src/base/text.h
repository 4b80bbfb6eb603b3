// SPDX-License-Identifier: MIT
/* text.h -- small things about text. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

bool     base__utf8_valid(const void *data, size_t len);
size_t   base__utf8_length(corm_str text);          /* code points; invalid bytes count one each */
int      base__str_compare(corm_str a, corm_str b); /* by bytes; < 0, 0, > 0 */
int      base__bytes_compare(corm_bytes a, corm_bytes b);
bool     base__str_equal_nocase(corm_str a, corm_str b); /* ASCII letters */
bool     base__str_has_prefix(corm_str text, corm_str prefix);
corm_str base__str_trim(corm_str text); /* ASCII white space at both ends */

/* Appends JSON: a quoted and escaped string. */
void base__put_json_string(base_buf *buf, corm_str text);

/* Appends lower-case hexadecimal digits. */
void base__put_hex(base_buf *buf, corm_bytes bytes);

/* 0 to 15, or -1 for a character that is no hexadecimal digit. */
int base__hex_digit(char c);

/* Reads hexadecimal digits (even count, no prefix); false when they are none. */
bool base__read_hex(corm_str digits, base_buf *out);

/* Whole numbers and floating point, locale-free; false when the whole text is not one. */
bool base__parse_i64(corm_str text, int64_t *out);
bool base__parse_f64(corm_str text, double *out);
bool base__parse_f32(corm_str text, float *out); /* rounded once, not by way of a double */

/* Java's shortest forms, as the server prints them: "1.0", "1.0E10", "NaN", "Infinity". */
void base__put_double(base_buf *buf, double v);
void base__put_float(base_buf *buf, float v);

/* The edit distance of two names, for "did you mean"; a swap of neighbours counts one. A name of
 * more than 128 bytes is wholly different from every other. */
size_t base__edit_distance(corm_str a, corm_str b);

#endif
