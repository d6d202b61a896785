// Patches, backward: from the comparison to the gradient of every sample.
#include "cuda/blur_generator/patches.h"

namespace implicam::device {
namespace {

// dL/d(light) of an inner pixel.
IC_DEVICE float lightGradient(const Step& step, const LightBatch& light, int v, int k, int64_t q) {
  const float d = light.gradient(step.model->view[v], k, q);
  return d != 0 ? d * expf(-light.uAt(v, k, q)) : 0;
}

// The gradient of a displaced view's homography.
struct WarpGradient {
  static constexpr int THREADS = 128;
  using Shared = Tally<AFFINE, THREADS>;
  Step step;
  PatchLayout at;
  LightBatch light;
  float* slots;  // [slots][views][tiles][AFFINE]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<AFFINE>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < AFFINE; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i < light.perSlot) one(on.view, on.slot * light.perSlot + i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * AFFINE);
  }

 private:
  IC_DEVICE void one(int v, int64_t q, float* dm) const {
    if (!(light.weight[v * light.Q + q] > 0)) return;
    const int area = at.patch * at.patch, b = (int)(q / area), x = (int)(q % area) % at.patch, y = (int)(q % area) / at.patch;
    const Read r = readAt(at, step, v, b, x, y);
    float dx = 0, dy = 0;
    for (int k = 0; k < 3; k++) {
      const float* s = &at.seenAt(v, k, (int64_t)b * at.w * at.w + r.y * at.w + r.x);
      const float a = s[0], e = s[1], c = s[at.w], d = s[at.w + 1], g = lightGradient(step, light, v, k, q);
      dx += g * ((1 - r.fy) * (e - a) + r.fy * (d - c));
      dy += g * ((c + (d - c) * r.fx) - (a + (e - a) * r.fx));
    }
    const int32_t* o = at.origin + 3 * b;
    warpBack(step.camera[v], Normal<float>::of(*step.model), {o[0] + x + .5f, o[1] + y + .5f},
             {r.freeX ? dx : 0, r.freeY ? dy : 0}, dm);
  }
};

// From the inner pixels' gradient to that of the spread sums of a window pixel, in place.
struct NormaliseBack {
  Step step;
  PatchLayout at;
  LightBatch light;
  IC_DEVICE void item(int64_t i) const {
    const int v = (int)(i / at.window), area = at.w * at.w;
    const int64_t win = i % at.window;
    const int b = (int)(win / area), x = (int)(win % area) % at.w, y = (int)(win % area) / at.w;
    float d[3];
    if (at.m == 0) {
      for (int k = 0; k < 3; k++) d[k] = lightGradient(step, light, v, k, ((int64_t)b * at.patch + y) * at.patch + x);
    } else {
      displaced(v, b, x, y, d);
    }
    const float inverse = 1 / (at.outAt(v, 0, win) + COVER);
    float dinverse = 0;
    for (int k = 0; k < 3; k++) {
      const float seen = at.outAt(v, k + 1, win) * inverse, dsum = d[k] * inverse;
      at.outAt(v, k + 1, win) = dsum;
      dinverse -= dsum * seen;
    }
    at.outAt(v, 0, win) = dinverse;
  }

 private:
  // The inner pixels that read this window pixel: at most one away.
  IC_DEVICE void displaced(int v, int b, int x, int y, float* d) const {
    d[0] = d[1] = d[2] = 0;
    for (int py = y - 2; py <= y; py++)
      for (int px = x - 2; px <= x; px++) {
        if (px < 0 || py < 0 || px >= at.patch || py >= at.patch) continue;
        const int64_t q = ((int64_t)b * at.patch + py) * at.patch + px;
        if (!(light.weight[v * light.Q + q] > 0)) continue;
        const Read r = readAt(at, step, v, b, px, py);
        const int cx = x - r.x, cy = y - r.y;
        if (cx < 0 || cx > 1 || cy < 0 || cy > 1) continue;
        const float weight = (cx ? r.fx : 1 - r.fx) * (cy ? r.fy : 1 - r.fy);
        for (int k = 0; k < 3; k++) d[k] += weight * lightGradient(step, light, v, k, q);
      }
  }
};

// A source pixel of a view: what the window pixels that it spreads to ask of it.
struct ScatterBack {
  Step step;
  PatchLayout at;
  IC_DEVICE void item(int64_t i) const {
    const int64_t n = i % at.N;
    const int v = (int)(i / at.N);
    float* dvalue = at.dvalue + (int64_t)v * 3 * at.N + n;
    const Place p = placeOf(at, n);
    if (!p.live) {
      for (int c = 0; c < 3; c++) dvalue[c * at.N] = 0;
      at.dc[i] = 0;
      return;
    }
    const float rho = at.rho[i], inverse = at.inverse[i], q = rho + .5f;
    // One, and three colours.
    float value[4], sum[4], edge = 0;
    value[0] = 1;
    IC_PRAGMA_UNROLL
    for (int c = 0; c < 4; c++) {
      if (c) value[c] = at.scene[(c - 1) * at.N + n];
      sum[c] = 0;
    }
    for (int k = 0; k < at.offsets && at.offset[k].distance < q; k++) {
      const Offset o = at.offset[k];
      const int row = p.y - at.reach - o.dy, column = p.x - at.reach - o.dx;
      if (row < 0 || row >= at.w || column < 0 || column >= at.w) continue;
      const int64_t win = ((int64_t)p.b * at.w + row) * at.w + column;
      const float raw = q - o.distance, weight = raw < 1 ? raw : 1;
      float dot = 0;
      IC_PRAGMA_UNROLL
      for (int c = 0; c < 4; c++) {
        const float g = at.outAt(v, c, win);
        sum[c] += weight * g;
        dot += value[c] * g;
      }
      if (raw < 1) edge += dot;
    }
    float total = 0;
    IC_PRAGMA_UNROLL
    for (int c = 0; c < 4; c++) {
      total += value[c] * sum[c];
      if (c) dvalue[(c - 1) * at.N] = inverse * sum[c];
    }
    const ViewCamera& camera = step.camera[v];
    const float drho = edge * inverse - total * inverse * inverse * (2 * PI) * rho;
    at.dc[i] = drho * radiusOf(camera.circle(at.map[n]), (float)at.reach).slope;
  }
};

// dL/d(focus) and dL/d(ln κ) of a view.
struct FocusGradient {
  static constexpr int THREADS = 128, EACH = 16;
  using Shared = Tally<2, THREADS>;
  Step step;
  PatchLayout at;
  float* slots;  // [slots][views][tiles][2]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    const ViewCamera& camera = step.camera[on.view];
    PerThread<Sums<2>, THREADS> sums;
    block.each([&](int t) {
      float sum = 0, along = 0;
      for (int e = 0; e < EACH; e++) {
        const int64_t i = ((int64_t)on.tile * EACH + e) * THREADS + t;
        if (i >= at.samplesPerSlot) break;
        const int64_t n = on.slot * at.samplesPerSlot + i;
        const float d = at.dc[on.view * at.N + n];
        sum += d;
        along += d * camera.circle(at.map[n]);
      }
      sums[t].x[0] = -camera.scale * sum;
      sums[t].x[1] = along;
    });
    shared.take(block, sums, slots + block.index * 2);
  }
};

