// SPDX-License-Identifier: MIT
/* kv_open.c -- opening, sharing and closing stores; the size of the map.
 *
 * LMDB must not open a file twice in one process (closing one would drop the file locks of the other), so a registry keeps the
 * stores that are open by device and inode of their folder. A child made by fork() forgets its parent's stores: it may
 * open the same folder anew, but must not touch what it inherited. */
#include "engine/kv_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_READERS = 512, OWN_READERS = 1 /* of the log */ };
static const uint64_t default_map = (uint64_t)64 << 30;
static const uint64_t smallest_map = (uint64_t)1 << 20;

static pthread_once_t  once = PTHREAD_ONCE_INIT;
static pthread_mutex_t registry_lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards `registry` and the refs in it */
static kv_store   *registry;
static atomic_uint forks;

/* ---- fork ---- */

static void before_fork(void) {
    pthread_mutex_lock(&registry_lock);
}
static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&registry_lock);
}
static void after_fork_in_child(void) {
    atomic_fetch_add(&forks, 1);
    registry = NULL;
    pthread_mutex_unlock(&registry_lock);
}
static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

unsigned kv__forks(void) {
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

corm_status kv__check_process(const kv_store *store, corm_error *err) {
    if (store->generation == kv__forks()) return CORM_OK;
    return base__fail(err, CORM_UNSUPPORTED,
                      "the store was opened before fork(): the child must open it anew");
}

/* ---- opening ---- */

static corm_status check_lock_file(const kv_options *options, const kv_place *place, int number,
                                   corm_error *err) {
    if (number == EACCES || number == EPERM || number == EROFS) {
        return kv__fail(err, number, "the store at %s cannot be opened%s", place->folder,
                        options->read_only ? ": even to read, lock.mdb must be writable, or absent"
                                           : " for writing");
    }
    return kv__fail(err, number, "the store at %s cannot be opened", place->folder);
}

/* A process whose address space is limited gets a smaller map; it grows like any other. Valgrind says EINVAL then. */
int kv__open_map(MDB_env **env, const char *folder, uint32_t readers, unsigned flags,
                 bool may_shrink, uint64_t *map) {
    int number;
    for (;; *map /= 2) {
        number = mdb_env_create(env);
        if (number == 0) number = mdb_env_set_maxreaders(*env, readers);
        if (number == 0) number = mdb_env_set_mapsize(*env, *map);
        if (number == 0) number = mdb_env_open(*env, folder, flags, 0666);
        if (number == 0) return 0;
        if (*env) mdb_env_close(*env);
        *env = NULL;
        bool too_large = number == ENOMEM || number == EINVAL;
        if (!too_large || !may_shrink || *map / 2 < smallest_map) return number;
    }
}

static bool lock_file_exists(const kv_place *place) {
    base_buf path = { 0 };
    base__buf_printf(&path, "%s/lock.mdb", place->folder);
    const char *text = base__buf_cstr(&path);
    bool        exists = !text || access(text, F_OK) == 0;
    base__buf_free(&path);
    return exists;
}

static corm_status open_env(kv_store *store, const kv_options *options, const kv_place *place,
                            uint32_t readers, corm_error *err) {
    unsigned flags = MDB_NOTLS;
    if (options->read_only)
        flags |= MDB_RDONLY;
    else
        flags |= MDB_NOSYNC; /* the log syncs */
    uint64_t map = options->map_bytes ? options->map_bytes : default_map;
    if (map < smallest_map) map = smallest_map;
    bool may_shrink = options->map_bytes == 0;
    int  number = kv__open_map(&store->env, place->folder, readers, flags, may_shrink, &map);
    /* Without a lock file no writer is there, and in this folder none can come. */
    if ((number == EACCES || number == EROFS) && options->read_only && !lock_file_exists(place)) {
        number =
            kv__open_map(&store->env, place->folder, readers, flags | MDB_NOLOCK, may_shrink, &map);
    }
    if (number != 0) return check_lock_file(options, place, number, err);
    MDB_envinfo info;
    number = mdb_env_info(store->env, &info);
    if (number != 0) return check_lock_file(options, place, number, err);
    atomic_store(&store->map_bytes, (uint64_t)info.me_mapsize);
    return CORM_OK;
}

/* Another process may grow the map between the open and the first read; nobody else uses this store yet. */
static int begin_first(kv_store *store, MDB_txn **txn) {
    for (;;) {
        int number = mdb_txn_begin(store->env, NULL, MDB_RDONLY, txn);
        if (number != MDB_MAP_RESIZED) return number;
        MDB_envinfo info;
        number = mdb_env_set_mapsize(store->env, 0);
        if (number == 0) number = mdb_env_info(store->env, &info);
        if (number != 0) return number;
        atomic_store(&store->map_bytes, (uint64_t)info.me_mapsize);
    }
}

/* A killed process leaves its reader slots behind, and each pins old pages. */
static corm_status begin_using(kv_store *store, const kv_place *place, corm_error *err) {
    int      dead = 0;
    MDB_txn *txn = NULL;
    int      number = mdb_reader_check(store->env, &dead);
    if (number == 0) number = begin_first(store, &txn);
    if (number == 0) number = mdb_dbi_open(txn, NULL, 0, &store->dbi);
    mdb_txn_abort(txn);
    if (number == 0) return CORM_OK;
    return kv__fail(err, number, "the store at %s cannot be opened", place->folder);
}

/* A page at the end that was made and given up in one transaction is never written: then a shorter file is whole, and only a
 * walk tells it from one that was cut. */
static corm_status check_length(kv_store *store, const kv_place *place, corm_error *err) {
    struct stat about;
    kv_stats    stats;
    int         file;
    int         number = mdb_env_get_fd(store->env, &file);
    kv__stats(store, &stats);
    if (number == 0 && fstat(file, &about) != 0) number = errno;
    if (number != 0)
        return kv__fail(err, number, "the store at %s cannot be opened", place->folder);
    if ((uint64_t)about.st_size >= stats.used_bytes) return CORM_OK;
    corm_error  inner = { 0 };
    corm_status status = kv__check(store, &inner);
    if (status == CORM_OK) return CORM_OK;
    return base__fail(err, status, "the store at %s cannot be opened: %s", place->folder,
                      inner.message);
}

/* After the machine stopped, pages are looked at before LMDB follows them. */
static corm_status check_relaxed(kv_store *store, const kv_options *options, corm_error *err) {
    bool has_old = false;
    if (!store->folder) return CORM_OK;
    kv__relaxed_look(store->folder, &store->is_suspect, &has_old);
    if (store->is_suspect) {
        corm_error  inner = { 0 };
        corm_status status = kv__check(store, &inner);
        if (status != CORM_OK) {
            return base__fail(err, status,
                              "the store at %s lost writes when the machine stopped: %s",
                              store->folder, inner.message);
        }
    } else if (has_old && !options->read_only) {
        CORM_TRY(kv__relaxed_settle(store, err));
    }
    return options->relaxed && !options->read_only ? kv__relaxed_begin(store, err) : CORM_OK;
}

static void destroy(kv_store *store) {
    kv__log_close(store);
    kv__txns_free(store);
    kv__relaxed_end(store);
    kv__wait_free(store);
    free(store->folder);
    if (store->env) mdb_env_close(store->env);
    pthread_mutex_destroy(&store->write_lock);
    pthread_mutex_destroy(&store->log.data_lock);
    pthread_mutex_destroy(&store->log.sync_lock);
    pthread_mutex_destroy(&store->gate_lock);
    free(store);
}

static corm_status keep_folder(kv_store *store, const kv_place *place, corm_error *err) {
    if (place->is_memory) return CORM_OK;
    store->folder = strdup(place->folder);
    return store->folder ? CORM_OK : base__fail_memory(err);
}

static corm_status open_store(const kv_options *options, kv_place *place, kv_store **out,
                              corm_error *err) {
    kv_store *store = calloc(1, sizeof *store);
    if (!store) return base__fail_memory(err);
    store->log.file = -1;
    pthread_mutex_init(&store->log.sync_lock, NULL);
    pthread_mutex_init(&store->log.data_lock, NULL);
    pthread_mutex_init(&store->write_lock, NULL);
    pthread_mutex_init(&store->gate_lock, NULL);
    store->refs = 1;
    store->device = place->device;
    store->inode = place->inode;
    store->generation = kv__forks();
    store->read_only = options->read_only;
    store->relaxed = options->relaxed || place->is_memory;
    store->cache_free = options->cache_free;
    uint32_t    readers = options->max_readers ? options->max_readers : DEFAULT_READERS;
    corm_status status = kv__wait_init(store, err);
    if (status != CORM_OK) {
        free(store);
        return status;
    }
    status = keep_folder(store, place, err);
    if (status == CORM_OK) status = kv__txns_init(store, readers, err);
    if (status == CORM_OK) status = kv__log_open(store, place, err);
    if (status == CORM_OK) status = open_env(store, options, place, readers + OWN_READERS, err);
    if (status == CORM_OK) status = begin_using(store, place, err);
    if (status == CORM_OK) status = check_length(store, place, err);
    if (status == CORM_OK) status = check_relaxed(store, options, err);
    if (status == CORM_OK && place->is_new && !place->is_memory)
        status = kv__place_mark(place, err);
    if (status == CORM_OK) {
        *out = store;
    } else {
        destroy(store);
    }
    return status;
}

/* ---- sharing ---- */

static kv_store *find_open(const kv_place *place) {
    for (kv_store *store = registry; store; store = store->next) {
        if (store->device == place->device && store->inode == place->inode) return store;
    }
    return NULL;
}

static corm_status share(kv_store *store, const kv_options *options, corm_error *err) {
    if (store->read_only && !options->read_only) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the store at %s is open in this process to read only", options->path);
    }
    if (store->relaxed && !options->relaxed && !options->read_only) {
        pthread_mutex_lock(&store->write_lock);
        int number = mdb_env_sync(store->env, 1);
        if (number == 0) {
            store->relaxed = false;
            kv__relaxed_end(store);
        }
        pthread_mutex_unlock(&store->write_lock);
        if (number != 0)
            return kv__fail(err, number, "the store at %s cannot be synced", options->path);
    }
    store->refs++;
    return CORM_OK;
}

