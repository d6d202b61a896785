// The lens as an exact source-side spread in picture space: every source pixel y spreads over a disk of its own radius,
// S[V](x) = Σ_y k(|x − y|, ρ(y)) V(y), k(t, ρ) = clamp(ρ + ½ − t, 0, 1) / (π(ρ² + 1/12)). Rows of pixels are vectors; the
// offsets of the disk come sorted by distance, so a row stops where its widest radius ends.
#pragma once
#include "support/arena.h"
#include "shared/disk.h"

namespace implicam::IMPLICAM_ISA {

constexpr R PI = (R)3.14159265358979324;

// Offsets of the disk, nearest first.
struct Offsets {
  Offset* at;
  int count;

  void place(int reach, Arena& arena) { at = arena.take<Offset>(mostOffsets(reach)); }
  void build(int reach) { count = diskOffsets(reach, at); }
};

// A square patch of n × n source pixels whose inner w × w pixels (from `reach`) receive light. Planes are indexed by
// y·n + x and padded so that a vector may read past the end.
struct Spread {
  static constexpr int C = 4;  // what is spread: one, and three colours
  int n, w, reach, outStride, inStride;
  Offsets offsets;
  R *rho, *inverse, *slope;  // [n·n]
  R* scaled[C];              // source planes times `inverse`; scaled[0] is `inverse` itself
  R* rowMax;                 // widest ρ of each source row

  void place(int patchSide, int inner, int reach_, Arena& arena) {
    n = patchSide;
    w = inner;
    reach = reach_;
    outStride = (w + NL - 1) / NL * NL;
    inStride = n + 2 * reach + 2 * NL;
    offsets.place(reach, arena);
    size_t plane = planeSize(n);
    rho = arena.take<R>(plane);
    inverse = arena.take<R>(plane);
    slope = arena.take<R>(plane);
    for (int c = 1; c < C; c++) scaled[c] = arena.take<R>(plane);
    scaled[0] = inverse;
    rowMax = arena.take<R>(n);
  }

  static size_t planeSize(int n) { return (size_t)n * n + 4 * NL; }
  size_t outSize() const { return (size_t)w * outStride; }
  size_t inSize() const { return (size_t)w * inStride + 4 * NL; }

  // Radii from the circles of confusion `c` [n·n]; the source planes are V[0 … 3).
  void begin(const R* c, const R* const* V_) {
    for (int i = 0; i < n * n; i += NL) {
      const Radius<V> r = radiusOf(load(c + i), (R)reach);
      store(rho + i, r.rho);
      store(inverse + i, r.inverse);
      store(slope + i, r.slope);
      for (int k = 1; k < C; k++) store(scaled[k] + i, r.inverse * load(V_[k - 1] + i));
    }
    for (int y = 0; y < n; y++) {
      R top = 0;
      for (int x = 0; x < n; x++) top = rho[y * n + x] > top ? rho[y * n + x] : top;
      rowMax[y] = top;
    }
  }

  // out[0] = S[1], out[c] = S[V_{c−1}]; [w][outStride] each.
  __attribute__((noinline)) void gather(R* const* out) const {
    for (int y = 0; y < w; y++) {
      R widest = 0;
      for (int r = y; r <= y + 2 * reach; r++) widest = rowMax[r] > widest ? rowMax[r] : widest;
      float end = (float)widest + .5f;
      for (int x = 0; x < outStride; x += NL) {
        V sum[C];
        IC_UNROLL
        for (int c = 0; c < C; c++) sum[c] = V{};
        const int centre = (y + reach) * n + x + reach;
        for (int k = 0; k < offsets.count && offsets.at[k].distance < end; k++) {
          const Offset& o = offsets.at[k];
          int at = centre + o.dy * n + o.dx;
          V weight = clamp(load(rho + at) + ((R)0.5 - (R)o.distance), 0, 1);
          IC_UNROLL
          for (int c = 0; c < C; c++) sum[c] += weight * load(scaled[c] + at);
        }
        IC_UNROLL
        for (int c = 0; c < C; c++) store(out[c] + y * outStride + x, sum[c]);
      }
    }
  }

  // in[0] = dL/dS[1], in[c] = dL/dS[V_{c−1}], each [w][inStride] with 2·reach zeros before x = 0. Adds dL/dV to dV and
  // leaves dL/dc in dc.
  __attribute__((noinline)) void scatterBack(const R* const* in, const R* const* V_, R* const* dV, R* dc) const {
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x += NL) {
        const int at = y * n + x;
        V q = load(rho + at) + (R)0.5;
        float end = (float)laneMax(q), full = (float)laneMin(q) - 1;
        V value[C], sum[C];
        value[0] = splat(1);
        IC_UNROLL
        for (int c = 1; c < C; c++) value[c] = load(V_[c - 1] + at);
        IC_UNROLL
        for (int c = 0; c < C; c++) sum[c] = V{};
        V edge{};
        // Destination row y − reach − dy, column x − reach − dx.
        const int centre = x - reach + 2 * reach;
        int k = 0;
        for (; k < offsets.count && offsets.at[k].distance <= full; k++) {
          const Offset& o = offsets.at[k];
          int row = y - reach - o.dy;
          if ((unsigned)row >= (unsigned)w) continue;
          int i = row * inStride + centre - o.dx;
          IC_UNROLL
          for (int c = 0; c < C; c++) sum[c] += load(in[c] + i);
        }
        for (; k < offsets.count && offsets.at[k].distance < end; k++) {
          const Offset& o = offsets.at[k];
          int row = y - reach - o.dy;
          if ((unsigned)row >= (unsigned)w) continue;
          int i = row * inStride + centre - o.dx;
          V raw = q - (R)o.distance;
          V weight = clamp(raw, 0, 1), dot{};
          IC_UNROLL
          for (int c = 0; c < C; c++) {
            V g = load(in[c] + i);
            sum[c] += weight * g;
            dot += value[c] * g;
          }
          edge += (raw > 0) & (raw < 1) ? dot : V{};
        }
        V inv = load(inverse + at), total{};
        IC_UNROLL
        for (int c = 0; c < C; c++) {
          total += value[c] * sum[c];
          if (c > 0) store(dV[c - 1] + at, load(dV[c - 1] + at) + inv * sum[c]);
        }
        V r = load(rho + at);
        V drho = edge * inv - total * inv * inv * (2 * PI) * r;
        store(dc + at, drho * load(slope + at));
      }
    }
  }
};

}  // namespace implicam::IMPLICAM_ISA
