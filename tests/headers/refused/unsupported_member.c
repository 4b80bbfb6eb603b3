// SPDX-License-Identifier: MIT
/* A member of a type that no column can have. */
// refused: (_Generic|generic selection|controlling expression)
#include "corm/corm.h"
typedef struct user {
    corm_uuid   id;
    long double height;
} user;
const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = { { CORM_COLUMN(user, id), .key = CORM_PARTITION }, { CORM_COLUMN(user, height) } },
};
