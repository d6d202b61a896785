// Fully connected networks on feature-major tiles: X[feature * ld + v], v a vector of samples. A tile stays in the
// second-level cache; register blocks of BLOCK outputs × 3 vectors keep the multiply-add units busy.
#pragma once
#include "shared/plan.h"
#include "kernels/simd.h"

namespace implicam::IMPLICAM_ISA {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int BLOCK = 8;  // 32 registers: 24 sums, 3 inputs, 1 weight
#else
constexpr int BLOCK = 4;  // 16 registers: 12 sums, 3 inputs, 1 weight
#endif

// Vectors from one feature to the next, at least `vectors`: features a multiple of a quarter page apart share a few lines
// of the first-level cache, and a product over 64 of them then takes half as long again.
constexpr int featureStride(int vectors) { return vectors + (vectors * sizeof(V) % 1024 == 0); }

// Y[o][v] = b[o] + Σ_i W[o·so + i·si] X[i][v] for NB outputs from o0 and NV vectors from v0. `so, si` select W or its
// transpose. Activation applies relu; mask multiplies by [Y > 0] of the value that stood there (the backward pass of
// relu, in place).
template <int NB, int NV, bool RELU, bool MASK>
IC_INLINE void productBlock(const R* W, const R* b, int so, int si, int inputs, const V* X, V* Y, int ld, int v0,
                            int o0) {
  V sum[NB][NV];
  IC_UNROLL
  for (int j = 0; j < NB; j++) {
    V start = b ? splat(b[o0 + j]) : V{};
    IC_UNROLL
    for (int k = 0; k < NV; k++) sum[j][k] = start;
  }
  const R* w = W + (size_t)o0 * so;
  const V* x = X + v0;
  IC_NOUNROLL
  for (int i = 0; i < inputs; i++, w += si, x += ld) {
    V in[NV];
    IC_UNROLL
    for (int k = 0; k < NV; k++) in[k] = x[k];
    IC_UNROLL
    for (int j = 0; j < NB; j++) {
      V weight = splat(w[(size_t)j * so]);
      IC_UNROLL
      for (int k = 0; k < NV; k++) sum[j][k] += weight * in[k];
    }
  }
  IC_UNROLL
  for (int j = 0; j < NB; j++) {
    V* y = Y + (size_t)(o0 + j) * ld + v0;
    IC_UNROLL
    for (int k = 0; k < NV; k++) {
      V s = sum[j][k];
      if (RELU) s = vmax(s, V{});
      if (MASK) s = y[k] > 0 ? s : V{};
      y[k] = s;
    }
  }
}

template <int NV, bool RELU, bool MASK>
IC_INLINE void productColumn(const R* W, const R* b, int so, int si, int inputs, int outputs, const V* X, V* Y, int ld,
                             int v0) {
  int o = 0;
  for (; o + BLOCK <= outputs; o += BLOCK)
    productBlock<BLOCK, NV, RELU, MASK>(W, b, so, si, inputs, X, Y, ld, v0, o);
  if (BLOCK > 4 && o + 4 <= outputs) {
    productBlock<4, NV, RELU, MASK>(W, b, so, si, inputs, X, Y, ld, v0, o);
    o += 4;
  }
  if (o + 3 == outputs) return productBlock<3, NV, RELU, MASK>(W, b, so, si, inputs, X, Y, ld, v0, o);
  if (o + 2 == outputs) return productBlock<2, NV, RELU, MASK>(W, b, so, si, inputs, X, Y, ld, v0, o);
  if (o + 1 == outputs) return productBlock<1, NV, RELU, MASK>(W, b, so, si, inputs, X, Y, ld, v0, o);
}

template <bool RELU, bool MASK>
static __attribute__((noinline)) void product(const R* W, const R* b, int so, int si, int inputs, int outputs,
                                              const V* X, V* Y, int nv, int ld) {
  int v = 0;
  for (; v + 3 <= nv; v += 3) productColumn<3, RELU, MASK>(W, b, so, si, inputs, outputs, X, Y, ld, v);
  for (; v < nv; v++) productColumn<1, RELU, MASK>(W, b, so, si, inputs, outputs, X, Y, ld, v);
}

// dW[o][i] += Σ_v dY[o][v] X[i][v] for 4 × NI entries; NO < 4 at the end of the outputs.
template <int NO, int NI>
IC_INLINE void outerBlock(const V* dY, const V* X, R* dW, int stride, int nv, int ld) {
  V sum[4][NI];
  IC_UNROLL
  for (int a = 0; a < 4; a++)
    IC_UNROLL
    for (int b = 0; b < NI; b++) sum[a][b] = V{};
  IC_NOUNROLL
  for (int v = 0; v < nv; v++) {
    V x[NI];
    IC_UNROLL
    for (int b = 0; b < NI; b++) x[b] = X[(size_t)b * ld + v];
    IC_UNROLL
    for (int a = 0; a < NO; a++) {
      V d = dY[(size_t)a * ld + v];
      IC_UNROLL
      for (int b = 0; b < NI; b++) sum[a][b] += d * x[b];
    }
  }
  IC_UNROLL
  for (int b = 0; b < NI; b++) {
    R4 s = laneSums4(sum[0][b], sum[1][b], sum[2][b], sum[3][b]);
    IC_UNROLL
    for (int a = 0; a < NO; a++) dW[(size_t)a * stride + b] += s[a];
  }
}

template <int NO>
IC_INLINE void outerRows(const V* dY, const V* X, R* dW, int inputs, int nv, int ld) {
#if defined(__AVX512F__) || defined(__aarch64__)
  constexpr int WIDE = 6;
#else
  constexpr int WIDE = 3;
#endif
  int i = 0;
  for (; i + WIDE <= inputs; i += WIDE) outerBlock<NO, WIDE>(dY, X + (size_t)i * ld, dW + i, inputs, nv, ld);
  for (; i + 2 <= inputs; i += 2) outerBlock<NO, 2>(dY, X + (size_t)i * ld, dW + i, inputs, nv, ld);
  for (; i < inputs; i++) outerBlock<NO, 1>(dY, X + (size_t)i * ld, dW + i, inputs, nv, ld);
}

static __attribute__((noinline)) void outerProduct(const V* dY, const V* X, R* dW, R* db, int inputs, int outputs,
                                                   int nv, int ld) {
  int o = 0;
  for (; o + 4 <= outputs; o += 4) outerRows<4>(dY + (size_t)o * ld, X, dW + (size_t)o * inputs, inputs, nv, ld);
  for (; o < outputs; o++) outerRows<1>(dY + (size_t)o * ld, X, dW + (size_t)o * inputs, inputs, nv, ld);
  for (o = 0; o < outputs; o++) {
    V s{};
    for (int v = 0; v < nv; v++) s += dY[(size_t)o * ld + v];
    db[o] += laneSum(s);
  }
}

// A network and the memory of one tile: act[0] is its input, act[layers] its output, ld vectors a feature. A sine
// network also keeps ω·cos of its pre-activations for the backward pass.
struct Net {
  NetSpec spec;
  V* act[MAX_LAYERS + 1];
  V* slope[MAX_LAYERS + 1];
  int ld;

