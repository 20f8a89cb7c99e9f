// Emulation of the part of Ascend C that printed kernels use, so that they run and are checked on a CPU.
//
// Written from a table of names and meanings alone; nothing is taken from CANN. What a pipe does is deferred until some
// wait asks for it, so a missing wait leaves stale numbers (new buffers are NaN), and the order of all accesses to one
// place is checked against the flags, queues and barriers that a kernel uses. With EMULATE_UNORDERED defined the order is
// not checked and stale numbers show. Every violation ends the process with status 70 and a line on stderr.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#define __global__
#define __aicore__
#define __vector__
#define __cube__
#define __mix__(cubes, vectors)
#define __gm__
#define GM_ADDR uint8_t *
#define ASCEND_IS_AIC (emulate::core().kind == emulate::Kind::Cube)
#define ASCEND_IS_AIV (emulate::core().kind == emulate::Kind::Vector)

using half = _Float16;

// The upper half of the bits of a float, rounded to nearest even.
struct bfloat16_t {
  uint16_t bits = 0;
  bfloat16_t() = default;
  bfloat16_t(float x) {
    uint32_t wide;
    std::memcpy(&wide, &x, 4);
    bits = x != x ? 0x7FC0 : uint16_t((wide + 0x7FFF + (wide >> 16 & 1)) >> 16);
  }
  operator float() const {
    uint32_t wide = uint32_t(bits) << 16;
    float x;
    std::memcpy(&x, &wide, 4);
    return x;
  }
};

namespace emulate {

[[noreturn]] inline void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  std::fputs("emulation: ", stderr);
  std::vfprintf(stderr, format, args);
  std::fputs("\n", stderr);
  va_end(args);
  std::_Exit(70);
}

enum class Kind { Cube, Vector };
enum Pipe : int { S, V, M, MTE1, MTE2, MTE3, FIX, PIPES };
inline const char *name(int pipe) {
  static const char *const names[] = {"S", "V", "M", "MTE1", "MTE2", "MTE3", "FIX"};
  return names[pipe];
}

enum Memory : int { GM, UB, L1, L0A, L0B, L0C, MEMORIES };
inline const char *memory_name(int m) {
  static const char *const names[] = {"GM", "UB", "L1", "L0A", "L0B", "L0C"};
  return names[m];
}
// Sizes of the 910B; other devices have more for vectors.
#ifndef EMULATE_UB
#define EMULATE_UB (192 << 10)
#endif
constexpr size_t sizes[MEMORIES] = {0, EMULATE_UB, 512 << 10, 64 << 10, 64 << 10, 128 << 10};
inline size_t starts_at(int memory) { return memory == L0A || memory == L0B ? 512 : memory == L0C ? 1024 : 32; }

// What each pipe had done when something happened.
struct Clock {
  uint64_t at[PIPES] = {};
  void join(const Clock &other) {
    for (int p = 0; p < PIPES; p++) at[p] = std::max(at[p], other.at[p]);
  }
};

// Bytes that an operation reads or writes.
struct Range {
  int memory;
  uintptr_t begin, end;
  bool write;
  const char *argument;
};

struct Access {
  Range range;
  int pipe;
  uint64_t number;
};

struct Operation {
  uint64_t number;
  Clock after;
  std::function<void()> land;
};

struct Flag {
  bool set = false;
  Clock clock;
};

struct Core {
  Kind kind = Kind::Vector;
  int64_t block = 0, blocks = 1, sub = 0;
  std::vector<uint8_t> arena[MEMORIES];
  size_t used[MEMORIES] = {}, peak[MEMORIES] = {};
  std::vector<std::string> live;
  uint64_t issued[PIPES] = {}, landed[PIPES] = {};
  std::deque<Operation> queue[PIPES];
  Clock seen[PIPES];
  std::vector<Access> accesses;
  std::map<std::pair<int, int>, Flag> flags[PIPES];
  std::map<int, int> tensors;
  int buffers = 0;
  ucontext_t context;
  std::vector<uint8_t> stack;
  bool done = false, moved = false;

