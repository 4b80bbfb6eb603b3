// SPDX-License-Identifier: MIT
/* kv_file.c -- the folder of a store and what lies in it, looked at before LMDB opens it.
 *
 *   data.mdb     LMDB's data
 *   lock.mdb     its table of readers and the writers' lock; means nothing while no process has the store open
 *   log.corm     see kv_log.h; in another folder than its data.mdb it means nothing
 *   relaxed.*    see kv_relaxed.c
 *   corm.store   says that the folder is a store, so that a data file that was lost or cut to nothing is not taken for a
 *                new one
 *
 * lock.mdb is never opened here: closing any descriptor of it would drop the locks that LMDB holds on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kv_internal.h"

#define DATA_NAME "data.mdb"
#define LOCK_NAME "lock.mdb"
#define MARK_NAME "corm.store"

static const char mark_text[] =
    "This folder is a Corm store. Copy or move it as a whole, while no program has it "
    "open.\n";

static char *join(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char  *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* ---- memory ---- */

static bool temporary_in(const char *parent, char **out) {
    char *folder = join(parent, "corm-"
                                "XX"
                                "XX"
                                "XX");
    if (folder && mkdtemp(folder)) {
        *out = folder;
        return true;
    }
    free(folder);
    return false;
}

static corm_status make_temporary(char **out, corm_error *err) {
    const char *tmpdir = getenv("TMPDIR");
    if (temporary_in("/dev/shm", out)) return CORM_OK;
    if (tmpdir && temporary_in(tmpdir, out)) return CORM_OK;
    if (temporary_in("/tmp", out)) return CORM_OK;
    return kv__fail(err, errno, "a folder for a store in memory cannot be made");
}

/* ---- folders ---- */

/* The name of a new folder is in the one above, which must be on disk, too; `path` is put back as it was. Who may not read that one
 * cannot have it synced. */
static int sync_above(char *path) {
    char *last = strrchr(path, '/');
    int   number;
    if (!last || last == path) {
        number = kv__sync_folder(last ? "/" : ".");
    } else {
        *last = '\0';
        number = kv__sync_folder(path);
        *last = '/';
    }
    return number == EACCES ? 0 : number;
}

static int make_one(char *path) {
    if (mkdir(path, 0777) == 0) return sync_above(path);
    return errno == EEXIST ? 0 : errno;
}

static corm_status make_folder(const char *path, corm_error *err) {
    char *copy = strdup(path);
    if (!copy) return base__fail_memory(err);
    int number = 0;
    for (char *at = copy + 1; number == 0 && *at; at++) {
        if (*at != '/') continue;
        *at = '\0';
        number = make_one(copy);
        *at = '/';
    }
    if (number == 0) number = make_one(copy);
    free(copy);
    if (number == 0) return CORM_OK;
    return kv__fail(err, number, "the folder %s cannot be made", path);
}

static corm_status find_folder(const kv_options *options, kv_place *place, corm_error *err) {
    struct stat about;
    const char *path = options->path;
    if (stat(path, &about) != 0) {
        if (errno != ENOENT) return kv__fail(err, errno, "the folder %s cannot be read", path);
        if (options->must_exist || options->read_only) {
            return base__fail(err, CORM_NOT_FOUND, "there is no store at %s", path);
        }
        CORM_TRY(make_folder(path, err));
        if (stat(path, &about) != 0) {
            return kv__fail(err, errno, "the folder %s cannot be read", path);
        }
    }
    if (!S_ISDIR(about.st_mode)) {
        return kv__fail(err, ENOTDIR, "%s cannot be a store", path);
    }
    place->device = about.st_dev;
    place->inode = about.st_ino;
    place->folder = strdup(path);
    return place->folder ? CORM_OK : base__fail_memory(err);
}

/* *size < 0: there is no such file. */
static corm_status file_size(const char *folder, const char *name, int64_t *size, corm_error *err) {
    char *path = join(folder, name);
    if (!path) return base__fail_memory(err);
    struct stat about;
    int         number = stat(path, &about) == 0 ? 0 : errno;
    free(path);
    *size = -1;
    if (number == ENOENT) return CORM_OK;
    if (number != 0) return kv__fail(err, number, "%s in %s cannot be read", name, folder);
    *size = about.st_size;
    return CORM_OK;
}

static corm_status look_at_data(const kv_place *place, corm_error *err) {
    char *path = join(place->folder, DATA_NAME);
    if (!path) return base__fail_memory(err);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int number = errno;
    free(path);
    if (file < 0) return kv__fail(err, number, "the store at %s cannot be opened", place->folder);
    corm_error  inner = { 0 };
    corm_status status = kv__pages_look(file, &inner);
    close(file);
    if (status == CORM_OK) return CORM_OK;
    return base__fail(err, status, "the store at %s cannot be opened: %s", place->folder,
                      inner.message);
}

static corm_status look_at_files(const kv_options *options, kv_place *place, corm_error *err) {
    int64_t data = -1, mark = -1;
    CORM_TRY(file_size(place->folder, MARK_NAME, &mark, err));
    CORM_TRY(file_size(place->folder, DATA_NAME, &data, err));
    place->is_new = data <= 0;
    if (!place->is_new) return look_at_data(place, err);
    if (mark >= 0) {
        return base__fail(err, CORM_CORRUPT, "the store at %s has lost its data: %s is %s",
                          place->folder, DATA_NAME, data < 0 ? "missing" : "empty");
    }
    if (options->must_exist || options->read_only) {
        return base__fail(err, CORM_NOT_FOUND, "there is no store at %s", place->folder);
    }
    return CORM_OK;
}

corm_status kv__place_find(const kv_options *options, kv_place *out, corm_error *err) {
    *out = (kv_place){ .log = -1 };
    if (!options->path) {
        out->is_memory = out->is_new = true;
        return make_temporary(&out->folder, err);
    }
    corm_status status = find_folder(options, out, err);
    if (status == CORM_OK) status = kv__recover(options, out, err);
    if (status == CORM_OK) status = look_at_files(options, out, err);
    if (status != CORM_OK) kv__place_free(out);
    return status;
}

static void remove_file(const char *folder, const char *name) {
    char *path = join(folder, name);
    if (path) unlink(path);
    free(path);
}

void kv__place_free(kv_place *place) {
    if (place->is_memory && place->folder) {
        remove_file(place->folder, DATA_NAME);
        remove_file(place->folder, LOCK_NAME);
        rmdir(place->folder);
    }
    if (place->log >= 0) close(place->log);
    place->log = -1;
    free(place->folder);
    place->folder = NULL;
}

/* ---- the mark ---- */

static int write_mark(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return errno;
    ssize_t written = write(file, mark_text, sizeof mark_text - 1);
    int     number = written < 0 ? errno : written == sizeof mark_text - 1 ? 0 : ENOSPC;
    if (number == 0 && fsync(file) != 0) number = errno;
    close(file);
    if (number != 0) unlink(path);
    return number;
}

int kv__sync_folder(const char *folder) {
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return errno;
    int number = fsync(file) == 0 ? 0 : errno;
    close(file);
    /* Some file systems cannot sync a folder, and need not. */
    return number == EINVAL ? 0 : number;
}

corm_status kv__place_mark(const kv_place *place, corm_error *err) {
    char *path = join(place->folder, MARK_NAME);
    if (!path) return base__fail_memory(err);
    int number = write_mark(path);
    free(path);
    if (number == 0) number = kv__sync_folder(place->folder);
    if (number == 0) return CORM_OK;
    return kv__fail(err, number, "%s in %s cannot be written", MARK_NAME, place->folder);
}
