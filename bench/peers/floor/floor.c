// SPDX-License-Identifier: MIT
/* floor.c -- what no driver can be cheaper than: one socket, frames built in place, epoll, and nothing else done.
 *
 *   floor HOST PORT setup                                    the keyspace, its tables, their rows
 *   floor HOST PORT drop
 *   floor HOST PORT CASE CONCURRENCY WARM_UP REQUESTS        CASE: insert, select, batch64, page5000
 *
 * Protocol 4 without compression, so that there are no checksums either. As many stream ids as requests are in flight; an
 * answer's stream id is used again at once. Any surprise ends the program. One thread. */
#define _GNU_SOURCE /* be64toh */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 100000, PAGE_ROWS = 5000, PARTITION_ROWS = 49999, PARTITIONS = 1000 };
enum { BATCH = 64, MOST = 1024 };
enum { HEADER = 9, IN_BYTES = 1 << 20, OUT_BYTES = 8 << 20, MOST_FRAME = 8192, SAMPLE = 8 };
enum {
    OP_ERROR,
    OP_STARTUP,
    OP_READY,
    OP_QUERY = 7,
    OP_RESULT,
    OP_PREPARE,
    OP_EXECUTE,
    OP_BATCH = 13
};
enum { LOCAL_ONE = 10, VALUES = 1, SKIP_METADATA = 2, PAGE_SIZE = 4, PAGING_STATE = 8 };

static int     fd, poller;
static uint8_t in[IN_BYTES], out[OUT_BYTES];
static size_t  in_len, out_len;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "floor: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/* ---- bytes ---- */

static void put16(uint8_t *at, uint32_t value) {
    uint16_t big = htobe16((uint16_t)value);
    memcpy(at, &big, 2);
}
static void put32(uint8_t *at, uint32_t value) {
    uint32_t big = htobe32(value);
    memcpy(at, &big, 4);
}
static void put64(uint8_t *at, uint64_t value) {
    uint64_t big = htobe64(value);
    memcpy(at, &big, 8);
}
static uint16_t get16(const uint8_t *at) {
    uint16_t big;
    memcpy(&big, at, 2);
    return be16toh(big);
}
static uint32_t get32(const uint8_t *at) {
    uint32_t big;
    memcpy(&big, at, 4);
    return be32toh(big);
}
static uint64_t get64(const uint8_t *at) {
    uint64_t big;
    memcpy(&big, at, 8);
    return be64toh(big);
}

/* A frame that is put together once, and then a request is a copy with other values. */
typedef struct frame {
    uint8_t bytes[MOST_FRAME];
    size_t  len;
} frame;

static void begin(frame *f, uint8_t opcode) {
    memset(f, 0, HEADER);
    f->bytes[0] = 4;
    f->bytes[4] = opcode;
    f->len = HEADER;
}
static void add8(frame *f, uint32_t value) {
    f->bytes[f->len++] = (uint8_t)value;
}
static void add16(frame *f, uint32_t value) {
    put16(f->bytes + f->len, value);
    f->len += 2;
}
static void add32(frame *f, uint32_t value) {
    put32(f->bytes + f->len, value);
    f->len += 4;
}
static void add(frame *f, const void *data, size_t len) {
    memcpy(f->bytes + f->len, data, len);
    f->len += len;
}
/* A value of eight bytes; gives where it stands. */
static size_t add_long(frame *f) {
    add32(f, 8);
    f->len += 8;
    return f->len - 8;
}
static void end(frame *f) {
    put32(f->bytes + 5, (uint32_t)(f->len - HEADER));
}

/* ---- one request at a time, for what comes before ---- */

static void dial(const char *host, const char *port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    int                on = 1;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1) fail("address");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void read_exactly(uint8_t *into, size_t len) {
    for (size_t had = 0; had < len;) {
        ssize_t got = read(fd, into + had, len - had);
        if (got <= 0) fail("connection lost");
        had += (size_t)got;
    }
}

/* The answer's body stands in `in`. */
static void ask(frame *f, uint8_t expected) {
    end(f);
    if (write(fd, f->bytes, f->len) != (ssize_t)f->len) fail("write");
    uint8_t header[HEADER];
    read_exactly(header, HEADER);
    size_t len = get32(header + 5);
    if (len >= IN_BYTES) fail("an answer is too long");
    read_exactly(in, len);
    in[len] = 0;
    if (header[4] != expected) fail(header[4] == OP_ERROR ? (char *)in + 6 : "opcode");
}

static void start_up(void) {
    frame f;
    begin(&f, OP_STARTUP);
    add16(&f, 1);
    add16(&f, 11);
    add(&f, "CQL_VERSION", 11);
    add16(&f, 5);
    add(&f, "3.0.0", 5);
    ask(&f, OP_READY);
}

