/* SPDX-License-Identifier: MIT */
/* Under a fuzzing engine, which has the main function: a shared-memory directory of our own, as
 * tests have it, and the directory into which the engine puts what it finds. */
#include <sys/stat.h>

#include "isolate.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    for (int i = 1; i < *argc; i++)
        if ((*argv)[i][0] != '-') {
            mkdir((*argv)[i], 0777);
            break;
        }
    return support_reaper() < 0; /* that file isolates before main */
}
