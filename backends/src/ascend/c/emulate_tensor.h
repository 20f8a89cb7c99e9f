// Emulation: tensors, buffers, queues, flags and copies between global memory and the chip.
#pragma once

namespace AscendC {

using emulate::Clock;
using emulate::Range;
using emulate::core;
using emulate::fail;

enum class TPosition : int { GM, A1, A2, B1, B2, CO1, VECIN, VECOUT, VECCALC };
enum class Hardware : int { GM, UB, L1, L0A, L0B, L0C };
constexpr int PIPE_S = emulate::S, PIPE_V = emulate::V, PIPE_M = emulate::M, PIPE_MTE1 = emulate::MTE1,
              PIPE_MTE2 = emulate::MTE2, PIPE_MTE3 = emulate::MTE3, PIPE_FIX = emulate::FIX, PIPE_ALL = 100;

constexpr int event(int from, int to) { return from * emulate::PIPES + to; }
enum class HardEvent : int {
  MTE2_V = event(PIPE_MTE2, PIPE_V),
  V_MTE2 = event(PIPE_V, PIPE_MTE2),
  V_MTE3 = event(PIPE_V, PIPE_MTE3),
  MTE3_V = event(PIPE_MTE3, PIPE_V),
  V_S = event(PIPE_V, PIPE_S),
  S_V = event(PIPE_S, PIPE_V),
  MTE2_MTE1 = event(PIPE_MTE2, PIPE_MTE1),
  MTE1_MTE2 = event(PIPE_MTE1, PIPE_MTE2),
  MTE1_M = event(PIPE_MTE1, PIPE_M),
  M_MTE1 = event(PIPE_M, PIPE_MTE1),
  M_FIX = event(PIPE_M, PIPE_FIX),
  FIX_M = event(PIPE_FIX, PIPE_M),
  MTE3_MTE2 = event(PIPE_MTE3, PIPE_MTE2),
  MTE2_MTE3 = event(PIPE_MTE2, PIPE_MTE3),
  MTE2_S = event(PIPE_MTE2, PIPE_S),
  S_MTE2 = event(PIPE_S, PIPE_MTE2),
  S_MTE3 = event(PIPE_S, PIPE_MTE3),
  MTE3_S = event(PIPE_MTE3, PIPE_S),
};

template <HardEvent E>
void SetFlag(int id) {
  core().set(int(E) / emulate::PIPES, int(E) % emulate::PIPES, id);
}
template <HardEvent E>
void WaitFlag(int id) {
  core().wait_flag(int(E) / emulate::PIPES, int(E) % emulate::PIPES, id);
}
template <int pipe>
void PipeBarrier() {
  if (pipe == PIPE_ALL) return core().barrier_all();
  core().barrier(pipe);
}
template <int mode, int pipe>
void CrossCoreSetFlag(int id) {
  emulate::cross_set(pipe, mode, id);
}
inline void CrossCoreWaitFlag(int id) { emulate::cross_wait(id); }
inline int64_t GetBlockNum() { return core().blocks; }
inline int64_t GetSubBlockIdx() { return core().sub; }
// Of vector cores beside a cube: block * 2 + sub.
inline int64_t GetBlockIdx() {
  bool mixed = core().kind == emulate::Kind::Vector && emulate::block->cores.size() > 1;
  return mixed ? core().block * 2 + core().sub : core().block;
}

// A piece of an on-chip memory.
template <typename T>
struct LocalTensor {
  T *data = nullptr;
  int64_t size = 0;
  int memory = emulate::UB;
  int buffer = -1;

