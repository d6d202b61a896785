// Tone mappers: knots (monotone, piecewise linear in ln exposure) and the paper's network, with the photometric loss
// on top. docs/reference/MODEL.md, "Tone mapper" and "Losses".
#pragma once
#include "support/arena.h"
#include "shared/response.h"

namespace implicam::IMPLICAM_ISA {

constexpr R LN2 = (R)0.693147180559945309;

// The tone mapper of one step: values read from the parameters, gradients gathered over a shard.
struct Tone {
  const Model* model;
  const R* theta;
  R* value;     // knots: [3][knots]
  R* gradient;  // knots: [3][knots] of the values
  V* lane;      // network: [3][3·hidden + 1] lane-wise gradients

  void place(const Model& m, Arena& arena) {
    model = &m;
    value = arena.take<R>(3 * (size_t)m.knots);
    gradient = arena.take<R>(3 * (size_t)m.knots);
    lane = arena.take<V>(m.knots ? 0 : 3 * (3 * (size_t)m.toneHidden + 1));
  }

  void begin(const R* parameters) {
    theta = parameters + model->tone;
    int n = model->knots;
    for (int i = 0; i < 3 * n; i++) gradient[i] = 0;
    for (int i = 0; i < (n ? 0 : 3 * (3 * model->toneHidden + 1)); i++) lane[i] = V{};
    for (int c = 0; c < (n ? 3 : 0); c++) knotValues(theta + c * (n - 1), n, value + c * n);
  }

  // Adds the gathered gradient to the parameters' gradient.
  void finish(R* grad) {
    R* g = grad + model->tone;
    int n = model->knots;
    if (!n) {
      for (int i = 0; i < 3 * (3 * model->toneHidden + 1); i++) g[i] += laneSum(lane[i]);
      return;
    }
    for (int c = 0; c < 3; c++) {
      const R* dv = gradient + c * n;
      knotGradient(value + c * n, n, [dv](int j) { return dv[j]; }, g + c * (n - 1));
    }
  }

  // y = g(z) and slope = dg/dz of channel c.
  IC_INLINE void curve(const Tone& t, int c, V z, V& y, V& slope) {
    if (t.model->knots) t.knotCurve(c, z, y, slope);
    else t.netCurve(c, z, y, slope);
  }

  // Adds dy (dL/dy) at z to the parameters' gradient.
  void back(int c, V z, V dy, V y) {
    if (model->knots) knotBack(c, z, dy);
    else netBack(c, z, dy, y);
  }

 private:
  IC_INLINE void segment(int knots, R low, V z, VI& i, V& f, R& inverse) {
    inverse = (knots - 1) / -low;
    V x = (z - low) * inverse;
    x = clamp(x, -1e6, 1e6);
    i = truncate(x);
    i = i < 0 ? VI{} : i;
    VI last = splati(knots - 2);
    i = i > last ? last : i;
    f = x - tofloat(i);
  }

  void knotCurve(int c, V z, V& y, V& slope) const {
    VI i;
    V f, a, b;
    R inverse;
    segment(model->knots, model->toneLow, z, i, f, inverse);
    const R* v = value + c * model->knots;
    IC_UNROLL
    for (int k = 0; k < NL; k++) {
      const R* p = v + i[k];
      a[k] = p[0];
      b[k] = p[1];
    }
    y = a + (b - a) * f;
    slope = (b - a) * inverse;
  }

  void knotBack(int c, V z, V dy) {
    VI i;
    V f;
    R inverse;
    segment(model->knots, model->toneLow, z, i, f, inverse);
    R* g = gradient + c * model->knots;
    V right = f * dy, left = dy - right;
    IC_UNROLL
    for (int k = 0; k < NL; k++) {
      R* p = g + i[k];
      p[0] += left[k];
      p[1] += right[k];
    }
  }

  void netCurve(int c, V z, V& y, V& slope) const {
    int h = model->toneHidden;
    const R *a = theta + c * (3 * h + 1), *b = a + h, *w = b + h;
    V s0 = splat(w[h]), s1{}, d0{}, d1{};
    for (int j = 0; j < h; j += 2) {
      V p = a[j] * z + b[j], q = a[j + 1] * z + b[j + 1];
      V hp = p > 0 ? splat(w[j]) : V{}, hq = q > 0 ? splat(w[j + 1]) : V{};
      s0 += hp * p;
      s1 += hq * q;
      d0 += hp * a[j];
      d1 += hq * a[j + 1];
    }
    y = 1 / (1 + vexp(-2 * (s0 + s1)));
    slope = 2 * y * (1 - y) * (d0 + d1);
  }

  void netBack(int c, V z, V dy, V y) {
    int h = model->toneHidden;
    const R *a = theta + c * (3 * h + 1), *b = a + h, *w = b + h;
    V *ga = lane + c * (3 * h + 1), *gb = ga + h, *gw = gb + h;
    V ds = dy * 2 * y * (1 - y);
    gw[h] += ds;
    for (int j = 0; j < h; j++) {
      V p = a[j] * z + b[j];
      V on = p > 0 ? ds : V{};
      V dh = on * w[j];
      ga[j] += dh * z;
      gb[j] += dh;
      gw[j] += on * p;
    }
  }
};

}  // namespace implicam::IMPLICAM_ISA
