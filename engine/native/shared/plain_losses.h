// The losses that depend on no sample (docs/reference/MODEL.md, "Losses"), in parts. Each adds its gradient to that of the shared
// parameters and returns its value; C is the type it is computed in.
#pragma once
#include "shared/response.h"

namespace implicam::IC_SPACE {

// Second differences of the response's values, which are first differences of the softmax, of channel c.
template <class C, class S>
IC_SAME double toneSmoothness(const Model& m, int c, const S* theta, S* gradient) {
  const int n = m.knots - 1;
  const S* a = theta + m.tone + c * n;
  const C third = (C)m.knots / 9, weight = (C)m.loss.toneSmooth * third * third * third;
  C top = a[0], sum = 0, mean = 0;
  for (int j = 1; j < n; j++) top = (C)a[j] > top ? (C)a[j] : top;
  for (int j = 0; j < n; j++) sum += exponential((C)a[j] - top);
  double loss = 0;
  for (int pass = 0; pass < 2; pass++) {
    C before = 0, here = exponential((C)a[0] - top) / sum;
    for (int j = 0; j < n; j++) {
      const C after = j + 1 < n ? exponential((C)a[j + 1] - top) / sum : 0;
      const C left = j > 0 ? here - before : 0, right = j + 1 < n ? after - here : 0;
      const C d = 2 * weight * (left - right);
      if (pass) gradient[m.tone + c * n + j] += (S)(here * (d - mean));
      else {
        mean += here * d;
        loss += (double)(weight * left * left);
      }
      before = here;
      here = after;
    }
  }
  return loss;
}

// The tone network's middle: g(0) is held at one half, of channel c.
template <class C, class S>
IC_SAME double tonePin(const Model& m, int c, const S* theta, S* gradient) {
  const int h = m.toneHidden;
  const S *b = theta + m.tone + c * (3 * h + 1) + h, *w = b + h;
  S* g = gradient + m.tone + c * (3 * h + 1);
  const C pin = (C)m.loss.tonePin / 3;
  C s = w[h];
  for (int j = 0; j < h; j++) s += (C)w[j] * (b[j] > 0 ? (C)b[j] : (C)0);
  const C y = 1 / (1 + exponential(-2 * s)), away = y - (C)0.5;
  const C ds = pin * (away > 0 ? 1 : -1) * 2 * y * (1 - y);
  g[3 * h] += (S)ds;
  for (int j = 0; j < h; j++) {
    if (b[j] <= 0) continue;
    g[h + j] += (S)(ds * (C)w[j]);
    g[2 * h + j] += (S)(ds * (C)b[j]);
  }
  return (double)(pin * (away > 0 ? away : -away));
}

// The mean of the exposures is held at that of their start.
template <class C, class S>
IC_SAME double exposureAnchor(const Model& m, const S* theta, S* gradient) {
  double mean = 0;
  C slope;
  for (int f = 0; f < m.frames; f++) mean += (double)exposureOf<C>(m, theta, f, slope) / m.frames;
  for (int f = 0; f < m.frames; f++) {
    exposureOf<C>(m, theta, f, slope);
    const C each = (C)(2 * m.loss.exposureAnchor * mean / m.frames) * slope;
    for (int j = 0; j < m.exposures; j++) gradient[m.exposure + j] += (S)(each * (C)m.evBasis[f * m.exposures + j]);
  }
  return m.loss.exposureAnchor * mean * mean;
}

// Registration stays near its start.
template <class C, class S>
IC_SAME double rigidity(const Model& m, const S* theta, S* gradient) {
  const C side = m.width > m.height ? m.width : m.height, weight = (C)m.loss.rigidity * side * side;
  double loss = 0;
  for (int i = 0; i < (m.views - 1) * AFFINE; i++) {
    const C h = theta[m.registration + i];
    loss += (double)(weight * h * h);
    gradient[m.registration + i] += (S)(2 * weight * h);
  }
  return loss;
}

}  // namespace implicam::IC_SPACE
