// The defocus map where the lens by taps asks for it: at every view's pixel, at the pixel itself and at its neighbour; the
// smoothness between those two; and how much each view counts.
#pragma once
#include "session/arena.h"
#include "kernels/geometry.h"
#include "kernels/scene/hash_grid.h"
#include "kernels/scene/network.h"
#include "shared/start_picture.h"
#include "kernels/ticks.h"

namespace implicam::IMPLICAM_ISA {

// Clamps positions to picture and grid; `onX`, `onY` become 0 where that moved them.
IC_INLINE void confine(const Model& m, const Shard& shard, V* px, V* py, V* onX, V* onY, int count) {
  Bounds picture = Bounds::of({0, 0, m.width, m.height}), grid = Bounds::of(shard.grid);
  for (int i = 0; i < count; i++) {
    V a = px[i], b = py[i];
    clampTo(picture, px[i], py[i]);
    clampTo(grid, px[i], py[i]);
    onX[i] = a == px[i] ? splat(1) : V{};
    onY[i] = b == py[i] ? splat(1) : V{};
  }
}

// Start picture k at vectors of positions, and its slopes.
IC_INLINE Sampled<V> bilinearAt(const Model& m, const float* planes, int k, V px, V py) {
  const float* plane = planes + (size_t)k * m.width * m.height;
  Sampled<V> r;
  for (int q = 0; q < NL; q++) {
    const Sampled<R> s = bilinear<R>(m, plane, px[q], py[q]);
    r.value[q] = s.value;
    r.gx[q] = s.gx;
    r.gy[q] = s.gy;
  }
  return r;
}

struct TapMap {
  const Model* model;
  int layers, pv, mv;  // mv: vectors of all positions, (views + 2) · pv
  Net net;
  V *px, *py, *freeX, *freeY, *dx, *dy;  // [mv]
  V* ds;                                 // [layers][mv] gradient of the map

  void place(const Model& m, int pixelVectors, Arena& arena) {
    model = &m;
    layers = m.layers;
    pv = pixelVectors;
    mv = (m.views + 2) * pv;
    net.place(m.map, mv, arena);
    V** arrays[] = {&px, &py, &freeX, &freeY, &dx, &dy};
    for (V** a : arrays) *a = arena.take<V>(mv);
    ds = arena.take<V>((size_t)layers * mv);
  }

  // The map of layer l at the pixels of view v, and its gradient.
  V* at(int l, int v) const { return net.act[net.spec.layers] + (size_t)l * mv + (size_t)v * pv; }
  V* gradientAt(int l, int v) const { return ds + (size_t)l * mv + (size_t)v * pv; }

  // At D_v(p) for every view, at p, and at p's neighbour in the direction `turn`.
  void forward(const Shard& shard, const R* theta, const Warp* warp, const V* x, const V* y, const V* turn,
               Ticker& ticker) {
    for (int v = 0; v < model->views; v++)
      for (int i = 0; i < pv; i++) warp[v].apply(x[i], y[i], px[v * pv + i], py[v * pv + i]);
    for (int i = 0; i < pv; i++) {
      V s, cs;
      vsincos((R)6.28318530717958648 * turn[i], s, cs);
      const int a = model->views * pv + i, b = a + pv;
      px[a] = x[i];
      py[a] = y[i];
      px[b] = x[i] + cs;
      py[b] = y[i] + s;
    }
    confine(*model, shard, px, py, freeX, freeY, mv);
    encode(model->mapGrid, theta + shard.mapGrid, (R)shard.grid.x, (R)shard.grid.y, px, py, net.input(), mv, mv);
    ticker.next(PHASE_HASH);
    net.forward(theta, mv);
    if (model->startDefocus)
      for (int l = 0; l < layers; l++)
        for (int i = 0; i < mv; i++) at(l, 0)[i] += bilinearAt(*model, model->startDefocus, l, px[i], py[i]).value;
    for (int i = 0; i < layers * mv; i++) ds[i] = V{};
    ticker.next(PHASE_BLUR);
  }

  // Weight [views][pv] of each view at each pixel: once `sharp`, the sharpest counts most. Not differentiated.
  void sharpness(const StepInput& step, const R* theta, V* weight) const {
    const int views = model->views;
    const bool sharpest = step.sharp && views > 1;
    const R beta = (R)model->loss.sharpness, tau = (R)model->loss.sharpnessTau;
    for (int i = 0; i < pv; i++) {
      V nearest = splat(1e30), total{};
      for (int v = 0; v < views; v++) {
        const View& view = model->view[v];
        V d = vabs(lensScale(*model, view, theta) * (at(0, v)[i] - lensFocus(*model, view, theta)));
        weight[v * pv + i] = d;
        nearest = vmin(nearest, d);
      }
      for (int v = 0; v < views; v++) {
        V e = vexp((nearest - weight[v * pv + i]) / tau);
        weight[v * pv + i] = e;
        total += e;
      }
      for (int v = 0; v < views; v++)
        weight[v * pv + i] = sharpest ? (1 - beta) + beta * views * weight[v * pv + i] / total : splat(1);
    }
  }

  // Smoothness between the pixels and their neighbours, each counting `share` where it is `live`.
  double smoothness(R share, const V* live) {
    double total = 0;
    R k = (R)model->kappaStart, each = (R)model->loss.smoothDefocus * share;
    for (int l = 0; l < layers; l++)
      for (int i = 0; i < pv; i++) {
        const int here = model->views, there = here + 1;
        V delta = k * (at(l, there)[i] - at(l, here)[i]);
        V root = vsqrt(delta * delta + (R)1e-3);
        total += laneSum(each * root * live[i]);
        V g = each * live[i] * delta / root * k;
        gradientAt(l, there)[i] += g;
        gradientAt(l, here)[i] -= g;
      }
    return total;
  }

  // From the map's gradient to network, grid and homographies.
  void backward(const Shard& shard, const R* theta, ShardGradient<R>& grad, const Warp* warp, V* dwarp, const V* x,
                const V* y, Ticker& ticker) {
    V* out = net.output();
    for (int i = 0; i < mv; i++) dx[i] = dy[i] = V{};
    for (int l = 0; l < layers; l++)
      for (int i = 0; i < mv; i++) {
        V d = gradientAt(l, 0)[i];
        if (model->startDefocus && model->dof > 0) {
          const Sampled<V> s = bilinearAt(*model, model->startDefocus, l, px[i], py[i]);
          dx[i] += d * s.gx;
          dy[i] += d * s.gy;
        }
        out[(size_t)l * mv + i] = d;
      }
    net.backward(theta, grad.shared, mv, true);
    ticker.next(PHASE_NETWORK_BACK);
    scatter<true>(model->mapGrid, theta + shard.mapGrid, grad.map, grad.mapTouched, (R)shard.grid.x, (R)shard.grid.y, px,
                  py, net.input(), dx, dy, mv, mv);
    for (int v = 0; v < model->views; v++) {
      if (model->view[v].registration < 0) continue;
      for (int i = 0; i < pv; i++) {
        const int a = v * pv + i;
        V unusedX, unusedY;
        warp[v].back(x[i], y[i], dx[a] * freeX[a], dy[a] * freeY[a], dwarp + 8 * v, unusedX, unusedY);
      }
    }
    ticker.next(PHASE_HASH_BACK);
  }
};

}  // namespace implicam::IMPLICAM_ISA
