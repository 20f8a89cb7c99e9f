// Emulation: the matrix unit, with its layouts by their formulas.
#pragma once

namespace AscendC {

// Elements of a row of a fractal: 32 bytes.
template <typename T>
constexpr int64_t C0 = 32 / int64_t(sizeof(T));

struct Nd2NzParams {
  uint16_t ndNum, nValue, dValue, srcNdMatrixStride, srcDValue, dstNzC0Stride, dstNzNStride, dstNzMatrixStride;
};
// Rows of global memory to columns of 32 bytes, the last of them filled up with zeros.
template <typename T>
void DataCopy(const LocalTensor<T> &dst, const GlobalTensor<T> &src, const Nd2NzParams &p) {
  if (dst.memory != emulate::L1) fail("DataCopy: `dst` of rows to fractals is in L1");
  if (p.ndNum != 1 || p.nValue == 0 || p.dValue == 0)
    fail("DataCopy: %u matrices of %u x %u", p.ndNum, p.nValue, p.dValue);
  int64_t c0 = C0<T>, columns = (p.dValue + c0 - 1) / c0;
  std::vector<Range> ranges = {dst.aligned(0, false, "dst")};
  for (int64_t n = 0; n < p.nValue; n++) {
    ranges.push_back(src.range(n * p.srcDValue, n * p.srcDValue + p.dValue, false, "src"));
    for (int64_t d = 0; d < columns; d++) {
      int64_t at = (d * p.dstNzC0Stride + n * p.dstNzNStride) * c0;
      ranges.push_back(dst.range(at, at + c0, true, "dst"));
    }
  }
  core().issue(emulate::MTE2, "DataCopy", ranges, [=] {
    for (int64_t n = 0; n < p.nValue; n++)
      for (int64_t d = 0; d < columns * c0; d++) {
        T value = d < p.dValue ? src.data[n * p.srcDValue + d] : T(0.0f);
        dst.data[(d / c0 * p.dstNzC0Stride + n * p.dstNzNStride) * c0 + d % c0] = value;
      }
  });
}

struct LoadData2DParams {
  uint16_t startIndex;
  uint8_t repeatTimes;
  uint16_t srcStride;
  uint8_t sid;
  uint16_t dstGap;
  bool ifTranspose;
  uint8_t addrMode;
};
// Fractals of 512 bytes from L1 to an operand of the matrix unit.
template <typename T>
void LoadData(const LocalTensor<T> &dst, const LocalTensor<T> &src, const LoadData2DParams &p) {
  if (src.memory != emulate::L1 || (dst.memory != emulate::L0A && dst.memory != emulate::L0B))
    fail("LoadData: from %s to %s", emulate::memory_name(src.memory), emulate::memory_name(dst.memory));
  if (p.ifTranspose && sizeof(T) != 2) fail("LoadData: only 16-bit fractals are transposed");
  int64_t fractal = 512 / int64_t(sizeof(T)), step = 1 + p.dstGap;
  std::vector<Range> ranges = {dst.aligned(0, false, "dst"), src.aligned(0, false, "src")};
  for (int64_t i = 0; i < p.repeatTimes; i++) {
    int64_t from = (p.startIndex + i * p.srcStride) * fractal, to = i * step * fractal;
    ranges.push_back(src.range(from, from + fractal, false, "src"));
    ranges.push_back(dst.range(to, to + fractal, true, "dst"));
  }
  core().issue(emulate::MTE1, "LoadData", ranges, [=] {
    for (int64_t i = 0; i < p.repeatTimes; i++) {
      const T *from = src.data + (p.startIndex + i * p.srcStride) * fractal;
      T *to = dst.data + i * step * fractal;
      for (int64_t x = 0; x < fractal; x++) {
        int64_t at = p.ifTranspose ? x % 16 * 16 + x / 16 : x;
        to[x] = from[at];
      }
    }
  });
}

struct MmadParams {
  uint16_t m, n, k;
  uint8_t unitFlag;
  bool cmatrixSource, cmatrixInitVal;
};
// Whole fractals: `m` and `n` count up to 16, `k` up to 32 bytes. Sums are f32.
template <typename T>
void Mmad(const LocalTensor<float> &dst, const LocalTensor<T> &a, const LocalTensor<T> &b, const MmadParams &p) {
  if (dst.memory != emulate::L0C || a.memory != emulate::L0A || b.memory != emulate::L0B)
    fail("Mmad: operands in %s, %s, %s", emulate::memory_name(dst.memory), emulate::memory_name(a.memory),
         emulate::memory_name(b.memory));
  if (p.m == 0 || p.n == 0 || p.k == 0 || p.m > 4095 || p.n > 4095 || p.k > 4095)
    fail("Mmad: %u x %u x %u; wanted sides of 1 to 4095", p.m, p.n, p.k);
  if (p.unitFlag != 0 || p.cmatrixSource) fail("Mmad: unit flags and bias tables are not emulated");
  auto up = [](int64_t x, int64_t to) { return (x + to - 1) / to * to; };
  int64_t k0 = C0<T>, m = up(p.m, 16), n = up(p.n, 16), k = up(p.k, k0);
  std::vector<Range> ranges = {a.aligned(m * k, false, "a"), b.aligned(k * n, false, "b"),
                               dst.aligned(m * n, true, "dst")};
  core().issue(emulate::M, "Mmad", ranges, [=] {
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        float &sum = dst.data[j / 16 * m * 16 + i * 16 + j % 16];
        float acc = p.cmatrixInitVal ? 0.0f : sum;
        for (int64_t x = 0; x < k; x++) {
          int64_t left = (i / 16 * (k / k0) + x / k0) * 16 * k0 + i % 16 * k0 + x % k0;
          int64_t right = (x / k0 * (n / 16) + j / 16) * 16 * k0 + j % 16 * k0 + x % k0;
          acc += float(a.data[left]) * float(b.data[right]);
        }
        sum = acc;
      }
  });
}

