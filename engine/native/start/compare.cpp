#include "start/compare.h"

#include <algorithm>
#include <cmath>

#include "start/constants.h"
#include "start/filters.h"

namespace implicam::start {

namespace {
using namespace features;
using namespace compare;
constexpr int SUMS = 6;
}  // namespace

void scoreShifts(Team& team, const Level& a, const Level& b, int width, int height, int reachX, int reachY,
                 double* correlation, double* seen) {
  const int columns = 2 * reachX + 1, rows = 2 * reachY + 1;
  team.run((size_t)width * height * columns * rows, [&](const Member& me) {
    for (int n = me.from(columns * rows); n < me.to(columns * rows); n++) {
      const int dx = n % columns - reachX, dy = n / columns - reachY;
      double all = 0, ab = 0, aa = 0, bb = 0;
      for (int y = std::max(0, -dy); y < std::min(height, height - dy); y++)
        for (int x = std::max(0, -dx); x < std::min(width, width - dx); x++) {
          const size_t p = (size_t)y * width + x, q = p + (ptrdiff_t)dy * width + dx;
          const double w = (double)a.trust[p] * b.trust[q], u = a.value[p], v = b.value[q];
          all += w;
          ab += w * u * v;
          aa += w * u * u;
          bb += w * v * v;
        }
      correlation[n] = aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : -1;
      seen[n] = all;
    }
  });
}

void Comparer::compare(Team& team, const Level& first, const Level& second, int width, int height, const double* m,
                       const Grid& grid, Comparison& result) {
  const size_t pixels = (size_t)width * height;
  width_ = width;
  height_ = height;
  first_ = first;
  second_ = second;
  for (auto* plane : {&value_[0], &value_[1], &joint_, &trust_, &share_, &mean_[0], &mean_[1], &square_[0],
                      &square_[1], &mid_[0], &mid_[1]})
    plane->resize(pixels);
  sums_.assign((size_t)height * TILES * SUMS, 0);
  double weight = 0;
  team.run(pixels, [&](const Member& me) {
    warp(me, m);
    boxRows(me, joint_.data(), width, height, WINDOW, mid_[0].data());
    me.meet();
    boxColumns(me, mid_[0].data(), width, height, WINDOW, share_.data());
    me.meet();
    contrast(me);
    me.meet();
    if (me.id == 0) {
      const double median = medianResidual();
      weight = 1 / (median * median);
    }
    me.meet();
    accumulate(me, weight, grid, result);
  });
  finish(grid, result);
}

void Comparer::warp(const Member& me, const double* m) {
  const int width = width_, right = width - 2, bottom = height_ - 2;
  const float* source = second_.value;
  for (int y = me.from(height_); y < me.to(height_); y++) {
    double nx = m[1] * y + m[2], ny = m[4] * y + m[5], nw = m[7] * y + m[8];
    const size_t row = (size_t)y * width;
    for (size_t p = row; p < row + width; p++) {
      const double inverse = 1 / nw;
      double x = nx * inverse, v = ny * inverse;
      nx += m[0];
      ny += m[3];
      nw += m[6];
      const bool inside = x >= 1 && v >= 1 && x <= right && v <= bottom;
      if (!inside) {
        x = x > 0 ? (x < right ? x : right) : 0;
        v = v > 0 ? (v < bottom ? v : bottom) : 0;
      }
      const int ix = (int)x, iy = (int)v;
      const double fx = x - ix, fy = v - iy;
      const float* q = source + (size_t)iy * width + ix;
      const double top = q[0] + fx * ((double)q[1] - q[0]);
      const double low = q[width] + fx * ((double)q[width + 1] - q[width]);
      value_[1][p] = (float)(top + fy * (low - top));
      const float* trust = second_.trust + (q - source);
      joint_[p] = inside ? first_.trust[p] * trust[fy < 0.5 ? 0 : width] : 0;
    }
    std::copy_n(first_.value + row, width, value_[0].data() + row);
    std::copy_n(joint_.data() + row, width, trust_.data() + row);
  }
}

// localContrast of both frames.
void Comparer::contrast(const Member& me) {
  const size_t from = (size_t)me.from(height_) * width_, to = (size_t)me.to(height_) * width_;
  auto smooth = [&](std::vector<float>* planes) {
    for (int k = 0; k < 2; k++) boxRows(me, planes[k].data(), width_, height_, WINDOW, mid_[k].data());
    me.meet();
    for (int k = 0; k < 2; k++) boxColumns(me, mid_[k].data(), width_, height_, WINDOW, planes[k].data());
    me.meet();
  };
  const float* __restrict share = share_.data();
  const float* __restrict joint = joint_.data();
  for (int k = 0; k < 2; k++) {
    const float* __restrict value = value_[k].data();
    float* __restrict mean = mean_[k].data();
    for (size_t p = from; p < to; p++) mean[p] = joint[p] * value[p];
  }
  smooth(mean_);
  for (int k = 0; k < 2; k++) {
    float* __restrict value = value_[k].data();
    float* __restrict mean = mean_[k].data();
    float* __restrict square = square_[k].data();
    for (size_t p = from; p < to; p++) {
      const double known = (double)mean[p] / share[p];
      const double light = share[p] > LEAST_SHARE ? known : value[p];
      const double relative = (value[p] - light) / (light + FLOOR);
      mean[p] = (float)light;
      value[p] = (float)relative;
      square[p] = (float)(joint[p] * relative * relative);
    }
  }
  smooth(square_);
  float* __restrict trust = trust_.data();
  for (int k = 0; k < 2; k++) {
    float* __restrict value = value_[k].data();
    const float* __restrict mean = mean_[k].data();
    const float* __restrict square = square_[k].data();
    for (size_t p = from; p < to; p++) {
      const double known = (double)square[p] / share[p];
      const double variance = share[p] > LEAST_SHARE ? known : 0;
      const double total = variance + NOISE * NOISE + SHOT_NOISE / (mean[p] + FLOOR);
      value[p] = (float)(value[p] / std::sqrt(total));
      trust[p] = (float)(trust[p] * (variance / total));
    }
  }
}

double Comparer::medianResidual() const {
  double counts[BINS] = {}, total = 0;
  const float *a = value_[0].data(), *b = value_[1].data(), *trust = trust_.data();
  const size_t pixels = (size_t)width_ * height_;
  for (size_t p = 0; p < pixels; p += 3) {
    if (!(trust[p] > 0)) continue;
    const double bin = std::abs((double)b[p] - a[p]) / BIN;
    counts[bin < BINS ? (int)bin : BINS - 1] += trust[p];
    total += trust[p];
  }
  double below = 0;
  int k = 0;
  while (k < BINS && below + counts[k] < total / 2) below += counts[k++];
  return SCALE * std::max(LEAST_MEDIAN, (k + 0.5) * BIN);
}

namespace {

// Coefficients of each field's share of the gradient on gx, gx u, gx u², gy, gy u, gy u².
struct Polynomials {
  double of[FIELDS][6];

