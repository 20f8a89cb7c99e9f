// What the libraries in this folder have in common: they stand in for drivers in tests. Devices' memory is this process's;
// launches do nothing but have their arguments checked; every call is written to the file that FAKE_LOG names.
//
// FAKE_DEVICES  number of devices, else 2
// FAKE_VERSION  version of the driver
// FAKE_ARCH     architecture of the devices
// FAKE_MEMORY   bytes of a device, else 1 GB
// FAKE_LOST_AT  the launch, counted from 1, at which the device is lost
// FAKE_REFUSE   the function that gives the error FAKE_CODE

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static const char *setting(const char *name, const char *otherwise) {
    const char *set = getenv(name);
    return set ? set : otherwise;
}

static long number(const char *name, long otherwise) {
    const char *set = getenv(name);
    return set ? atol(set) : otherwise;
}

static void say(const char *format, ...) {
    const char *path = getenv("FAKE_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
    fclose(file);
}

// The error that a test asked a function for.
static int refusal(const char *function) {
    return strcmp(setting("FAKE_REFUSE", ""), function) ? 0 : (int)number("FAKE_CODE", 1);
}

#define REFUSE(function) \
    do { int code = refusal(function); if (code) { say("refused %s %d", function, code); return code; } } while (0)

enum kind { DEVICE, HERE };

// Memory that was asked for.
static struct { char *at; size_t len; enum kind kind; } blocks[4096];
static size_t used;

// Null when there is too little. Blocks end right before guard bytes, which are looked at when they are given back.
static void *take(size_t len, enum kind kind) {
    if (kind == DEVICE && used + len > (size_t)number("FAKE_MEMORY", 1 << 30)) return NULL;
    for (int i = 0; i < 4096; i++) {
        if (blocks[i].at) continue;
        blocks[i].at = aligned_alloc(256, (len + 64 + 255) / 256 * 256);
        memset(blocks[i].at, 0xa5, len + 64);
        blocks[i].len = len;
        blocks[i].kind = kind;
        used += kind == DEVICE ? len : 0;
        return blocks[i].at;
    }
    return NULL;
}

static int give(void *at, enum kind kind) {
    for (int i = 0; i < 4096; i++) {
        if (blocks[i].at != at || blocks[i].kind != kind || !at) continue;
        for (int b = 0; b < 64; b++)
            if ((unsigned char)blocks[i].at[blocks[i].len + b] != 0xa5) say("WRONG written behind a block");
        used -= kind == DEVICE ? blocks[i].len : 0;
        free(blocks[i].at);
        blocks[i].at = NULL;
        return 0;
    }
    say("WRONG given back what was not asked for");
    return 1;
}

// Whether `len` bytes lie within memory of a device.
static int within(const void *at, size_t len) {
    for (int i = 0; i < 4096; i++)
        if (blocks[i].at && blocks[i].kind == DEVICE && (const char *)at >= blocks[i].at &&
            (const char *)at + len <= blocks[i].at + blocks[i].len)
            return 1;
    return 0;
}

static void check_pointer(const void *at) {
    if (!within(at, 1)) say("WRONG argument outside of memory");
    if ((uintptr_t)at % 64) say("WRONG argument is no multiple of 64");
}

static int live(void) {
    int count = 0;
    for (int i = 0; i < 4096; i++) count += blocks[i].at != NULL;
    return count;
}

static long launches;
static int lost;

// A launch that is executed; 1 from the one on at which the device is lost.
static int executed(void) {
    long at = number("FAKE_LOST_AT", 0);
    launches++;
    if (at && launches >= at) lost = 1;
    return lost;
}

// What was loaded as a kernel: the tests' kernel adds, with three parameters.
#define PARAMETERS 3

__attribute__((destructor)) static void end(void) { say("end, %d blocks live", live()); }
