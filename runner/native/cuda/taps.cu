// The training step by taps: a sample is a pixel position with all its views; each view is blurred by K queries of the
// scene. Used by the free blur generator, by sharp captures (K = 1), and by the lens where patches do not fit.
#include "taps.h"

#include <math.h>
#include <vector>

namespace implicam::device {
namespace {

constexpr float DARK = 1e-8f;

struct DrawPixels {
  Step step;
  TapLayout at;
  LightBatch light;
  int first;
  IC_DEVICE void item(int64_t q) const {
    const int slot = (int)(q / at.perSlot), j = first + (int)(q % at.perSlot);
    const Shard& shard = step.shard(slot);
    const Draw d = drawOf(shard, step.model->seed, 1, step.state->step, j < shard.draws ? j : 0);
    light.column[q] = d.x;
    light.row[q] = d.y;
    at.x[q] = d.x + .5f;
    at.y[q] = d.y + .5f;
    at.u0[q] = d.u0;
    at.u1[q] = d.u1;
    at.live[q] = j < shard.draws ? 1 : 0;
  }
};

// Where the defocus map is asked: at D_v(p) for every view, at p, and at p's neighbour.
IC_DEVICE Point mapPoint(const Step& step, const TapLayout& at, int64_t slot, int r, int64_t i) {
  const int64_t q = slot * at.perSlot + i;
  const Point p = {at.x[q], at.y[q]};
  if (r < at.views) return warp(step.camera[r], Normal::of(*step.model), p);
  if (r == at.views) return p;
  return {p.x + cosf(TAU * at.u1[q]), p.y + sinf(TAU * at.u1[q])};
}

struct MapPositions {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const int64_t slot = n / at.mapPerSlot, r = n % at.mapPerSlot / at.perSlot;
    const Point p = mapPoint(step, at, slot, r < at.views + 2 ? (int)r : at.views, n % at.mapPerSlot % at.perSlot);
    const Point c = confine(*step.model, step.shard((int)slot), p);
    at.mapX[n] = c.x;
    at.mapY[n] = c.y;
  }
};

struct MapStart {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const bool used = n % at.mapPerSlot < (int64_t)(at.views + 2) * at.perSlot;
    for (int l = 0; l < at.layers; l++) {
      float& s = at.map[l * at.mapN + n];
      if (!used) s = 0;
      else if (m.startDefocus)
        s += bilinear(m, m.startDefocus + (int64_t)l * m.width * m.height, {at.mapX[n], at.mapY[n]}).value;
    }
  }
};

struct BlurInput {
  Step step;
  TapLayout at;
  float* input;  // [3][blurN]
  IC_DEVICE void item(int64_t n) const {
    const int64_t slot = n / at.blurPerSlot, r = n % at.blurPerSlot, v = r / at.perSlot;
    const int64_t q = slot * at.perSlot + r % at.perSlot;
    const Normal normal = Normal::of(*step.model);
    input[n] = step.camera[v < at.views ? v : 0].focus;
    input[at.blurN + n] = (at.x[q] - normal.cx) / normal.half;
    input[2 * at.blurN + n] = (at.y[q] - normal.cy) / normal.half;
  }
};

// Outputs of the generator: softmax to w, offsets through tanh in place.
struct BlurOutput {
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    float* o = at.blur + n;
    const int64_t ld = at.blurN;
    const bool used = n % at.blurPerSlot < (int64_t)at.views * at.perSlot;
    float top = o[0], sum = 0;
    for (int k = 1; k < at.K; k++) top = greater(top, o[k * ld]);
    for (int k = 0; k < at.K; k++) sum += at.w[k * ld + n] = expf(o[k * ld] - top);
    for (int k = 0; k < at.K; k++) at.w[k * ld + n] /= sum;
    for (int k = at.K; k < 3 * at.K; k++) o[k * ld] = used ? tanhf(o[k * ld]) : 0;
    for (int k = 0; k < at.K && !used; k++) o[k * ld] = 0;
  }
};

