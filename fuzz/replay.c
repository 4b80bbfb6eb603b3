// SPDX-License-Identifier: MIT
//
// replay.c -- stands in for libFuzzer in ordinary builds: runs each file of the given directories
// through the fuzzer once. Exit status 77 (skipped) when there is no file. One thread.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST_INPUT = 16 << 20 };

// Reads into an allocation of the exact size, so that the address sanitizer sees a read past the end.
static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    long     end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *data = NULL;
    if (end >= 0 && end <= LARGEST_INPUT && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        data = malloc(*size ? *size : 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static int replay_file(const char *path) {
    size_t   size = 0;
    uint8_t *data = read_file(path, &size);
    if (!data) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

// Counts the replayed inputs in *inputs; returns how many could not be read.
static int replay_directory(const char *folder, int *inputs) {
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    int failures = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') continue;
        char path[4096];
        int  length = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof(path)) continue;
        failures += replay_file(path);
        *inputs += 1;
    }
    closedir(dir);
    return failures;
}

int main(int argc, char **argv) {
    int inputs = 0;
    int failures = 0;
    for (int i = 1; i < argc; i++) failures += replay_directory(argv[i], &inputs);
    printf("%d inputs replayed\n", inputs);
    if (failures) return 1;
    return inputs ? 0 : 77;
}