enum class QuantMode_t : int { NoQuant, F322F16, F322BF16 };
struct FixpipeParamsV220 {
  uint16_t nSize, mSize, srcStride;
  uint32_t dstStride;
  bool reluEn;
  QuantMode_t quantPre;
  uint64_t deqScalar;
  uint16_t ndNum, srcNdStride, dstNdStride;
  uint8_t unitFlag;
};
// Sums to rows of global memory.
template <typename T>
void Fixpipe(const GlobalTensor<T> &dst, const LocalTensor<float> &src, const FixpipeParamsV220 &p) {
  if (src.memory != emulate::L0C) fail("Fixpipe: `src` is in %s", emulate::memory_name(src.memory));
  if (p.nSize == 0 || p.nSize % 16 || p.nSize > 4095) fail("Fixpipe: `nSize` is %u; wanted a multiple of 16", p.nSize);
  if (p.mSize == 0 || p.mSize > 8192 || p.srcStride % 16 || p.mSize > p.srcStride)
    fail("Fixpipe: %u rows of %u", p.mSize, p.srcStride);
  if (p.ndNum != 1 || p.unitFlag != 0) fail("Fixpipe: several matrices and unit flags are not emulated");
  bool wide = p.quantPre == QuantMode_t::NoQuant;
  if (wide != (sizeof(T) == 4)) fail("Fixpipe: `quantPre` %d to elements of %zu bytes", int(p.quantPre), sizeof(T));
  std::vector<Range> ranges = {src.aligned(int64_t(p.srcStride) * p.nSize, false, "src", 64)};
  for (int64_t i = 0; i < p.mSize; i++) ranges.push_back(dst.range(i * p.dstStride, i * p.dstStride + p.nSize, true, "dst"));
  core().issue(emulate::FIX, "Fixpipe", ranges, [=] {
    for (int64_t i = 0; i < p.mSize; i++)
      for (int64_t j = 0; j < p.nSize; j++) {
        float x = src.data[j / 16 * p.srcStride * 16 + i * 16 + j % 16];
        dst.data[i * p.dstStride + j] = T(p.reluEn && x < 0 ? 0.0f : x);
      }
  });
}

}  // namespace AscendC
