/* SPDX-License-Identifier: MIT */
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "ipc.h"

extern "C" {
#include "print.h"
}

namespace
{

int fail(const arrow::Status &status, const char *path)
{
    print_error("'%s': %s", path, status.ToString().c_str());
    return 1;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> batch_of(const ndshm_frame *frame)
{
    ArrowSchema schema;
    ArrowArray array;
    if (ndshm_frame_to_arrow(frame, &schema, &array))
        return arrow::Status::Invalid(ndshm_error_message());
    return arrow::ImportRecordBatch(&array, &schema);
}

arrow::Status write(const ndshm_frame *frame, const std::string &path)
{
    ARROW_ASSIGN_OR_RAISE(auto batch, batch_of(frame));
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(path));
    ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(file, batch->schema()));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    ARROW_RETURN_NOT_OK(writer->Close());
    return file->Close();
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> open(const char *path)
{
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
    arrow::RecordBatchVector batches;
    for (int i = 0; i < reader->num_record_batches(); i++) {
        ARROW_ASSIGN_OR_RAISE(auto batch, reader->ReadRecordBatch(i));
        ARROW_RETURN_NOT_OK(batch->ValidateFull()); /* its lengths are the file's word */
        batches.push_back(batch);
    }
    return arrow::RecordBatchReader::Make(batches, reader->schema());
}

} // namespace

extern "C" int ipc_write(const ndshm_frame *frame, const char *path)
{
    std::string draft = std::string(path) + ".part-" + std::to_string(getpid());
    arrow::Status status = write(frame, draft);
    if (status.ok() && std::rename(draft.c_str(), path) != 0)
        status = arrow::Status::IOError("cannot be renamed: ", strerror(errno));
    if (status.ok())
        return 0;
    unlink(draft.c_str());
    return fail(status, path);
}

extern "C" int ipc_import(const char *name, const char *path, const ndshm_create_config *config)
{
    ArrowArrayStream stream;
    ndshm_frame *frame = nullptr;
    auto reader = open(path);
    arrow::Status status =
        reader.ok() ? arrow::ExportRecordBatchReader(*reader, &stream) : reader.status();
    if (!status.ok())
        return fail(status, path);
    int result = ndshm_frame_from_arrow(name, &stream, config, &frame);
    if (result)
        stream.release(&stream);
    ndshm_frame_detach(&frame);
    return result;
}
