// Stands in for libascendcl.so: see fake.h.

#include "fake.h"

enum { OK = 0, REPEATED = 100002, NO_MEMORY = 207001, LOST = 507015 };

#define LOGGED(function) say(function); REFUSE(function)
// As on a device, a loss is found by whoever waits first; then all know it.
static int known;
#define ALIVE do { if (known) return LOST; } while (0)

EXPORT int aclInit(const char *configuration) {
    static int started;
    LOGGED("aclInit");
    return started++ ? REPEATED : OK;
}
EXPORT const char *aclrtGetSocName(void) { return setting("FAKE_ARCH", "Ascend910B3"); }
EXPORT int aclrtGetDeviceCount(unsigned *count) { *count = (unsigned)number("FAKE_DEVICES", 2); return OK; }
EXPORT int aclrtSetDevice(int device) { ALIVE; return OK; }
EXPORT int aclrtGetDeviceInfo(unsigned device, int what, int64_t *value) {
    if (what != 101) say("WRONG attribute %d", what);
    *value = 20;
    return OK;
}
EXPORT int aclrtGetMemInfo(int kind, size_t *free, size_t *all) {
    if (kind != 1) say("WRONG kind of memory");
    *all = number("FAKE_MEMORY", 1 << 30);
    *free = number("FAKE_FREE", (long)(*all - used));
    return OK;
}
EXPORT int aclrtMalloc(void **at, size_t len, int policy) { LOGGED("aclrtMalloc"); ALIVE; *at = take(len, DEVICE); return *at ? OK : NO_MEMORY; }
EXPORT int aclrtFree(void *at) { say("aclrtFree"); return give(at, DEVICE); }
EXPORT int aclrtMallocHost(void **at, size_t len) { LOGGED("aclrtMallocHost"); *at = take(len, HERE); return OK; }
EXPORT int aclrtFreeHost(void *at) { say("aclrtFreeHost"); return give(at, HERE); }
EXPORT int aclrtMemcpy(void *to, size_t room, const void *from, size_t len, int kind) {
    say("aclrtMemcpy %zu kind %d", len, kind);
    ALIVE;
    if (room < len || !within(kind == 1 ? to : from, len)) say("WRONG copy outside of memory");
    memcpy(to, from, len);
    return OK;
}
EXPORT int aclrtCreateStream(void **stream) { LOGGED("aclrtCreateStream"); *stream = calloc(1, 8); return OK; }
EXPORT int aclrtDestroyStream(void *stream) { say("aclrtDestroyStream"); free(stream); return OK; }
EXPORT int aclrtSynchronizeStream(void *stream) { LOGGED("aclrtSynchronizeStream"); known |= lost; ALIVE; return OK; }
static long marks;
EXPORT int aclrtCreateEvent(void **event) { *event = calloc(1, sizeof(long)); return OK; }
EXPORT int aclrtRecordEvent(void *event, void *stream) { *(long *)event = ++marks; return OK; }
EXPORT int aclrtDestroyEvent(void *event) { free(event); return OK; }
EXPORT int aclrtEventElapsedTime(float *milliseconds, void *first, void *last) {
    if (!*(long *)first || *(long *)last <= *(long *)first) say("WRONG marks");
    *milliseconds = 0.25f;
    return OK;
}
EXPORT int aclrtBinaryLoadFromFile(const char *path, void *options, void **binary) {
    say("aclrtBinaryLoadFromFile %s", strrchr(path, '/'));
    *binary = calloc(1, 8);
    return OK;
}
EXPORT int aclrtBinaryUnLoad(void *binary) { say("aclrtBinaryUnLoad"); free(binary); return OK; }
EXPORT int aclrtBinaryGetFunction(void *binary, const char *name, void **function) {
    if (strcmp(name, "add")) return 1;
    *function = binary;
    return OK;
}
EXPORT int aclrtGetHardwareSyncAddr(void **at) { *at = (void *)0x5000; return OK; }

// Arguments lie in the device's memory: where cores meet, a lock, a workspace, parameters, three sizes of the grid.
EXPORT int aclrtLaunchKernel(void *function, unsigned blocks, const void *arguments, size_t len, void *stream) {
    const uint64_t *words = arguments;
    const int32_t *grid = (const int32_t *)(words + 3 + PARAMETERS);
    say("aclrtLaunchKernel %u blocks of %d %d %d", blocks, grid[0], grid[1], grid[2]);
    ALIVE;
    if (len != 8 * (3 + PARAMETERS) + 12 || !within(arguments, len)) say("WRONG arguments");
    if (words[0] != 0x5000 || words[1] || words[2]) say("WRONG head");
    for (int i = 0; i < PARAMETERS; i++) check_pointer((void *)words[3 + i]);
    executed();
    return OK;
}