  explicit Polynomials(double v)
      : of{{1, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 0, 0},  {0, 1, 0, v, 0, 0}, {-v, 0, 0, 0, 1, 0},
           {0, 1, 0, -v, 0, 0}, {v, 0, 0, 0, 1, 0}, {0, 0, 1, 0, v, 0}, {0, v, 0, v * v, 0, 0}} {}

  void addHessian(double* hessian, const double* moments) const {
    for (int a = 0; a < FIELDS; a++)
      for (int b = a; b < FIELDS; b++) {
        double sum = 0;
        for (int i = 0; i < 6; i++) {
          if (of[a][i] == 0) continue;
          for (int j = 0; j < 6; j++) {
            if (of[b][j] == 0) continue;
            const int block = (i < 3 ? 0 : 1) + (j < 3 ? 0 : 1);
            sum += of[a][i] * of[b][j] * moments[5 * block + i % 3 + j % 3];
          }
        }
        hessian[a * FIELDS + b] += sum;
        if (a != b) hessian[b * FIELDS + a] += sum;
      }
  }

  void addGradient(double* gradient, const double* products) const {
    for (int k = 0; k < FIELDS; k++) {
      double sum = 0;
      for (int j = 0; j < 6; j++) sum += of[k][j] * products[j];
      gradient[k] += sum;
    }
  }
};

}  // namespace

void Comparer::accumulate(const Member& me, double weight, const Grid& grid, Comparison& result) {
  const int width = width_, height = height_;
  const double step = grid.step;
  const float *feature = value_[0].data(), *value = value_[1].data(), *trust = trust_.data();
  for (int y = 1; y < height - 1; y++) {
    // Whole rows of tiles, so that every tile's sums are one member's.
    const int tileRow = y * TILES / height;
    if (tileRow < me.from(TILES) || tileRow >= me.to(TILES)) continue;
    const Polynomials polynomials(y * step + grid.top);
    for (int tile = 0; tile < TILES; tile++) {
      const int from = std::max(1, tile * width / TILES), to = std::min(width - 1, (tile + 1) * width / TILES);
      double xx[5] = {}, xy[5] = {}, yy[5] = {}, rx[3] = {}, ry[3] = {};
      double tt = 0, oo = 0, both = 0, seen = 0, total = 0, bent = 0;
      size_t p = (size_t)y * width + from;
      double u = from * step + grid.left;
      for (int x = from; x < to; x++, p++, u += step) {
        const double w0 = trust[p];
        if (w0 <= 0) continue;
        const double a = feature[p], b = value[p], r = b - a;
        const double k = 1 / (1 + r * r * weight), w = w0 * k;
        const double gx = (double)feature[p + 1] - feature[p - 1] + value[p + 1] - value[p - 1];
        const double gy = (double)feature[p + width] - feature[p - width] + value[p + width] - value[p - width];
        seen += w0;
        tt += w0 * a * a;
        oo += w0 * b * b;
        both += w0 * a * b;
        const double wx = w * gx, wy = w * gy, energy = wx * gx + wy * gy;
        total += energy;
        bent += energy * (2 * k - 1) * k;
        double mxx = wx * gx, mxy = wx * gy, myy = wy * gy;
        for (int n = 0; n < 5; n++) {
          xx[n] += mxx;
          xy[n] += mxy;
          yy[n] += myy;
          mxx *= u;
          mxy *= u;
          myy *= u;
        }
        double mx = wx * r, my = wy * r;
        for (int n = 0; n < 3; n++) {
          rx[n] += mx;
          ry[n] += my;
          mx *= u;
          my *= u;
        }
      }
      if (seen == 0) continue;
      double moments[15], products[6];
      for (int n = 0; n < 5; n++) {
        moments[n] = xx[n];
        moments[5 + n] = xy[n];
        moments[10 + n] = yy[n];
      }
      for (int n = 0; n < 3; n++) {
        products[n] = rx[n];
        products[3 + n] = ry[n];
      }
      const int at = tileRow * TILES + tile;
      polynomials.addHessian(result.hessians + at * FIELDS * FIELDS, moments);
      polynomials.addGradient(result.gradients + at * FIELDS, products);
      const double all[SUMS] = {seen, tt, oo, both, total, bent};
      std::copy_n(all, SUMS, sums_.data() + ((size_t)y * TILES + tile) * SUMS);
    }
  }
}

void Comparer::finish(const Grid& grid, Comparison& result) const {
  double sums[SUMS] = {};
  for (size_t at = 0; at < sums_.size(); at += SUMS)
    for (int n = 0; n < SUMS; n++) sums[n] += sums_[at + n];
  const auto [seen, tt, oo, both, total, bent] = sums;
  const double slope = 1 / (4 * grid.step);
  const double curvature = total > 0 ? std::max(LEAST_CURVATURE, bent / total) : 1;
  const double scale = slope * slope * curvature;
  for (int k = 0; k < TILES * TILES * FIELDS * FIELDS; k++) result.hessians[k] *= scale;
  for (int k = 0; k < TILES * TILES * FIELDS; k++) result.gradients[k] *= slope;
  result.correlation = tt > 0 && oo > 0 ? both / std::sqrt(tt * oo) : 0;
  result.trusted = seen / ((double)width_ * height_);
}

}  // namespace implicam::start
