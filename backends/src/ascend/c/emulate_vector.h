// Emulation: functions of the vector unit, in the type of their elements.
#pragma once

namespace AscendC {

enum class RoundMode : int { CAST_NONE, CAST_RINT, CAST_FLOOR, CAST_CEIL, CAST_ROUND, CAST_TRUNC, CAST_ODD };
enum class CMPMODE : int { LT, GT, EQ, LE, GE, NE };
enum class SELMODE : int { VSEL_CMPMASK_SPR, VSEL_TENSOR_SCALAR_MODE, VSEL_TENSOR_TENSOR_MODE };

template <typename T>
void each(const char *what, const LocalTensor<T> &dst, std::vector<LocalTensor<T>> from, int64_t n,
          std::function<T(int64_t)> element) {
  if (n <= 0) fail("%s: `n` is %lld", what, (long long)n);
  std::vector<Range> ranges;
  for (auto &x : from) ranges.push_back(x.aligned(n, false, "src"));
  ranges.push_back(dst.aligned(n, true, "dst"));
  core().issue(emulate::V, what, ranges, [=] {
    for (int64_t i = 0; i < n; i++) dst.data[i] = element(i);
  });
}

// Arithmetic of 16-bit numbers is rounded after each operation.
#define BINARY(NAME, EXPRESSION)                                                                            \
  template <typename T>                                                                                     \
  void NAME(const LocalTensor<T> &dst, const LocalTensor<T> &x, const LocalTensor<T> &y, int64_t n) {       \
    each<T>(#NAME, dst, {x, y}, n, [=](int64_t i) {                                                         \
      float a = float(x.data[i]), b = float(y.data[i]);                                                     \
      return T(EXPRESSION);                                                                                 \
    });                                                                                                     \
  }
BINARY(Add, a + b)
BINARY(Sub, a - b)
BINARY(Mul, a *b)
BINARY(Div, a / b)
BINARY(Max, a > b || a != a ? a : b)
BINARY(Min, a < b || a != a ? a : b)
#undef BINARY

#define SCALAR(NAME, EXPRESSION)                                                                            \
  template <typename T>                                                                                     \
  void NAME(const LocalTensor<T> &dst, const LocalTensor<T> &x, T scalar, int64_t n) {                      \
    each<T>(#NAME, dst, {x}, n, [=](int64_t i) {                                                            \
      float a = float(x.data[i]), b = float(scalar);                                                        \
      return T(EXPRESSION);                                                                                 \
    });                                                                                                     \
  }
SCALAR(Adds, a + b)
SCALAR(Muls, a *b)
SCALAR(Maxs, a > b || a != a ? a : b)
SCALAR(Mins, a < b || a != a ? a : b)
#undef SCALAR

// `dst += scalar * x`
template <typename T>
void Axpy(const LocalTensor<T> &dst, const LocalTensor<T> &x, T scalar, int64_t n) {
  each<T>("Axpy", dst, {x, dst}, n, [=](int64_t i) { return T(float(dst.data[i]) + float(scalar) * float(x.data[i])); });
}

#define UNARY(NAME, EXPRESSION)                                                                             \
  template <typename T>                                                                                     \
  void NAME(const LocalTensor<T> &dst, const LocalTensor<T> &x, int64_t n) {                                \
    each<T>(#NAME, dst, {x}, n, [=](int64_t i) {                                                            \
      float a = float(x.data[i]);                                                                           \
      return T(EXPRESSION);                                                                                 \
    });                                                                                                     \
  }
UNARY(Exp, std::exp(a))
UNARY(Ln, std::log(a))
UNARY(Sqrt, std::sqrt(a))
UNARY(Rsqrt, 1 / std::sqrt(a))
UNARY(Reciprocal, 1 / a)
UNARY(Abs, std::fabs(a))
UNARY(Relu, a > 0 ? a : 0)
#undef UNARY

template <typename T>
void Duplicate(const LocalTensor<T> &dst, T scalar, int64_t n) {
  each<T>("Duplicate", dst, {}, n, [=](int64_t) { return scalar; });
}
template <typename T>
void CreateVecIndex(const LocalTensor<T> &dst, T first, int64_t n) {
  each<T>("CreateVecIndex", dst, {}, n, [=](int64_t i) { return T(float(first) + float(i)); });
}

// To another element type; `CAST_RINT` rounds to nearest even, as conversions of a CPU do.
template <typename To, typename From>
void Cast(const LocalTensor<To> &dst, const LocalTensor<From> &src, RoundMode mode, uint32_t n) {
  if (n == 0) fail("Cast: `n` is 0");
  bool narrows = sizeof(To) < sizeof(From) || sizeof(From) == 8;
  if (narrows == (mode == RoundMode::CAST_NONE)) fail("Cast: CAST_NONE is for types that hold every value");
  if (mode != RoundMode::CAST_NONE && mode != RoundMode::CAST_RINT) fail("Cast: round mode %d", int(mode));
  core().issue(emulate::V, "Cast", {src.aligned(n, false, "src"), dst.aligned(n, true, "dst")}, [=] {
    for (uint32_t i = 0; i < n; i++) dst.data[i] = To(float(src.data[i]));
  });
}