// Smoothness of the defocus map: each sample gathers what its pairs give it.
struct MapLoss {
  static constexpr int THREADS = 128;
  using Shared = Tally<1, THREADS>;
  Step step;
  PatchLayout at;
  float* losses;  // [slots][tiles]
  float share;    // of a patch

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    PerThread<Sums<1>, THREADS> sums;
    block.each([&](int t) { sums[t].x[0] = one(block.index * THREADS + t); });
    shared.take(block, sums, losses + block.index);
  }

 private:
  IC_DEVICE float one(int64_t n) const {
    const float smooth = step.model->loss.smoothDefocus;
    const Place p = placeOf(at, n);
    const float weight = smooth * (share / ((float)at.n * (at.n - 1)));
    float total = 0, d = 0;
    if (p.live && smooth > 0) {
      if (p.x + 1 < at.n) total += pair(n, n + 1, weight, d, -1);
      if (p.y + 1 < at.n) total += pair(n, n + at.n, weight, d, -1);
      // The losses of these pairs are their other samples'.
      if (p.x > 0) pair(n - 1, n, weight, d, 1);
      if (p.y > 0) pair(n - at.n, n, weight, d, 1);
    }
    at.dmap[n] = d;
    return total;
  }

  // q·√((k Δ)² + 10⁻³); its slope with `sign` goes to d.
  IC_DEVICE float pair(int64_t i, int64_t j, float q, float& d, float sign) const {
    const float k = step.model->kappaStart;
    const float delta = k * (at.map[j] - at.map[i]), root = sqrtf(delta * delta + 1e-3f);
    if (at.edge) q *= .15f + .85f * expf(fabsf(at.edge[j] - at.edge[i]) * -4);
    d += sign * q * delta / root * k;
    return q * root;
  }
};

// All views together: the gradient of the networks' outputs, in place.
struct Combine {
  Step step;
  PatchLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Place p = placeOf(at, n);
    float d = at.dmap[n];
    for (int v = 0; v < at.views; v++) d += step.camera[v].scale * at.dc[v * at.N + n];
    at.map[n] = p.live ? d : 0;
    for (int k = 0; k < 3; k++) {
      const float b = at.scene[k * at.N + n];
      at.scene[k * at.N + n] = p.live ? sum(k, n) * b * alive(b) : 0;
    }
  }

 private:
  IC_DEVICE float sum(int k, int64_t n) const {
    float d = 0;
    for (int v = 0; v < at.views; v++) d += at.dvalue[((int64_t)v * 3 + k) * at.N + n];
    return d;
  }
};

}  // namespace

int patchWarpTiles(const PatchLayout& at, const LightBatch& light) {
  return at.m ? (int)((light.perSlot + WarpGradient::THREADS - 1) / WarpGradient::THREADS) : 0;
}

int patchFocusTiles(const PatchLayout& at) {
  constexpr int64_t run = FocusGradient::THREADS * FocusGradient::EACH;
  return (int)((at.samplesPerSlot + run - 1) / run);
}

int patchLossBlocks(const PatchLayout& at) { return (int)(at.N / MapLoss::THREADS); }

void patchesBackward(Stream& stream, const Step& step, const PatchLayout& at, const LightBatch& light, float* slots,
                     float share, const ShardSums& sums) {
  const int count = step.slots;
  if (at.m)
    sumViews<AFFINE>(stream, count, at.views, WarpGradient{step, at, light, slots, patchWarpTiles(at, light)}, sums.view);
  stream.items(at.views * at.window, NormaliseBack{step, at, light});
  stream.items(at.views * at.N, ScatterBack{step, at});
  sumViews<2>(stream, count, at.views, FocusGradient{step, at, slots, patchFocusTiles(at)}, sums.view + FOCUS_SUM);
  stream.blocks(patchLossBlocks(at), MapLoss{step, at, slots, share});
  stream.items(count, SumSlots<double>{slots, sums.scalars, patchLossBlocks(at) / count, 1, SCALARS});
  stream.items(at.N, Combine{step, at});
}

}  // namespace implicam::device
