// SPDX-License-Identifier: MIT
/* files.c -- certificates and keys from files, and what is said when OpenSSL refuses. Any thread. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "tls/tls.h"

/* ---- errors ---- */

corm_status tls__fail(corm_error *err, const char *what) {
    unsigned long code = ERR_get_error();
    const char   *reason = ERR_reason_error_string(code);
    int           number = ERR_GET_REASON(code);
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code)) return base__fail_errno(err, number, "%s", what);
    if (number == ERR_R_MALLOC_FAILURE) return base__fail_memory(err);
#ifdef ERR_R_UNSUPPORTED
    /* What OpenSSL says of PEM in which it finds nothing of what it looks for. */
    if (number == ERR_R_UNSUPPORTED)
        return base__fail(err, CORM_IO, "%s: there is none in it that can be read", what);
#endif
    return base__fail(err, CORM_IO, "%s: %s", what, reason ? reason : "TLS failed");
}

corm_status tls__fail_file(corm_error *err, const char *what, const char *path) {
    char text[512];
    (void)snprintf(text, sizeof text, "TLS: the %s '%s'", what, path);
    return tls__fail(err, text);
}

/* ---- files ---- */

/* Without a password nobody is asked for one at the terminal. */
static int give_password(char *out, int size, int writing, void *context) {
    corm_str password = corm_str_of(context);
    (void)writing;
    if (size < 0 || password.len > (size_t)size) return -1;
    if (password.len) memcpy(out, password.data, password.len);
    return (int)password.len;
}

corm_status tls__load_certificate(SSL_CTX *ctx, const char *certificate_file, const char *key_file,
                                  const char *password, corm_error *err) {
    if (!key_file) key_file = certificate_file;
    SSL_CTX_set_default_passwd_cb(ctx, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)(uintptr_t)password);
    if (!SSL_CTX_use_certificate_chain_file(ctx, certificate_file))
        return tls__fail_file(err, "certificate file", certificate_file);
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) &&
        SSL_CTX_check_private_key(ctx))
        return CORM_OK;
    return tls__fail_file(err, "key file", key_file);
}
