// Positions of vectors of samples: homographies of views, clamping; and the lenses of views.
#pragma once
#include "shared/homography.h"

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
  Homography<R> homography;
  Normal<R> normal;

  void begin(const Model& model, const View& view, const R* theta) {
    homography = Homography<R>::of(view, theta);
    normal = Normal<R>::of(model);
  }

  void apply(V x, V y, V& qx, V& qy) const { homography.apply(normal, x, y, qx, qy); }

  // Adds dL/d(coefficients that are learned) for position (x, y) and dL/d(q) to lane-wise sums, and sets dL/d(x, y).
  void back(V x, V y, V dqx, V dqy, V* dm, V& dx, V& dy) const { homography.back(normal, x, y, dqx, dqy, dm, dx, dy); }

  // Adds lane-wise coefficient gradients to the view's learned registration.
  static void finish(const View& view, const V* dm, R* grad) {
    if (view.registration < 0) return;
    for (int j = 0; j < AFFINE; j++) grad[view.registration + j] += settled(laneSum(dm[coefficientOf(j)]));
  }
};

// Circles of confusion of a view are scale · (s − focus).
IC_INLINE R lensScale(const Model& m, const View& view, const R* theta) {
  return exponential(theta[m.kappa]) * (R)view.aperture;
}
IC_INLINE R lensFocus(const Model& m, const View& view, const R* theta) { return theta[m.focus + view.focus]; }

}  // namespace implicam::IMPLICAM_ISA
