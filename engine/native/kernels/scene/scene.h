// The scene model and the defocus map on a tile of positions: encode, network, start pictures, activation, and back.
#pragma once
#include "session/arena.h"
#include "kernels/geometry.h"
#include "kernels/scene/hash_grid.h"
#include "kernels/scene/network.h"
#include "kernels/ticks.h"

namespace implicam::IMPLICAM_ISA {

constexpr R LN_MIN = -14, LN_MAX = 8;

// A frame's pixel values and mask for NL pixels from (x, y) of channel k; outside, the picture's edge.
IC_INLINE void readFrame(const Model& m, int f, int k, int x, int y, V& t, V& in) {
  const FrameData& frame = m.frame[f];
  int row = y < 0 ? 0 : y >= m.height ? m.height - 1 : y;
  size_t line = (size_t)row * m.width;
  for (int q = 0; q < NL; q++) {
    int column = x + q < 0 ? 0 : x + q >= m.width ? m.width - 1 : x + q;
    size_t i = line + column;
    t[q] = frame.data8 ? frame.data8[3 * i + k] * (R)(1.0 / 255) : frame.data16[3 * i + k] * (R)(1.0 / 65535);
    in[q] = frame.mask && !frame.mask[i] ? 0 : 1;
  }
}

struct Scene {
  const Model* model;
  int vectors;
  V *px, *py;
  Net atlas, map;
  R* edge[2];  // start luminance of each layer, for edge-aware smoothness
  bool hasMap, hasStart;

  void place(const Model& m, int vectors_, Arena& arena) {
    model = &m;
    vectors = vectors_;
    hasMap = m.map.layers > 0;
    hasStart = m.startRadiance != nullptr;
    px = arena.take<V>(vectors);
    py = arena.take<V>(vectors);
    atlas.place(m.atlas, vectors, arena);
    if (hasMap) map.place(m.map, vectors, arena);
    arena.take<V>(4);  // vectors may read past the last plane
    for (int l = 0; l < m.layers; l++) edge[l] = arena.take<R>((size_t)(vectors + 4) * NL);
  }

  R* plane(int k) const { return (R*)(atlas.act[atlas.spec.layers] + (size_t)k * vectors); }
  R* background(int k) const { return plane(k); }
  R* foreground(int k) const { return plane(3 + k); }
  R* opacity() const { return plane(6); }
  R* defocus(int l) const { return (R*)(map.act[map.spec.layers] + (size_t)l * vectors); }
  const R* edgePlane(int l) const { return hasStart ? edge[l] : nullptr; }

  // Positions of the pixels of a block `n` wide whose first pixel is (x0, y0).
  void positions(const Shard& shard, int x0, int y0, int n, int pixels) {
    Bounds picture = Bounds::of({0, 0, model->width, model->height}), grid = Bounds::of(shard.grid);
    R *x = (R*)px, *y = (R*)py;
    for (int i = 0, column = 0, row = 0; i < vectors * NL; i++) {
      x[i] = (R)(x0 + column + .5);
      y[i] = (R)(y0 + row + .5);
      if (i + 1 < pixels && ++column == n) {
        column = 0;
        row++;
      }
    }
    for (int v = 0; v < vectors; v++) {
      clampTo(picture, px[v], py[v]);
      clampTo(grid, px[v], py[v]);
    }
  }

  void forward(const Shard& shard, const R* theta, Ticker& ticker) {
    if (model->siren) {
      const Normal<R> normal = Normal<R>::of(*model);
      for (int v = 0; v < vectors; v++) {
        atlas.input()[v] = (px[v] - normal.cx) / normal.half;
        atlas.input()[vectors + v] = (py[v] - normal.cy) / normal.half;
      }
    } else {
      encode(model->atlasGrid, theta + shard.atlasGrid, (R)shard.grid.x, (R)shard.grid.y, px, py, atlas.input(),
             vectors, vectors);
    }
    if (hasMap)
      encode(model->mapGrid, theta + shard.mapGrid, (R)shard.grid.x, (R)shard.grid.y, px, py, map.input(), vectors,
             vectors);
    ticker.next(PHASE_HASH);
    atlas.forward(theta, vectors);
    if (hasMap) map.forward(theta, vectors);
    ticker.next(PHASE_NETWORK);
  }

