// Stands in for libamdhip64.so: see fake.h.

#include "fake.h"

enum { OK = 0, NO_MEMORY = 2, NO_DEVICE = 100, NO_BINARY = 209, NOT_FOUND = 500, LOST = 719 };

typedef struct { int capturing, launches; } Stream;
typedef struct { int launches; } Graph;

#define LOGGED(function) say(function); REFUSE(function)
// As on a device, a loss is found by whoever waits first; then all know it.
static int known;
#define ALIVE do { if (known) return LOST; } while (0)

EXPORT int hipInit(unsigned flags) { LOGGED("hipInit"); return number("FAKE_DEVICES", 2) ? OK : NO_DEVICE; }
EXPORT int hipRuntimeGetVersion(int *version) { *version = (int)number("FAKE_VERSION", 60342131); return OK; }
EXPORT const char *hipGetErrorName(int code) {
    switch (code) {
    case NO_MEMORY: return "hipErrorOutOfMemory";
    case NO_BINARY: return "hipErrorNoBinaryForGpu";
    case LOST: return "hipErrorLaunchFailure";
    default: return "hipErrorTbd";
    }
}
EXPORT int hipGetDeviceCount(int *count) { *count = (int)number("FAKE_DEVICES", 2); return OK; }
EXPORT int hipSetDevice(int device) { ALIVE; return OK; }
EXPORT int hipDeviceGetName(char *to, int len, int device) { snprintf(to, len, "Fake gfx thing %d", device); return OK; }
EXPORT int hipDeviceTotalMem(size_t *bytes, int device) { *bytes = number("FAKE_MEMORY", 1 << 30); return OK; }
EXPORT int hipDeviceGetAttribute(int *value, int what, int device) {
    switch (what) {
    case 56: *value = 1024; return OK;
    case 63: *value = 304; return OK;
    case 74: *value = 65536; return OK;
    default: say("WRONG attribute %d", what); return 1;
    }
}
// The structure of no release: the architecture stands somewhere.
EXPORT int hipGetDeviceProperties(char *to, int device) {
    memset(to, 0, 1200);
    strcpy(to, "Fake gfx thing");
    snprintf(to + 900, 256, "%s:sramecc+:xnack-", setting("FAKE_ARCH", "gfx942"));
    return OK;
}
EXPORT int hipMemGetInfo(size_t *free, size_t *all) {
    *all = number("FAKE_MEMORY", 1 << 30);
    *free = number("FAKE_FREE", (long)(*all - used));
    return OK;
}
EXPORT int hipMalloc(void **at, size_t len) { LOGGED("hipMalloc"); ALIVE; *at = take(len, DEVICE); return *at ? OK : NO_MEMORY; }
EXPORT int hipFree(void *at) { say("hipFree"); return give(at, DEVICE); }
EXPORT int hipHostMalloc(void **at, size_t len, unsigned flags) { LOGGED("hipHostMalloc"); *at = take(len, HERE); return OK; }
EXPORT int hipHostFree(void *at) { say("hipHostFree"); return give(at, HERE); }

static int copied(const char *what, const void *there, void *to, const void *from, size_t len, Stream *stream) {
    say("%s %zu", what, len);
    ALIVE;
    if (!within(there, len)) say("WRONG copy outside of memory");
    if (stream->capturing) say("WRONG copy while launches are recorded");
    memcpy(to, from, len);
    return OK;
}
EXPORT int hipMemcpyHtoDAsync(void *to, void *from, size_t len, void *stream) { return copied("hipMemcpyHtoDAsync", to, to, from, len, stream); }
EXPORT int hipMemcpyDtoHAsync(void *to, void *from, size_t len, void *stream) { return copied("hipMemcpyDtoHAsync", from, to, from, len, stream); }
EXPORT int hipMemsetAsync(void *at, int value, size_t len, void *stream) {
    say("hipMemsetAsync %zu", len);
    if (!within(at, len)) say("WRONG memory");
    return OK;
}
EXPORT int hipStreamCreateWithFlags(void **stream, unsigned flags) { LOGGED("hipStreamCreate"); *stream = calloc(1, sizeof(Stream)); return OK; }
EXPORT int hipStreamDestroy(void *stream) { say("hipStreamDestroy"); free(stream); return OK; }
EXPORT int hipStreamSynchronize(void *stream) { LOGGED("hipStreamSynchronize"); known |= lost; ALIVE; return OK; }
EXPORT int hipStreamBeginCapture(void *stream, int mode) {
    LOGGED("hipStreamBeginCapture");
    if (mode != 1) say("WRONG mode");
    ((Stream *)stream)->capturing = 1;
    return OK;
}
EXPORT int hipStreamEndCapture(void *stream, void **graph) {
    Graph *made = calloc(1, sizeof(Graph));
    made->launches = ((Stream *)stream)->launches;
    ((Stream *)stream)->capturing = 0;
    *graph = made;
    return OK;
}
#ifndef FAKE_OLD  // An old release lacks it.
EXPORT int hipGraphInstantiate(void **ready, void *graph, void **node, char *log, size_t len) {
    LOGGED("hipGraphInstantiate");
    Graph *made = calloc(1, sizeof(Graph));
    *made = *(Graph *)graph;
    *ready = made;
    return OK;
}
#endif
EXPORT int hipGraphDestroy(void *graph) { free(graph); return OK; }
EXPORT int hipGraphExecDestroy(void *graph) { say("hipGraphExecDestroy"); free(graph); return OK; }
EXPORT int hipGraphLaunch(void *graph, void *stream) {
    say("hipGraphLaunch of %d", ((Graph *)graph)->launches);
    ALIVE;
    for (int i = 0; i < ((Graph *)graph)->launches; i++) executed();
    return OK;
}
static long marks;
EXPORT int hipEventCreate(void **event) { *event = calloc(1, sizeof(long)); return OK; }
EXPORT int hipEventRecord(void *event, void *stream) { ALIVE; *(long *)event = ++marks; return OK; }
EXPORT int hipEventDestroy(void *event) { free(event); return OK; }
EXPORT int hipEventElapsedTime(float *milliseconds, void *first, void *last) {
    ALIVE;
    if (!*(long *)first || *(long *)last <= *(long *)first) say("WRONG marks");
    *milliseconds = 0.25f;
    return OK;
}
EXPORT int hipModuleLoadData(void **module, const void *code) {
    LOGGED("hipModuleLoadData");
    *module = calloc(1, 8);
    return OK;
}
EXPORT int hipModuleUnload(void *module) { say("hipModuleUnload"); free(module); return OK; }
EXPORT int hipModuleGetFunction(void **function, void *module, const char *name) {
    if (strcmp(name, "add")) return NOT_FOUND;
    *function = module;
    return OK;
}
EXPORT int hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                                 unsigned shared, void *stream, void **arguments, void **extra) {
    say("hipModuleLaunchKernel grid %u %u %u block %u %u %u shared %u", gx, gy, gz, bx, by, bz, shared);
    ALIVE;
    if (extra) say("WRONG extra");
    for (int i = 0; i < PARAMETERS; i++) check_pointer(*(void **)arguments[i]);
    if (((Stream *)stream)->capturing) ((Stream *)stream)->launches++;
    else executed();
    return OK;
}
