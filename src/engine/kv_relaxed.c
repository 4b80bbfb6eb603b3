// SPDX-License-Identifier: MIT
/* kv_relaxed.c -- what is remembered of a store that is written without waiting for the disk.
 *
 * When the machine stops, pages that the system has not written yet are lost, perhaps older ones than others. So each process
 * that writes in this way keeps a file in the folder as long as it does, named after itself, with the id of the machine's
 * boot in it:
 *
 *   relaxed.<process>    this boot's id, process alive    in use
 *                        this boot's id, process gone     it was killed; the system still has all that it wrote
 *                        another boot's id                the machine stopped: the store is suspect, until it was checked
 *
 * Thread: whoever opens or closes, under the registry's lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/kv_internal.h"

#define PREFIX "relaxed."

typedef struct boot {
    uint8_t id[KV_BOOT_BYTES];
} boot;

static bool read_id(const char *path, boot *out) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t got = read(file, out->id, sizeof out->id);
    close(file);
    return got == (ssize_t)sizeof out->id;
}

static const char *boot_file = "/proc/sys/kernel/random/boot_id";

void kv__set_boot_file(const char *path) {
    boot_file = path ? path : "/proc/sys/kernel/random/boot_id";
}

static bool this_boot(boot *out) {
    if (read_id(boot_file, out)) return true;
    memset(out->id, '-', sizeof out->id);
    return false;
}

bool kv__boot(uint8_t out[KV_BOOT_BYTES]) {
    boot now;
    bool is_known = this_boot(&now);
    memcpy(out, now.id, sizeof now.id);
    return is_known;
}

/* ---- files of others ---- */

/* What to do with the file of a process: `path` is valid during the call. */
typedef void (*visit)(const char *path, bool is_other_boot, bool is_alive, void *context);

static void each_file(const char *folder, visit visit_file, void *context) {
    boot now;
    DIR *entries = opendir(folder);
    if (!entries) return;
    this_boot(&now);
    for (struct dirent *entry; (entry = readdir(entries));) {
        boot     written;
        base_buf path = { 0 };
        if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0) continue;
        base__buf_printf(&path, "%s/%s", folder, entry->d_name);
        const char *name = base__buf_cstr(&path);
        pid_t       process = (pid_t)strtol(entry->d_name + sizeof PREFIX - 1, NULL, 10);
        /* A file that was made but not written is of a machine that stopped just then. */
        bool is_other =
            name && (!read_id(name, &written) || memcmp(&written, &now, sizeof now) != 0);
        bool is_alive = !is_other && process > 0 && (kill(process, 0) == 0 || errno == EPERM);
        if (name) visit_file(name, is_other, is_alive, context);
        base__buf_free(&path);
    }
    closedir(entries);
}

typedef struct look {
    bool is_suspect, has_old;
} look;

static void note(const char *path, bool is_other_boot, bool is_alive, void *context) {
    look *seen = context;
    (void)path;
    if (is_other_boot) seen->is_suspect = true;
    if (!is_alive) seen->has_old = true;
}

void kv__relaxed_look(const char *folder, bool *is_suspect, bool *has_old) {
    look seen = { false, false };
    each_file(folder, note, &seen);
    *is_suspect = seen.is_suspect;
    *has_old = seen.has_old;
}

static void remove_old(const char *path, bool is_other_boot, bool is_alive, void *context) {
    (void)is_other_boot;
    (void)context;
    if (!is_alive) unlink(path);
}

/* ---- the store's own file ---- */

static int write_own(const char *path) {
    boot now;
    this_boot(&now);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return errno;
    ssize_t written = write(file, now.id, sizeof now.id);
    int     number = written < 0 ? errno : written == (ssize_t)sizeof now.id ? 0 : ENOSPC;
    if (number == 0 && fsync(file) != 0) number = errno;
    close(file);
    return number;
}

corm_status kv__relaxed_begin(kv_store *store, corm_error *err) {
    base_buf path = { 0 };
    base__buf_printf(&path, "%s/" PREFIX "%ld", store->folder, (long)getpid());
    const char *name = base__buf_cstr(&path);
    int         number = name ? write_own(name) : ENOMEM;
    if (number == 0) number = kv__sync_folder(store->folder);
    base__buf_free(&path);
    store->has_relaxed_file = number == 0;
    return number == 0 ? CORM_OK
                       : kv__fail(err, number, "the store at %s cannot be opened", store->folder);
}

corm_status kv__relaxed_settle(kv_store *store, corm_error *err) {
    int number = mdb_env_sync(store->env, 1);
    if (number != 0)
        return kv__fail(err, number, "the store at %s cannot be synced", store->folder);
    each_file(store->folder, remove_old, NULL);
    return CORM_OK;
}

static void remove_own(const char *path, bool is_other_boot, bool is_alive, void *context) {
    const char *dot = strrchr(path, '.');
    (void)is_other_boot;
    (void)is_alive;
    if (dot && strtol(dot + 1, NULL, 10) == *(const long *)context) unlink(path);
}

void kv__relaxed_end(kv_store *store) {
    long own = (long)getpid();
    if (!store->env || !store->has_relaxed_file || mdb_env_sync(store->env, 1) != 0) return;
    each_file(store->folder, remove_own, &own);
    store->has_relaxed_file = false;
}
