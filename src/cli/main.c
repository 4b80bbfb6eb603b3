// SPDX-License-Identifier: MIT
/* main.c -- the program `corm`; see commands.c. */
#include <locale.h>
#include <signal.h>

#include "cli/command.h"

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    return cli__main(argc, (const char *const *)argv);
}
