// SPDX-License-Identifier: MIT
/* corm.h -- all of Corm. */
#ifndef CORM_CORM_H
#define CORM_CORM_H

#include "corm/aggregate.h"
#include "corm/base.h"
#include "corm/bulk.h"
#include "corm/cluster.h"
#include "corm/config.h"
#include "corm/db.h"
#include "corm/error.h"
#include "corm/event.h"
#include "corm/feed.h"
#include "corm/hook.h"
#include "corm/json.h"
#include "corm/middleware.h"
#include "corm/migrate.h"
#include "corm/model.h"
#include "corm/plugin.h"
#include "corm/query.h"
#include "corm/relation.h"
#include "corm/result.h"
#include "corm/schema.h"
#include "corm/seal.h"
#include "corm/server.h"
#include "corm/session.h"
#include "corm/stream.h"
#include "corm/task.h"
#include "corm/tenant.h"
#include "corm/transfer.h"
#include "corm/types.h"
#include "corm/value.h"
#include "corm/version.h"

#endif
