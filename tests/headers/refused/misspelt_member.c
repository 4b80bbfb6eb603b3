// SPDX-License-Identifier: MIT
/* A column of a member that the struct does not have. */
// refused: (no member named|did you mean) ‘?'?(emial|email)
#include "corm/corm.h"
typedef struct user {
    corm_uuid id;
    char     *email;
} user;
const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = { { CORM_COLUMN(user, id), .key = CORM_PARTITION }, { CORM_COLUMN(user, emial) } },
};
