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
  using Shared = Tally<8, THREADS>;
  Step step;
  PatchLayout at;
  LightBatch light;
  float* slots;  // [slots][views][tiles][8]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const ViewTile on = ViewTile::of(block.index, at.views, tiles);
    PerThread<Sums<8>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < 8; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)on.tile * THREADS + t;
      if (i < light.perSlot) one(on.view, on.slot * light.perSlot + i, sums[t].x);
    });
    shared.take(block, sums, slots + block.index * 8);
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
struct Decompose {
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
    const float nb = 1 / (at.outAt(v, 0, win) + COVER);
    const float nf = at.layers > 1 ? 1 / (at.outAt(v, 4, win) + COVER) : 0;
    const float cover = at.layers > 1 ? at.outAt(v, 5, win) * nf : 0;
    float dnb = 0, dnf = 0, dcover = 0;
    for (int k = 0; k < 3; k++) {
      const float back = at.outAt(v, k + 1, win) * nb, db = (1 - cover) * d[k] * nb;
      at.outAt(v, k + 1, win) = db;
      dnb -= db * back;
      if (at.layers < 2) continue;
      dcover -= back * d[k];
      const float dp = d[k] * nf;
      dnf -= dp * at.outAt(v, k + 6, win) * nf;
      at.outAt(v, k + 6, win) = dp;
    }
    at.outAt(v, 0, win) = dnb;
    if (at.layers < 2) return;
    const float da = dcover * nf;
    at.outAt(v, 5, win) = da;
    at.outAt(v, 4, win) = dnf - da * cover;
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

// A source pixel of a view and layer: what the window pixels that it spreads to ask of it.
struct ScatterBack {
  Step step;
  PatchLayout at;
  IC_DEVICE void item(int64_t i) const {
    const int64_t n = i % at.N, plane = i / at.N;
    const int v = (int)(plane / at.layers), l = (int)(plane % at.layers);
    if (l == 0) source<0, 4>(v, plane, n);
    else source<1, 5>(v, plane, n);
  }

 private:
  template <int L, int COUNT>
  IC_DEVICE void source(int v, int64_t plane, int64_t n) const {
    float* dvalue = at.dvalue + ((int64_t)v * at.values() + (L ? 3 : 0)) * at.N + n;
    const Place p = placeOf(at, n);
    if (!p.live) {
      for (int c = 1; c < COUNT; c++) dvalue[(c - 1) * at.N] = 0;
      at.dc[plane * at.N + n] = 0;
      return;
    }
    const float rho = at.rho[plane * at.N + n], inverse = at.inverse[plane * at.N + n], q = rho + .5f;
    float value[COUNT], sum[COUNT], edge = 0;
    value[0] = 1;
    IC_PRAGMA_UNROLL
    for (int c = 0; c < COUNT; c++) {
      if (c) value[c] = at.value(L, c - 1, n);
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
      for (int c = 0; c < COUNT; c++) {
        const float g = at.outAt(v, (L ? 4 : 0) + c, win);
        sum[c] += weight * g;
        dot += value[c] * g;
      }
      if (raw < 1) edge += dot;
    }
    float total = 0;
    IC_PRAGMA_UNROLL
    for (int c = 0; c < COUNT; c++) {
      total += value[c] * sum[c];
      if (c) dvalue[(c - 1) * at.N] = inverse * sum[c];
    }
    const ViewCamera& camera = step.camera[v];
    const float drho = edge * inverse - total * inverse * inverse * (2 * PI) * rho;
    at.dc[plane * at.N + n] = drho * radiusOf(camera.circle(at.map[L * at.N + n]), (float)at.reach).slope;
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
        for (int l = 0; l < at.layers; l++) {
          const float d = at.dc[((int64_t)on.view * at.layers + l) * at.N + n];
          sum += d;
          along += d * camera.circle(at.map[l * at.N + n]);
        }
      }
      sums[t].x[0] = -camera.scale * sum;
      sums[t].x[1] = along;
    });
    shared.take(block, sums, slots + block.index * 2);
  }
};