static void query(const char *text) {
    frame f;
    begin(&f, OP_QUERY);
    add32(&f, (uint32_t)strlen(text));
    add(&f, text, strlen(text));
    add16(&f, LOCAL_ONE);
    add8(&f, 0);
    ask(&f, OP_RESULT);
}

typedef struct prepared {
    uint8_t id[64];
    size_t  len;
} prepared;

static prepared prepare(const char *text) {
    prepared made;
    frame    f;
    begin(&f, OP_PREPARE);
    add32(&f, (uint32_t)strlen(text));
    add(&f, text, strlen(text));
    ask(&f, OP_RESULT);
    made.len = get16(in + 4);
    if (made.len > sizeof made.id) fail("a statement's id is too long");
    memcpy(made.id, in + 6, made.len);
    return made;
}

/* ---- the closed loop ---- */

typedef struct flight {
    uint32_t n; /* of the request */
    uint64_t sent_ns;
    size_t   state_len; /* page5000: of where it goes on */
    uint8_t  state[512];
    int64_t  sum;
    uint32_t rows;
} flight;

typedef struct work {
    frame template;
    size_t   values[BATCH][3]; /* where they stand in it */
    size_t   tail;             /* page5000: flags stand there */
    uint32_t offset;           /* of the first request's number */
    uint32_t wanted, sent, done;
    void (*send)(struct work *self, uint32_t stream);
    bool (*receive)(struct work *self, uint32_t stream, const uint8_t *body, size_t len);
    flight    slots[MOST];
    uint64_t *latencies;
    size_t    latency_count;
} work;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static uint8_t *put_template(work *self, uint32_t stream) {
    uint8_t *at = out + out_len;
    if (out_len + self->template.len > OUT_BYTES) fail("the buffer is full");
    memcpy(at, self->template.bytes, self->template.len);
    put16(at + 2, stream);
    out_len += self->template.len;
    return at;
}

static uint64_t key(work *self, uint32_t n) {
    return (self->offset + n) % KEYS;
}

static void send_insert(work *self, uint32_t stream) {
    uint8_t *at = put_template(self, stream);
    uint64_t pk = key(self, self->slots[stream].n);
    for (uint32_t i = 0; i < 3; i++) put64(at + self->values[0][i], pk * (i + 1));
}

static void send_batch(work *self, uint32_t stream) {
    uint8_t *at = put_template(self, stream);
    uint64_t p = key(self, self->slots[stream].n) % PARTITIONS;
    for (uint32_t row = 0; row < BATCH; row++)
        for (uint32_t i = 0; i < 3; i++) put64(at + self->values[row][i], i ? p * i + row : p);
}

static void send_select(work *self, uint32_t stream) {
    uint8_t *at = put_template(self, stream);
    put64(at + self->values[0][0], key(self, self->slots[stream].n));
}

static void send_page(work *self, uint32_t stream) {
    flight  *slot = &self->slots[stream];
    uint8_t *at = put_template(self, stream);
    if (slot->state_len == 0) return;
    at[self->tail] |= PAGING_STATE;
    put32(out + out_len, (uint32_t)slot->state_len);
    memcpy(out + out_len + 4, slot->state, slot->state_len);
    out_len += 4 + slot->state_len;
    put32(at + 5, (uint32_t)(self->template.len - HEADER + 4 + slot->state_len));
}

static bool is_void(work *self, uint32_t stream, const uint8_t *body, size_t len) {
    (void)self, (void)stream;
    return len >= 4 && get32(body) == 1;
}

/* kind, flags, column count, row count, then the values with their lengths */
static bool has_row(work *self, uint32_t stream, const uint8_t *body, size_t len) {
    uint64_t pk = key(self, self->slots[stream].n);
    return len == 40 && get32(body + 12) == 1 && get64(body + 20) == 2 * pk &&
           get64(body + 32) == 3 * pk;
}

static bool has_page(work *self, uint32_t stream, const uint8_t *body, size_t len) {
    flight        *slot = &self->slots[stream];
    const uint8_t *at = body + 12;
    (void)self;
    slot->state_len = 0;
    if (get32(body + 4) & 2) { /* more pages */
        slot->state_len = get32(at);
        if (slot->state_len > sizeof slot->state) fail("a paging state is too long");
        memcpy(slot->state, at + 4, slot->state_len);
        at += 4 + slot->state_len;
    }
    uint32_t rows = get32(at);
    if ((size_t)(at - body) + 4 + rows * 20 != len) return false;
    for (at += 4; at < body + len; at += 20) slot->sum += get32(at + 4) + (int64_t)get64(at + 12);
    slot->rows += rows;
    if (slot->state_len) return true;
    bool all = slot->rows == PARTITION_ROWS &&
               slot->sum == (int64_t)4 * PARTITION_ROWS * (PARTITION_ROWS - 1) / 2;
    slot->rows = 0;
    slot->sum = 0;
    return all;
}

