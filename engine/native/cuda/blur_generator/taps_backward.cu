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

// And back: the gradient of the scene's outputs, in place.
struct CompositeBackward {
  Composite taps;
  LightBatch light;
  IC_DEVICE void item(int64_t n) const {
    const Step& step = taps.step;
    const TapLayout& at = taps.at;
    const int v = (int)(n / at.Q);
    const int64_t q = n % at.Q, slot = q / at.perSlot, i = q % at.perSlot;
    float d[3];
    for (int c = 0; c < 3; c++) {
      d[c] = light.gradient(step.model->view[v], c, q);
      if (!step.model->logLight && d[c] != 0) d[c] *= expf(-light.uAt(v, c, q));
    }
    if (at.groups > 1) layersBack(slot, v, i, d);
    else tapsBack(slot, v, i, d);
  }

 private:
  IC_DEVICE void tapsBack(int64_t slot, int v, int64_t i, const float* d) const {
    const TapLayout& at = taps.at;
    const bool logLight = taps.step.model->logLight;
    float dot = 0;
    if (at.free)
      for (int k = 0; k < at.K; k++) {
        const float* b = at.scene + at.query(slot, v, 0, k, i);
        for (int c = 0; c < 3; c++) dot += taps.weight(slot, v, k, i) * d[c] * b[c * at.N];
      }
    for (int k = 0; k < at.K; k++) {
      const float share = taps.weight(slot, v, k, i);
      float* b = at.scene + at.query(slot, v, 0, k, i);
      float dweight = 0;
      for (int c = 0; c < 3; c++) {
        const float value = b[c * at.N];
        dweight += d[c] * value;
        b[c * at.N] = share * d[c] * (logLight ? (value > LN_MIN && value < LN_MAX ? 1 : 0) : value * alive(value));
      }
      if (at.free) at.blur[k * at.blurN + at.blurAt(slot, v, i)] = share * (dweight - dot);
    }
  }

  // Two layers: background taps and foreground taps have circles of their own.
  IC_DEVICE void layersBack(int64_t slot, int v, int64_t i, const float* d) const {
    const TapLayout& at = taps.at;
    float cover, back[3], front[3], dcover = 0;
    taps.sums(slot, v, i, cover, back, front);
    for (int c = 0; c < 3; c++) dcover -= d[c] * back[c];
    const float share = 1.f / at.K;
    for (int k = 0; k < at.K; k++) {
      float* far = at.scene + at.query(slot, v, 0, k, i);
      float* near = at.scene + at.query(slot, v, 1, k, i);
      const float alpha = near[6 * at.N];
      float da = share * dcover;
      for (int c = 0; c < 3; c++) {
        const float b = far[c * at.N], f = near[(3 + c) * at.N];
        da += share * d[c] * f;
        far[c * at.N] = share * (1 - cover) * d[c] * b * alive(b);
        near[(3 + c) * at.N] = share * d[c] * alpha * f * alive(f);
        near[c * at.N] = 0;
        far[(3 + c) * at.N] = 0;
      }
      near[6 * at.N] = da * alpha * (1 - alpha);
      far[6 * at.N] = 0;
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
    for (int k = 0; k < m.outputs && m.startRadiance && m.residual; k++) {
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
  using Shared = Tally<8, THREADS>;
  Step step;
  TapLayout at;
  float* slots;  // [slots][views][tiles][8]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<8>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < 8; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i >= at.perSlot) return;
      for (int g = 0; g < at.groups; g++) layer(on.slot, on.view, g, i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * 8);
  }

 private:
  IC_DEVICE void layer(int64_t slot, int v, int g, int64_t i, float* sum) const {
    const ViewCamera& c = step.camera[v];
    const Normal<float> normal = Normal<float>::of(*step.model);
    const Disk disk = diskOf(step, at, slot, v, g, i);
    for (int k = 0; k < at.K; k++) {
      const int64_t n = at.query(slot, v, g, k, i);
      const Point p = tapOf(step, at, disk, slot, v, k, i).at;
      const Point d = freed(warp(c, normal, p), {at.px[n], at.py[n]}, at.dqx[n], at.dqy[n]);
      const Point dp = warpBack(c, normal, p, d, sum);
      at.dqx[n] = dp.x;
      at.dqy[n] = dp.y;
    }
  }
};

// From dL/d(tap) to the circle (in place of the defocus map), and to the view's focus and ln κ.
struct LensTapsBack {
  static constexpr int THREADS = TILE;
  using Shared = Tally<2, THREADS>;
  Step step;
  TapLayout at;
  float* slots;  // [slots][views][tiles][2]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<2>, THREADS> sums;
    block.each([&](int t) {
      sums[t].x[0] = sums[t].x[1] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i >= at.perSlot) return;
      for (int g = 0; g < at.groups; g++) layer(on.slot, on.view, g, i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * 2);
  }

 private:
  IC_DEVICE void layer(int64_t slot, int v, int g, int64_t i, float* sum) const {
    const float scale = step.camera[v].scale;
    const Disk disk = diskOf(step, at, slot, v, g, i);
    float along = 0;
    for (int k = 0; k < at.K; k++) {
      const int64_t n = at.query(slot, v, g, k, i);
      const Point unit = tapOf(step, at, disk, slot, v, k, i).unit;
      along += at.dqx[n] * unit.x + at.dqy[n] * unit.y;
    }
    sum[0] -= scale * along;
    sum[1] += along * disk.radius;
    at.map[g * at.mapN + at.mapAt(slot, v, i)] = scale * along;
  }
};

// From dL/d(tap) to the generator's offsets, in place.
struct FreeTapsBack {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t j) const {
    const int64_t q = j % at.Q, slot = q / at.perSlot, i = q % at.perSlot, r = j / at.Q;
    const int k = (int)(r % at.K), v = (int)(r / at.K);
    const int64_t n = at.query(slot, v, 0, k, i);
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

// Smoothness of the defocus map between a pixel and its neighbour; its gradient takes the map's place there.
struct SmoothTaps {
  static constexpr int THREADS = TILE;
  using Shared = Tally<1, THREADS>;
  Step step;
  TapLayout at;
  float* losses;  // [slots][tiles]
  float each;
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int64_t slot = block.index / tiles;
    PerThread<Sums<1>, THREADS> sums;
    block.each([&](int t) {
      sums[t].x[0] = 0;
      const int64_t i = block.index % tiles * THREADS + t;
      if (i >= at.perSlot) return;
      const float k = step.model->kappaStart, weight = each * at.live[slot * at.perSlot + i];
      for (int l = 0; l < at.layers; l++) {
        float& a = at.map[l * at.mapN + at.mapAt(slot, at.views, i)];
        float& b = at.map[l * at.mapN + at.mapAt(slot, at.views + 1, i)];
        const float delta = k * (b - a), root = sqrtf(delta * delta + 1e-3f), g = weight * delta / root * k;
        sums[t].x[0] += weight * root;
        a = -g;
        b = g;
      }
    });
    shared.take(block, sums, losses + block.index);
  }
};

// dL/d(position) of the defocus map through its start picture; sets mapDx, mapDy.
struct MapSlopes {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    float dx = 0, dy = 0;
    for (int l = 0; l < at.layers && m.startDefocus; l++) {
      const float d = at.map[l * at.mapN + n];
      const Sampled<float> s = bilinear(m, m.startDefocus + (int64_t)l * m.width * m.height, at.mapX[n], at.mapY[n]);
      dx += d * s.gx;
      dy += d * s.gy;
    }
    at.mapDx[n] = dx;
    at.mapDy[n] = dy;
  }
};

// The homography's gradient through where the defocus map is asked.
struct MapWarpBack {
  static constexpr int THREADS = TILE;
  using Shared = Tally<8, THREADS>;
  Step step;
  TapLayout at;
  float* slots;
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<8>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < 8; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i >= at.perSlot) return;
      const int64_t n = at.mapAt(on.slot, on.view, i), q = on.slot * at.perSlot + i;
      const Point p = mapPoint(step, at, on.slot, on.view, i);
      const Point d = freed(p, {at.mapX[n], at.mapY[n]}, at.mapDx[n], at.mapDy[n]);
      warpBack(step.camera[on.view], Normal<float>::of(*step.model), {at.x[q], at.y[q]}, d, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * 8);
  }
};

}  // namespace