static corm_status open_or_share(const kv_options *options, kv_place *place, kv_store **out,
                                 corm_error *err) {
    kv_store *open = place->is_memory ? NULL : find_open(place);
    if (open) {
        CORM_TRY(share(open, options, err));
        *out = open;
        return CORM_OK;
    }
    CORM_TRY(open_store(options, place, out, err));
    if (*out && !place->is_memory) {
        (*out)->next = registry;
        registry = *out;
    }
    return CORM_OK;
}

corm_status kv__open(const kv_options *options, kv_store **out, corm_error *err) {
    kv_place place;
    *out = NULL;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&registry_lock);
    corm_status status = kv__place_find(options, &place, err);
    if (status == CORM_OK) {
        status = open_or_share(options, &place, out, err);
        kv__place_free(&place);
    }
    pthread_mutex_unlock(&registry_lock);
    return status;
}

void kv__close(kv_store *store) {
    /* What a child inherited belongs to its parent: unmapping or unlocking here would reach the parent's readers. */
    if (!store || store->generation != kv__forks()) return;
    pthread_mutex_lock(&registry_lock);
    bool last = --store->refs == 0;
    if (last) {
        kv_store **at = &registry;
        while (*at && *at != store) at = &(*at)->next;
        if (*at) *at = store->next;
        destroy(store);
    }
    pthread_mutex_unlock(&registry_lock);
}