// ω of a pixel in every view: once `sharp`, the sharpest counts most.
struct WeighTaps {
  Step step;
  TapLayout at;
  LightBatch light;
  IC_DEVICE void item(int64_t q) const {
    const Model& m = *step.model;
    const int64_t slot = q / at.perSlot, i = q % at.perSlot;
    const bool sharpest = at.lens && step.state->sharp && m.views > 1;
    float nearest = 1e30f, total = 0;
    for (int v = 0; v < m.views && sharpest; v++) nearest = lesser(nearest, circle(slot, v, i));
    for (int v = 0; v < m.views && sharpest; v++) total += expf((nearest - circle(slot, v, i)) / m.loss.sharpnessTau);
    for (int v = 0; v < m.views; v++) {
      float w = 1;
      if (sharpest)
        w = (1 - m.loss.sharpness) +
            m.loss.sharpness * m.views * expf((nearest - circle(slot, v, i)) / m.loss.sharpnessTau) / total;
      light.weight[v * light.Q + q] = at.live[q] * w;
    }
  }

 private:
  IC_DEVICE float circle(int64_t slot, int v, int64_t i) const {
    const ViewCamera& c = step.camera[v];
    return fabsf(c.scale * (at.map[at.mapAt(slot, v, i)] - c.focus));
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

struct TapPositions {
  Step step;
  TapLayout at;
  float* siren;  // [2][N] input of a sine network, or null
  IC_DEVICE void item(int64_t n) const {
    const int64_t slot = n / at.queriesPerSlot, r = n % at.queriesPerSlot, query = r / at.perSlot;
    const int k = (int)(query % at.K), g = (int)(query / at.K % at.groups), v = (int)(query / at.K / at.groups);
    const Model& m = *step.model;
    const Normal normal = Normal::of(m);
    const int view = v < at.views ? v : 0;
    const int64_t i = r % at.perSlot;
    const Tap tap = tapOf(step, at, diskOf(step, at, slot, view, g, i), slot, view, k, i);
    const Point p = confine(m, step.shard((int)slot), warp(step.camera[view], normal, tap.at));
    at.px[n] = p.x;
    at.py[n] = p.y;
    if (!siren) return;
    siren[n] = (p.x - normal.cx) / normal.half;
    siren[at.N + n] = (p.y - normal.cy) / normal.half;
  }
};

// Adds the start pictures; outputs become linear radiance and opacity, or clamped logarithms.
struct ActivateTaps {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const bool used = n % at.queriesPerSlot < (int64_t)at.views * at.groups * at.K * at.perSlot;
    for (int k = 0; k < m.outputs; k++) {
      float v = at.scene[k * at.N + n];
      if (m.startRadiance && m.residual)
        v += bilinear(m, m.startRadiance + (int64_t)k * m.width * m.height, {at.px[n], at.py[n]}).value;
      v = m.logLight ? clampTo(v, LN_MIN, LN_MAX) : k < 6 ? radiance(v) : sigmoid(v);
      // What no view reads has no gradient either.
      at.scene[k * at.N + n] = used ? v : 0;
    }
  }
};

// One pixel of one view: from the taps to u, and back.
struct Composite {
  Step step;
  TapLayout at;
  LightBatch light;

  IC_DEVICE void forward(int v, int64_t q) const {
    const int64_t slot = q / at.perSlot, i = q % at.perSlot;
    float cover, back[3], front[3];
    sums(slot, v, i, cover, back, front);
    for (int c = 0; c < 3; c++) {
      const float seen = front[c] + (1 - cover) * back[c];
      light.uAt(v, c, q) = step.model->logLight ? seen : logf(seen + DARK);
    }
  }

  IC_DEVICE void backward(int v, int64_t q) const {
    const int64_t slot = q / at.perSlot, i = q % at.perSlot;
    const View& view = step.model->view[v];
    float d[3];
    for (int c = 0; c < 3; c++) {
      d[c] = light.gradient(view, c, q);
      if (!step.model->logLight && d[c] != 0) d[c] *= expf(-light.uAt(v, c, q));
    }
    if (at.groups > 1) layersBack(slot, v, i, d);
    else tapsBack(slot, v, i, d);
  }

 private:
  IC_DEVICE float weight(int64_t slot, int v, int k, int64_t i) const {
    return at.free ? at.w[k * at.blurN + at.blurAt(slot, v, i)] : 1.f / at.K;
  }

  IC_DEVICE void sums(int64_t slot, int v, int64_t i, float& cover, float* back, float* front) const {
    cover = 0;
    for (int c = 0; c < 3; c++) back[c] = front[c] = 0;
    for (int k = 0; k < at.K; k++) {
      const float share = weight(slot, v, k, i);
      const float* b = at.scene + at.query(slot, v, 0, k, i);
      for (int c = 0; c < 3; c++) back[c] += share * b[c * at.N];
      if (at.groups < 2) continue;
      const float* f = at.scene + at.query(slot, v, 1, k, i);
      const float alpha = f[6 * at.N];
      cover += share * alpha;
      for (int c = 0; c < 3; c++) front[c] += share * alpha * f[(3 + c) * at.N];
    }
  }

