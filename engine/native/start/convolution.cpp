// Compiled once for each instruction set, with -DIMPLICAM_ISA=name -DIMPLICAM_VBYTES=bytes and without fused multiply-adds.
// No standard library here: a weak symbol compiled for a wide machine could be picked for a narrow one.
#include "start/convolution.h"

#define IC_INLINE static inline __attribute__((always_inline))
#define IC_JOIN_(a, b) a##b
#define IC_JOIN(a, b) IC_JOIN_(a, b)

namespace implicam::start {

namespace {

constexpr int NL = IMPLICAM_VBYTES / sizeof(float);
typedef float V __attribute__((vector_size(IMPLICAM_VBYTES)));
typedef float VUnaligned __attribute__((vector_size(IMPLICAM_VBYTES), aligned(4), may_alias));
// Two vectors of pixels at once, with as many outputs as leave registers for a weight and what it multiplies: a whole
// group of 7, 11 or 13 of 32 registers, a part of one of 16.
constexpr int VECTORS = 2;
constexpr bool MANY_REGISTERS = IMPLICAM_VBYTES == 64;

IC_INLINE V load(const float* p) { return *(const VUnaligned*)p; }
IC_INLINE void store(float* p, V v) { *(VUnaligned*)p = v; }

// Sums of some outputs of a group at neighbouring pixels.
template <int OUTPUTS, int COUNT, int TAPS>
IC_INLINE void sum(const float* const* at, int inputs, ptrdiff_t pitch, const float* weights, int group,
                   const float* biases, V (&sums)[OUTPUTS][COUNT]) {
  for (int o = 0; o < OUTPUTS; o++)
    for (int v = 0; v < COUNT; v++) sums[o][v] = V{} + biases[o];
  ptrdiff_t offset = 0;
  for (int i = 0; i < inputs; i++, offset += pitch) {
#pragma GCC unroll 9
    for (int t = 0; t < TAPS; t++, weights += group) {
      V x[COUNT];
      for (int v = 0; v < COUNT; v++) x[v] = load(at[t] + offset + v * NL);
      for (int o = 0; o < OUTPUTS; o++) {
        const V weight = V{} + weights[o];
        for (int v = 0; v < COUNT; v++) sums[o][v] = sums[o][v] + weight * x[v];
      }
    }
  }
}

IC_INLINE V finished(V value, Ending ending, const float* input) {
  if (ending == Ending::plain) return value;
  const V rectified = value < 0 ? value * 0.1f : value;
  return ending == Ending::residual ? load(input) + rectified : rectified;
}

// Outputs o … o + OUTPUTS − 1 of one row from column x on, `left` columns of them at most.
template <int OUTPUTS, int COUNT, int TAPS>
IC_INLINE void block(const Convolution& how, const float* const* taps, ptrdiff_t pitch, int y, int x, int left, int o) {
  const float* at[TAPS];
  for (int t = 0; t < TAPS; t++) at[t] = taps[t] + x;
  const int inputs = how.input.channels, group = how.output.channels / GROUPS;
  const float* weights = how.weights + (ptrdiff_t)(o / group) * group * inputs * TAPS + o % group;
  V sums[OUTPUTS][COUNT];
  sum<OUTPUTS, COUNT, TAPS>(at, inputs, pitch, weights, group, how.biases + o, sums);
  for (int k = 0; k < OUTPUTS; k++) {
    float* to = how.output.row(y, o + k) + x;
    const float* input = how.ending == Ending::residual ? how.input.row(y, o + k) + x : to;
    for (int v = 0; v < COUNT; v++) {
      const V value = finished(sums[k][v], how.ending, input + v * NL);
      const int lanes = left - v * NL;
      if (lanes >= NL) store(to + v * NL, value);
      else
        for (int lane = 0; lane < lanes; lane++) to[v * NL + lane] = value[lane];
    }
  }
}

// All outputs of a part of a row.
template <int COUNT, int TAPS>
IC_INLINE void columns(const Convolution& how, const float* const* taps, ptrdiff_t pitch, int y, int x, int left) {
  const int outputs = how.output.channels, group = outputs / GROUPS;
  for (int o = 0; o < outputs; o += group) {
    if constexpr (MANY_REGISTERS) {
      if (group == 13) block<13, COUNT, TAPS>(how, taps, pitch, y, x, left, o);
      else if (group == 11) block<11, COUNT, TAPS>(how, taps, pitch, y, x, left, o);
      else block<7, COUNT, TAPS>(how, taps, pitch, y, x, left, o);
    } else {
      // 13 = 4 + 4 + 5, 11 = 4 + 4 + 3, 7 = 4 + 3
      block<4, COUNT, TAPS>(how, taps, pitch, y, x, left, o);
      if (group > 8) block<4, COUNT, TAPS>(how, taps, pitch, y, x, left, o + 4);
      if (group == 13) block<5, COUNT, TAPS>(how, taps, pitch, y, x, left, o + 8);
      else block<3, COUNT, TAPS>(how, taps, pitch, y, x, left, o + group - 3);
    }
  }
}

template <int TAPS>
IC_INLINE void line(const Convolution& how, const float* const* taps, ptrdiff_t pitch, int y) {
  const int width = how.output.width;
  int x = 0;
  for (; width - x > NL; x += VECTORS * NL) columns<VECTORS, TAPS>(how, taps, pitch, y, x, width - x);
  if (x < width) columns<1, TAPS>(how, taps, pitch, y, x, width - x);
}

// The three rows that an output row of half the size needs, their even and their odd columns apart; the odd ones begin at
// column −1.
void split(const Convolution& how, int y, float* scratch, ptrdiff_t pitch) {
  for (int r = 0; r < 3; r++)
    for (int i = 0; i < how.input.channels; i++) {
      const float* from = how.input.row(2 * y + r - 1, i);
      float* even = scratch + (ptrdiff_t)(2 * r * how.input.channels + i) * pitch;
      float* odd = even + how.input.channels * pitch;
      odd[0] = from[-1];
      for (int x = 0; x < how.output.width; x++) {
        even[x] = from[2 * x];
        odd[x + 1] = from[2 * x + 1];
      }
    }
}

void convolveRows(const Convolution& how, int from, int to, float* scratch) {
  for (int y = from; y < to; y++) {
    const float* taps[9];
    if (how.taps == 1) {
      taps[0] = how.input.row(y, 0);
      line<1>(how, taps, how.input.pitch, y);
      continue;
    }
    ptrdiff_t pitch = how.input.pitch;
    if (how.stride == 2) {
      pitch = how.output.width + 2;
      split(how, y, scratch, pitch);
    }
    for (int t = 0; t < 9; t++) {
      const int dy = t / 3 - 1, dx = t % 3 - 1;
      if (how.stride == 2) {
        const float* even = scratch + (ptrdiff_t)2 * (dy + 1) * how.input.channels * pitch;
        taps[t] = dx == 0 ? even : even + how.input.channels * pitch + (dx + 1) / 2;
      } else
        taps[t] = how.input.row(y + dy * how.dilation, 0) + dx * how.dilation;
    }
    line<9>(how, taps, pitch, y);
  }
}

}  // namespace

extern ConvolveRows* const IC_JOIN(convolve_, IMPLICAM_ISA);
ConvolveRows* const IC_JOIN(convolve_, IMPLICAM_ISA) = convolveRows;

}  // namespace implicam::start