  V* input() { return act[0]; }
  V* output() { return act[spec.layers]; }

  template <class Arena>
  void place(const NetSpec& s, int vectors, Arena& arena) {
    spec = s;
    ld = vectors;
    for (int l = 0; l <= s.layers; l++) {
      act[l] = arena.template take<V>((size_t)s.width[l] * ld);
      slope[l] = s.sine && l > 0 && l < s.layers ? arena.template take<V>((size_t)s.width[l] * ld) : nullptr;
    }
  }

  void forward(const R* theta, int nv) {
    const R* W = theta + spec.offset;
    for (int l = 1; l <= spec.layers; l++) {
      int in = spec.width[l - 1], out = spec.width[l];
      const R* b = W + (size_t)in * out;
      if (l == spec.layers || spec.sine)
        product<false, false>(W, b, in, 1, in, out, act[l - 1], act[l], nv, ld);
      else
        product<true, false>(W, b, in, 1, in, out, act[l - 1], act[l], nv, ld);
      if (spec.sine && l < spec.layers) sine(l, nv);
      W = b + out;
    }
  }

  // output() holds dL/d(output) on entry. Adds the weights' gradient to `grad` and, with `toInput`, leaves
  // dL/d(input) in input(). Activations are overwritten.
  void backward(const R* theta, R* grad, int nv, bool toInput) {
    size_t end = spec.offset + spec.size;
    for (int l = spec.layers; l >= 1; l--) {
      int in = spec.width[l - 1], out = spec.width[l];
      size_t at = end - (size_t)(in + 1) * out;
      outerProduct(act[l], act[l - 1], grad + at, grad + at + (size_t)in * out, in, out, nv, ld);
      if (l > 1 && !spec.sine)
        product<false, true>(theta + at, nullptr, 1, in, out, in, act[l], act[l - 1], nv, ld);
      else if (l > 1 || toInput)
        product<false, false>(theta + at, nullptr, 1, in, out, in, act[l], act[l - 1], nv, ld);
      if (l > 1 && spec.sine) {
        V *d = act[l - 1], *s = slope[l - 1];
        for (int i = 0; i < in; i++)
          for (int v = 0; v < nv; v++) d[(size_t)i * ld + v] *= s[(size_t)i * ld + v];
      }
      end = at;
    }
  }

 private:
  void sine(int l, int nv) {
    R omega = spec.omega;
    for (int i = 0; i < spec.width[l]; i++) {
      V *a = act[l] + (size_t)i * ld, *s = slope[l] + (size_t)i * ld;
      for (int v = 0; v < nv; v++) {
        V sn, cs;
        vsincos(a[v] * omega, sn, cs);
        a[v] = sn;
        s[v] = cs * omega;
      }
    }
  }
};

}  // namespace implicam::IMPLICAM_ISA
