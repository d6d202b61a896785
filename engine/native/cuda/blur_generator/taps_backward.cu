// Taps, backward: from the comparison to the gradient of networks, positions and cameras.
#include "cuda/blur_generator/taps.h"

namespace implicam::device {
namespace {

// Views are summed by tiles of this many pixels.
constexpr int TILE = 128;

// Gradient of a position that confining may have moved.
IC_DEVICE Point freed(Point before, Point after, float dx, float dy) {
  return {before.x == after.x ? dx : 0, before.y == after.y ? dy : 0};
}

// The gradient of the scene's outputs and of the generator's weights, in place.
struct SumTapsBack {
  Step step;
  TapLayout at;
  LightBatch light;
  IC_DEVICE void item(int64_t n) const {
    const bool logLight = step.model->logLight;
    const int v = (int)(n / at.Q);
    const int64_t q = n % at.Q, slot = q / at.perSlot, i = q % at.perSlot;
    float d[3];
    for (int c = 0; c < 3; c++) {
      d[c] = light.gradient(step.model->view[v], c, q);
      if (!logLight && d[c] != 0) d[c] *= expf(-light.uAt(v, c, q));
    }
    float dot = 0;
    for (int k = 0; k < at.K && at.free; k++) {
      const float* b = at.scene + at.query(slot, v, k, i);
      for (int c = 0; c < 3; c++) dot += at.weight(slot, v, k, i) * d[c] * b[c * at.N];
    }
    for (int k = 0; k < at.K; k++) {
      const float share = at.weight(slot, v, k, i);
      float* b = at.scene + at.query(slot, v, k, i);
      float dweight = 0;
      for (int c = 0; c < 3; c++) {
        const float value = b[c * at.N];
        dweight += d[c] * value;
        b[c * at.N] = share * d[c] * (logLight ? (value > LN_MIN && value < LN_MAX ? 1 : 0) : value * alive(value));
      }
      if (at.free) at.blur[k * at.blurN + at.blurAt(slot, v, i)] = share * (dweight - dot);
    }
  }
};

// dL/d(position) through the start pictures; sets dqx, dqy.
struct StartSlopes {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    float dx = 0, dy = 0;
    for (int k = 0; k < 3 && m.startRadiance && m.residual; k++) {
      const float d = at.scene[k * at.N + n];
      const Sampled<float> s = bilinear(m, m.startRadiance + (int64_t)k * m.width * m.height, at.px[n], at.py[n]);
      dx += d * s.gx;
      dy += d * s.gy;
    }
    at.dqx[n] = dx;
    at.dqy[n] = dy;
  }
};

struct SirenSlopes {
  Step step;
  TapLayout at;
  const float* input;  // [2][N] gradient
  IC_DEVICE void item(int64_t n) const {
    const float half = Normal<float>::of(*step.model).half;
    at.dqx[n] += input[n] / half;
    at.dqy[n] += input[at.N + n] / half;
  }
};

// dL/d(tap) from dL/d(position), in place, and the homographies' gradient.
struct WarpTapsBack {
  static constexpr int THREADS = TILE;
  using Shared = Tally<AFFINE, THREADS>;
  Step step;
  TapLayout at;
  float* slots;  // [slots][views][tiles][AFFINE]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<AFFINE>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < AFFINE; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i < at.perSlot) one(on.slot, on.view, i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * AFFINE);
  }

 private:
  IC_DEVICE void one(int64_t slot, int v, int64_t i, float* sum) const {
    const ViewCamera& c = step.camera[v];
    const Normal<float> normal = Normal<float>::of(*step.model);
    for (int k = 0; k < at.K; k++) {
      const int64_t n = at.query(slot, v, k, i);
      const Point p = tapOf(step, at, slot, v, k, i);
      const Point d = freed(warp(c, normal, p), {at.px[n], at.py[n]}, at.dqx[n], at.dqy[n]);
      const Point dp = warpBack(c, normal, p, d, sum);
      at.dqx[n] = dp.x;
      at.dqy[n] = dp.y;
    }
  }
};

// From dL/d(tap) to the generator's offsets, in place.
struct FreeTapsBack {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t j) const {
    const int64_t q = j % at.Q, slot = q / at.perSlot, i = q % at.perSlot, r = j / at.Q;
    const int k = (int)(r % at.K), v = (int)(r / at.K);
    const int64_t n = at.query(slot, v, k, i);
    float* o = at.blur + (at.K + 2 * k) * at.blurN + at.blurAt(slot, v, i);
    const float shift = step.model->blurGrid && k == 4 ? 0 : step.model->maxShift;
    o[0] = at.dqx[n] * shift * (1 - o[0] * o[0]);
    o[at.blurN] = at.dqy[n] * shift * (1 - o[at.blurN] * o[at.blurN]);
  }
};

// The generator's gradient of a view's focus.
struct FreeFocus {
  static constexpr int THREADS = TILE;
  using Shared = Tally<1, THREADS>;
  TapLayout at;
  const float* input;  // [3][blurN] gradient
  float* slots;
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<1>, THREADS> sums;
    block.each([&](int t) {
      const int64_t i = (int64_t)on.tile * THREADS + t;
      sums[t].x[0] = i < at.perSlot ? input[at.blurAt(on.slot, on.view, i)] : 0;
    });
    shared.take(block, sums, slots + block.index);
  }
};

}  // namespace

int tapTiles(const TapLayout& at) { return (at.perSlot + TILE - 1) / TILE; }

void sumTapsBack(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light) {
  stream.items(at.views * at.Q, SumTapsBack{step, at, light});
}

void startTapSlopes(Stream& stream, const Step& step, const TapLayout& at) { stream.items(at.N, StartSlopes{step, at}); }

void addSineSlopes(Stream& stream, const Step& step, const TapLayout& at, const float* input) {
  stream.items(at.N, SirenSlopes{step, at, input});
}

void tapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums) {
  sumViews<AFFINE>(stream, step.slots, at.views, WarpTapsBack{step, at, slots, tapTiles(at)}, sums.view);
  if (at.free) stream.items(at.views * at.K * at.Q, FreeTapsBack{step, at});
}

void blurFocusBack(Stream& stream, const Step& step, const TapLayout& at, const float* input, float* slots,
                   const ShardSums& sums) {
  sumViews<1>(stream, step.slots, at.views, FreeFocus{at, input, slots, tapTiles(at)}, sums.view + FOCUS_SUM);
}

}  // namespace implicam::device