  IC_DEVICE void tapsBack(int64_t slot, int v, int64_t i, const float* d) const {
    const bool logLight = step.model->logLight;
    float dot = 0;
    if (at.free)
      for (int k = 0; k < at.K; k++) {
        const float* b = at.scene + at.query(slot, v, 0, k, i);
        for (int c = 0; c < 3; c++) dot += weight(slot, v, k, i) * d[c] * b[c * at.N];
      }
    for (int k = 0; k < at.K; k++) {
      const float share = weight(slot, v, k, i);
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
    float cover, back[3], front[3], dcover = 0;
    sums(slot, v, i, cover, back, front);
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

struct CompositeForward {
  Composite composite;
  IC_DEVICE void item(int64_t i) const { composite.forward((int)(i / composite.at.Q), i % composite.at.Q); }
};
struct CompositeBackward {
  Composite composite;
  IC_DEVICE void item(int64_t i) const { composite.backward((int)(i / composite.at.Q), i % composite.at.Q); }
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
      const Sampled s = bilinear(m, m.startRadiance + (int64_t)k * m.width * m.height, {at.px[n], at.py[n]});
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
    const float half = Normal::of(*step.model).half;
    at.dqx[n] += input[n] / half;
    at.dqy[n] += input[at.N + n] / half;
  }
};

// From the taps' positions to what placed them: homography, circle (in place of the defocus map), generator.
struct TapsBack {
  static constexpr int THREADS = TILE;
  using Shared = Tally<VIEW_SUMS, THREADS>;
  Step step;
  TapLayout at;
  float* slots;  // [slots][views][tiles][VIEW_SUMS]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int tile = (int)(block.index % tiles), v = (int)(block.index / tiles % at.views);
    const int64_t slot = block.index / tiles / at.views;
    PerThread<Sums<VIEW_SUMS>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < VIEW_SUMS; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)tile * THREADS + t;
      if (i >= at.perSlot) return;
      for (int g = 0; g < at.groups; g++) layer(slot, v, g, i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * VIEW_SUMS);
  }

 private:
  IC_DEVICE void layer(int64_t slot, int v, int g, int64_t i, float* sum) const {
    const ViewCamera& c = step.camera[v];
    const Normal normal = Normal::of(*step.model);
    const Disk disk = diskOf(step, at, slot, v, g, i);
    float along = 0;
    for (int k = 0; k < at.K; k++) {
      const int64_t n = at.query(slot, v, g, k, i);
      const Tap tap = tapOf(step, at, disk, slot, v, k, i);
      const Point d = freed(warp(c, normal, tap.at), {at.px[n], at.py[n]}, at.dqx[n], at.dqy[n]);
      const Point dp = warpBack(c, normal, tap.at, d, sum);
      along += dp.x * tap.unit.x + dp.y * tap.unit.y;
      if (!at.free) continue;
      float* o = at.blur + (at.K + 2 * k) * at.blurN + at.blurAt(slot, v, i);
      const float shift = step.model->blurGrid && k == 4 ? 0 : step.model->maxShift;
      o[0] = dp.x * shift * (1 - o[0] * o[0]);
      o[at.blurN] = dp.y * shift * (1 - o[at.blurN] * o[at.blurN]);
    }
    if (!at.lens) return;
    sum[8] -= c.scale * along;
    sum[9] += along * disk.radius;
    at.map[g * at.mapN + at.mapAt(slot, v, i)] = c.scale * along;
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
    const int tile = (int)(block.index % tiles), v = (int)(block.index / tiles % at.views);
    const int64_t slot = block.index / tiles / at.views;
    PerThread<Sums<1>, THREADS> sums;
    block.each([&](int t) {
      const int64_t i = (int64_t)tile * THREADS + t;
      sums[t].x[0] = i < at.perSlot ? input[at.blurAt(slot, v, i)] : 0;
    });
    shared.take(block, sums, slots + block.index);
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
      const Sampled s = bilinear(m, m.startDefocus + (int64_t)l * m.width * m.height, {at.mapX[n], at.mapY[n]});
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
    const int tile = (int)(block.index % tiles), v = (int)(block.index / tiles % at.views);
    const int64_t slot = block.index / tiles / at.views;
    PerThread<Sums<8>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < 8; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)tile * THREADS + t;
      if (i >= at.perSlot) return;
      const int64_t n = at.mapAt(slot, v, i), q = slot * at.perSlot + i;
      const Point p = mapPoint(step, at, slot, v, i);
      const Point d = freed(p, {at.mapX[n], at.mapY[n]}, at.mapDx[n], at.mapDy[n]);
      warpBack(step.camera[v], Normal::of(*step.model), {at.x[q], at.y[q]}, d, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * 8);
  }
};

