/* SPDX-License-Identifier: MIT */
/* shm-inspect export, import and copy: segments into files, files into segments, and segments
 * again. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "ipc.h"
#include "options.h"
#include "print.h"

/* What a command makes stays, since nobody uses it when the command has ended. */
static void made_to_stay(ndshm_create_config *config)
{
    ndshm_create_config_init(config);
    config->lifetime = NDSHM_PERSISTENT;
}

static int export_npy(const char *reference, const char *path)
{
    ndshm_array *array;
    int status = ndshm_array_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &array);
    if (status)
        return status;
    status = ndshm_array_to_npy(array, path);
    ndshm_array_detach(&array);
    return status;
}

static int export_frame(const char *reference, const char *path,
                        int (*write)(const ndshm_frame *frame, const char *path))
{
    ndshm_frame *frame;
    int status = ndshm_frame_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &frame);
    if (status)
        return status;
    status = ndshm_frame_validate(frame);
    if (!status)
        status = write(frame, path);
    ndshm_frame_detach(&frame);
    return status;
}

static int write_csv(const ndshm_frame *frame, const char *path)
{
    return ndshm_frame_to_csv(frame, path, NULL);
}

static int export_csv(const char *reference, const char *path)
{
    return export_frame(reference, path, write_csv);
}

static int import_npy(const char *name, const char *path, const ndshm_create_config *config)
{
    ndshm_array *array = NULL;
    int status = ndshm_array_from_npy(name, path, config, &array);
    ndshm_array_detach(&array);
    return status;
}

static int import_csv(const char *name, const char *path, const ndshm_create_config *config)
{
    ndshm_frame *frame = NULL;
    int status = ndshm_frame_from_csv(NULL, name, path, NULL, config, &frame);
    ndshm_frame_detach(&frame);
    return status;
}

#ifdef INSPECT_ARROW
static int export_arrow(const char *reference, const char *path)
{
    return export_frame(reference, path, ipc_write);
}
#endif

/* By the end of the file's name. */
static const struct file_format {
    const char *suffix;
    int (*export)(const char *reference, const char *path);
    int (*import)(const char *name, const char *path, const ndshm_create_config *config);
} formats[] = {
    {".npy", export_npy, import_npy},     {".csv", export_csv, import_csv},
    {".csv.gz", NULL, import_csv},        {".csv.zst", NULL, import_csv},
#ifdef INSPECT_ARROW
    {".arrow", export_arrow, ipc_import}, {".feather", export_arrow, ipc_import},
#endif
};

static const struct file_format *format_of(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t end = strlen(formats[i].suffix);
        if (length > end && strcasecmp(path + length - end, formats[i].suffix) == 0)
            return &formats[i];
    }
    return NULL;
}

/* A format that this command has, or a message. */
static int refuse_format(const struct command *command, const char *path)
{
    print_error("'%s': not a kind of file that %s knows: .npy, .csv%s", path, command->name,
#ifdef INSPECT_ARROW
                ", .arrow or .feather"
#else
                " (and built without Arrow files)"
#endif
    );
    return options_refuse(command);
}

static int result_of(int status)
{
    if (status < 0)
        print_error("%s", ndshm_error_message());
    return status ? INSPECT_ERROR : INSPECT_FINE;
}

int export_run(const struct command *command, int argc, char **argv)
{
    const struct option_spec specs[] = {{0}};
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    const struct file_format *format = format_of(operands[1]);
    if (!format || !format->export)
        return refuse_format(command, operands[1]);
    return result_of(format->export(operands[0], operands[1]));
}

int import_run(const struct command *command, int argc, char **argv)
{
    const struct option_spec specs[] = {{0}};
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    const struct file_format *format = format_of(operands[0]);
    if (!format)
        return refuse_format(command, operands[0]);
    ndshm_create_config config;
    made_to_stay(&config);
    return result_of(format->import(operands[1], operands[0], &config));
}

static int copy_array(const char *reference, const char *name, const ndshm_create_config *config)
{
    ndshm_array *source, *copy = NULL;
    ndshm_view view;
    int status = ndshm_array_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &source);
    if (status)
        return status;
    status = ndshm_array_read(source, &view);
    if (!status)
        status = ndshm_array_from(name, &view, config, &copy);
    ndshm_array_detach(&copy);
    ndshm_array_detach(&source);
    return status;
}

static int copy_frame(const char *reference, const char *name, const ndshm_create_config *config)
{
    ndshm_frame *source, *copy = NULL;
    struct ArrowArrayStream stream;
    int status = ndshm_frame_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &source);
    if (status)
        return status;
    status = ndshm_frame_validate(source);
    if (!status)
        status = ndshm_frame_to_arrow_stream(source, &stream);
    if (!status) {
        status = ndshm_frame_from_arrow(name, &stream, config, &copy);
        if (status)
            stream.release(&stream);
    }
    ndshm_frame_detach(&copy);
    ndshm_frame_detach(&source);
    return status;
}

int copy_run(const struct command *command, int argc, char **argv)
{
    const struct option_spec specs[] = {{0}};
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    char name[NDSHM_REF_MAX + 1];
    ndshm_info info;
    ndshm_create_config config;
    made_to_stay(&config);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(operands[0], "["), operands[0]);
    int status = ndshm_inspect(name, &info);
    if (!status && info.kind == NDSHM_KIND_FRAME)
        status = copy_frame(operands[0], operands[1], &config);
    else if (!status)
        status = copy_array(operands[0], operands[1], &config);
    return result_of(status);
}
