// Stands in for libcuda.so.1: see fake.h.

#include "fake.h"

enum { OK = 0, NO_MEMORY = 2, NO_DEVICE = 100, BAD_IMAGE = 200, NO_BINARY = 209, OLD_PTX = 222, NOT_FOUND = 500, LOST = 700 };

typedef struct { unsigned grid[3], block[3], shared; void *stream; void *attributes; unsigned count; } Config;
typedef struct { int shared_asked, text; } Module;
typedef struct { int capturing, launches; } Stream;
typedef struct { int launches; } Graph;

#define LOGGED(function) say(function); REFUSE(function)
// As on a device, a loss is found by whoever waits first; then all know it.
static int known;
#define ALIVE do { if (known) return LOST; } while (0)

EXPORT int cuDriverGetVersion(int *version) { *version = (int)number("FAKE_VERSION", 12040); return OK; }
EXPORT int cuInit(unsigned flags) { LOGGED("cuInit"); return number("FAKE_DEVICES", 2) ? OK : NO_DEVICE; }

EXPORT int cuGetErrorName(int code, const char **name) {
    switch (code) {
    case NO_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return OK;
    case BAD_IMAGE: *name = "CUDA_ERROR_INVALID_IMAGE"; return OK;
    case NO_BINARY: *name = "CUDA_ERROR_NO_BINARY_FOR_GPU"; return OK;
    case OLD_PTX: *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"; return OK;
    case LOST: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return OK;
    default: return 1;
    }
}

EXPORT int cuDeviceGetCount(int *count) { *count = (int)number("FAKE_DEVICES", 2); return OK; }
EXPORT int cuDeviceGet(int *device, int number) { *device = 10 + number; return OK; }
EXPORT int cuDeviceGetName(char *to, int len, int device) { snprintf(to, len, "Fake %d", device - 10); return OK; }
EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = number("FAKE_MEMORY", 1 << 30); return OK; }

// FAKE_ARCH is the compute capability times ten, such as 90.
EXPORT int cuDeviceGetAttribute(int *value, unsigned what, int device) {
    int arch = (int)number("FAKE_ARCH", 90);
    switch (what) {
    case 1: *value = 1024; return OK;
    case 16: *value = 132; return OK;
    case 75: *value = arch / 10; return OK;
    case 76: *value = arch % 10; return OK;
    case 97: *value = 232448; return OK;
    default: say("WRONG attribute %u", what); return 1;
    }
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    LOGGED("cuDevicePrimaryCtxRetain");
    *context = (void *)(intptr_t)(1000 + device);
    return OK;
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int device) { say("cuDevicePrimaryCtxRelease, %d blocks live", live()); return OK; }

static __thread void *current;
EXPORT int cuCtxSetCurrent(void *context) { current = context; return OK; }
#define CURRENT do { if (!current) say("WRONG no context"); ALIVE; } while (0)

EXPORT int cuMemGetInfo_v2(size_t *free, size_t *all) {
    CURRENT;
    *all = number("FAKE_MEMORY", 1 << 30);
    // Other programs may use some of it.
    *free = number("FAKE_FREE", (long)(*all - used));
    return OK;
}
EXPORT int cuMemAlloc_v2(uint64_t *at, size_t len) {
    LOGGED("cuMemAlloc");
    CURRENT;
    if (!len) say("WRONG no bytes");
    *at = (uint64_t)take(len, DEVICE);
    return *at ? OK : NO_MEMORY;
}
EXPORT int cuMemFree_v2(uint64_t at) { say("cuMemFree"); CURRENT; return give((void *)at, DEVICE); }
EXPORT int cuMemHostAlloc(void **at, size_t len, unsigned flags) { LOGGED("cuMemHostAlloc"); CURRENT; *at = take(len, HERE); return OK; }
EXPORT int cuMemFreeHost(void *at) { say("cuMemFreeHost"); CURRENT; return give(at, HERE); }

static int copied(const char *what, const void *there, void *to, const void *from, size_t len, Stream *stream) {
    say("%s %zu", what, len);
    CURRENT;
    if (!within(there, len)) say("WRONG copy outside of memory");
    if (stream->capturing) say("WRONG copy while launches are recorded");
    memcpy(to, from, len);
    return OK;
}
EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t len, void *stream) {
    return copied("cuMemcpyHtoDAsync", (void *)to, (void *)to, from, len, stream);
}
EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t len, void *stream) {
    return copied("cuMemcpyDtoHAsync", (void *)from, to, (void *)from, len, stream);
}
EXPORT int cuMemsetD8Async(uint64_t at, unsigned char value, size_t len, void *stream) {
    say("cuMemsetD8Async %zu", len);
    if (!within((void *)at, len)) say("WRONG memory");
    return OK;
}

