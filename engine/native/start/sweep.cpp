#include "start/sweep.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "start/constants.h"
#include "start/filters.h"

namespace implicam::start {

namespace {
using namespace semiGlobal;
using namespace sweepLoops;
constexpr int BLOCK_PIXELS = BLOCK * BLOCK;

inline int difference(const Logs& low, const Logs& high, int fraction, const Logs& view, size_t p) {
  const int a = low.warm[p], b = low.cool[p];
  const int d = a + (((high.warm[p] - a) * fraction) >> 6) - view.warm[p];
  const int e = b + (((high.cool[p] - b) * fraction) >> 6) - view.cool[p];
  return std::min(std::abs(d) + std::abs(e), LIMIT);
}
}  // namespace

void addDifferences(Team& team, const Logs& view, const std::vector<Between>& sources, const Runs& runs, int32_t* sum) {
  const int pixels = runs.count > 0 ? runs.end[runs.count - 1] : 0;
  team.run(pixels, [&](const Member& me) {
    const int from = me.from(pixels), to = me.to(pixels);
    // The first run that ends behind the start of this member's share.
    const int first = (int)(std::upper_bound(runs.end, runs.end + runs.count, from) - runs.end);
    for (int i = first; i < runs.count && runs.start[i] < to; i++) {
      const Between source = sources[runs.source[i]];
      const int end = std::min(runs.end[i], to);
      for (int p = std::max(runs.start[i], from); p < end; p++)
        sum[p] += difference(source.low, source.high, source.fraction, view, p) + source.prior;
    }
  });
}

void storeCosts(Team& team, const int32_t* sum, const float* trust, int width, int height, int window, uint16_t* cost,
                int label, int labels) {
  const size_t pixels = (size_t)width * height;
  float *mid = team.plane(0, pixels), *plane = team.plane(1, pixels);
  team.run(pixels, [&](const Member& me) {
    const size_t from = (size_t)me.from(height) * width, to = (size_t)me.to(height) * width;
    for (size_t p = from; p < to; p++) plane[p] = (float)((double)sum[p] * trust[p]);
    if (window >= 1) {
      boxRows(me, plane, width, height, window, mid);
      me.meet();
      boxColumns(me, mid, width, height, window, plane);
      me.meet();
    }
    for (size_t p = from, i = from * labels + label; p < to; p++, i += labels)
      cost[i] = (uint16_t)(int)std::min((double)MAXIMUM_COST, plane[p] + 0.5);
  });
}

void blockDifferences(Team& team, const Logs& view, const uint8_t* valid, const std::vector<Logs>& ladder,
                      const int32_t* pixels, int blocks, int places, float* out) {
  team.run((size_t)blocks * BLOCK_PIXELS * places, [&](const Member& me) {
    for (int place = me.from(places); place < me.to(places); place++) {
      const int rung = std::min(place / STEPS, (int)ladder.size() - 2);
      const int fraction = (place - rung * STEPS) * (64 / STEPS);
      const Logs low = ladder[rung], high = ladder[rung + 1];
      for (int block = 0; block < blocks; block++) {
        int sum = 0;
        for (int k = 0; k < BLOCK_PIXELS; k++) {
          const int p = pixels[block * BLOCK_PIXELS + k];
          if (!valid || valid[p]) sum += difference(low, high, fraction, view, p);
        }
        out[(size_t)place * blocks + block] = (float)sum;
      }
    }
  });
}

double sumLowest(Team& team, const std::vector<const float*>& differences, const uint8_t* sources, int blocks,
                 const double* priors, const int32_t* offsets, int depths) {
  const int views = (int)differences.size();
  float *lowest = team.plane(0, blocks), *sums = team.plane(1, blocks);
  team.run((size_t)blocks * depths, [&](const Member& me) {
    const int from = me.from(blocks), to = me.to(blocks);
    std::fill(lowest + from, lowest + to, INFINITY);
    for (int l = 0; l < depths; l++) {
      for (int b = from; b < to; b++) sums[b] = (float)priors[l * views + sources[b]];
      for (int v = 0; v < views; v++) {
        const int32_t* at = offsets + (l * views + v) * views;
        for (int b = from; b < to; b++) sums[b] += differences[v][(size_t)at[sources[b]] + b];
      }
      for (int b = from; b < to; b++) lowest[b] = std::min(lowest[b], sums[b]);
    }
  });
  double total = 0;
  for (int b = 0; b < blocks; b++) total += lowest[b];
  return total;
}

namespace {

// Costs of labels in blocks of LANES, the last of them filled up with a cost that is never chosen.
constexpr int LANES = 8;
typedef int16_t Lanes __attribute__((vector_size(2 * LANES)));
typedef uint16_t Sums __attribute__((vector_size(2 * LANES)));
// Path costs stay below 8000, and with a step below 12000.
constexpr int16_t NEVER = 16000;

inline Lanes load(const int16_t* p) {
  Lanes v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(int16_t* p, Lanes v) { std::memcpy(p, &v, sizeof v); }
inline Lanes lower(Lanes a, Lanes b) { return a < b ? a : b; }

// Four of the eight directions: from the rows above and the left (`way` 1), or from below and the right (−1).
class Paths {
 public:
  Paths(int width, int height, int labels)
      : width_(width),
        height_(height),
        labels_(labels),
        blocks_((labels + LANES - 1) / LANES),
        // A block of NEVER between neighbours.
        pitch_((blocks_ + 1) * LANES) {
    for (auto& row : rows_) row.assign((size_t)(width + 2) * pitch_ + LANES, NEVER);
    side_.assign(2 * pitch_ + LANES, NEVER);
    for (auto& row : lowest_) row.assign(width + 2, -1);
    local_.assign(2 * (size_t)blocks_ * LANES, NEVER);
  }

  void run(const uint16_t* cost, int p1, const uint16_t* p2, int way, uint16_t* sum) {
    int16_t *costs = local_.data(), *sums = costs + blocks_ * LANES;
    for (int row = 0; row < height_; row++) {
      const int y = way == 1 ? row : height_ - 1 - row, now = 3 * (row & 1), before = 3 - now;
      int sideLowest = -1, from = 0;
      for (int column = 0; column < width_; column++) {
        const int x = way == 1 ? column : width_ - 1 - column;
        const size_t p = (size_t)y * width_ + x;
        uint16_t* total = sum + p * labels_;
        std::memcpy(costs, cost + p * labels_, 2 * (size_t)labels_);
        std::memset(sums, 0, 2 * (size_t)blocks_ * LANES);
        const int16_t jump = (int16_t)p2[p];
        const int to = pitch_ - from;
        sideLowest = step(side_.data() + LANES + from, sideLowest, side_.data() + LANES + to, p1, jump);
        from = to;
        for (int k = 0; k < 3; k++)
          lowest_[now + k][x + 1] =
              step(rows_[before + k].data() + LANES + (size_t)(x + k) * pitch_, lowest_[before + k][x + k],
                   rows_[now + k].data() + LANES + (size_t)(x + 1) * pitch_, p1, jump);
        for (int l = 0; l < labels_; l++) total[l] = (uint16_t)(total[l] + sums[l]);
      }
    }
  }

 private:
  // Extends one path by one pixel; the lowest cost before is negative where the path starts. Returns the new one.
  int step(const int16_t* before, int least, int16_t* after, int p1, int16_t p2) {
    const int16_t* costs = local_.data();
    int16_t* sums = local_.data() + blocks_ * LANES;
    Lanes lowest = Lanes{} + NEVER;
    for (int b = 0; b < blocks_ * LANES; b += LANES) {
      Lanes best = load(costs + b);
      if (least >= 0) {
        const Lanes near = lower(load(before + b - 1), load(before + b + 1)) + (int16_t)p1;
        best += lower(lower(load(before + b), near), Lanes{} + (int16_t)(least + p2)) - (int16_t)least;
      }
      store(after + b, best);
      store(sums + b, (Lanes)((Sums)load(sums + b) + (Sums)best));
      lowest = lower(lowest, best);
    }
    int16_t each[LANES];
    store(each, lowest);
    return *std::min_element(each, each + LANES);
  }

  int width_, height_, labels_, blocks_, pitch_;
  // Of the three directions from the row before: even rows, then odd ones.
  std::vector<int16_t> rows_[6], side_, local_;
  std::vector<int> lowest_[6];
};

}  // namespace

void aggregatePaths(Team& team, int width, int height, int labels, const uint16_t* cost, int p1, const uint16_t* p2,
                    uint16_t* sum) {
  const size_t size = (size_t)width * height * labels;
  std::vector<uint16_t> other;
  team.run(size, [&](const Member& me) {
    if (me.count == 1) {
      Paths(width, height, labels).run(cost, p1, p2, 1, sum);
      Paths(width, height, labels).run(cost, p1, p2, -1, sum);
      return;
    }
    if (me.id == 0) Paths(width, height, labels).run(cost, p1, p2, 1, sum);
    if (me.id == 1) {
      other.assign(size, 0);
      Paths(width, height, labels).run(cost, p1, p2, -1, other.data());
    }
    me.meet();
    const size_t from = (size_t)me.from(height) * width * labels, to = (size_t)me.to(height) * width * labels;
    for (size_t i = from; i < to; i++) sum[i] = (uint16_t)(sum[i] + other[i]);
  });
}

}  // namespace implicam::start
