// The free blur generator of one view (docs/reference/MODEL.md, "free"): a network from focus and position to weights and offsets
// of K taps.
#pragma once
#include "support/arena.h"
#include "kernels/geometry.h"
#include "kernels/scene/network.h"

namespace implicam::IMPLICAM_ISA {

struct FreeBlur {
  const Model* model;
  int K, pv;  // taps, and vectors of pixels
  Net net;
  V *w, *dw;  // [K][pv] weights, and the gradient of what softmax takes

  void place(const Model& m, int vectors, Arena& arena) {
    model = &m;
    K = m.taps;
    pv = vectors;
    net.place(m.blur, pv, arena);
    w = arena.take<V>((size_t)K * pv);
    dw = arena.take<V>((size_t)K * pv);
  }

  // Taps [K][pv] of pixels (x, y), and their weights.
  void forward(const R* theta, const View& view, const V* x, const V* y, V* tapX, V* tapY) {
    const Normal<R> normal = Normal<R>::of(*model);
    const R f = lensFocus(*model, view, theta);
    for (int i = 0; i < pv; i++) {
      net.input()[i] = splat(f);
      net.input()[pv + i] = (x[i] - normal.cx) / normal.half;
      net.input()[2 * pv + i] = (y[i] - normal.cy) / normal.half;
    }
    net.forward(theta, pv);
    V* o = net.output();
    for (int i = 0; i < pv; i++) {
      V top = o[i], sum{};
      for (int k = 1; k < K; k++) top = vmax(top, o[k * pv + i]);
      for (int k = 0; k < K; k++) sum += w[k * pv + i] = vexp(o[k * pv + i] - top);
      V inverse = 1 / sum;
      for (int k = 0; k < K; k++) {
        w[k * pv + i] *= inverse;
        V *ox = o + (K + 2 * k) * pv + i, *oy = ox + pv;
        *ox = 2 / (1 + vexp(-2 * *ox)) - 1;
        *oy = 2 / (1 + vexp(-2 * *oy)) - 1;
        bool fixed = model->blurGrid && k == 4;
        R gx = model->blurGrid ? (R)(k % 3 - 1) : 0, gy = model->blurGrid ? (R)(k / 3 - 1) : 0;
        tapX[k * pv + i] = x[i] + (fixed ? V{} : (R)model->maxShift * *ox + gx);
        tapY[k * pv + i] = y[i] + (fixed ? V{} : (R)model->maxShift * *oy + gy);
      }
    }
  }

  // From dL/d(weight) of pixel i's taps.
  void weightsBack(const V* dweight, int i) {
    V dot{};
    for (int k = 0; k < K; k++) dot += dweight[k] * w[k * pv + i];
    for (int k = 0; k < K; k++) dw[k * pv + i] = w[k * pv + i] * (dweight[k] - dot);
  }

  // From dL/d(tap) to the network's parameters and the view's focus.
  void backward(const R* theta, const View& view, const V* dtapX, const V* dtapY, R* gradient) {
    V* o = net.output();
    for (int i = 0; i < pv; i++)
      for (int k = 0; k < K; k++) {
        V *ox = o + (K + 2 * k) * pv + i, *oy = ox + pv;
        R shift = model->blurGrid && k == 4 ? 0 : (R)model->maxShift;
        *ox = dtapX[k * pv + i] * shift * (1 - *ox * *ox);
        *oy = dtapY[k * pv + i] * shift * (1 - *oy * *oy);
        o[k * pv + i] = dw[k * pv + i];
      }
    net.backward(theta, gradient, pv, true);
    V df{};
    for (int i = 0; i < pv; i++) df += net.input()[i];
    gradient[model->focus + view.focus] += laneSum(df);
  }
};

}  // namespace implicam::IMPLICAM_ISA