EXPORT int cuStreamCreate(void **stream, unsigned flags) { LOGGED("cuStreamCreate"); *stream = calloc(1, sizeof(Stream)); return OK; }
EXPORT int cuStreamDestroy_v2(void *stream) { say("cuStreamDestroy"); free(stream); return OK; }
EXPORT int cuStreamSynchronize(void *stream) { LOGGED("cuStreamSynchronize"); known |= lost; CURRENT; return OK; }
EXPORT int cuStreamBeginCapture_v2(void *stream, unsigned mode) {
    LOGGED("cuStreamBeginCapture");
    ((Stream *)stream)->capturing = 1;
    ((Stream *)stream)->launches = 0;
    return OK;
}
EXPORT int cuStreamEndCapture(void *stream, void **graph) {
    say("cuStreamEndCapture");
    Graph *made = calloc(1, sizeof(Graph));
    made->launches = ((Stream *)stream)->launches;
    ((Stream *)stream)->capturing = 0;
    *graph = made;
    return OK;
}
EXPORT int cuGraphInstantiateWithFlags(void **ready, void *graph, uint64_t flags) {
    LOGGED("cuGraphInstantiate");
    Graph *made = calloc(1, sizeof(Graph));
    *made = *(Graph *)graph;
    *ready = made;
    return OK;
}
EXPORT int cuGraphUpload(void *ready, void *stream) { say("cuGraphUpload"); return OK; }
EXPORT int cuGraphDestroy(void *graph) { free(graph); return OK; }
EXPORT int cuGraphExecDestroy(void *graph) { say("cuGraphExecDestroy"); free(graph); return OK; }
EXPORT int cuGraphLaunch(void *graph, void *stream) {
    say("cuGraphLaunch of %d", ((Graph *)graph)->launches);
    CURRENT;
    for (int i = 0; i < ((Graph *)graph)->launches; i++)
        executed();
    return OK;
}

static long marks;
EXPORT int cuEventCreate(void **event, unsigned flags) { *event = calloc(1, sizeof(long)); return OK; }
EXPORT int cuEventRecord(void *event, void *stream) { CURRENT; *(long *)event = ++marks; return OK; }
EXPORT int cuEventDestroy_v2(void *event) { free(event); return OK; }
EXPORT int cuEventElapsedTime(float *milliseconds, void *first, void *last) {
    CURRENT;
    if (!*(long *)first || *(long *)last <= *(long *)first) say("WRONG marks");
    *milliseconds = 0.25f;
    return OK;
}

// Images are told from texts by how they begin.
EXPORT int cuModuleLoadDataEx(void **module, const void *code, unsigned count, unsigned *options, void **values) {
    int text = memcmp(code, "//", 2) == 0 || memcmp(code, ".v", 2) == 0;
    say("cuModuleLoadDataEx of %s", text ? "a text" : "an image");
    CURRENT;
    int refused = refusal(text ? "text" : "image");
    if (refused) {
        if (count != 2 || options[0] != 5 || options[1] != 6) say("WRONG options");
        if (text && refused == 218) snprintf(values[0], (size_t)values[1], "ptxas fatal: nonsense in line 7");
        return refused;
    }
    Module *made = calloc(1, sizeof(Module));
    made->text = text;
    *module = made;
    return OK;
}
EXPORT int cuModuleUnload(void *module) { say("cuModuleUnload"); CURRENT; free(module); return OK; }
EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
    REFUSE("cuModuleGetFunction");
    if (strcmp(name, "add")) return NOT_FOUND;
    *function = module;
    return OK;
}
EXPORT int cuFuncSetAttribute(void *function, unsigned what, int value) {
    say("cuFuncSetAttribute %u %d", what, value);
    if (what != 8) say("WRONG attribute");
    ((Module *)function)->shared_asked = value;
    return OK;
}

// Maps are told from addresses by this word.
#define MAP 0x70616d7770616d77

EXPORT int cuLaunchKernelEx(const Config *config, void *function, void **arguments, void **extra) {
    Stream *stream = config->stream;
    say("cuLaunchKernelEx grid %u %u %u block %u %u %u shared %u", config->grid[0], config->grid[1], config->grid[2],
        config->block[0], config->block[1], config->block[2], config->shared);
    REFUSE("cuLaunchKernelEx");
    CURRENT;
    if (config->shared > 48 << 10 && ((Module *)function)->shared_asked < (int)config->shared) say("WRONG shared memory");
    if (config->count || config->attributes || extra) say("WRONG attributes");
    for (int i = 0; i < PARAMETERS; i++) check_pointer(*(void **)arguments[i]);
    for (int i = PARAMETERS; i < PARAMETERS + number("FAKE_MAPS", 0); i++) {
        if ((uintptr_t)arguments[i] % 64) say("WRONG map is no multiple of 64");
        if (*(uint64_t *)arguments[i] != MAP) say("WRONG map is none");
        check_pointer(((void **)arguments[i])[1]);
    }
    if (stream->capturing) stream->launches++;
    else executed();
    return OK;
}

EXPORT int cuTensorMapEncodeTiled(uint64_t *map, unsigned type, unsigned rank, void *at, const uint64_t *sizes,
                                  const uint64_t *strides, const unsigned *box, const unsigned *steps, unsigned interleave,
                                  unsigned swizzle, unsigned promotion, unsigned fill) {
    say("cuTensorMapEncodeTiled type %u rank %u sizes %lu %lu stride %lu box %u %u swizzle %u", type, rank, sizes[0],
        rank > 1 ? sizes[1] : 0, rank > 1 ? strides[0] : 0, box[0], rank > 1 ? box[1] : 0, swizzle);
    REFUSE("cuTensorMapEncodeTiled");
    if ((uintptr_t)map % 64) say("WRONG map is no multiple of 64");
    if (interleave || fill || steps[0] != 1) say("WRONG map");
    check_pointer(at);
    map[0] = MAP;
    map[1] = (uint64_t)at;
    return OK;
}
