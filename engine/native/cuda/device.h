// What a kernel may use of its machine. The same kernel source is compiled twice: by nvcc for graphics processors, and
// by the C++ compiler for the processor (IMPLICAM_EMULATE), where blocks and threads are loops: so the logic of every
// kernel is tested without a device.
//
// A kernel is a struct with its arguments as members. There are two kinds:
//  · items: `void item(int64_t i) const` for every i of a range, in any order, none seeing another's work;
//  · blocks: `void run(Block&, Shared&) const`, a sequence of phases `block.each([&](int t) { … })`. Threads of a phase run
//    in any order; a phase begins when the one before has ended in every thread. What a thread keeps from phase to phase
//    lives in PerThread, what threads share in Shared.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__CUDACC__) && !defined(IMPLICAM_EMULATE)
#define IC_CUDA 1
#include <cuda_runtime.h>
#define IC_DEVICE __device__ __forceinline__
#define IC_BOTH __host__ __device__ __forceinline__
#define IC_PRAGMA_UNROLL _Pragma("unroll")
#define IC_PRAGMA_UNROLL_4 _Pragma("unroll 4")
#define IC_PRAGMA_UNROLL_2 _Pragma("unroll 2")
#else
#define IC_CUDA 0
#define IC_DEVICE inline
#define IC_BOTH inline
#define IC_PRAGMA_UNROLL _Pragma("GCC unroll 32")
#define IC_PRAGMA_UNROLL_4 _Pragma("GCC unroll 4")
#define IC_PRAGMA_UNROLL_2 _Pragma("GCC unroll 2")
#endif

namespace implicam::device {

#if IC_CUDA

template <int THREADS>
struct Block {
  int64_t index;
  template <class F>
  IC_DEVICE void each(F f) {
    f((int)threadIdx.x);
    __syncthreads();
  }
};

template <class T, int THREADS>
struct PerThread {
  T own;
  IC_DEVICE T& operator[](int) { return own; }
};

template <class K>
__global__ void __launch_bounds__(K::THREADS) enterBlocks(const K kernel) {
  __shared__ typename K::Shared shared;
  Block<K::THREADS> block{(int64_t)blockIdx.x};
  kernel.run(block, shared);
}

constexpr int ITEM_THREADS = 256;

template <class K>
__global__ void __launch_bounds__(ITEM_THREADS) enterItems(const K kernel, int64_t count) {
  int64_t i = (int64_t)blockIdx.x * ITEM_THREADS + threadIdx.x;
  if (i < count) kernel.item(i);
}

IC_DEVICE int64_t toInteger(float x) { return __float2ll_rn(x); }
// Sine and cosine of a turn, 0 to 1: without the reduction of large angles, which wants local memory.
IC_DEVICE void turned(float turn, float& sine, float& cosine) { sincospif(2 * turn, &sine, &cosine); }
IC_DEVICE void atomicSum(int64_t* at, int64_t x) { atomicAdd((unsigned long long*)at, (unsigned long long)x); }
// What was there before one more.
IC_DEVICE int64_t atomicTake(int64_t* at) { return (int64_t)atomicAdd((unsigned long long*)at, 1ull); }

#else

// The order in which the emulation runs blocks and threads. Results must not depend on it; tests run all of them.
enum class Order { forward, reverse, shuffled };

// The i-th of n in that order. The step is a prime larger than any count here is a multiple of.
inline int64_t ordered(Order order, int64_t i, int64_t n) {
  if (order == Order::forward) return i;
  if (order == Order::reverse) return n - 1 - i;
  return n % 1000003 == 0 ? n - 1 - i : (int64_t)(((unsigned __int128)i * 1000003u + 12345u) % (uint64_t)n);
}

template <int THREADS>
struct Block {
  int64_t index;
  Order order;
  template <class F>
  void each(F f) {
    for (int t = 0; t < THREADS; t++) f((int)ordered(order, t, THREADS));
  }
};

template <class T, int THREADS>
struct PerThread {
  T own[THREADS];
  T& operator[](int t) { return own[t]; }
};

inline int64_t toInteger(float x) { return (int64_t)llrintf(x); }
inline void turned(float turn, float& sine, float& cosine) {
  sine = sinf(6.28318530717958648f * turn);
  cosine = cosf(6.28318530717958648f * turn);
}
inline void atomicSum(int64_t* at, int64_t x) { *at = (int64_t)((uint64_t)*at + (uint64_t)x); }
inline int64_t atomicTake(int64_t* at) { return (*at)++; }

#endif

IC_DEVICE float lesser(float a, float b) { return a < b ? a : b; }
IC_DEVICE float greater(float a, float b) { return a > b ? a : b; }
IC_DEVICE float clampTo(float x, float low, float high) { return lesser(greater(x, low), high); }
IC_DEVICE int clampTo(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

}  // namespace implicam::device