corm_status kv__sync(kv_store *store, corm_error *err) {
    CORM_TRY(kv__check_process(store, err));
    if (store->read_only) return CORM_OK;
    if (store->log.file >= 0 && !store->relaxed) return kv__checkpoint(store, false, err);
    int number = mdb_env_sync(store->env, 1);
    return number == 0 ? CORM_OK : kv__fail(err, number, "the store cannot be synced");
}

bool kv__is_suspect(const kv_store *store) {
    return store->is_suspect;
}

corm_status kv__trust(kv_store *store, corm_error *err) {
    if (!store->read_only) CORM_TRY(kv__relaxed_settle(store, err));
    store->is_suspect = false;
    return CORM_OK;
}

void kv__stats(kv_store *store, kv_stats *out) {
    MDB_envinfo info;
    MDB_stat    stat;
    *out = (kv_stats){ 0 };
    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat) != 0) return;
    out->used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    out->map_bytes = atomic_load(&store->map_bytes);
    for (uint32_t i = 0; i < store->slot_count; i++) {
        out->reads += atomic_load_explicit(&store->slots[i].txn.begun, memory_order_relaxed);
    }
}

void kv__set_fault(kv_store *store, kv_fault fault, void *context) {
    pthread_mutex_lock(&store->write_lock); /* the keeper asks under it */
    store->fault = fault;
    store->fault_context = context;
    pthread_mutex_unlock(&store->write_lock);
}