int tapTiles(const TapLayout& at) { return (at.perSlot + TILE - 1) / TILE; }

void compositeTapsBack(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light) {
  stream.items(at.views * at.Q, CompositeBackward{{step, at}, light});
}

void startTapSlopes(Stream& stream, const Step& step, const TapLayout& at) { stream.items(at.N, StartSlopes{step, at}); }

void addSineSlopes(Stream& stream, const Step& step, const TapLayout& at, const float* input) {
  stream.items(at.N, SirenSlopes{step, at, input});
}

void tapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums) {
  const int tiles = tapTiles(at);
  sumViews<8>(stream, step.slots, at.views, WarpTapsBack{step, at, slots, tiles}, sums.view);
  if (at.lens) sumViews<2>(stream, step.slots, at.views, LensTapsBack{step, at, slots, tiles}, sums.view + 8);
  if (at.free) stream.items(at.views * at.K * at.Q, FreeTapsBack{step, at});
}

void smoothTapMap(Stream& stream, const Step& step, const TapLayout& at, float each, float* slots, const ShardSums& sums) {
  const int tiles = tapTiles(at);
  stream.blocks((int64_t)step.slots * tiles, SmoothTaps{step, at, slots, each, tiles});
  stream.items(step.slots, SumSlots<double>{slots, sums.scalars, tiles, 1, SCALARS});
}

void startMapSlopes(Stream& stream, const Step& step, const TapLayout& at) { stream.items(at.mapN, MapSlopes{step, at}); }

void mapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums) {
  sumViews<8>(stream, step.slots, at.views, MapWarpBack{step, at, slots, tapTiles(at)}, sums.view);
}

void blurFocusBack(Stream& stream, const Step& step, const TapLayout& at, const float* input, float* slots,
                   const ShardSums& sums) {
  sumViews<1>(stream, step.slots, at.views, FreeFocus{at, input, slots, tapTiles(at)}, sums.view + 8);
}

}  // namespace implicam::device