static void issue(work *self, uint32_t stream) {
    self->slots[stream].n = self->sent++;
    self->slots[stream].sent_ns = self->slots[stream].n % SAMPLE == 0 ? now_ns() : 0;
    self->send(self, stream);
}

static void answered(work *self, const uint8_t *at, size_t len) {
    uint32_t stream = get16(at + 2);
    if (at[4] != OP_RESULT) fail(at[4] == OP_ERROR ? (const char *)at + 15 : "opcode");
    if (!self->receive(self, stream, at + HEADER, len - HEADER)) fail("a wrong answer");
    if (self->slots[stream].sent_ns)
        self->latencies[self->latency_count++] = now_ns() - self->slots[stream].sent_ns;
    self->done++;
    if (self->sent < self->wanted) issue(self, stream);
}

static void take_answers(work *self) {
    size_t at = 0;
    while (in_len - at >= HEADER) {
        size_t len = HEADER + get32(in + at + 5);
        if (in_len - at < len) break;
        answered(self, in + at, len);
        at += len;
    }
    memmove(in, in + at, in_len - at);
    in_len -= at;
}

static void write_all(void) {
    size_t  at = 0;
    ssize_t wrote;
    while (at < out_len && (wrote = write(fd, out + at, out_len - at)) > 0) at += (size_t)wrote;
    if (at < out_len && errno != EAGAIN) fail("write");
    memmove(out, out + at, out_len - at);
    out_len -= at;
}

static void read_some(void) {
    ssize_t got = read(fd, in + in_len, IN_BYTES - in_len);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("connection lost");
    if (got > 0) in_len += (size_t)got;
}

static void watch(int operation, uint32_t events) {
    struct epoll_event event = { .events = events };
    if (epoll_ctl(poller, operation, fd, &event) != 0) fail("epoll_ctl");
}

static void turn(work *self) {
    struct epoll_event event;
    write_all();
    if (out_len) watch(EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT); /* the socket's buffer is full */
    if (epoll_wait(poller, &event, 1, -1) != 1) fail("epoll_wait");
    if (out_len) watch(EPOLL_CTL_MOD, EPOLLIN);
    if (event.events & EPOLLIN) read_some();
    take_answers(self);
}

static void run(work *self, uint32_t concurrency, uint32_t wanted) {
    self->offset += self->sent;
    self->sent = self->done = 0;
    self->latency_count = 0;
    self->wanted = wanted;
    for (uint32_t i = 0; i < concurrency && i < wanted; i++) issue(self, i);
    while (self->done < self->wanted) turn(self);
}

/* ---- the cases ---- */

static void add_id(frame *f, const prepared *statement) {
    add16(f, (uint32_t)statement->len);
    add(f, statement->id, statement->len);
}

static void make_execute(work *self, const char *text, uint32_t flags, uint32_t values) {
    prepared statement = prepare(text);
    begin(&self->template, OP_EXECUTE);
    add_id(&self->template, &statement);
    add16(&self->template, LOCAL_ONE);
    self->tail = self->template.len;
    add8(&self->template, VALUES | flags);
    add16(&self->template, values);
}

static void make_insert(work *self) {
    make_execute(self, "INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)", 0, 3);
    for (uint32_t i = 0; i < 3; i++) self->values[0][i] = add_long(&self->template);
    self->send = send_insert;
    self->receive = is_void;
}

static void make_select(work *self) {
    make_execute(self, "SELECT v1, v2 FROM bench.benchtab WHERE pk = ?", SKIP_METADATA, 1);
    self->values[0][0] = add_long(&self->template);
    self->send = send_select;
    self->receive = has_row;
}

static void make_batch(work *self) {
    prepared statement = prepare("INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)");
    begin(&self->template, OP_BATCH);
    add8(&self->template, 1); /* unlogged */
    add16(&self->template, BATCH);
    for (uint32_t row = 0; row < BATCH; row++) {
        add8(&self->template, 1);
        add_id(&self->template, &statement);
        add16(&self->template, 4);
        self->values[row][0] = add_long(&self->template);
        add32(&self->template, 4);
        add32(&self->template, row);
        for (uint32_t i = 1; i < 3; i++) self->values[row][i] = add_long(&self->template);
    }
    add16(&self->template, LOCAL_ONE);
    add8(&self->template, 0);
    self->send = send_batch;
    self->receive = is_void;
}