int kv__fault_at(const kv_store *store, kv_fault_point point) {
    return store->fault ? store->fault(store->fault_context, point) : 0;
}

/* ---- the map ---- */

static void close_gate(kv_store *store) {
    pthread_mutex_lock(&store->gate_lock);
    atomic_store(&store->gate, true);
    for (uint32_t i = 0; i < store->slot_count; i++) {
        /* Readers do not tell when they end, so that ending costs them nothing; the map changes too rarely to mind. */
        while (atomic_load(&store->slots[i].busy)) {
            nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
        }
    }
}

static void open_gate(kv_store *store) {
    atomic_store(&store->gate, false);
    pthread_mutex_unlock(&store->gate_lock);
}

/* LMDB unmaps before it maps, and a store without a map is lost to the process: so try first whether there is room. */
static int try_room(uint64_t bytes) {
    void *room =
        mmap(NULL, (size_t)bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return errno;
    munmap(room, (size_t)bytes);
    return 0;
}

/* bytes 0: what another process has set. write_lock is held. */
static int change_map(kv_store *store, uint64_t bytes) {
    int number = kv__fault_at(store, KV_FAULT_GROW);
    if (number == 0 && bytes > 0) number = try_room(bytes);
    if (number != 0) return number;
    close_gate(store);
    number = mdb_env_set_mapsize(store->env, (size_t)bytes);
    MDB_envinfo info;
    if (number == 0) number = mdb_env_info(store->env, &info);
    if (number == 0) atomic_store(&store->map_bytes, (uint64_t)info.me_mapsize);
    open_gate(store);
    return number;
}

corm_status kv__grow(kv_store *store, corm_error *err) {
    CORM_TRY(kv__check_process(store, err));
    pthread_mutex_lock(&store->write_lock);
    uint64_t bytes = atomic_load(&store->map_bytes);
    int      number = bytes > SIZE_MAX / 2 ? ENOMEM : change_map(store, bytes * 2);
    pthread_mutex_unlock(&store->write_lock);
    return number == 0 ? CORM_OK
                       : kv__fail(err, number, "the store cannot grow beyond %llu bytes",
                                  (unsigned long long)bytes);
}

corm_status kv__adopt_map(kv_store *store, corm_error *err) {
    pthread_mutex_lock(&store->write_lock);
    int number = change_map(store, 0);
    pthread_mutex_unlock(&store->write_lock);
    return number == 0 ? CORM_OK : kv__fail(err, number, "the store has grown in another process");
}
