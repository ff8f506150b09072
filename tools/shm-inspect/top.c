/* SPDX-License-Identifier: MIT */
/* shm-inspect top: what is in shared memory, on a screen that follows it. */
#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "joblist.h"
#include "options.h"
#include "print.h"
#include "snapshot.h"

enum { HEAD = 3, FOOT = 1, JOBS_MAX = 5, PATTERN_MAX = 128, ENTER = '\n', ESCAPE = 27 };

struct top {
    struct snapshot now;
    struct joblist jobs;
    ndshm_probe_report probe;
    struct selection selection;
    char pattern[PATTERN_MAX];
    int state; /* NDSHM_STATE_*, 0: any */
    int order; /* of snapshot_sort */
    bool descending;
    int64_t selected, first; /* rows among those shown */
    int delay_ms;
    char said[PRINT_SIZE]; /* the last line, until the next key */
};

/* The columns of the screen: text columns of list, and the two that only a snapshot knows. */
struct field {
    const char *title;
    int width; /* 0: what is left */
    bool right;
    int order;
};

static const struct field fields[] = {
    {"NAME", 0, false, COLUMN_NAME},        {"KIND", 9, false, COLUMN_KIND},
    {"SHAPE", 12, true, COLUMN_SHAPE},      {"BYTES", 7, true, COLUMN_BYTES},
    {"GROWTH/s", 8, true, SNAPSHOT_GROWTH}, {"USERS", 5, true, SNAPSHOT_USERS},
    {"STATE", 8, false, COLUMN_STATE},      {"AGE", 4, true, COLUMN_AGE},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* --- drawing --- */

/* Columns that the first bytes of text take on the screen, and how many bytes fit into width. */
static size_t fit(const char *text, int width, int *taken)
{
    mbstate_t shift = {0};
    size_t used = 0;
    *taken = 0;
    while (text[used]) {
        wchar_t character;
        size_t size = mbrtowc(&character, text + used, strlen(text + used), &shift);
        int wide = size == (size_t)-1 || size == (size_t)-2 ? -1 : wcwidth(character);
        if (wide < 0 || *taken + wide > width)
            break;
        *taken += wide;
        used += size;
    }
    return used;
}

/* text, which may hold any byte, cut or padded to width. */
static void put(const char *text, int width, bool right)
{
    char safe[PRINT_SIZE];
    int taken;
    print_safe(text, safe);
    size_t bytes = fit(safe, width, &taken);
    printw("%*s%.*s%*s", right ? width - taken : 0, "", (int)bytes, safe, right ? 0 : width - taken,
           "");
}

static void put_line(int line, const char *text)
{
    move(line, 0);
    put(text, COLS, false);
}

static int width_of(const struct field *field)
{
    int rest = COLS;
    if (field->width)
        return field->width;
    for (int i = 0; i < FIELDS; i++)
        rest -= fields[i].width ? fields[i].width + 1 : 0;
    return rest > 8 ? rest : 8;
}

static void text_of(const struct field *field, const struct snapshot_row *row, char *buffer)
{
    if (field->order == SNAPSHOT_USERS)
        snprintf(buffer, PRINT_SIZE, "%" PRId64, row->users);
    else if (field->order == SNAPSHOT_GROWTH)
        print_bytes(row->growth, false, buffer);
    else
        columns[field->order].text(&row->info, false, buffer);
}

static void draw_row(int line, const struct snapshot_row *row, bool selected)
{
    char text[PRINT_SIZE];
    bool orphan = row->info.state == NDSHM_STATE_ORPHAN;
    attrset((selected ? A_REVERSE : A_NORMAL) | (orphan ? A_BOLD : 0));
    move(line, 0);
    for (int i = 0; i < FIELDS; i++) {
        text_of(&fields[i], row, text);
        put(text, width_of(&fields[i]), fields[i].right);
        if (i + 1 < FIELDS)
            addch(' ');
    }
    attrset(A_NORMAL);
}

static void draw_titles(const struct top *top)
{
    move(HEAD - 1, 0);
    for (int i = 0; i < FIELDS; i++) {
        attrset(fields[i].order == top->order ? A_BOLD | A_UNDERLINE : A_UNDERLINE);
        put(fields[i].title, width_of(&fields[i]), fields[i].right);
        if (i + 1 < FIELDS)
            addch(' ');
    }
    attrset(A_NORMAL);
}

static void draw_head(const struct top *top)
{
    char text[PRINT_SIZE], used[PRINT_SIZE], all[PRINT_SIZE], orphans[PRINT_SIZE];
    print_bytes(top->probe.bytes - top->probe.bytes_free, false, used);
    print_bytes(top->probe.bytes, false, all);
    print_bytes(top->now.orphan_bytes, false, orphans);
    snprintf(text, sizeof text,
             "%.63s: %.16s of %.16s used, %" PRId64 " segments, %" PRId64 " orphans (%.16s)",
             top->probe.directory, used, all, top->now.count, top->now.orphans, orphans);
    put_line(0, text);
    snprintf(text, sizeof text, "state: %s  pattern: %s",
             top->state ? print_state(top->state) : "any", top->pattern[0] ? top->pattern : "*");
    put_line(1, text);
}

static bool is_shown(const struct top *top, const struct snapshot_row *row)
{
    return !top->state || row->info.state == top->state;
}

/* The row at that position among those shown, or NULL. */
static const struct snapshot_row *row_at(const struct top *top, int64_t position)
{
    for (int64_t i = 0; i < top->now.count; i++)
        if (is_shown(top, &top->now.rows[i]) && position-- == 0)
            return &top->now.rows[i];
    return NULL;
}

static int64_t count_shown(const struct top *top)
{
    int64_t count = 0;
    for (int64_t i = 0; i < top->now.count; i++)
        count += is_shown(top, &top->now.rows[i]);
    return count;
}

/* Lines for jobs, with a title, where the screen has room for them. */
static int job_lines(const struct top *top)
{
    int64_t count = top->jobs.count < JOBS_MAX ? top->jobs.count : JOBS_MAX;
    return count && LINES >= 12 ? (int)count + 1 : 0;
}

/* The line below the last segment. */
static int floor_line(const struct top *top)
{
    return LINES - FOOT - job_lines(top);
}

static int room(const struct top *top)
{
    return floor_line(top) > HEAD ? floor_line(top) - HEAD : 1;
}

static void draw_jobs(const struct top *top)
{
    char text[PRINT_SIZE], rate[32];
    int line = floor_line(top);
    if (!job_lines(top))
        return;
    attrset(A_UNDERLINE);
    put_line(line++, "JOB                              DONE       TASKS  FAILED WORKERS   RATE/s");
    attrset(A_NORMAL);
    for (int i = 0; line < LINES - FOOT; i++) {
        const struct joblist_row *row = &top->jobs.rows[i];
        const char *name = row->name;
        size_t length = strlen(name);
        rate[0] = '\0';
        if (row->rate >= 0)
            snprintf(rate, sizeof rate, "%.0f", row->rate);
        snprintf(text, sizeof text, "%-25s %11" PRId64 " %11" PRId64 " %7" PRId64 " %7d %8s",
                 length > 25 ? name + length - 25 : name, row->progress.done, row->progress.count,
                 row->progress.failed, row->progress.workers,
                 row->progress.finished ? "finished" : rate);
        put_line(line++, text);
    }
}

static void keep_in_sight(struct top *top)
{
    int64_t last = count_shown(top) - 1;
    if (top->selected > last)
        top->selected = last;
    if (top->selected < 0)
        top->selected = 0;
    if (top->first > top->selected)
        top->first = top->selected;
    if (top->first < top->selected - room(top) + 1)
        top->first = top->selected - room(top) + 1;
}

static void draw(struct top *top)
{
    int line = HEAD;
    int64_t position = 0;
    keep_in_sight(top);
    erase();
    draw_head(top);
    draw_titles(top);
    for (int64_t i = 0; i < top->now.count && line < floor_line(top); i++) {
        if (!is_shown(top, &top->now.rows[i]))
            continue;
        if (position >= top->first)
            draw_row(line++, &top->now.rows[i], position == top->selected);
        position++;
    }
    draw_jobs(top);
    put_line(LINES - 1, top->said[0] ? top->said
                                     : "q quit  s sort  r reverse  f state  / pattern  Enter show  "
                                       "c clean  C clean all");
    refresh();
}

/* --- asking --- */

static bool confirm(struct top *top, const char *question)
{
    snprintf(top->said, sizeof top->said, "%.200s [y/N]", question);
    draw(top);
    timeout(-1);
    int key = getch();
    timeout(top->delay_ms);
    top->said[0] = '\0';
    return key == 'y' || key == 'Y';
}

static void ask_pattern(struct top *top)
{
    put_line(LINES - 1, "pattern: ");
    move(LINES - 1, 9);
    echo();
    curs_set(1);
    timeout(-1);
    if (getnstr(top->pattern, sizeof top->pattern - 1) == ERR)
        top->pattern[0] = '\0';
    timeout(top->delay_ms);
    curs_set(0);
    noecho();
    top->selection.pattern = top->pattern[0] ? top->pattern : NULL;
}

static int reap(const char *name, uint32_t flags, ndshm_reap_report *report)
{
    ndshm_reap_config config;
    ndshm_reap_config_init(&config);
    config.flags = flags;
    return ndshm_reap(name, &config, report);
}

/* Whatever became of it meanwhile: the proof is taken again when it is removed. */
static void clean_one(struct top *top)
{
    const struct snapshot_row *row = row_at(top, top->selected);
    ndshm_reap_report report;
    char question[PRINT_SIZE];
    if (!row)
        return;
    char name[sizeof row->info.name];
    memcpy(name, row->info.name, sizeof name);
    int status = reap(name, NDSHM_REAP_DRY_RUN, &report);
    snprintf(question, sizeof question, "remove %.120s?", name);
    if (!status && report.decision == NDSHM_REAP_REMOVABLE && confirm(top, question))
        status = reap(name, 0, &report);
    snprintf(top->said, sizeof top->said, "%.200s: %.250s", name,
             status ? ndshm_error_message() : report.message);
}

static void clean_all(struct top *top)
{
    char question[64];
    int64_t removed = 0;
    ndshm_reap_report report;
    snprintf(question, sizeof question, "remove %" PRId64 " orphans?", top->now.orphans);
    if (!top->now.orphans || !confirm(top, question))
        return;
    for (int64_t i = 0; i < top->now.count; i++)
        if (top->now.rows[i].info.state == NDSHM_STATE_ORPHAN &&
            reap(top->now.rows[i].info.name, 0, &report) == 0)
            removed += report.decision == NDSHM_REAP_REMOVED;
    snprintf(top->said, sizeof top->said, "%" PRId64 " segments removed", removed);
}

/* --- one segment --- */

static void show_users(const char *name, int line)
{
    ndshm_users *users;
    ndshm_user user;
    char text[PRINT_SIZE], bytes[PRINT_SIZE];
    if (ndshm_users_open(name, &users))
        return;
    while (line < LINES - FOOT && ndshm_users_next(users, &user) == 0) {
        print_bytes(user.bytes, false, bytes);
        snprintf(text, sizeof text, "  %" PRId64 " %s, %.16s", user.pid, user.command, bytes);
        put_line(line++, text);
    }
    ndshm_users_close(&users);
}

static void show(struct top *top)
{
    const struct snapshot_row *row = row_at(top, top->selected);
    char text[PRINT_SIZE], line[2 * PRINT_SIZE];
    if (!row)
        return;
    erase();
    for (int i = 0; i < COLUMNS && i < LINES - FOOT; i++) {
        columns[i].text(&row->info, false, text);
        snprintf(line, sizeof line, "%-10s%s", columns[i].name, text);
        line[PRINT_SIZE - 1] = '\0';
        put_line(i, line);
    }
    if (COLUMNS + 1 < LINES)
        put_line(COLUMNS, "USERS");
    show_users(row->info.name, COLUMNS + 1);
    put_line(LINES - 1, "any key goes back");
    refresh();
    timeout(-1);
    getch();
    timeout(top->delay_ms);
}

/* --- keys --- */

static int next_order(int order)
{
    for (int i = 0; i < FIELDS; i++)
        if (fields[i].order == order)
            return fields[(i + 1) % FIELDS].order;
    return fields[0].order;
}

static void take_snapshot(struct top *top)
{
    struct snapshot next = snapshot_take(&top->selection, &top->now);
    snapshot_free(&top->now);
    top->now = next;
    snapshot_sort(&top->now, top->order, top->descending);
    struct joblist jobs =
        joblist_take(&(struct selection){.pool = top->selection.pool}, &top->jobs);
    joblist_free(&top->jobs);
    top->jobs = jobs;
    ndshm_probe(&top->probe); /* stays as it was when that fails */
}

static void move_to(struct top *top, int key)
{
    switch (key) {
    case KEY_UP:
        top->selected--;
        break;
    case KEY_DOWN:
        top->selected++;
        break;
    case KEY_PPAGE:
        top->selected -= room(top);
        break;
    case KEY_NPAGE:
        top->selected += room(top);
        break;
    case KEY_HOME:
        top->selected = 0;
        break;
    case KEY_END:
        top->selected = top->now.count;
        break;
    default:
        break;
    }
}

/* false: the end. */
static bool obey(struct top *top, int key)
{
    if (key != ERR && key != KEY_RESIZE)
        top->said[0] = '\0';
    switch (key) {
    case 'q':
    case ESCAPE:
        return false;
    case 's':
        top->order = next_order(top->order);
        break;
    case 'r':
        top->descending = !top->descending;
        break;
    case 'f':
        top->state = (top->state + 1) % NDSHM_STATE_FOREIGN;
        break;
    case '/':
        ask_pattern(top);
        break;
    case 'c':
        clean_one(top);
        break;
    case 'C':
        clean_all(top);
        break;
    case ENTER:
    case KEY_ENTER:
        show(top);
        break;
    default:
        move_to(top, key);
    }
    return true;
}

/* A key that only moves, or a new size, needs no new look at the machine. */
static bool only_moves(int key)
{
    return key == KEY_RESIZE || key == KEY_UP || key == KEY_DOWN || key == KEY_PPAGE ||
           key == KEY_NPAGE || key == KEY_HOME || key == KEY_END;
}

static void follow(struct top *top)
{
    int key = ERR;
    do {
        if (!only_moves(key))
            take_snapshot(top);
        draw(top);
        key = getch();
    } while (obey(top, key));
}

int top_run(const struct command *command, int argc, char **argv)
{
    struct top top = {.order = COLUMN_BYTES, .descending = true, .delay_ms = 2000};
    const char *delay = NULL;
    const struct option_spec specs[] = {
        {'d', "delay", "SECONDS", "look again after that time (2)", NULL, &delay},
        {'p', "pool", "POOL", "only this pool and its members", NULL, &top.selection.pool},
        {0},
    };
    int result;
    int64_t seconds = 2;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    if (delay && !options_number("delay", delay, 1, 3600, &seconds))
        return options_refuse(command);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        print_error("top needs a terminal; for scripts there is list");
        return INSPECT_ERROR;
    }
    snprintf(top.pattern, sizeof top.pattern, "%s", operands[0] ? operands[0] : "");
    top.selection.pattern = operands[0] ? top.pattern : NULL;
    top.delay_ms = (int)seconds * 1000;
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (!screen) {
        print_error("the terminal '%s' is not known", getenv("TERM") ? getenv("TERM") : "");
        return INSPECT_ERROR;
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    set_escdelay(50);
    timeout(top.delay_ms);
    follow(&top);
    endwin();
    delscreen(screen);
    snapshot_free(&top.now);
    joblist_free(&top.jobs);
    return INSPECT_FINE;
}
