// Stands in for HIP's own header, so that clang alone compiles the text: for a device without ROCm's library, and for this
// machine, where each lane of a block is a thread. The device's functions are approximations: what they compile to counts.

#ifdef __AMDGCN__

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
// As amd_hip_runtime.h has it; the attribute of that name says nothing to the AMDGPU back end.
#define __launch_bounds__(n) __attribute__((amdgpu_flat_work_group_size(1, n)))
struct Place {
    unsigned x;
};
#define threadIdx (Place{(unsigned)__builtin_amdgcn_workitem_id_x()})
#define blockIdx (Place{(unsigned)__builtin_amdgcn_workgroup_id_x()})
static __device__ inline void __syncthreads() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
static __device__ inline float tanh(float x) { return 1.0f - 2.0f / (__builtin_expf(2.0f * x) + 1.0f); }
static __device__ inline float erf(float x) { return tanh(1.1283792f * x + 0.1009f * x * x * x); }

#else

#include <pthread.h>
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(n)
struct Place {
    unsigned x;
};
static thread_local Place threadIdx, blockIdx;
static pthread_barrier_t meeting;
static inline void __syncthreads() { pthread_barrier_wait(&meeting); }
static inline float tanh(float x) { return __builtin_tanhf(x); }
static inline float erf(float x) { return __builtin_erff(x); }

#endif

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
static __device__ inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
static __device__ inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
static __device__ inline int min(int a, int b) { return a < b ? a : b; }
static __device__ inline int max(int a, int b) { return a > b ? a : b; }
static __device__ inline long long min(long long a, long long b) { return a < b ? a : b; }
static __device__ inline long long max(long long a, long long b) { return a > b ? a : b; }
static __device__ inline float fabs(float x) { return __builtin_fabsf(x); }
static __device__ inline float exp(float x) { return __builtin_expf(x); }
static __device__ inline float log(float x) { return __builtin_logf(x); }
static __device__ inline float sqrt(float x) { return __builtin_sqrtf(x); }
static __device__ inline float sin(float x) { return __builtin_sinf(x); }
static __device__ inline float cos(float x) { return __builtin_cosf(x); }
static __device__ inline float floor(float x) { return __builtin_floorf(x); }
static __device__ inline float ceil(float x) { return __builtin_ceilf(x); }
static __device__ inline float rint(float x) { return __builtin_rintf(x); }
static __device__ inline float fmod(float a, float b) { return __builtin_fmodf(a, b); }
static __device__ inline float pow(float a, float b) { return __builtin_exp2f(b * __builtin_log2f(a)); }
static __device__ inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
