// Positions: normalised coordinates, homographies of views, clamping. docs/MODEL.md, "Coordinates" and "Registration".
#pragma once
#include "plan.h"
#include "simd.h"

namespace implicam::IMPLICAM_ISA {

// The picture's inset and its intersection with a shard's grid: where positions are clamped to.
struct Bounds {
  R left, top, right, bottom;

  static Bounds of(const Rect& r) {
    return {(R)(r.x + .5), (R)(r.y + .5), (R)(r.x + r.width - .5), (R)(r.y + r.height - .5)};
  }
};

IC_INLINE void clampTo(const Bounds& b, V& x, V& y) {
  x = clamp(x, b.left, b.right);
  y = clamp(y, b.top, b.bottom);
}

// A view's frame-to-scene homography at one step.
struct Warp {
  R m[8];
  R cx, cy, half;  // p̂ = (p − (cx, cy)) / half
  bool identity;

  void begin(const Model& model, const View& view, const R* theta) {
    identity = view.registration < 0;
    for (int k = 0; k < 8; k++) {
      m[k] = view.homography[k];
      if (m[k] != (k == 0 || k == 4 ? 1 : 0)) identity = false;
    }
    if (view.registration >= 0)
      for (int j = 0; j < model.dof; j++)
        for (int k = 0; k < 8; k++) m[k] += theta[view.registration + j] * (R)model.registrationBasis[j][k];
    int s = model.width > model.height ? model.width : model.height;
    cx = (R)(model.width * .5);
    cy = (R)(model.height * .5);
    half = (R)(s * .5);
  }

  void apply(V x, V y, V& qx, V& qy) const {
    if (identity) {
      qx = x;
      qy = y;
      return;
    }
    V u = (x - cx) / half, v = (y - cy) / half;
    V z = 1 / (m[6] * u + m[7] * v + 1);
    qx = (m[0] * u + m[1] * v + m[2]) * z * half + cx;
    qy = (m[3] * u + m[4] * v + m[5]) * z * half + cy;
  }

  // Adds dL/d(coefficients) for position (x, y) and dL/d(q) to lane-wise sums, and dL/d(x, y) to dx, dy.
  void back(V x, V y, V dqx, V dqy, V* dm, V& dx, V& dy) const {
    if (identity) {
      dx += dqx;
      dy += dqy;
      return;
    }
    V u = (x - cx) / half, v = (y - cy) / half;
    V z = 1 / (m[6] * u + m[7] * v + 1);
    V X = (m[0] * u + m[1] * v + m[2]) * z, Y = (m[3] * u + m[4] * v + m[5]) * z;
    V gx = dqx * half * z, gy = dqy * half * z;
    V gz = -(gx * X + gy * Y);
    dm[0] += gx * u;
    dm[1] += gx * v;
    dm[2] += gx;
    dm[3] += gy * u;
    dm[4] += gy * v;
    dm[5] += gy;
    dm[6] += gz * u;
    dm[7] += gz * v;
    dx += (gx * m[0] + gy * m[3] + gz * m[6]) / half;
    dy += (gx * m[1] + gy * m[4] + gz * m[7]) / half;
  }

  // Adds lane-wise coefficient gradients to the view's learned registration.
  static void finish(const Model& model, const View& view, const V* dm, R* grad) {
    if (view.registration < 0) return;
    for (int j = 0; j < model.dof; j++)
      for (int k = 0; k < 8; k++)
        grad[view.registration + j] += (R)model.registrationBasis[j][k] * laneSum(dm[k]);
  }
};

}  // namespace implicam::IMPLICAM_ISA