class Taps final : public Pass {
 public:
  Taps(Stream& stream, const Model& m, int slots) : stream_(stream), model_(m), slots_(slots) {
    TapLayout& at = at_;
    at.lens = m.blurForm == BLUR_LENS_TAPS;
    at.free = m.blurForm == BLUR_FREE;
    at.views = m.views;
    at.layers = m.layers;
    at.groups = at.lens ? m.layers : 1;
    at.K = m.blurForm == BLUR_NONE ? 1 : m.taps;
    at.perSlot = batchDraws(m, floatsPerPixel(), 32);
    at.Q = (int64_t)slots * at.perSlot;
    at.queriesPerSlot = paddedSamples((int64_t)at.views * at.groups * at.K * at.perSlot);
    at.N = slots * at.queriesPerSlot;
    at.mapPerSlot = at.lens ? paddedSamples((int64_t)(at.views + 2) * at.perSlot) : 0;
    at.mapN = slots * at.mapPerSlot;
    at.blurPerSlot = at.free ? paddedSamples((int64_t)at.views * at.perSlot) : 0;
    at.blurN = slots * at.blurPerSlot;
    atlas_ = Network(stream, m.atlas, slots, at.queriesPerSlot, "scene network");
    if (at.lens) map_ = Network(stream, m.map, slots, at.mapPerSlot, "defocus network");
    if (at.free) blur_ = Network(stream, m.blur, slots, at.blurPerSlot, "blur network");
    photo_ = Photometric(stream, m, slots, at.perSlot);
    place();
  }

  int draws() const override { return at_.perSlot; }

  void run(const Step& step, int first, const Gradients& gradients) override {
    const LightBatch& light = photo_.batch();
    const Composite composite{step, at_, light};
    stream_.items(at_.Q, DrawPixels{step, at_, light, first});
    if (at_.lens) mapForward(step);
    if (at_.free) blurForward(step);
    stream_.items(at_.Q, WeighTaps{step, at_, light});
    sceneForward(step);
    stream_.items(at_.views * at_.Q, CompositeForward{composite});
    photo_.compare(step, gradients.sums, gradients.shared);
    stream_.items(at_.views * at_.Q, CompositeBackward{composite});
    sceneBackward(step, gradients);
    if (at_.lens) mapBackward(step, gradients);
    if (at_.free) blurBackward(step, gradients);
  }

 private:
  int64_t floatsPerPixel() const {
    const Model& m = model_;
    const int64_t queries = (int64_t)at_.views * at_.groups * at_.K;
    int64_t floats = queries * (Network::floatsPerSample(m.atlas) + 4) + Photometric::floatsPerPixel(m) + 5;
    if (at_.lens) floats += (at_.views + 2) * (Network::floatsPerSample(m.map) + 4);
    if (at_.free) floats += at_.views * (Network::floatsPerSample(m.blur) + at_.K);
    return floats;
  }

  void place() {
    TapLayout& at = at_;
    floats_ = Buffer<float>(stream_, 5 * at.Q + 4 * at.N + 4 * at.mapN + at.K * at.blurN, "taps");
    float* f = floats_.at();
    const auto take = [&](int64_t count) {
      float* p = f;
      f += count;
      return p;
    };
    for (float** p : {&at.x, &at.y, &at.u0, &at.u1, &at.live}) *p = take(at.Q);
    for (float** p : {&at.px, &at.py, &at.dqx, &at.dqy}) *p = take(at.N);
    for (float** p : {&at.mapX, &at.mapY, &at.mapDx, &at.mapDy}) *p = take(at.mapN);
    at.w = take(at.K * at.blurN);
    at.scene = atlas_.output();
    at.map = at.lens ? map_.output() : nullptr;
    at.blur = at.free ? blur_.output() : nullptr;
    std::vector<float> disk;
    for (int k = 0; k < at.K; k++) {
      const double r = sqrt((k + .5) / at.K), angle = 2.399963 * (k + .5);
      disk.push_back((float)(r * cos(angle)));
      disk.push_back((float)(r * sin(angle)));
    }
    disk_ = Buffer<float>(stream_, disk.size(), "disk of taps");
    disk_.upload(disk.data());
    at.disk = disk_.at();
    sums_ = Buffer<float>(stream_, (size_t)slots_ * at.views * tiles() * VIEW_SUMS, "sums of the views");
  }