static void make_page(work *self) {
    make_execute(self, "SELECT c, v FROM bench.pages WHERE p = ?", SKIP_METADATA | PAGE_SIZE, 1);
    add32(&self->template, 4);
    add32(&self->template, 1);
    add32(&self->template, PAGE_ROWS);
    self->send = send_page;
    self->receive = has_page;
}

static const struct {
    const char *name;
    void (*make)(work *self);
} cases[] = { { "insert", make_insert },
              { "select", make_select },
              { "batch64", make_batch },
              { "page5000", make_page } };

static work *make(const char *name, uint32_t requests) {
    work *self = calloc(1, sizeof *self);
    if (!self || !(self->latencies = calloc(requests / SAMPLE + 1, sizeof *self->latencies)))
        fail("memory");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0) cases[i].make(self);
    if (!self->send) fail("no such case");
    end(&self->template);
    return self;
}

static void go_nonblocking(void) {
    poller = epoll_create1(0);
    watch(EPOLL_CTL_ADD, EPOLLIN);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
}

/* ---- setting up ---- */

static void send_page_row(work *self, uint32_t stream) {
    uint8_t *at = put_template(self, stream);
    uint32_t n = self->slots[stream].n;
    put32(at + self->values[0][0], n);
    put64(at + self->values[0][1], (uint64_t)n * 3);
}

static void make_page_row(work *self) {
    make_execute(self, "INSERT INTO bench.pages (p, c, v) VALUES (1, ?, ?)", 0, 2);
    add32(&self->template, 4);
    self->values[0][0] = self->template.len;
    self->template.len += 4;
    self->values[0][1] = add_long(&self->template);
    self->send = send_page_row;
    self->receive = is_void;
    end(&self->template);
}

static void set_up(void) {
    query("CREATE KEYSPACE IF NOT EXISTS bench WITH replication = {'class': 'SimpleStrategy', "
          "'replication_factor': 1}");
    query("CREATE TABLE IF NOT EXISTS bench.benchtab (pk bigint PRIMARY KEY, v1 bigint, v2 "
          "bigint)");
    query("CREATE TABLE IF NOT EXISTS bench.batchtab (p bigint, c int, v1 bigint, v2 bigint, "
          "PRIMARY KEY (p, c))");
    query("CREATE TABLE IF NOT EXISTS bench.pages (p int, c int, v bigint, PRIMARY KEY (p, c))");
    work *rows = make("insert", KEYS), *pages = make("insert", PARTITION_ROWS);
    make_page_row(pages);
    go_nonblocking();
    run(rows, 128, KEYS);
    run(pages, 128, PARTITION_ROWS);
    free(rows->latencies);
    free(pages->latencies);
    free(rows);
    free(pages);
}

/* ---- measuring ---- */

static double cpu_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static double peak_rss_mb(void) {
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kb) == 1) break;
    if (file) fclose(file);
    return (double)kb / 1024;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const work *self, double part) {
    if (self->latency_count == 0) return 0;
    return (double)self->latencies[(size_t)((double)(self->latency_count - 1) * part)] / 1000;
}

static void measure(const char *name, uint32_t concurrency, uint32_t warm_up, uint32_t requests) {
    work *self = make(name, warm_up > requests ? warm_up : requests);
    if (concurrency > MOST) fail("too many at once");
    go_nonblocking();
    run(self, concurrency, warm_up);
    double cpu = cpu_s(), begun = (double)now_ns();
    run(self, concurrency, requests);
    double seconds = ((double)now_ns() - begun) * 1e-9;
    cpu = cpu_s() - cpu;
    qsort(self->latencies, self->latency_count, sizeof *self->latencies, compare);
    printf("{\"rate\": %.3f, \"cpu_us\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rss_mb\": "
           "%.2f}\n",
           requests / seconds, cpu * 1e6 / requests, percentile_us(self, 0.50),
           percentile_us(self, 0.99), peak_rss_mb());
    free(self->latencies);
    free(self);
}

int main(int argc, char **argv) {
    bool runs = argc == 7;
    if (!runs && (argc != 4 || (strcmp(argv[3], "setup") != 0 && strcmp(argv[3], "drop") != 0))) {
        fprintf(stderr,
                "usage: floor HOST PORT setup | drop | CASE CONCURRENCY WARM_UP REQUESTS\n");
        return 2;
    }
    dial(argv[1], argv[2]);
    start_up();
    errno = 0;
    if (runs)
        measure(argv[3], (uint32_t)atoi(argv[4]), (uint32_t)atoi(argv[5]), (uint32_t)atoi(argv[6]));
    else if (strcmp(argv[3], "setup") == 0)
        set_up();
    else
        query("DROP KEYSPACE IF EXISTS bench");
    return 0;
}
