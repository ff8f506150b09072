/* SPDX-License-Identifier: MIT */
#include "base/os_terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80 };

int ndshm__os_terminal_width(void)
{
    struct winsize size = {0};
    const char *kind = getenv("TERM");
    if (!isatty(STDERR_FILENO) || (kind && strcmp(kind, "dumb") == 0))
        return 0;
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    return size.ws_col ? size.ws_col : USUAL_WIDTH;
}

void ndshm__os_terminal_write(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(STDERR_FILENO, text, size);
        if (put <= 0)
            return;
        text += put;
        size -= (size_t)put;
    }
}
