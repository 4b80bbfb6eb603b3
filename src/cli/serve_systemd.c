// SPDX-License-Identifier: MIT
/* serve_systemd.c -- what systemd and a service say to each other, by the environment and a datagram socket: sd_notify(3),
 * sd_listen_fds(3), sd_watchdog_enabled(3). The main thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/serve.h"

enum { FIRST_SOCKET = 3 };

void cli__notify(const char *what) {
    const char        *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || !*path || strlen(path) >= sizeof address.sun_path) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@') address.sun_path[0] = '\0';
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    (void)sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&address, len);
    close(fd);
}

void cli__notify_reloading(void) {
    char            text[80];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
                   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    cli__notify(text);
}

/* The variable's number when it is one and the other names this process (or nobody). */
static uint64_t number_for_us(const char *name, const char *pid_name, bool must_name) {
    const char *text = getenv(name), *pid = getenv(pid_name);
    char       *end;
    if (!text || (must_name && !pid)) return 0;
    if (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()) return 0;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : 0;
}

uint32_t cli__listen_sockets(int *out) {
    uint64_t count = number_for_us("LISTEN_FDS", "LISTEN_PID", true);
    uint32_t most = count < CLI_MOST_SOCKETS ? (uint32_t)count : CLI_MOST_SOCKETS;
    for (uint32_t i = 0; i < most; i++) {
        out[i] = FIRST_SOCKET + (int)i;
        (void)fcntl(out[i], F_SETFD, FD_CLOEXEC);
    }
    return most;
}

/* Twice as often as it must be. */
uint32_t cli__watchdog_ms(void) {
    uint64_t ms = number_for_us("WATCHDOG_USEC", "WATCHDOG_PID", false) / 2000;
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}