  Core() {
    for (int m = UB; m < MEMORIES; m++) {
      arena[m].resize(sizes[m] + 1024, 0xFF);
    }
  }
  uint8_t *base(int memory) {
    auto at = reinterpret_cast<uintptr_t>(arena[memory].data());
    return reinterpret_cast<uint8_t *>((at + 1023) / 1024 * 1024);
  }
  // A piece of an on-chip memory, poisoned.
  uint8_t *take(int memory, size_t bytes, const char *what) {
    size_t align = starts_at(memory);
    size_t at = (used[memory] + align - 1) / align * align;
    live.push_back(std::string(memory_name(memory)) + " " + what + " " + std::to_string(bytes));
    if (at + bytes > sizes[memory]) {
      std::string all;
      for (auto &l : live) all += "; " + l;
      fail("%s: %zu bytes at %zu pass its %zu%s", memory_name(memory), bytes, at, sizes[memory], all.c_str());
    }
    used[memory] = at + bytes;
    peak[memory] = std::max(peak[memory], used[memory]);
    std::memset(base(memory) + at, 0xFF, bytes);
    return base(memory) + at;
  }
  // Everything of a pipe up to an operation takes effect, after what that waited for.
  void land(int pipe, uint64_t number) {
    while (!queue[pipe].empty() && queue[pipe].front().number <= number) {
      Operation next = std::move(queue[pipe].front());
      queue[pipe].pop_front();
      for (int p = V; p < PIPES; p++)
        if (p != pipe) land(p, next.after.at[p]);
      next.land();
      landed[pipe] = next.number;
    }
  }
  void check(int pipe, const char *what, const Range &range) {
#ifndef EMULATE_UNORDERED
    for (const Access &a : accesses) {
      bool apart = a.range.memory != range.memory || a.range.end <= range.begin || range.end <= a.range.begin;
      if (apart || !(a.range.write || range.write) || (a.pipe == pipe && !a.range.write)) continue;
      if (pipe == S && a.pipe == S) continue;
      if (seen[pipe].at[a.pipe] < a.number)
        fail("%s of pipe %s: `%s` in %s is still %s by pipe %s; wanted a flag, a queue or a barrier between", what,
             name(pipe), range.argument, memory_name(range.memory), a.range.write ? "written" : "read", name(a.pipe));
    }
#endif
  }
  void issue(int pipe, const char *what, std::vector<Range> ranges, std::function<void()> effect) {
    for (const Range &r : ranges) check(pipe, what, r);
    uint64_t number = ++issued[pipe];
    for (const Range &r : ranges) {
      auto covered = [&](const Access &a) {
        return r.write && a.range.memory == r.memory && r.begin <= a.range.begin && a.range.end <= r.end;
      };
      accesses.erase(std::remove_if(accesses.begin(), accesses.end(), covered), accesses.end());
    }
    for (const Range &r : ranges) accesses.push_back({r, pipe, number});
    if (pipe == S) return effect();
    queue[pipe].push_back({number, seen[pipe], std::move(effect)});
  }
  Clock now(int pipe) {
    Clock clock = seen[pipe];
    clock.at[pipe] = issued[pipe];
    return clock;
  }
  void wait(int pipe, const Clock &clock) {
    seen[pipe].join(clock);
    if (pipe == S)
      for (int p = V; p < PIPES; p++) land(p, clock.at[p]);
  }
  void barrier(int pipe) { seen[pipe].at[pipe] = issued[pipe]; }
  void barrier_all() {
    for (int c = 0; c < PIPES; c++)
      for (int p = 0; p < PIPES; p++) seen[c].at[p] = issued[p];
    for (int p = V; p < PIPES; p++) land(p, issued[p]);
  }
  void set(int from, int to, int id) {
    if (id < 0 || id > 7) fail("SetFlag: event id %d; wanted 0 to 7", id);
    Flag &flag = flags[from][{to, id}];
    if (flag.set) fail("SetFlag %s_%s %d: set twice without a wait", name(from), name(to), id);
    flag = {true, now(from)};
  }
  void wait_flag(int from, int to, int id) {
    Flag &flag = flags[from][{to, id}];
    if (!flag.set) fail("WaitFlag %s_%s %d: nothing set it", name(from), name(to), id);
    flag.set = false;
    wait(to, flag.clock);
  }
  // What is left when the kernel returns.
  void finish() {
    for (int p : {MTE3, FIX, V, M}) land(p, issued[p]);
    for (int p : {MTE1, MTE2})
      if (!queue[p].empty()) fail("%zu copies of pipe %s: nothing waited for them", queue[p].size(), name(p));
    for (int from = 0; from < PIPES; from++)
      for (auto &[to, flag] : flags[from])
        if (flag.set) fail("SetFlag %s_%s %d: no wait at the end", name(from), name(to.first), to.second);
    for (auto &[position, count] : tensors)
      if (count > 0) fail("%d tensors of position %d: not given back at the end", count, position);
  }
};

