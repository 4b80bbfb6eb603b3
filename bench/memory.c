// SPDX-License-Identifier: MIT
/* memory.c -- what a process with an open store holds in memory after one read, in MB: everything, and what is its own alone. */
#include <stdio.h>
#include <stdlib.h>

#include "corm/corm.h"

static long status_kb(const char *format) {
    char  line[256];
    long  kb = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, format, &kb) == 1) break;
    if (file) fclose(file);
    return kb;
}

int main(int argc, char **argv) {
    char          uri[4096];
    corm_session *session;
    corm_result  *result;
    corm_error    err = { 0 };
    if (argc != 2) return 2;
    snprintf(uri, sizeof uri, "corm:%s", argv[1]);
    corm_execute_options options = { .error = &err };
    if (corm_session_open(&session, uri, NULL, &err) != CORM_OK ||
        corm_execute_with(session, "SELECT * FROM bench.items LIMIT 1", &options, &result) !=
            CORM_OK) {
        fprintf(stderr, "memory: %s\n", err.message);
        return 1;
    }
    printf("{\"rss_mb\": %.2f, \"private_mb\": %.2f}\n", (double)status_kb("VmRSS: %ld kB") / 1024,
           (double)status_kb("RssAnon: %ld kB") / 1024);
    corm_result_free(result);
    corm_session_close(session);
    return 0;
}