// Smoothness of the defocus map and of the opacity, sparsity of the opacity: each sample gathers what its pairs give it.
struct MapLosses {
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
    const Loss& loss = step.model->loss;
    const Place p = placeOf(at, n);
    const float pairs = share / ((float)at.n * (at.n - 1));
    float total = 0;
    for (int l = 0; l < at.layers; l++) {
      float d = 0;
      if (p.live && loss.smoothDefocus > 0)
        total += pairsOf(at.map + l * at.N, at.edge ? at.edge + l * at.N : nullptr, p, n, loss.smoothDefocus * pairs,
                         step.model->kappaStart, d);
      at.dmap[l * at.N + n] = d;
    }
    if (at.layers < 2) return total;
    float d = 0;
    if (p.live && loss.smoothOpacity > 0)
      total += pairsOf(at.scene + 6 * at.N, nullptr, p, n, loss.smoothOpacity * pairs, 1, d);
    if (p.live && loss.sparseOpacity > 0) {
      const float each = loss.sparseOpacity * share / at.pixels;
      total += each * at.scene[6 * at.N + n];
      d += each;
    }
    at.dalpha[n] = d;
    return total;
  }

  IC_DEVICE float pairsOf(const float* a, const float* edge, const Place& p, int64_t n, float weight, float k,
                          float& d) const {
    float total = 0, none = 0;
    if (p.x + 1 < at.n) total += pair(a, edge, n, n + 1, weight, k, d, -1);
    if (p.y + 1 < at.n) total += pair(a, edge, n, n + at.n, weight, k, d, -1);
    if (p.x > 0) none += pair(a, edge, n - 1, n, weight, k, d, 1);
    if (p.y > 0) none += pair(a, edge, n - at.n, n, weight, k, d, 1);
    return total;
  }

  // q·√((k Δ)² + 10⁻³); its slope with `sign` goes to d.
  IC_DEVICE static float pair(const float* a, const float* edge, int64_t i, int64_t j, float q, float k, float& d,
                              float sign) {
    const float delta = k * (a[j] - a[i]), root = sqrtf(delta * delta + 1e-3f);
    if (edge) q *= .15f + .85f * expf(fabsf(edge[j] - edge[i]) * -4);
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
    for (int l = 0; l < at.layers; l++) {
      float d = at.dmap[l * at.N + n];
      for (int v = 0; v < at.views; v++)
        d += step.camera[v].scale * at.dc[((int64_t)v * at.layers + l) * at.N + n];
      at.map[l * at.N + n] = p.live ? d : 0;
    }
    if (at.layers > 1) {
      const float alpha = at.scene[6 * at.N + n];
      float da = at.dalpha[n] + sum(3, n);
      for (int k = 0; k < 3; k++) {
        const float f = at.scene[(3 + k) * at.N + n], d = sum(4 + k, n);
        da += d * f;
        at.scene[(3 + k) * at.N + n] = p.live ? d * alpha * f * alive(f) : 0;
      }
      at.scene[6 * at.N + n] = p.live ? da * alpha * (1 - alpha) : 0;
    }
    for (int k = 0; k < 3; k++) {
      const float b = at.scene[k * at.N + n];
      at.scene[k * at.N + n] = p.live ? sum(k, n) * b * alive(b) : 0;
    }
  }

 private:
  IC_DEVICE float sum(int k, int64_t n) const {
    float d = 0;
    for (int v = 0; v < at.views; v++) d += at.dvalue[((int64_t)v * at.values() + k) * at.N + n];
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

int patchLossBlocks(const PatchLayout& at) { return (int)(at.N / MapLosses::THREADS); }

void patchesBackward(Stream& stream, const Step& step, const PatchLayout& at, const LightBatch& light, float* slots,
                     float share, const ShardSums& sums) {
  const int count = step.slots;
  if (at.m)
    sumViews<8>(stream, count, at.views, WarpGradient{step, at, light, slots, patchWarpTiles(at, light)}, sums.view);
  stream.items(at.views * at.window, Decompose{step, at, light});
  stream.items(at.views * at.layers * at.N, ScatterBack{step, at});
  sumViews<2>(stream, count, at.views, FocusGradient{step, at, slots, patchFocusTiles(at)}, sums.view + 8);
  stream.blocks(patchLossBlocks(at), MapLosses{step, at, slots, share});
  stream.items(count, SumSlots<double>{slots, sums.scalars, patchLossBlocks(at) / count, 1, SCALARS});
  stream.items(at.N, Combine{step, at});
}

}  // namespace implicam::device
