// Normalised coordinates and a view's frame-to-scene homography. docs/reference/MODEL.md, "Coordinates" and "Registration".
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

// p̂ = (p − centre) / half.
template <class S>
struct Normal {
  S cx, cy, half;

  static IC_MEMBER Normal of(const Model& m) {
    return {(S)(m.width * .5f), (S)(m.height * .5f), (S)((m.width > m.height ? m.width : m.height) * .5f)};
  }
};

// The coefficient of a view's homography, one of the first six, that a parameter of its learned registration adds to.
IC_SAME int coefficientOf(int parameter) {
  constexpr int of[AFFINE] = {2, 5, 0, 4, 1, 3};
  return of[parameter];
}

template <class S>
struct Homography {
  S m[8];
  int32_t identity;

  // That of a view at one step.
  static IC_MEMBER Homography of(const View& view, const S* theta) {
    Homography h;
    h.identity = view.registration < 0;
    for (int k = 0; k < 8; k++) {
      h.m[k] = view.homography[k];
      if (h.m[k] != (k == 0 || k == 4 ? 1 : 0)) h.identity = 0;
    }
    if (view.registration >= 0)
      for (int j = 0; j < AFFINE; j++) h.m[coefficientOf(j)] += theta[view.registration + j];
    return h;
  }

  template <class T>
  IC_MEMBER void apply(const Normal<S>& n, T x, T y, T& qx, T& qy) const {
    if (identity) {
      qx = x;
      qy = y;
      return;
    }
    T u = (x - n.cx) / n.half, v = (y - n.cy) / n.half;
    T z = 1 / (m[6] * u + m[7] * v + 1);
    qx = (m[0] * u + m[1] * v + m[2]) * z * n.half + n.cx;
    qy = (m[3] * u + m[4] * v + m[5]) * z * n.half + n.cy;
  }

  // From dL/d(q) at (x, y): adds dL/d(coefficients that are learned) to dm[AFFINE], sets dL/d(x, y).
  template <class T>
  IC_MEMBER void back(const Normal<S>& n, T x, T y, T dqx, T dqy, T* dm, T& dx, T& dy) const {
    if (identity) {
      dx = dqx;
      dy = dqy;
      return;
    }
    T u = (x - n.cx) / n.half, v = (y - n.cy) / n.half;
    T z = 1 / (m[6] * u + m[7] * v + 1);
    T X = (m[0] * u + m[1] * v + m[2]) * z, Y = (m[3] * u + m[4] * v + m[5]) * z;
    T gx = dqx * n.half * z, gy = dqy * n.half * z;
    T gz = -(gx * X + gy * Y);
    dm[0] += gx * u;
    dm[1] += gx * v;
    dm[2] += gx;
    dm[3] += gy * u;
    dm[4] += gy * v;
    dm[5] += gy;
    dx = (gx * m[0] + gy * m[3] + gz * m[6]) / n.half;
    dy = (gx * m[1] + gy * m[4] + gz * m[7]) / n.half;
  }
};

}  // namespace implicam::IC_SPACE
