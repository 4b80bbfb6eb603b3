// SPDX-License-Identifier: MIT
/* model_transfer.c -- see model_transfer.h. */
#include "stream/model_transfer.h"

#include <strings.h>

#include "stream/core.h"

static bool ends_with(const char *path, const char *ending) {
    size_t len = strlen(path), of = strlen(ending);
    return len > of && strcasecmp(path + len - of, ending) == 0;
}

corm_status stream__format(corm_format given, const char *path, char delimiter, stream_format *out,
                           corm_error *err) {
    bool tabs = path && ends_with(path, ".tsv");
    bool by_name = given == CORM_FORMAT_BY_NAME && path;
    *out = (stream_format){ .is_csv = given == CORM_FORMAT_CSV };
    if (by_name) out->is_csv = tabs || ends_with(path, ".csv");
    bool known = !by_name || out->is_csv || ends_with(path, ".jsonl") ||
                 ends_with(path, ".ndjson") || ends_with(path, ".json");
    if (!known) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the name '%s' does not say the format: give .format", path);
    }
    out->name = out->is_csv ? "csv" : "jsonl";
    out->delimiter = delimiter ? delimiter : tabs ? '\t' : ',';
    return CORM_OK;
}

const corm_rows *stream__page_rows(const corm_stream *stream, const void *row, uint32_t *index) {
    const corm_rows *rows = stream->cursors[0].rows;
    size_t           offset = (size_t)((const uint8_t *)row - rows->structs);
    *index = (uint32_t)(offset / rows->model->spec->row_size);
    return rows;
}