// The fold of `n` elements to the first of `dst`; `tmp` is overwritten.
template <typename T>
void fold(const char *what, const LocalTensor<T> &dst, const LocalTensor<T> &src, const LocalTensor<T> &tmp,
          int64_t n, std::function<T(T, T)> f) {
  if (n <= 0) fail("%s: `n` is %lld", what, (long long)n);
  std::vector<Range> ranges = {src.aligned(n, false, "src"), tmp.aligned(n, true, "tmp"), dst.aligned(1, true, "dst")};
  core().issue(emulate::V, what, ranges, [=] {
    std::vector<T> all(src.data, src.data + n);
    std::memset(static_cast<void *>(tmp.data), 0xFF, n * sizeof(T));
    // Halves are folded onto each other.
    for (size_t m = all.size(); m > 1; m = (m + 1) / 2)
      for (size_t i = 0; i < m / 2; i++) all[i] = f(all[i], all[m - 1 - i]);
    dst.data[0] = all[0];
  });
}
template <typename T>
void ReduceSum(const LocalTensor<T> &dst, const LocalTensor<T> &src, const LocalTensor<T> &tmp, int64_t n) {
  fold<T>("ReduceSum", dst, src, tmp, n, [](T a, T b) { return T(a + b); });
}
template <typename T>
void ReduceMax(const LocalTensor<T> &dst, const LocalTensor<T> &src, const LocalTensor<T> &tmp, int64_t n) {
  fold<T>("ReduceMax", dst, src, tmp, n, [](T a, T b) { return a > b || a != a ? a : b; });
}
template <typename T>
void ReduceMin(const LocalTensor<T> &dst, const LocalTensor<T> &src, const LocalTensor<T> &tmp, int64_t n) {
  fold<T>("ReduceMin", dst, src, tmp, n, [](T a, T b) { return a < b || a != a ? a : b; });
}

template <typename T>
bool holds(CMPMODE mode, T a, T b) {
  switch (mode) {
    case CMPMODE::LT: return a < b;
    case CMPMODE::GT: return a > b;
    case CMPMODE::EQ: return a == b;
    case CMPMODE::LE: return a <= b;
    case CMPMODE::GE: return a >= b;
    case CMPMODE::NE: return a != b;
  }
  fail("Compare: mode %d", int(mode));
}
// One bit for each element, from whole repeats of 256 bytes.
template <typename T>
void compare(const char *what, const LocalTensor<uint8_t> &dst, std::vector<LocalTensor<T>> from, uint32_t n,
             std::function<bool(uint32_t)> test) {
  if (n == 0 || n * sizeof(T) % 256) fail("%s: %u elements; wanted a multiple of 256 bytes", what, n);
  std::vector<Range> ranges;
  for (auto &x : from) ranges.push_back(x.aligned(n, false, "src"));
  ranges.push_back(dst.aligned(n / 8, true, "dst"));
  core().issue(emulate::V, what, ranges, [=] {
    for (uint32_t i = 0; i < n; i++) {
      uint8_t bit = uint8_t(1 << i % 8);
      dst.data[i / 8] = test(i) ? dst.data[i / 8] | bit : dst.data[i / 8] & ~bit;
    }
  });
}
template <typename T>
void Compare(const LocalTensor<uint8_t> &dst, const LocalTensor<T> &a, const LocalTensor<T> &b, CMPMODE mode,
             uint32_t n) {
  compare<T>("Compare", dst, {a, b}, n, [=](uint32_t i) { return holds(mode, a.data[i], b.data[i]); });
}
template <typename T>
void CompareScalar(const LocalTensor<uint8_t> &dst, const LocalTensor<T> &a, T b, CMPMODE mode, uint32_t n) {
  compare<T>("CompareScalar", dst, {a}, n, [=](uint32_t i) { return holds(mode, a.data[i], b); });
}
template <typename T>
void select(const LocalTensor<T> &dst, const LocalTensor<uint8_t> &bits, std::vector<LocalTensor<T>> from, uint32_t n,
            std::function<T(uint32_t, bool)> pick) {
  std::vector<Range> ranges = {bits.aligned((n + 7) / 8, false, "bits"), dst.aligned(n, true, "dst")};
  for (auto &x : from) ranges.push_back(x.aligned(n, false, "src"));
  core().issue(emulate::V, "Select", ranges, [=] {
    for (uint32_t i = 0; i < n; i++) dst.data[i] = pick(i, bits.data[i / 8] >> i % 8 & 1);
  });
}
template <typename T>
void Select(const LocalTensor<T> &dst, const LocalTensor<uint8_t> &bits, const LocalTensor<T> &a,
            const LocalTensor<T> &b, SELMODE mode, uint32_t n) {
  if (mode != SELMODE::VSEL_TENSOR_TENSOR_MODE) fail("Select: mode %d of two tensors", int(mode));
  select<T>(dst, bits, {a, b}, n, [=](uint32_t i, bool bit) { return bit ? a.data[i] : b.data[i]; });
}
template <typename T>
void Select(const LocalTensor<T> &dst, const LocalTensor<uint8_t> &bits, const LocalTensor<T> &a, T b, SELMODE mode,
            uint32_t n) {
  if (mode != SELMODE::VSEL_TENSOR_SCALAR_MODE) fail("Select: mode %d of a tensor and a number", int(mode));
  select<T>(dst, bits, {a}, n, [=](uint32_t i, bool bit) { return bit ? a.data[i] : b; });
}

}  // namespace AscendC
