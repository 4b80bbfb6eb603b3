// SPDX-License-Identifier: MIT
/* certificates.h -- certificates for tests of TLS: an authority of the test's own, and what it signs, as PEM files. */
#ifndef TESTING_CERTIFICATES_H
#define TESTING_CERTIFICATES_H

typedef struct testing_authority testing_authority;

/* Makes one and writes its certificate. Fails the test when it cannot. */
testing_authority *testing__authority_new(const char *name, const char *path);
void               testing__authority_free(testing_authority *authority);

/* Writes a certificate and its key, valid from an hour ago for so many days (negative: expired). `names` is what it is good
 * for, as "DNS:localhost,IP:127.0.0.1"; NULL: nothing but its common name. */
void testing__certificate(const testing_authority *authority, const char *common_name,
                          const char *names, int days, const char *certificate_path,
                          const char *key_path);

#endif
