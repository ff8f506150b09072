# SPDX-License-Identifier: MIT
"""The mutants: which guard is gone, by which change of the source, and the tests that notice, fastest first."""

ATTACH = "lib/segment/attach.c"
CLAIM = "lib/pool/claim.c"
CREATE = "lib/segment/create.c"
DEATH = "lib/pool/death.c"
HEADER = "lib/segment/header.c"
LAYOUT = "lib/pool/layout.c"
OPEN = "lib/segment/open.c"
OS = "lib/base/os.c"
OS_FILE = "lib/base/os_file.c"
OS_PROCESS = "lib/base/os_process.c"
PARK = "lib/pool/park.c"
REAP = "lib/segment/reap.c"
SEGMENT = "lib/segment/segment.c"
SERVING = "lib/pool/serving.c"
TABLE = "lib/pool/table.c"
UNLINK = "lib/segment/unlink.c"
WORKER = "lib/pool/worker.c"


def mutant(name, tests, *changes, **options):
    return {"name": name, "tests": tests, "changes": changes, **options}


MUTANTS = [
    # attaching
    mutant("attach: no link count under the lock", ["model-segment-replay"],
           (ATTACH, "file->st_nlink == 0", "0"),
           (ATTACH, "file->st_nlink != 1", "file->st_nlink > 1")),
    mutant("attach: hard links allowed", ["unit-hostile"],
           (ATTACH, "file->st_nlink != 1", "file->st_nlink == 0")),
    mutant("attach: no lock that shows the use", ["unit-reap"],
           (ATTACH, "int status = ndshm__lock_live(fd);", "int status = 0;")),
    mutant("attach: other users' segments allowed", ["unit-hostile"],
           (ATTACH, "file->st_uid != 0 && file->st_uid != ndshm__os_euid()", "0")),
    mutant("attach: other files than regular ones allowed", ["unit-hostile"],
           (ATTACH, "!S_ISREG(file->st_mode)", "0")),
    mutant("attach: own name not compared", ["unit-segment"],
           (ATTACH, "strcmp(own, name) != 0", "0")),
    mutant("attach: kind not compared", ["unit-segment"],
           (ATTACH, "kind && header->identity.kind != kind", "0")),
    mutant("open: a FIFO may block", ["unit-hostile"],
           (OS_FILE, "| O_NONBLOCK | O_NOCTTY", "| O_NOCTTY"), timeout=10),
    # reading the header
    mutant("header: checksum of the identity", ["unit-header"],
           (HEADER, "identity->crc != identity_crc(identity)", "0")),
    mutant("header: checksum of the descriptor", ["unit-header"],
           (HEADER, "descriptor->crc != descriptor_crc(descriptor)", "0")),
    mutant("header: holes", ["unit-header"],
           (HEADER, "(int64_t)file->st_blocks * 512 < file->st_size", "0")),
    mutant("header: size of the file", ["unit-header"],
           (HEADER, "identity->total_size != file->st_size", "0")),
    mutant("header: unknown lifetimes are persistent", ["unit-header", "unit-reap", "unit-lifetime"],
           (HEADER, "word == NDSHM__LIFETIME_RECLAIMABLE ? NDSHM_RECLAIMABLE : NDSHM_PERSISTENT",
            "word == NDSHM__LIFETIME_PERSISTENT ? NDSHM_PERSISTENT : NDSHM_RECLAIMABLE")),
    # creating
    mutant("create: lock after the name", ["model-segment-replay"],
           (CREATE, "status = ndshm__lock_live(segment->fd);", "status = 0;"),
           (CREATE, "    status = link_name(segment, copy);\n",
            "    status = link_name(segment, copy);\n"
            "    if (!status)\n"
            "        status = ndshm__os_lock_read(segment->fd, NDSHM__LOCK_LIVE);\n")),
    mutant("create: space not reserved", ["unit-space", "unit-segment"],
           (CREATE, "    *placement = place(segment, config);\n    return ndshm__space_reserve(segment->fd",
            "    *placement = place(segment, config);\n    return 0 * ndshm__space_reserve(-1")),
    mutant("create: mode left to the umask", ["unit-segment"],
           (CREATE, "int status = ndshm__os_chmod(segment->fd, config->mode ? config->mode : 0600);",
            "int status = 0;")),
    mutant("create: in core dumps", ["unit-segment"],
           (CREATE, "    ndshm__os_advise_no_dump(base, segment->total_size);\n", "")),
    mutant("create: a child publishes for its parent", ["unit-lifetime"],
           (CREATE, "segment->generation != ndshm__os_generation()", "0")),
    mutant("rename: replaces what has the name", ["unit-ladder"],
           (OS_FILE, "RENAME_NOREPLACE", "0")),
    # unlinking
    mutant("unlink: no name lock", ["unit-lifetime"],
           (UNLINK, "    int status = check_removable(fd, name, uuid);\n    if (!status)\n        status = lock_name(fd, name);",
            "    int status = check_removable(fd, name, uuid);")),
    mutant("unlink: uuid not compared", ["unit-lifetime"],
           (UNLINK, "!status && uuid && memcmp(", "0 && memcmp(")),
    mutant("unlink: name lock left to close", ["unit-lifetime"],
           (UNLINK, "closing would not unlock. */\n    ndshm__os_unlock(fd, NDSHM__LOCK_NAME);\n",
            "closing would not unlock. */\n")),
    mutant("lifetime: name lock left to close", ["unit-lifetime"],
           (UNLINK, "\"pwrite\");\n    ndshm__os_unlock(fd, NDSHM__LOCK_NAME);\n", "\"pwrite\");\n")),
    mutant("unlink and reap: name and inode not compared", ["model-segment-replay"],
           (OPEN, "open_file.st_nlink == 1 && open_file.st_dev == named_file.st_dev &&\n"
                  "           open_file.st_ino == named_file.st_ino", "1")),
    mutant("unlink: foreign files allowed", ["unit-hostile", "unit-header"],
           (UNLINK, "(status == NDSHM_ECORRUPT || status == NDSHM_EVERSION)",
            "(status == NDSHM_ECORRUPT || status == NDSHM_EVERSION || status == NDSHM_EKIND)")),
    mutant("lifetime: written without the name lock", ["model-segment-replay"],
           (UNLINK, "    uint64_t word = ndshm__lifetime_encode(lifetime);\n"
                    "    int status = check_segment(fd, name, uuid);\n    if (!status)\n        status = lock_name(fd, name);",
            "    uint64_t word = ndshm__lifetime_encode(lifetime);\n    int status = check_segment(fd, name, uuid);")),
    # reaping
    mutant("reap: no name lock", ["unit-reap"],
           (REAP, 'step_lock(proof, NDSHM_STEP_NAME_LOCK, NDSHM__LOCK_NAME,\n'
                  '                           "another process holds its name")', "0")),
    mutant("reap: no live lock", ["unit-reap"],
           (REAP, 'step_lock(proof, NDSHM_STEP_LIVE_LOCK, NDSHM__LOCK_LIVE, "a process has it mapped")', "0")),
    mutant("reap: no cache lock", ["unit-reap"],
           (REAP, 'step_lock(proof, NDSHM_STEP_CACHE_LOCK, NDSHM__LOCK_CACHE, "a pool keeps it for reuse")', "0")),
    mutant("reap: no lease", ["unit-reap"],
           (REAP, "ladder.lease ? take_lease(proof) : -ENOTSUP", "0")),
    mutant("reap: not looked at again under the locks", ["model-segment-replay"],
           (REAP, "status || memcmp(&now.identity, &proof->header.identity, sizeof now.identity) != 0", "status"),
           (REAP, "    status = step_lifetime(proof);\n    if (!status)\n        status = step_pool(proof);\n"
                  "    return status", "    status = 0;\n    return status")),
    mutant("reap: any lifetime", ["unit-reap"],
           (REAP, "ndshm__lifetime_decode(proof->header.lifetime) == NDSHM_PERSISTENT", "0")),
    mutant("reap: another user's file", ["unit-hostile"],
           (REAP, "proof->file.st_uid != self &&", "0 &&")),
    mutant("reap: a living pool does not protect", ["unit-reap"],
           (REAP, "return owned ? NDSHM_REAP_POOL_ALIVE : 0;", "return 0 * owned;")),
    mutant("reap: a missing pool counts as dead", ["unit-reap"],
           (REAP, "return NDSHM_REAP_UNPROVEN;", "return 0;")),
    mutant("reap: another user's pool believed", ["unit-hostile"],
           (REAP, "if (!status && file->st_uid != owner)\n        status = -EPERM;", ""),
           (REAP, "!S_ISREG(file.st_mode) || file.st_uid != owner", "!S_ISREG(file.st_mode)")),
    mutant("reap: live lock left to close", ["unit-reap"],
           (REAP, "        ndshm__os_unlock(proof->fd, NDSHM__LOCK_LIVE);\n", "        ;\n")),
    mutant("reap: lease left to close", ["unit-reap"],
           (REAP, "        ndshm__os_unlease(proof->fd);\n", "        ;\n")),
    mutant("lease: its signal kills", ["model-segment-replay"],
           (OS, "fcntl(fd, F_SETSIG, SIGURG) < 0", "0")),
    # detaching and forks
    mutant("detach: the last user does not reap", ["unit-lifetime"],
           (SEGMENT, "if (reap && !ndshm__reap_quietly(", "if (0 && !ndshm__reap_quietly(")),
    mutant("fork: does not wait for windows", ["unit-os"],
           (OS_PROCESS, "pthread_rwlock_wrlock(&window);", ";"),
           (OS_PROCESS, "static void after_fork_parent(void)\n{\n    if (!entered)\n"
                        "        pthread_rwlock_unlock(&window);",
            "static void after_fork_parent(void)\n{")),
    mutant("fork: the child tries again what its parent left", ["unit-lifetime"],
           (SEGMENT, "    left_count = 0;\n}\n\n__attribute__((constructor))", "}\n\n__attribute__((constructor))")),
    # the pool
    mutant("claim: a load and a store", ["model-pool-steps"],
           (CLAIM, "atomic_compare_exchange_strong(&job->claims[chunk], &expected, (uint8_t)(slot + 1))",
            "(atomic_store(&job->claims[chunk], (uint8_t)(slot + 1)), 1)")),
    mutant("claim: the counter is the truth", ["unit-pool_layout"],
           (CLAIM, "return search(job, cursor, slot);", "return -1;")),
    mutant("work: not looked again after the bit", ["model-pool-replay"],
           (WORKER, "        ndshm__claim_any_free(&serving->job, &serving->cursor))\n"
                    "        ndshm__table_offer(worker->pool, serving->entry, 1);",
            "        ndshm__claim_any_free(&serving->job, &serving->cursor))\n        ;")),
    mutant("hazard: not looked again at the entry", ["model-pool-steps"],
           (TABLE, "if (atomic_load(&pool->entries[entry].id) == id)\n        return id;", "return id;")),
    mutant("hazard: host does not look at slots", ["model-pool-steps"],
           (TABLE, "if (atomic_load(&pool->slots[i].current) == id)\n            return true;", ";")),
    mutant("park: waits for whatever comes next", ["model-pool-steps"],
           (PARK, "ndshm__os_futex_wait(&pool->work, seen, timeout_ns);",
            "ndshm__os_futex_wait(&pool->work, atomic_load(&pool->work), timeout_ns);")),
    mutant("offer: told before it is so", ["model-pool-steps", "model-pool-replay"],
           (TABLE, "    atomic_fetch_or(&pool->runnable, bit(entry));\n    ndshm__work_raise(pool, wanted);",
            "    ndshm__work_raise(pool, wanted);\n    atomic_fetch_or(&pool->runnable, bit(entry));")),
    mutant("death: what was owned is not offered again", ["unit-pool_failure"],
           (DEATH, "        ndshm__claim_release(job, chunk);\n    else", "        ;\n    else"), timeout=10),
    mutant("death: nobody is told of the offer", ["model-pool-replay"],
           (DEATH, "ndshm__table_offer(serving->pool, serving->entry, 1);", ";"), timeout=25),
    mutant("death: between jobs, nothing is offered", ["model-pool-replay"],
           (DEATH, "        offer_all(pool);\n", "        ;\n")),
    mutant("death: silent about a job that is done", ["model-pool-replay"],
           (DEATH, "    ndshm__event_raise(&serving->pool->done);\n", "")),
    mutant("death: unrecorded results stay", ["unit-pool_failure"],
           (DEATH, "    remove_unrecorded(death, unit);\n", "")),
    mutant("finish: completion looked for before the byte", ["model-pool-replay"],
           (WORKER, "    ndshm__claim_finish(&serving->job, worker->chunk, worker->slot);\n    ndshm__deadline",
            "    ndshm__deadline"),
           (WORKER, "    worker->chunk = -1;\n    if (ndshm__claim_exhausted(",
            "    int64_t chunk = worker->chunk;\n    worker->chunk = -1;\n    if (ndshm__claim_exhausted("),
           (WORKER, "    if (ndshm__awaited(worker->pool))\n        ndshm__notify(worker->pool, serving->pool_name);\n}",
            "    ndshm__claim_finish(&serving->job, chunk, worker->slot);\n"
            "    if (ndshm__awaited(worker->pool))\n        ndshm__notify(worker->pool, serving->pool_name);\n}"), timeout=25),
    mutant("job: its id not compared", ["model-pool-steps"],
           (SERVING, "serving->job.facts.id != id", "0")),
]
