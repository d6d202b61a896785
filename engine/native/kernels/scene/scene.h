// The scene model and the defocus map on a tile of positions: encode, network, start pictures, activation, and back.
#pragma once
#include "support/arena.h"
#include "kernels/geometry.h"
#include "kernels/scene/hash_grid.h"
#include "kernels/scene/network.h"
#include "support/ticks.h"

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
  R* edge;  // start luminance, for edge-aware smoothness
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
    edge = arena.take<R>((size_t)(vectors + 4) * NL);
  }

  R* plane(int k) const { return (R*)(atlas.act[atlas.spec.layers] + (size_t)k * vectors); }
  R* defocus() const { return (R*)map.act[map.spec.layers]; }
  const R* edgePlane() const { return hasStart ? edge : nullptr; }

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
        if (maps) defocus()[i] += model->startDefocus[at];
        if (!hasStart) continue;
        const float* s = model->startRadiance + at;
        for (int k = 0; k < (model->residual ? 3 : 0); k++) plane(k)[i] += s[k * size];
        R mean = (R)((s[0] + s[size] + s[2 * size]) * (1.0 / 3));
        edge[i] = mean > -7 ? mean : -7;
      }
    }
  }

  // ln radiance becomes radiance.
  void activate() {
    V* o = (V*)plane(0);
    for (int v = 0; v < 3 * vectors; v++) o[v] = vexp(clamp(o[v], LN_MIN, LN_MAX));
  }

  // 1 where an activated radiance was not clamped.
  static V alive(V b) {
    const R low = (R)(8.315287191e-7 * 1.000001), high = (R)(2980.957987 * 0.999999);
    return (b > low) & (b < high) ? splat(1) : V{};
  }

  // Turns the gradients of radiance and defocus into those of the networks' outputs, in place.
  void backwardFrom(R* const* dvalue, const R* ds, int pixels) {
    for (int i = 0; i < vectors * NL; i += NL) {
      V on = splat(1);
      for (int q = 0; q < NL; q++) on[q] = i + q < pixels ? 1 : 0;
      for (int k = 0; k < 3; k++) {
        V b = load(plane(k) + i);
        store(plane(k) + i, on > 0 ? load(dvalue[k] + i) * b * alive(b) : V{});
      }
      store(defocus() + i, on > 0 ? load(ds + i) : V{});
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
