// SPDX-License-Identifier: MIT
/* loop.h -- between other threads and the loop's: the inbox, the thread, and tasks that run on the loop. Private to loop*.c and
 * stats.c. */
#ifndef DRIVER_LOOP_H
#define DRIVER_LOOP_H

#include <pthread.h>
#include <semaphore.h>

#include "driver/control.h"
#include "driver/request.h"

/* Something that another thread wants done on the loop's; on its stack. `run` makes driver__task_done be called, now or later. */
typedef struct driver_task driver_task;
struct driver_task {
    void (*run)(driver_cluster *cluster, driver_task *task);
    driver_task *next;
    sem_t        finished; /* another thread waits for it … */
    bool         done;     /* … or the caller's loop runs until this is set */
};

/* Runs it and waits. Not inside a callback of an own-loop cluster, unless `run` is done at once. */
void driver__task_run(driver_cluster *cluster, driver_task *task);
void driver__task_done(driver_task *task);

/* One thread and its loop. It may outlive the cluster by a name that is still being resolved. */
typedef struct driver_thread {
    uv_loop_t       loop;
    pthread_t       id; /* set by itself */
    driver_cluster *cluster;
    bool            outlives; /* frees itself */
} driver_thread;

/* driver__close, on its stack. */
typedef struct driver_closer {
    driver_task task;     /* first */
    bool        outlived; /* by the thread, which then frees itself */
} driver_closer;

/* Whose requests are to be given up: of those submitted before. */
typedef struct driver_cancel driver_cancel;
struct driver_cancel {
    void          *context;
    uint64_t       serial;
    driver_cancel *next;
};

struct driver_inbox {
    driver_cluster *cluster;
    pthread_mutex_t mutex;
    /* with the mutex */
    driver_request *first, **end; /* submitted and not taken yet */
    driver_request *spare;
    driver_task    *tasks, **tasks_end;
    driver_cancel  *cancels;
    bool            sleeping; /* the loop may wait: who puts something in wakes it */
    bool            closed;
    /* the loop's */
    driver_request *own_spare;
    uint32_t        own_count, depth; /* depth: of submits inside callbacks */
    uv_async_t      async;
    uv_prepare_t    before;
    uv_check_t      after;
    uv_idle_t       busy;
    uint32_t        handles; /* not closed yet */
    bool            waits;   /* between `before` and `after`: callbacks of sockets run */
    bool            finishing;
    driver_closer  *closer;
    /* any thread's */
    atomic_ullong  serial;
    driver_thread *thread; /* NULL: the caller's loop */
    /* driver__open */
    bool        opening;
    driver_task opened;
    corm_status opened_status;
    corm_error  opened_error;
};

CORM_CHECKED corm_status driver__inbox_new(driver_cluster *cluster, driver_inbox **out,
                                           corm_error *err);
CORM_CHECKED corm_status driver__inbox_start(driver_inbox *inbox, corm_error *err);
void                     driver__inbox_free(driver_inbox *inbox);

/* Whether the caller is on the loop's thread (always, with a loop of the caller's). */
bool driver__on_loop(const driver_cluster *cluster);

#endif