  LocalTensor operator[](int64_t offset) const {
    if (offset < 0 || offset > size) fail("LocalTensor: offset %lld of %lld", (long long)offset, (long long)size);
    LocalTensor part = *this;
    part.data += offset;
    part.size -= offset;
    return part;
  }
  Range range(int64_t from, int64_t to, bool write, const char *argument) const {
    if (from < 0 || to > size)
      fail("`%s`: elements %lld to %lld of a tensor of %lld", argument, (long long)from, (long long)to, (long long)size);
    auto at = reinterpret_cast<uintptr_t>(data);
    return {memory, at + from * sizeof(T), at + to * sizeof(T), write, argument};
  }
  // The range of `n` elements from an aligned start.
  Range aligned(int64_t n, bool write, const char *argument, size_t multiple = 0) const {
    if (multiple == 0) multiple = emulate::starts_at(memory);
    auto offset = reinterpret_cast<uintptr_t>(data) - reinterpret_cast<uintptr_t>(core().base(memory));
    if (offset % multiple != 0)
      fail("`%s`: starts at byte %zu of %s; wanted a multiple of %zu", argument, size_t(offset),
           emulate::memory_name(memory), multiple);
    return range(0, n, write, argument);
  }
  T GetValue(int64_t i) const {
    T value{};
    T *at = data + i;
    core().issue(emulate::S, "GetValue", {range(i, i + 1, false, "tensor")}, [&] { value = *at; });
    return value;
  }
  void SetValue(int64_t i, T value) const {
    T *at = data + i;
    core().issue(emulate::S, "SetValue", {range(i, i + 1, true, "tensor")}, [=] { *at = value; });
  }
  int64_t GetSize() const { return size; }
  template <typename U>
  LocalTensor<U> ReinterpretCast() const {
    LocalTensor<U> other;
    other.data = reinterpret_cast<U *>(data);
    other.size = size * int64_t(sizeof(T)) / int64_t(sizeof(U));
    other.memory = memory;
    other.buffer = buffer;
    return other;
  }
};

// An array in global memory.
template <typename T>
struct GlobalTensor {
  T *data = nullptr;
  int64_t size = 0;

  void SetGlobalBuffer(T *pointer, int64_t elements) {
    data = pointer;
    size = elements;
  }
  GlobalTensor operator[](int64_t offset) const {
    if (offset < 0 || offset > size) fail("GlobalTensor: offset %lld of %lld", (long long)offset, (long long)size);
    GlobalTensor part = *this;
    part.data += offset;
    part.size -= offset;
    return part;
  }
  Range range(int64_t from, int64_t to, bool write, const char *argument) const {
    if (from < 0 || to > size)
      fail("`%s`: elements %lld to %lld of an array with %lld left", argument, (long long)from, (long long)to,
           (long long)size);
    auto at = reinterpret_cast<uintptr_t>(data);
    return {emulate::GM, at + from * sizeof(T), at + to * sizeof(T), write, argument};
  }
  T GetValue(int64_t i) const {
    T value{};
    T *at = data + i;
    core().issue(emulate::S, "GetValue", {range(i, i + 1, false, "array")}, [&] { value = *at; });
    return value;
  }
  void SetValue(int64_t i, T value) const {
    T *at = data + i;
    core().issue(emulate::S, "SetValue", {range(i, i + 1, true, "array")}, [=] { *at = value; });
  }
};

// Which memory a position is in, and the pipes that fill and use its buffers.
struct Place {
  int memory, producer, consumer;
};
constexpr Place place(TPosition position) {
  switch (position) {
    case TPosition::A1:
    case TPosition::B1: return {emulate::L1, PIPE_MTE2, PIPE_MTE1};
    case TPosition::A2: return {emulate::L0A, PIPE_MTE1, PIPE_M};
    case TPosition::B2: return {emulate::L0B, PIPE_MTE1, PIPE_M};
    case TPosition::CO1: return {emulate::L0C, PIPE_M, PIPE_FIX};
    case TPosition::VECOUT: return {emulate::UB, PIPE_V, PIPE_MTE3};
    default: return {emulate::UB, PIPE_MTE2, PIPE_V};
  }
}

template <TPosition position, int depth>
struct TQue {
  struct Buffer {
    uint8_t *data;
    bool taken = false;
    Clock free;
  };
  std::vector<Buffer> buffers;
  std::deque<std::pair<int, Clock>> ready;
  size_t bytes = 0, next = 0;

