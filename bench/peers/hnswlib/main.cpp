// SPDX-License-Identifier: MIT
/* main.cpp -- hnswlib on a data file of bench/vector: builds with one thread, then answers beams (ef) from the standard
 * input, as `bench_vector graph` does.
 *
 *   hnswlib FILE CONNECTIONS BEAM */
#include <hnswlib/hnswlib.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

static const uint32_t NEAREST = 10;

struct Head {
    uint32_t count, dimension, queries, spares;
};

/* Seconds that this process has computed. */
static double now() {
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static double rss_mb() {
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld kB", &kb) == 1) break;
    if (file) fclose(file);
    return kb / 1024.0;
}

struct Data {
    Head                  head;
    std::vector<float>    vectors;
    std::vector<uint32_t> nearest;
};

static bool read_data(const char *path, Data &data) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(&data.head, sizeof data.head, 1, file) != 1) return false;
    size_t all = size_t(data.head.count) + data.head.queries + data.head.spares;
    data.vectors.resize(all * data.head.dimension);
    data.nearest.resize(size_t(data.head.queries) * NEAREST);
    bool ok = fread(data.vectors.data(), 4, data.vectors.size(), file) == data.vectors.size() &&
              fread(data.nearest.data(), 4, data.nearest.size(), file) == data.nearest.size();
    fclose(file);
    return ok;
}

static double recall(const Data &data, hnswlib::HierarchicalNSW<float> &graph) {
    uint64_t found = 0;
    for (uint32_t i = 0; i < data.head.queries; i++) {
        const float *query = &data.vectors[(size_t(data.head.count) + i) * data.head.dimension];
        auto         hits = graph.searchKnn(query, NEAREST);
        for (; !hits.empty(); hits.pop())
            for (uint32_t j = 0; j < NEAREST; j++)
                found += data.nearest[size_t(i) * NEAREST + j] == hits.top().second;
    }
    return double(found) / (double(data.head.queries) * NEAREST);
}

int main(int argc, char **argv) {
    Data data;
    if (argc != 4 || !read_data(argv[1], data)) return 2;
    double                          before = rss_mb(), began = now();
    hnswlib::L2Space                space(data.head.dimension);
    hnswlib::HierarchicalNSW<float> graph(&space, data.head.count, strtoul(argv[2], NULL, 10),
                                          strtoul(argv[3], NULL, 10));
    for (uint32_t i = 0; i < data.head.count; i++)
        graph.addPoint(&data.vectors[size_t(i) * data.head.dimension], i);
    printf("{\"build_s\": %.2f, \"rss_mb\": %.1f}\n", now() - began, rss_mb() - before);
    fflush(stdout);
    unsigned beam;
    while (scanf("%u", &beam) == 1) {
        graph.setEf(beam);
        double   start = now(), part = recall(data, graph);
        uint32_t rounds = 1;
        for (; now() - start < 0.5; rounds++) part = recall(data, graph);
        printf("{\"beam\": %u, \"recall\": %.5f, \"rate\": %.1f}\n", beam, part,
               data.head.queries * rounds / (now() - start));
        fflush(stdout);
    }
    return 0;
}
