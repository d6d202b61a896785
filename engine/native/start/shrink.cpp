#include "start/shrink.h"

#include <algorithm>
#include "start/constants.h"

namespace implicam::start {

namespace {

using namespace shrink;
// Windows done at a time: their coefficients stay in the first cache.
constexpr int CHUNK = 64;

// A row's coefficients, or the sums of its windows': SIDE of them, each over all windows of the row.
struct Row {
  int windows;
  std::vector<double> values;
  explicit Row(int windows) : windows(windows), values((size_t)SIDE * windows) {}
  double* of(int k) { return values.data() + (size_t)k * windows; }
};

// One member's rings of rows, and its rows of the picture.
class Band {
 public:
  Band(const float* plane, int width, const float* variance, float* out)
      : plane_(plane), variance_(variance), out_(out), width_(width), windows_(width - SIDE + 1),
        rows_(SIDE, Row(windows_)), sums_(SIDE, Row(windows_)), weights_(SIDE, std::vector<double>(windows_)),
        values_(SIDE, std::vector<double>(windows_ + 2 * (SIDE - 1))), total_(windows_ + 2 * (SIDE - 1)) {}

  // Rows [from, to) of `height`.
  void run(int from, int to, int height) {
    if (from >= to) return;
    const int first = std::max(0, from - SIDE + 1), last = std::min(height - SIDE, to - 1);
    for (int y = first; y < first + SIDE - 1; y++) transform(y);
    for (int top = first; top <= last; top++) {
      transform(top + SIDE - 1);
      for (int x = 0; x < windows_; x += CHUNK) shrink(top, x, std::min(CHUNK, windows_ - x));
      finish(top, top >= from);
    }
    for (int y = last + 1; y < to; y++) finish(y, true);
  }

 private:
  const float *plane_, *variance_;
  float* out_;
  const int width_, windows_;
  std::vector<Row> rows_, sums_;
  std::vector<std::vector<double>> weights_, values_;
  std::vector<double> total_;

  void transform(int y) {
    const float* p = plane_ + (size_t)y * width_;
    Row& row = rows_[y % SIDE];
    double* __restrict r0 = row.of(0);
    double* __restrict r1 = row.of(1);
    double* __restrict r2 = row.of(2);
    double* __restrict r3 = row.of(3);
    for (int x = 0; x < windows_; x++) {
      const double a = p[x], b = p[x + 1], c = p[x + 2], d = p[x + 3];
      const double outer = a + d, inner = b + c, wide = a - d, narrow = b - c;
      r0[x] = HALF * (outer + inner);
      r1[x] = WIDE * wide + NARROW * narrow;
      r2[x] = HALF * (outer - inner);
      r3[x] = NARROW * wide - WIDE * narrow;
    }
  }

  // The windows of rows top … top + 3 from column x0 on.
  void shrink(int top, int x0, int count) {
    double c[AREA][CHUNK], limit[CHUNK], weight[CHUNK];
    for (int k = 0; k < SIDE; k++) {
      const double* r[SIDE];
      for (int j = 0; j < SIDE; j++) r[j] = rows_[(top + j) % SIDE].of(k) + x0;
      for (int x = 0; x < count; x++) {
        const double outer = r[0][x] + r[3][x], inner = r[1][x] + r[2][x];
        const double wide = r[0][x] - r[3][x], narrow = r[1][x] - r[2][x];
        c[k][x] = HALF * (outer + inner);
        c[SIDE + k][x] = WIDE * wide + NARROW * narrow;
        c[2 * SIDE + k][x] = HALF * (outer - inner);
        c[3 * SIDE + k][x] = NARROW * wide - WIDE * narrow;
      }
    }
    const float* variance = variance_ + (size_t)(top + 1) * width_ + 1 + x0;
    for (int x = 0; x < count; x++) {
      limit[x] = THRESHOLD * variance[x];
      weight[x] = 1;
    }
    for (int k = 1; k < AREA; k++) {
      for (int x = 0; x < count; x++) {
        const double power = c[k][x] * c[k][x], ratio = limit[x] / power;
        const double share = power > limit[x] ? 1 - ratio * ratio : 0;
        c[k][x] *= share;
        weight[x] += share * share;
      }
    }
    for (int x = 0; x < count; x++) weight[x] = 1 / weight[x];
    for (int j = 0; j < SIDE; j++) {
      double* __restrict to = weights_[(top + j) % SIDE].data() + x0;
      for (int x = 0; x < count; x++) to[x] += weight[x];
    }
    for (int k = 0; k < SIDE; k++) {
      double* s[SIDE];
      for (int j = 0; j < SIDE; j++) s[j] = sums_[(top + j) % SIDE].of(k) + x0;
      add(c[k], c[SIDE + k], c[2 * SIDE + k], c[3 * SIDE + k], weight, count, s[0], s[1], s[2], s[3]);
    }
  }

  void add(const double* c0, const double* c1, const double* c2, const double* c3, const double* weight, int count,
           double* __restrict s0, double* __restrict s1, double* __restrict s2, double* __restrict s3) const {
    for (int x = 0; x < count; x++) {
      const double even = HALF * (c0[x] + c2[x]), odd = HALF * (c0[x] - c2[x]);
      const double outer = WIDE * c1[x] + NARROW * c3[x];
      const double inner = NARROW * c1[x] - WIDE * c3[x];
      s0[x] += weight[x] * (even + outer);
      s1[x] += weight[x] * (odd + inner);
      s2[x] += weight[x] * (odd - inner);
      s3[x] += weight[x] * (even - outer);
    }
  }

  // Clears the sums of row y, after writing the row where `kept`.
  void finish(int y, bool kept) {
    Row& row = sums_[y % SIDE];
    std::vector<double>& weights = weights_[y % SIDE];
    if (kept) write(row, weights.data(), out_ + (size_t)y * width_);
    std::fill(row.values.begin(), row.values.end(), 0.0);
    std::fill(weights.begin(), weights.end(), 0.0);
  }

  void write(Row& row, const double* weights, float* to) {
    // Three zeros on either side stand for the windows beyond the border.
    constexpr int PAD = SIDE - 1;
    const double *s0 = row.of(0), *s1 = row.of(1), *s2 = row.of(2), *s3 = row.of(3);
    double* __restrict v0 = values_[0].data() + PAD;
    double* __restrict v1 = values_[1].data() + PAD;
    double* __restrict v2 = values_[2].data() + PAD;
    double* __restrict v3 = values_[3].data() + PAD;
    double* __restrict w = total_.data() + PAD;
    for (int x = 0; x < windows_; x++) {
      const double even = HALF * (s0[x] + s2[x]), odd = HALF * (s0[x] - s2[x]);
      const double outer = WIDE * s1[x] + NARROW * s3[x];
      const double inner = NARROW * s1[x] - WIDE * s3[x];
      v0[x] = even + outer;
      v1[x] = odd + inner;
      v2[x] = odd - inner;
      v3[x] = even - outer;
      w[x] = weights[x];
    }
    for (int x = 0; x < width_; x++) {
      const double value = v3[x - 3] + v2[x - 2] + v1[x - 1] + v0[x];
      to[x] = (float)(value / (w[x - 3] + w[x - 2] + w[x - 1] + w[x]));
    }
  }
};

}  // namespace

void shrinkDetail(Team& team, const float* plane, int width, int height, const float* variance, float* out) {
  team.run((size_t)width * height, [&](const Member& me) {
    Band(plane, width, variance, out).run(me.from(height), me.to(height), height);
  });
}

}  // namespace implicam::start