// The cores of one block, and the counters by which they wait for each other.
struct Block {
  std::vector<std::unique_ptr<Core>> cores;
  ucontext_t scheduler;
  Core *running = nullptr;
  std::map<std::pair<int, Core *>, int> counters;
};
inline Block *block = nullptr;
inline Core &core() { return *block->running; }

inline void enter() {
  extern void kernel();
  kernel();
  core().finish();
  core().done = core().moved = true;
  swapcontext(&core().context, &block->scheduler);
}

// Runs one block: vector cores first, so that what they do not wait for is not there yet.
inline void run(int64_t at, int64_t blocks, bool cube, int vectors) {
  Block all;
  block = &all;
  auto add = [&](Kind kind, int64_t sub) {
    auto c = std::make_unique<Core>();
    c->kind = kind, c->block = at, c->blocks = blocks, c->sub = sub;
    c->stack.resize(1 << 20);
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack.data();
    c->context.uc_stack.ss_size = c->stack.size();
    makecontext(&c->context, enter, 0);
    all.cores.push_back(std::move(c));
  };
  for (int v = 0; v < vectors; v++) add(Kind::Vector, v);
  if (cube) add(Kind::Cube, 0);
  for (bool left = true; left;) {
    bool moved = left = false;
    for (auto &c : all.cores) {
      if (c->done) continue;
      all.running = c.get();
      c->moved = false;
      swapcontext(&all.scheduler, &c->context);
      moved |= c->moved;
      left |= !c->done;
    }
    if (left && !moved) fail("block %lld: every core waits for another", (long long)at);
  }
  for (auto &[key, count] : all.counters)
    if (count > 0) fail("CrossCoreSetFlag %d: no wait at the end", key.first);
  if (at == 0)
    for (auto &c : all.cores)
      for (int m = UB; m < MEMORIES; m++)
        if (c->peak[m]) std::printf("%s peak %zu of %zu\n", memory_name(m), c->peak[m], sizes[m]);
}

inline void cross_set(int pipe, int mode, int id) {
  if (mode != 2) fail("CrossCoreSetFlag: mode %d is not emulated", mode);
  if (id < 0 || id > 10) fail("CrossCoreSetFlag: flag %d; wanted 0 to 10", id);
  Core *self = &core();
  Block *all = block;
  self->issue(pipe, "CrossCoreSetFlag", {}, [=] {
    for (auto &c : all->cores)
      if (c->kind != self->kind && ++all->counters[{id, c.get()}] > 15) fail("CrossCoreSetFlag %d: above 15", id);
    self->moved = true;
  });
}
inline void cross_wait(int id) {
  Core &self = core();
  int &counter = block->counters[{id, &self}];
  while (counter == 0) swapcontext(&self.context, &block->scheduler);
  counter--;
  self.moved = true;
}

}  // namespace emulate

#include "emulate_tensor.h"
#include "emulate_vector.h"
#include "emulate_cube.h"
