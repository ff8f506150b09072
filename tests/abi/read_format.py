# SPDX-License-Identifier: MIT
"""docs/format.md is enough to read a segment: this reader was written from it, and uses no library.

usage: read_format.py CREATE_PRICES, the example that leaves an array of prices under the name it is given.
"""
import fcntl
import os
import struct
import subprocess
import sys

NAME = f"t-format-{os.getpid()}"
LIVE = 1 << 62
LIFETIMES = {0x5BD1E995A6F3C8E1: "temporary", 0xA42E166A590C371E: "reclaimable", 0xC3A5C85C97CB3127: "persistent"}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def text(field):
    value, _, rest = field.partition(b"\0")
    assert len(value) < len(field) and not any(rest), "NUL-padded"
    return value.decode()


def read_identity(data):
    assert data[:8] == bytes.fromhex("894E4453484D1A0A"), "magic"
    identity = dict(zip(
        ["version", "fingerprint", "total_size", "payload_offset", "kind", "mode", "uuid", "creator_pid", "placement",
         "creator_start", "creator_pid_namespace", "creator_boot_id", "created_ns", "pool", "label", "reserved", "crc"],
        struct.unpack("<IIqqII16sIIQQ16sq208s64s132sI", data[8:512])))
    assert identity["version"] == 1
    assert identity["fingerprint"] == crc32c(
        b"identity 512, mutable 512, descriptor 1024, name 200, little-endian") == 0xD011E03D
    assert identity["crc"] == crc32c(data[:508])
    assert not any(identity["reserved"])
    return identity


def read_descriptor(data):
    crc, size, dtype, ndim, name_size, reserved, body_size, payload_size = struct.unpack("<IIIiIIqq", data[:40])
    assert crc == crc32c(data[4:size]) and reserved == 0 and 0 <= ndim <= 64
    assert name_size % 8 == 0 and name_size <= 208 and size == 40 + 8 * ndim + name_size + body_size
    assert not any(data[size:]), "zero up to the payload"
    shape = struct.unpack_from(f"<{ndim}q", data, 40)
    name = text(data[40 + 8 * ndim:][:name_size])
    return dtype, shape, name, data[size - body_size:size], size, payload_size


def lock_live(fd):
    """Any process that holds this read lock keeps the segment from being taken for unused."""
    fcntl.fcntl(fd, 37, struct.pack("=hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, LIVE, 1, 0))  # F_OFD_SETLK


def check(path, created_by):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    lock_live(fd)
    status = os.fstat(fd)
    assert status.st_nlink == 1 and status.st_uid == os.geteuid() and status.st_blocks * 512 >= status.st_size
    data = os.pread(fd, status.st_size, 0)
    os.close(fd)
    identity = read_identity(data)
    offset = identity["payload_offset"]
    dtype, shape, name, body, size, payload_size = read_descriptor(data[1024:offset])
    page = os.sysconf("SC_PAGESIZE")
    assert offset == -(-(1024 + size) // 4096) * 4096
    assert identity["total_size"] == len(data) == -(-(offset + payload_size) // page) * page
    assert not any(data[offset + payload_size:]) and not any(data[520:1024])
    assert LIFETIMES[struct.unpack_from("<Q", data, 512)[0]] == "reclaimable"  # as for every given name
    assert (identity["kind"], identity["mode"], identity["placement"]) == (1, 0o600, 0)
    assert status.st_mode & 0o7777 == 0o600 and any(identity["uuid"])
    assert identity["creator_pid"] == created_by and text(identity["pool"]) == text(identity["label"]) == ""
    assert identity["creator_pid_namespace"] == os.stat("/proc/self/ns/pid").st_ino
    with open("/proc/sys/kernel/random/boot_id") as file:
        assert identity["creator_boot_id"].hex() == file.read().strip().replace("-", "")
    assert abs(identity["created_ns"] / 1e9 - status.st_mtime) < 60
    assert (dtype, shape, name) == (12, (1000, 4), NAME)  # float64, as the example says
    strides = struct.unpack("<2q", body)
    for day in range(shape[0]):
        for share in range(shape[1]):
            price, = struct.unpack_from("<d", data, offset + day * strides[0] + share * strides[1])
            assert price == 100 + day + share / 10


def main():
    path = f"/dev/shm/{NAME}"
    assert crc32c(b"123456789") == 0xE3069283
    creator = subprocess.Popen([sys.argv[1], NAME], stdout=subprocess.DEVNULL)
    assert creator.wait() == 0
    try:
        check(path, creator.pid)
    finally:
        os.unlink(path)


main()