  int tiles() const { return (at_.perSlot + TILE - 1) / TILE; }
  bool positions() const { return model_.blurForm != BLUR_NONE || model_.dof > 0; }

  GridPass atlasGrid(const Step& step) const {
    return {step, Grid::atlas, at_.px, at_.py, atlas_.input(), at_.N, at_.queriesPerSlot, model_.atlasGrid.levels};
  }
  GridPass mapGrid(const Step& step) const {
    return {step, Grid::map, at_.mapX, at_.mapY, map_.input(), at_.mapN, at_.mapPerSlot, model_.mapGrid.levels};
  }

  void mapForward(const Step& step) {
    stream_.items(at_.mapN, MapPositions{step, at_});
    mapGrid(step).encode(stream_);
    map_.forward(step.theta);
    stream_.items(at_.mapN, MapStart{step, at_});
  }

  void blurForward(const Step& step) {
    stream_.items(at_.blurN, BlurInput{step, at_, blur_.input()});
    blur_.forward(step.theta);
    stream_.items(at_.blurN, BlurOutput{at_});
  }

  void sceneForward(const Step& step) {
    stream_.items(at_.N, TapPositions{step, at_, model_.siren ? atlas_.input() : nullptr});
    if (!model_.siren) atlasGrid(step).encode(stream_);
    atlas_.forward(step.theta);
    stream_.items(at_.N, ActivateTaps{step, at_});
  }

  void sceneBackward(const Step& step, const Gradients& gradients) {
    if (positions()) stream_.items(at_.N, StartSlopes{step, at_});
    atlas_.backward(step.theta, gradients.shared, !model_.siren || positions());
    if (!model_.siren) atlasGrid(step).scatter(stream_, gradients.atlas);
    if (!positions()) return;
    if (model_.siren) stream_.items(at_.N, SirenSlopes{step, at_, atlas_.input()});
    else atlasGrid(step).positions(stream_, at_.dqx, at_.dqy);
    sumViews<VIEW_SUMS>(TapsBack{step, at_, sums_.at(), tiles()}, gradients.sums.view);
  }

  void mapBackward(const Step& step, const Gradients& gradients) {
    const Shard& s = model_.shard[0];
    const double pixels = s.tiled ? (double)s.draws * model_.shards : (double)s.drawStride;
    const float each = model_.loss.smoothDefocus > 0 ? model_.loss.smoothDefocus * (float)(1 / pixels) : 0;
    stream_.blocks((int64_t)slots_ * tiles(), SmoothTaps{step, at_, sums_.at(), each, tiles()});
    stream_.items(slots_, SumSlots<double>{sums_.at(), gradients.sums.scalars, tiles(), 1, SCALARS});
    if (model_.dof > 0) stream_.items(at_.mapN, MapSlopes{step, at_});
    map_.backward(step.theta, gradients.shared, true);
    mapGrid(step).scatter(stream_, gradients.map);
    if (model_.dof == 0) return;
    mapGrid(step).positions(stream_, at_.mapDx, at_.mapDy);
    sumViews<8>(MapWarpBack{step, at_, sums_.at(), tiles()}, gradients.sums.view);
  }

  void blurBackward(const Step& step, const Gradients& gradients) {
    blur_.backward(step.theta, gradients.shared, model_.focus >= 0);
    if (model_.focus >= 0) sumViews<1>(FreeFocus{at_, blur_.input(), sums_.at(), tiles()}, gradients.sums.view + 8);
  }

  template <int VALUES, class K>
  void sumViews(const K& kernel, float* to) {
    stream_.blocks((int64_t)slots_ * at_.views * kernel.tiles, kernel);
    stream_.items((int64_t)slots_ * at_.views * VALUES, SumSlots<float>{sums_.at(), to, kernel.tiles, VALUES, VIEW_SUMS});
  }

  Stream& stream_;
  Model model_;
  int slots_;
  TapLayout at_{};
  Network atlas_, map_, blur_;
  Photometric photo_;
  Buffer<float> floats_, disk_, sums_;
};

}  // namespace

std::unique_ptr<Pass> createTaps(Stream& stream, const Model& host, int slots) {
  return std::make_unique<Taps>(stream, host, slots);
}

}  // namespace implicam::device
