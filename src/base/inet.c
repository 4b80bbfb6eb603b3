// SPDX-License-Identifier: MIT
/* inet.c -- the text form of internet addresses. Pure. */
#include "base/fail.h"
#include "corm/types.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* The server keeps an IPv4 address that is written as IPv6 in four bytes. */
static void unmap(corm_inet *inet) {
    if (memcmp(inet->bytes, mapped_prefix, sizeof mapped_prefix) != 0) return;
    memmove(inet->bytes, inet->bytes + 12, 4);
    memset(inet->bytes + 4, 0, 12);
    inet->length = 4;
}

corm_status corm_inet_parse(const char *text, corm_inet *out, corm_error *err) {
    corm_inet inet = { { 0 }, 0 };
    if (text && inet_pton(AF_INET, text, inet.bytes) == 1) {
        inet.length = 4;
    } else if (text && inet_pton(AF_INET6, text, inet.bytes) == 1) {
        inet.length = 16;
        unmap(&inet);
    } else {
        return base__fail(err, CORM_CONVERSION, "'%s' is not an internet address",
                          text ? text : "");
    }
    *out = inet;
    return CORM_OK;
}

void corm_inet_format(corm_inet inet, char out[46]) {
    out[0] = '\0';
    if (inet.length == 4) inet_ntop(AF_INET, inet.bytes, out, 46);
    if (inet.length == 16) inet_ntop(AF_INET6, inet.bytes, out, 46);
}