  template <typename T>
  LocalTensor<T> AllocTensor() {
    if (buffers.empty()) fail("AllocTensor: the queue has no buffers");
    Buffer &buffer = buffers[next];
    if (buffer.taken) fail("AllocTensor: all %zu buffers are in use", buffers.size());
    if (++core().tensors[int(position)] > 8) fail("AllocTensor: more than 8 tensors of position %d", int(position));
    buffer.taken = true;
    core().wait(place(position).producer, buffer.free);
    LocalTensor<T> tensor;
    tensor.data = reinterpret_cast<T *>(buffer.data);
    tensor.size = bytes / sizeof(T);
    tensor.memory = place(position).memory;
    tensor.buffer = int(next);
    next = (next + 1) % buffers.size();
    return tensor;
  }
  template <typename T>
  void EnQue(const LocalTensor<T> &tensor) {
    if (ready.size() >= size_t(depth)) fail("EnQue: %d tensors are queued already", depth);
    ready.push_back({tensor.buffer, core().now(place(position).producer)});
  }
  template <typename T>
  LocalTensor<T> DeQue() {
    if (ready.empty()) fail("DeQue: the queue is empty");
    auto [at, clock] = ready.front();
    ready.pop_front();
    core().wait(place(position).consumer, clock);
    LocalTensor<T> tensor;
    tensor.data = reinterpret_cast<T *>(buffers[at].data);
    tensor.size = bytes / sizeof(T);
    tensor.memory = place(position).memory;
    tensor.buffer = at;
    return tensor;
  }
  template <typename T>
  void FreeTensor(const LocalTensor<T> &tensor) {
    Buffer &buffer = buffers[tensor.buffer];
    if (!buffer.taken) fail("FreeTensor: the tensor is free");
    buffer.taken = false;
    buffer.free = core().now(place(position).consumer);
    core().tensors[int(position)]--;
  }
};

template <TPosition position>
struct TBuf {
  LocalTensor<uint8_t> all;
  template <typename T>
  LocalTensor<T> Get() {
    return all.template ReinterpretCast<T>();
  }
};

struct TPipe {
  static size_t padded(size_t bytes) {
    if (++core().buffers > 64) fail("InitBuffer: more than 64 buffers");
    return (bytes + 31) / 32 * 32;
  }
  template <TPosition position, int depth>
  void InitBuffer(TQue<position, depth> &queue, int count, size_t bytes) {
    if (count < 1) fail("InitBuffer: %d buffers", count);
    queue.bytes = (bytes + 31) / 32 * 32;
    for (int i = 0; i < count; i++) {
      size_t size = padded(bytes);
      queue.buffers.push_back({core().take(place(position).memory, size, "queue"), false, {}});
    }
  }
  template <TPosition position>
  void InitBuffer(TBuf<position> &buffer, size_t bytes) {
    size_t size = padded(bytes);
    buffer.all.memory = place(position).memory;
    buffer.all.data = core().take(buffer.all.memory, size, "buffer");
    buffer.all.size = int64_t(size);
  }
};

template <Hardware hardware>
struct LocalMemAllocator {
  template <typename T>
  LocalTensor<T> Alloc(int64_t elements) {
    LocalTensor<T> tensor;
    tensor.memory = int(hardware);
    tensor.data = reinterpret_cast<T *>(core().take(int(hardware), elements * sizeof(T), "tensor"));
    tensor.size = elements;
    return tensor;
  }
};

struct DataCopyExtParams {
  uint16_t blockCount;
  uint32_t blockLen, srcStride, dstStride, rsv;
  void check() const {
    if (blockCount == 0 || blockCount > 4095) fail("DataCopyPad: `blockCount` is %u; wanted 1 to 4095", blockCount);
    if (blockLen == 0 || blockLen > 2097151) fail("DataCopyPad: `blockLen` is %u; wanted 1 to 2097151", blockLen);
  }
};
template <typename T>
struct DataCopyPadExtParams {
  bool isPad;
  uint8_t leftPadding, rightPadding;
  T paddingValue;
};

inline size_t in_blocks(size_t bytes) { return (bytes + 31) / 32 * 32; }

// Rows of global memory to the chip, each to a multiple of 32 bytes.
template <typename T>
void DataCopyPad(const LocalTensor<T> &dst, const GlobalTensor<T> &src, const DataCopyExtParams &p,
                 const DataCopyPadExtParams<T> &pad) {
  p.check();
  if (pad.leftPadding * sizeof(T) > 32 || pad.rightPadding * sizeof(T) > 32)
    fail("DataCopyPad: padding of %u and %u elements; wanted 32 bytes at most", pad.leftPadding, pad.rightPadding);
  size_t side = pad.isPad ? (pad.leftPadding + pad.rightPadding) * sizeof(T) : 0;
  size_t held = in_blocks(p.blockLen + side), pitch = held + size_t(p.dstStride) * 32;
  size_t from = p.blockLen + p.srcStride;
  std::vector<Range> ranges = {dst.aligned(0, false, "dst")};
  for (size_t i = 0; i < p.blockCount; i++) {
    ranges.push_back(dst.range(int64_t(i * pitch / sizeof(T)), int64_t((i * pitch + held) / sizeof(T)), true, "dst"));
    ranges.push_back(
        src.range(int64_t(i * from / sizeof(T)), int64_t((i * from + p.blockLen) / sizeof(T)), false, "src"));
  }
  core().issue(emulate::MTE2, "DataCopyPad", ranges, [=] {
    for (size_t i = 0; i < p.blockCount; i++) {
      auto *to = reinterpret_cast<uint8_t *>(dst.data) + i * pitch;
      auto *of = reinterpret_cast<const uint8_t *>(src.data) + i * from;
      std::memset(to, 0xFF, held);
      T *element = reinterpret_cast<T *>(to);
      if (pad.isPad) {
        for (int l = 0; l < pad.leftPadding; l++) *element++ = pad.paddingValue;
      }
      std::memcpy(element, of, p.blockLen);
      element += p.blockLen / sizeof(T);
      if (pad.isPad) {
        for (int r = 0; r < pad.rightPadding; r++) *element++ = pad.paddingValue;
      }
    }
  });
}

// Rows of the chip to global memory.
template <typename T>
void DataCopyPad(const GlobalTensor<T> &dst, const LocalTensor<T> &src, const DataCopyExtParams &p) {
  p.check();
  size_t pitch = in_blocks(p.blockLen) + size_t(p.srcStride) * 32, to = p.blockLen + p.dstStride;
  std::vector<Range> ranges = {src.aligned(0, false, "src")};
  for (size_t i = 0; i < p.blockCount; i++) {
    ranges.push_back(
        src.range(int64_t(i * pitch / sizeof(T)), int64_t((i * pitch + p.blockLen) / sizeof(T)), false, "src"));
    ranges.push_back(dst.range(int64_t(i * to / sizeof(T)), int64_t((i * to + p.blockLen) / sizeof(T)), true, "dst"));
  }
  core().issue(emulate::MTE3, "DataCopyPad", ranges, [=] {
    for (size_t i = 0; i < p.blockCount; i++)
      std::memcpy(reinterpret_cast<uint8_t *>(dst.data) + i * to,
                  reinterpret_cast<const uint8_t *>(src.data) + i * pitch, p.blockLen);
  });
}

// Plain copies of whole 32-byte blocks.
template <typename T>
void DataCopy(const LocalTensor<T> &dst, const GlobalTensor<T> &src, uint32_t n) {
  if (n * sizeof(T) % 32) fail("DataCopy: %u elements; wanted a multiple of 32 bytes", n);
  core().issue(emulate::MTE2, "DataCopy", {dst.aligned(n, true, "dst"), src.range(0, n, false, "src")},
               [=] { std::memcpy(dst.data, src.data, n * sizeof(T)); });
}
template <typename T>
void DataCopy(const GlobalTensor<T> &dst, const LocalTensor<T> &src, uint32_t n) {
  if (n * sizeof(T) % 32) fail("DataCopy: %u elements; wanted a multiple of 32 bytes", n);
  core().issue(emulate::MTE3, "DataCopy", {src.aligned(n, false, "src"), dst.range(0, n, true, "dst")},
               [=] { std::memcpy(dst.data, src.data, n * sizeof(T)); });
}

}  // namespace AscendC
