// Sums that come out the same in whatever order they are taken: 64-bit fixed point for what many samples add to (grid
// nodes, knots), trees of fixed shape for the rest. Floating-point atomics would give other bits every run.
#pragma once
#include "cuda/device.h"

namespace implicam::device {

// A gradient as an integer: units of 2^⌊log2(scale)⌋ − 36, scale = 4/(N·F·3) being the weight of one squared error. So a
// contribution of the size of one error's is exact to 2⁻³⁷ of itself and the sum may reach 2²⁷ of them.
constexpr int FIXED_BITS = 36;
// Contributions beyond this leave the range of a sum: the step is given up rather than wrapped.
constexpr float FIXED_LIMIT = 0x1p57f;

struct Fixed {
  float to, from;    // of one unit
  int32_t* trouble;  // set where a contribution is not finite or beyond the limit

  IC_DEVICE bool add(int64_t* at, float x) const {
    float scaled = x * to;
    if (!(fabsf(scaled) < FIXED_LIMIT)) {
      *trouble = 1;
      return false;
    }
    int64_t whole = toInteger(scaled);
    if (whole) atomicSum(at, whole);
    return whole != 0;
  }
  IC_DEVICE float read(int64_t sum) const { return (float)((double)sum * (double)from); }
};

// `N` sums of one thread, and the memory in which a block adds them up.
template <int N>
struct Sums {
  float x[N];
};
template <int N, int THREADS>
struct Tally {
  float at[N][THREADS];

  // Phases: every thread's sums to `out[0 … N)`, by halving.
  template <class B>
  IC_DEVICE void take(B& block, PerThread<Sums<N>, THREADS>& sums, float* out) {
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < N; k++) at[k][t] = sums[t].x[k];
    });
    for (int half = THREADS / 2; half > 0; half /= 2)
      block.each([&](int t) {
        if (t >= half) return;
        IC_PRAGMA_UNROLL
        for (int k = 0; k < N; k++) at[k][t] += at[k][t + half];
      });
    block.each([&](int t) {
      if (t < N) out[t] = at[t][0];
    });
  }
};

// out[group][value] += Σ over tiles of slots[group][tile][value], in order of tiles. T: float or double.
template <class T>
struct SumSlots {
  const float* slots;
  T* out;
  int tiles, values, stride;  // values a slot, and of `out` a group

  IC_DEVICE void item(int64_t i) const {
    int64_t group = i / values;
    int value = (int)(i % values);
    const float* s = slots + group * tiles * values + value;
    T sum = 0;
    for (int tile = 0; tile < tiles; tile++) sum += (T)s[(int64_t)tile * values];
    out[group * stride + value] += sum;
  }
};

}  // namespace implicam::device