  // Adds the start pictures at the pixels of the block.
  void addStart(const Shard&, int x0, int y0, int n, int pixels) {
    const bool maps = hasMap && model->startDefocus;
    if (!hasStart && !maps) return;
    size_t size = (size_t)model->width * model->height;
    for (int row = 0; row * n < pixels; row++) {
      int y = y0 + row < 0 ? 0 : y0 + row >= model->height ? model->height - 1 : y0 + row;
      for (int column = 0; column < n; column++) {
        int x = x0 + column < 0 ? 0 : x0 + column >= model->width ? model->width - 1 : x0 + column;
        size_t at = (size_t)y * model->width + x;
        int i = row * n + column;
        for (int l = 0; l < (maps ? model->layers : 0); l++) defocus(l)[i] += model->startDefocus[l * size + at];
        if (!hasStart) continue;
        for (int k = 0; k < (model->residual ? model->outputs : 0); k++)
          plane(k)[i] += model->startRadiance[k * size + at];
        for (int l = 0; l < model->layers; l++) {
          const float* s = model->startRadiance + (size_t)3 * l * size + at;
          R mean = (R)((s[0] + s[size] + s[2 * size]) * (1.0 / 3));
          edge[l][i] = mean > -7 ? mean : -7;
        }
      }
    }
  }

  // Outputs become radiance (linear) and opacity.
  void activate() {
    for (int k = 0; k < model->outputs; k++) {
      V* o = (V*)plane(k);
      if (k < 6)
        for (int v = 0; v < vectors; v++) o[v] = vexp(clamp(o[v], LN_MIN, LN_MAX));
      else
        for (int v = 0; v < vectors; v++) o[v] = 1 / (1 + vexp(-o[v]));
    }
  }

  // 1 where an activated radiance was not clamped.
  static V alive(V b) {
    const R low = (R)(8.315287191e-7 * 1.000001), high = (R)(2980.957987 * 0.999999);
    return (b > low) & (b < high) ? splat(1) : V{};
  }

  // Turns the gradients of spread planes, opacity and defocus into those of the networks' outputs, in place.
  void backwardFrom(int layers, R* const (*)[4], R* const (*dvalue)[4], const R* dalpha, R* const* ds, int pixels) {
    for (int i = 0; i < vectors * NL; i += NL) {
      V on = splat(1);
      for (int q = 0; q < NL; q++) on[q] = i + q < pixels ? 1 : 0;
      if (layers > 1) {
        V alpha = load(opacity() + i), da = load(dvalue[1][0] + i) + load(dalpha + i);
        for (int k = 0; k < 3; k++) {
          V f = load(foreground(k) + i), d = load(dvalue[1][k + 1] + i);
          da += d * f;
          store(foreground(k) + i, on > 0 ? d * alpha * f * alive(f) : V{});
        }
        store(opacity() + i, on > 0 ? da * alpha * (1 - alpha) : V{});
      }
      for (int k = 0; k < 3; k++) {
        V b = load(background(k) + i);
        store(background(k) + i, on > 0 ? load(dvalue[0][k] + i) * b * alive(b) : V{});
      }
      for (int l = 0; l < layers; l++) store(defocus(l) + i, on > 0 ? load(ds[l] + i) : V{});
    }
  }

  // outputs hold their gradients; the positions are fixed.
  void backward(const Shard& shard, const R* theta, ShardGradient<R>& grad, Ticker& ticker) {
    atlas.backward(theta, grad.shared, vectors, !model->siren);
    if (hasMap) map.backward(theta, grad.shared, vectors, true);
    ticker.next(PHASE_NETWORK_BACK);
    R ox = (R)shard.grid.x, oy = (R)shard.grid.y;
    if (!model->siren)
      scatter<false>(model->atlasGrid, theta + shard.atlasGrid, grad.atlas, grad.atlasTouched, ox, oy, px, py,
                     atlas.input(), nullptr, nullptr, vectors, vectors);
    if (hasMap)
      scatter<false>(model->mapGrid, theta + shard.mapGrid, grad.map, grad.mapTouched, ox, oy, px, py, map.input(),
                     nullptr, nullptr, vectors, vectors);
    ticker.next(PHASE_HASH_BACK);
  }
};

}  // namespace implicam::IMPLICAM_ISA
