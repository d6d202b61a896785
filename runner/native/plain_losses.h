// The losses that do not depend on samples (docs/MODEL.md): once a step, after the sum over shards.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>
#include "plan.h"

namespace implicam {

// Adds their gradient to that of the shared parameters and returns their sum.
template <class R>
double plainLosses(const Model& m, const R* theta, R* grad) {
  const Loss& loss = m.loss;
  double total = 0;
  if (m.knots && loss.toneSmooth > 0) {
    int n = m.knots;
    double weight = loss.toneSmooth * std::pow(n / 9.0, 3);
    std::vector<double> v(n), dv(n);
    for (int c = 0; c < 3; c++) {
      const R* a = theta + m.tone + c * (n - 1);
      double top = *std::max_element(a, a + n - 1);
      for (int j = 1; j < n; j++) v[j] = v[j - 1] + std::exp((double)a[j - 1] - top);
      const double sum = v[n - 1];
      for (double& x : v) x /= sum;
      std::fill(dv.begin(), dv.end(), 0.0);
      for (int j = 1; j + 1 < n; j++) {
        double d = v[j + 1] - 2 * v[j] + v[j - 1];
        total += weight * d * d;
        dv[j + 1] += 2 * weight * d;
        dv[j] -= 4 * weight * d;
        dv[j - 1] += 2 * weight * d;
      }
      double tail = 0, mean = 0;
      for (int i = n - 2; i >= 0; i--) {
        tail += dv[i + 1];
        mean += (v[i + 1] - v[i]) * tail;
      }
      tail = 0;
      for (int i = n - 2; i >= 0; i--) {
        tail += dv[i + 1];
        grad[m.tone + c * (n - 1) + i] += (R)((v[i + 1] - v[i]) * (tail - mean));
      }
    }
  }
  if (!m.knots && loss.tonePin > 0) {
    int h = m.toneHidden;
    for (int c = 0; c < 3; c++) {
      const R *a = theta + m.tone + c * (3 * h + 1), *b = a + h, *w = b + h;
      R* g = grad + m.tone + c * (3 * h + 1);
      double s = w[h];
      for (int j = 0; j < h; j++) s += w[j] * std::max<double>(b[j], 0);
      double y = 1 / (1 + std::exp(-2 * s));
      total += loss.tonePin * std::abs(y - 0.5) / 3;
      double ds = loss.tonePin / 3 * (y > 0.5 ? 1 : -1) * 2 * y * (1 - y);
      g[3 * h] += (R)ds;
      for (int j = 0; j < h; j++) {
        if (b[j] <= 0) continue;
        g[h + j] += (R)(ds * w[j]);
        g[2 * h + j] += (R)(ds * b[j]);
      }
    }
  }
  if (loss.exposureAnchor > 0) {
    double mean = 0;
    std::vector<double> slope(m.frames, 1);
    for (int f = 0; f < m.frames; f++) {
      double shift = 0;
      for (int j = 0; j < m.exposures; j++) shift += m.evBasis[f * m.exposures + j] * theta[m.exposure + j];
      if (m.evSquash > 0) {
        double t = std::tanh(shift);
        slope[f] = m.evSquash * (1 - t * t);
        shift = m.evSquash * t;
      }
      mean += (m.evBase[f] + shift) / m.frames;
    }
    total += loss.exposureAnchor * mean * mean;
    for (int f = 0; f < m.frames; f++)
      for (int j = 0; j < m.exposures; j++)
        grad[m.exposure + j] +=
            (R)(2 * loss.exposureAnchor * mean / m.frames * slope[f] * m.evBasis[f * m.exposures + j]);
  }
  if (loss.rigidity > 0 && m.registration >= 0) {
    double s = std::max(m.width, m.height);
    for (int i = 0; i < (m.views - 1) * m.dof; i++) {
      double h = theta[m.registration + i];
      total += loss.rigidity * s * s * h * h;
      grad[m.registration + i] += (R)(2 * loss.rigidity * s * s * h);
    }
  }
  return total;
}

}  // namespace implicam
