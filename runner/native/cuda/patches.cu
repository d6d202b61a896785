// The training step by patches: evaluate the scene once a pixel of a patch and its halo, spread it into every view,
// compare, and go back. docs/MODEL.md, "lens, patches".
#include <vector>
#include "batch.h"
#include "draws.h"
#include "spread.h"

namespace implicam::device {
namespace {

constexpr float COVER = 1e-4f, DARK = 1e-8f;

// Where everything of a batch lies. Patches b = slot · perSlot + j; samples n = slot · samplesPerSlot + j · pixels + i;
// window pixels b · w² + y · w + x; inner pixels q = b · patch² + y · patch + x.
struct Layout {
  int views, layers, patches, perSlot;  // patches in all, and of a slot
  int n, w, h, m, reach, patch, pixels, offsets;
  int64_t samplesPerSlot, N, window, Q;
  const Offset* offset;
  int32_t* origin;     // [patches][3] x, y of the first inner pixel; 0: no draw
  float *px, *py;      // [N]
  float* scene;        // [outputs][N] the network's outputs, then activated, then their gradient
  float* map;          // [layers][N] defocus, then its gradient
  float* edge;         // [layers][N] start luminance, or null
  float *rho, *inverse;// [views][layers][N]
  float* widest;       // [views][layers][patches] largest ρ
  float* out;          // [views][4 or 9][window] spread sums S[1], S[V]…, then their gradient
  float* seen;         // [views][3][window]
  float *dvalue, *dc;  // [views][3 or 7][N], [views][layers][N]
  float *dmap, *dalpha;// [layers][N], [N] gradients of the losses on the maps

  IC_BOTH int sums() const { return layers > 1 ? 9 : 4; }
  IC_BOTH int values() const { return layers > 1 ? 7 : 3; }
  IC_DEVICE int64_t base(int b) const { return b / perSlot * samplesPerSlot + (int64_t)(b % perSlot) * pixels; }
  IC_DEVICE float& outAt(int v, int k, int64_t i) const { return out[((int64_t)v * sums() + k) * window + i]; }
  IC_DEVICE float& seenAt(int v, int k, int64_t i) const { return seen[((int64_t)v * 3 + k) * window + i]; }
  // Value k of layer l at sample n: background rgb; foreground opacity and premultiplied rgb.
  IC_DEVICE float value(int l, int k, int64_t i) const {
    if (l == 0) return scene[k * N + i];
    const float alpha = scene[6 * N + i];
    return k == 0 ? alpha : alpha * scene[(2 + k) * N + i];
  }
};

struct DrawPatches {
  Step step;
  Layout at;
  int first;
  IC_DEVICE void item(int64_t b) const {
    const int slot = (int)(b / at.perSlot), j = first + (int)(b % at.perSlot);
    const Shard& shard = step.shard(slot);
    const bool live = j < shard.draws;
    const Draw d = drawOf(shard, step.model->seed, at.patch, step.state->step, live ? j : 0);
    int32_t* o = at.origin + 3 * b;
    o[0] = d.x;
    o[1] = d.y;
    o[2] = live;
  }
};

// A sample's patch and pixel in it; samples behind the last patch repeat its last pixel, and count nothing.
struct Place {
  int b, i, x, y;
  bool live;
};
IC_DEVICE Place placeOf(const Layout& at, int64_t n) {
  const int slot = (int)(n / at.samplesPerSlot);
  int64_t r = n % at.samplesPerSlot;
  const int64_t last = (int64_t)at.perSlot * at.pixels - 1;
  const bool inside = r <= last;
  r = inside ? r : last;
  const int b = slot * at.perSlot + (int)(r / at.pixels), i = (int)(r % at.pixels);
  return {b, i, i % at.n, i / at.n, inside && at.origin[3 * b + 2]};
}

struct Positions {
  Step step;
  Layout at;
  float* siren;  // [2][N] input of a sine network, or null
  IC_DEVICE void item(int64_t n) const {
    const Place p = placeOf(at, n);
    const int32_t* o = at.origin + 3 * p.b;
    const Model& m = *step.model;
    const Point q = confine(m, step.shard((int)(n / at.samplesPerSlot)),
                            {o[0] - at.h + p.x + .5f, o[1] - at.h + p.y + .5f});
    at.px[n] = q.x;
    at.py[n] = q.y;
    if (!siren) return;
    const Normal normal = Normal::of(m);
    siren[n] = (q.x - normal.cx) / normal.half;
    siren[at.N + n] = (q.y - normal.cy) / normal.half;
  }
};

// Adds the start pictures; outputs become linear radiance and opacity.
struct Activate {
  Step step;
  Layout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const Place p = placeOf(at, n);
    const int32_t* o = at.origin + 3 * p.b;
    const int x = clampTo(o[0] - at.h + p.x, 0, m.width - 1), y = clampTo(o[1] - at.h + p.y, 0, m.height - 1);
    const int64_t size = (int64_t)m.width * m.height, from = (int64_t)y * m.width + x;
    for (int l = 0; l < at.layers && m.startDefocus; l++) at.map[l * at.N + n] += m.startDefocus[l * size + from];
    for (int l = 0; l < at.layers && at.edge; l++) {
      const float* s = m.startRadiance + 3 * l * size + from;
      at.edge[l * at.N + n] = greater((s[0] + s[size] + s[2 * size]) * (float)(1.0 / 3), -7);
    }
    for (int k = 0; k < m.outputs; k++) {
      float v = at.scene[k * at.N + n];
      if (m.startRadiance && m.residual) v += m.startRadiance[k * size + from];
      at.scene[k * at.N + n] = k < 6 ? radiance(v) : sigmoid(v);
    }
  }
};

// Smoothness of the defocus map and of the opacity, sparsity of the opacity: each sample gathers what its pairs give it.
struct MapLosses {
  static constexpr int THREADS = 128;
  using Shared = Tally<1, THREADS>;
  Step step;
  Layout at;
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

// Radii of one view and layer, and the widest of each patch.
struct Radii {
  static constexpr int THREADS = 128;
  struct Shared {
    float top[THREADS];
  };
  Step step;
  Layout at;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int b = (int)(block.index % at.patches), l = (int)(block.index / at.patches % at.layers);
    const int v = (int)(block.index / at.patches / at.layers);
    const int64_t base = at.base(b), to = ((int64_t)v * at.layers + l) * at.N + base;
    const ViewCamera& camera = step.camera[v];
    block.each([&](int t) {
      float top = 0;
      for (int i = t; i < at.pixels; i += THREADS) {
        const Radius r = radius(camera.scale * (at.map[l * at.N + base + i] - camera.focus), at.reach);
        at.rho[to + i] = r.rho;
        at.inverse[to + i] = r.inverse;
        top = greater(top, r.rho);
      }
      shared.top[t] = top;
    });
    for (int half = THREADS / 2; half > 0; half /= 2)
      block.each([&](int t) {
        if (t < half) shared.top[t] = greater(shared.top[t], shared.top[t + half]);
      });
    block.each([&](int t) {
      if (t == 0) at.widest[block.index] = shared.top[0];
    });
  }
};

// A window pixel of a view: what its surroundings spread onto it, and the light that is seen there.
struct Gather {
  Step step;
  Layout at;
  IC_DEVICE void item(int64_t i) const {
    const int v = (int)(i / at.window);
    const int64_t win = i % at.window;
    float back[4] = {}, front[5] = {};
    layer<0, 4>(v, win, back);
    if (at.layers > 1) layer<1, 5>(v, win, front);
    const float nb = 1 / (back[0] + COVER), nf = at.layers > 1 ? 1 / (front[0] + COVER) : 0;
    const float through = 1 - front[1] * nf;
    for (int k = 0; k < 3; k++) at.seenAt(v, k, win) = through * back[k + 1] * nb + front[k + 2] * nf;
  }

 private:
  template <int L, int COUNT>
  IC_DEVICE void layer(int v, int64_t win, float* sum) const {
    const int b = (int)(win / (at.w * at.w)), r = (int)(win % (at.w * at.w));
    const int centre = (r / at.w + at.reach) * at.n + r % at.w + at.reach;
    const int64_t plane = (int64_t)v * at.layers + L, base = at.base(b);
    const float *rho = at.rho + plane * at.N + base, *inverse = at.inverse + plane * at.N + base;
    const float end = at.widest[plane * at.patches + b] + .5f;
    for (int k = 0; k < at.offsets && at.offset[k].distance < end; k++) {
      const Offset o = at.offset[k];
      const int i = centre + o.dy * at.n + o.dx;
      const float weight = clampTo(rho[i] + (.5f - o.distance), 0.f, 1.f) * inverse[i];
      sum[0] += weight;
      IC_PRAGMA_UNROLL
      for (int c = 1; c < COUNT; c++) sum[c] += weight * at.value(L, c - 1, base + i);
    }
    IC_PRAGMA_UNROLL
    for (int c = 0; c < COUNT; c++) at.outAt(v, (L ? 4 : 0) + c, win) = sum[c];
  }
};

// ω of an inner pixel in every view: none where the circle is wider than a patch can spread or the pixel is not the
// shard's, and the sharpest most.
struct Weigh {
  Step step;
  Layout at;
  LightBatch light;
  IC_DEVICE void item(int64_t q) const {
    const Model& m = *step.model;
    const int area = at.patch * at.patch, b = (int)(q / area), r = (int)(q % area), x = r % at.patch, y = r / at.patch;
    const int32_t* o = at.origin + 3 * b;
    const Shard& shard = step.shard(b / at.perSlot);
    const int px = o[0] + x, py = o[1] + y;
    light.column[q] = clampTo(px, 0, m.width - 1);
    light.row[q] = clampTo(py, 0, m.height - 1);
    const bool own = o[2] && px >= shard.own.x && px < shard.own.x + shard.own.width && py >= shard.own.y &&
                     py < shard.own.y + shard.own.height;
    const int64_t n = at.base(b) + (y + at.h) * at.n + x + at.h;
    const bool sharpest = step.state->sharp && m.views > 1;
    float nearest = 1e30f, total = 0;
    for (int v = 0; v < m.views; v++) nearest = lesser(nearest, circle(v, n));
    for (int v = 0; v < m.views && sharpest; v++) total += expf((nearest - circle(v, n)) / m.loss.sharpnessTau);
    for (int v = 0; v < m.views; v++) {
      const float d = circle(v, n);
      float w = 1;
      if (sharpest)
        w = (1 - m.loss.sharpness) + m.loss.sharpness * m.views * expf((nearest - d) / m.loss.sharpnessTau) / total;
      light.weight[v * light.Q + q] = own && !(d > at.reach - .6f) ? w : 0;
    }
  }

 private:
  IC_DEVICE float circle(int v, int64_t n) const {
    const ViewCamera& c = step.camera[v];
    const float d = fabsf(c.scale * (at.map[n] - c.focus));
    if (at.layers < 2) return d;
    const float alpha = at.scene[6 * at.N + n];
    return alpha * fabsf(c.scale * (at.map[at.N + n] - c.focus)) + (1 - alpha) * d;
  }
};

// Where a displaced view reads the window for an inner pixel.
struct Read {
  int x, y;  // window pixel of the first corner
  float fx, fy;
  bool freeX, freeY;
};
IC_DEVICE Read readAt(const Layout& at, const Step& step, int v, int b, int x, int y) {
  const int32_t* o = at.origin + 3 * b;
  const Point p = {o[0] + x + .5f, o[1] + y + .5f}, d = warp(step.camera[v], Normal::of(*step.model), p);
  const float ux = d.x - p.x, uy = d.y - p.y;
  const float dx = clampTo(ux, -1.f, 1.f), dy = clampTo(uy, -1.f, 1.f);
  const int ix = dx < 0 ? -1 : 0, iy = dy < 0 ? -1 : 0;
  return {x + 1 + ix, y + 1 + iy, dx - ix, dy - iy, fabsf(ux) < 1, fabsf(uy) < 1};
}

// u of every view at the inner pixels.
struct Look {
  Step step;
  Layout at;
  LightBatch light;
  IC_DEVICE void item(int64_t i) const {
    const int v = (int)(i / at.Q), area = at.patch * at.patch;
    const int64_t q = i % at.Q, b = q / area;
    const int x = (int)(q % area) % at.patch, y = (int)(q % area) / at.patch;
    if (at.m == 0) {
      for (int k = 0; k < 3; k++) light.uAt(v, k, q) = logf(at.seenAt(v, k, b * at.w * at.w + y * at.w + x) + DARK);
      return;
    }
    const Read r = readAt(at, step, v, (int)b, x, y);
    for (int k = 0; k < 3; k++) {
      const float* s = &at.seenAt(v, k, b * at.w * at.w + r.y * at.w + r.x);
      const float top = s[0] + (s[1] - s[0]) * r.fx, low = s[at.w] + (s[at.w + 1] - s[at.w]) * r.fx;
      light.uAt(v, k, q) = logf(top + (low - top) * r.fy + DARK);
    }
  }
};

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
  Layout at;
  LightBatch light;
  float* slots;  // [slots][views][tiles][8]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int tile = (int)(block.index % tiles), v = (int)(block.index / tiles % at.views);
    const int64_t slot = block.index / tiles / at.views;
    PerThread<Sums<8>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < 8; k++) sums[t].x[k] = 0;
      const int64_t i = (int64_t)tile * THREADS + t;
      if (i < light.perSlot) one(v, slot * light.perSlot + i, sums[t].x);
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
    warpBack(step.camera[v], Normal::of(*step.model), {o[0] + x + .5f, o[1] + y + .5f},
             {r.freeX ? dx : 0, r.freeY ? dy : 0}, dm);
  }
};

// From the inner pixels' gradient to that of the spread sums of a window pixel, in place.
struct Decompose {
  Step step;
  Layout at;
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
  Layout at;
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
    at.dc[plane * at.N + n] = drho * radius(camera.scale * (at.map[L * at.N + n] - camera.focus), at.reach).slope;
  }
};

// dL/d(focus) and dL/d(ln κ) of a view.
struct FocusGradient {
  static constexpr int THREADS = 128, EACH = 16;
  using Shared = Tally<2, THREADS>;
  Step step;
  Layout at;
  float* slots;  // [slots][views][tiles][2]
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int tile = (int)(block.index % tiles), v = (int)(block.index / tiles % at.views);
    const int64_t slot = block.index / tiles / at.views;
    const ViewCamera& camera = step.camera[v];
    PerThread<Sums<2>, THREADS> sums;
    block.each([&](int t) {
      float sum = 0, along = 0;
      for (int e = 0; e < EACH; e++) {
        const int64_t i = ((int64_t)tile * EACH + e) * THREADS + t;
        if (i >= at.samplesPerSlot) break;
        const int64_t n = slot * at.samplesPerSlot + i;
        for (int l = 0; l < at.layers; l++) {
          const float d = at.dc[((int64_t)v * at.layers + l) * at.N + n];
          sum += d;
          along += d * (camera.scale * (at.map[l * at.N + n] - camera.focus));
        }
      }
      sums[t].x[0] = -camera.scale * sum;
      sums[t].x[1] = along;
    });
    shared.take(block, sums, slots + block.index * 2);
  }
};

// All views together: the gradient of the networks' outputs, in place.
struct Combine {
  Step step;
  Layout at;
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

class Patches final : public Pass {
 public:
  Patches(Stream& stream, const Model& m, int slots) : stream_(stream), model_(m), slots_(slots) {
    Layout& at = at_;
    at.views = m.views;
    at.layers = m.layers;
    at.m = m.margin;
    at.reach = m.reach;
    at.patch = m.patch;
    at.h = m.reach + m.margin;
    at.n = m.patch + 2 * at.h;
    at.w = m.patch + 2 * m.margin;
    at.pixels = at.n * at.n;
    at.perSlot = batchDraws(m, floatsPerPatch(), 1);
    at.patches = slots * at.perSlot;
    at.samplesPerSlot = paddedSamples((int64_t)at.perSlot * at.pixels);
    at.N = slots * at.samplesPerSlot;
    at.window = (int64_t)at.patches * at.w * at.w;
    at.Q = (int64_t)at.patches * at.patch * at.patch;
    atlas_ = Network(stream, m.atlas, slots, at.samplesPerSlot, "scene network");
    map_ = Network(stream, m.map, slots, at.samplesPerSlot, "defocus network");
    photo_ = Photometric(stream, m, slots, (int64_t)at.perSlot * at.patch * at.patch);
    place();
  }

  int draws() const override { return at_.perSlot; }

  void run(const Step& step, int first, const Gradients& gradients) override {
    forward(step, first);
    const LightBatch& light = photo_.batch();
    const int64_t inner = at_.views * at_.Q, window = at_.views * at_.window;
    stream_.blocks((int64_t)at_.views * at_.layers * at_.patches, Radii{step, at_});
    stream_.items(window, Gather{step, at_});
    stream_.items(at_.Q, Weigh{step, at_, light});
    stream_.items(inner, Look{step, at_, light});
    photo_.compare(step, gradients.sums, gradients.shared);
    if (at_.m) sumViews<8>(WarpGradient{step, at_, light, slots_at_.at(), warpTiles()}, gradients.sums.view);
    stream_.items(window, Decompose{step, at_, light});
    stream_.items(at_.views * at_.layers * at_.N, ScatterBack{step, at_});
    sumViews<2>(FocusGradient{step, at_, slots_at_.at(), focusTiles()}, gradients.sums.view + 8);
    mapLosses(step, gradients.sums);
    stream_.items(at_.N, Combine{step, at_});
    backward(step, gradients);
  }

 private:
  int64_t floatsPerPatch() const {
    const Model& m = model_;
    const int64_t networks = Network::floatsPerSample(m.atlas) + Network::floatsPerSample(m.map);
    const int64_t views = m.views * (3 * m.layers + (m.layers > 1 ? 7 : 3));
    const int64_t sample = networks + views + 3 * m.layers + 4;
    const int64_t window = m.views * (m.layers > 1 ? 12 : 7);
    return at_.pixels * sample + at_.w * at_.w * window + m.patch * m.patch * Photometric::floatsPerPixel(m);
  }

  void place() {
    Layout& at = at_;
    const int64_t N = at.N, L = at.layers, V = at.views;
    const bool start = model_.startRadiance;
    samples_ = Buffer<float>(stream_, N * (2 + (start ? L : 0) + L + 1 + V * (3 * L + at.values())), "patches");
    windows_ = Buffer<float>(stream_, V * at.window * (at.sums() + 3), "windows of the views");
    origin_ = Buffer<int32_t>(stream_, 3 * (int64_t)at.patches, "origins of the patches");
    widest_ = Buffer<float>(stream_, V * L * at.patches, "widest circles");
    const int64_t tiles = std::max<int64_t>(8 * (int64_t)warpTiles(), 2 * (int64_t)focusTiles());
    slots_at_ = Buffer<float>(stream_, std::max<int64_t>(slots_ * V * tiles, at.N / MapLosses::THREADS), "sums of the views");
    const std::vector<Offset> offsets = spreadOffsets(at.reach);
    offsets_ = Buffer<Offset>(stream_, offsets.size(), "offsets of the disk");
    offsets_.upload(offsets.data());
    float* f = samples_.at();
    const auto take = [&](int64_t count) {
      float* p = f;
      f += count * N;
      return p;
    };
    at.px = take(1);
    at.py = take(1);
    at.edge = start ? take(L) : nullptr;
    at.dmap = take(L);
    at.dalpha = take(1);
    at.rho = take(V * L);
    at.inverse = take(V * L);
    at.dc = take(V * L);
    at.dvalue = take(V * at.values());
    at.out = windows_.at();
    at.seen = at.out + V * at.sums() * at.window;
    at.origin = origin_.at();
    at.widest = widest_.at();
    at.offset = offsets_.at();
    at.offsets = (int)offsets.size();
    at.scene = atlas_.output();
    at.map = map_.output();
  }

  int warpTiles() const { return at_.m ? (int)((photo_.batch().perSlot + WarpGradient::THREADS - 1) / WarpGradient::THREADS) : 0; }
  int focusTiles() const {
    const int64_t run = FocusGradient::THREADS * FocusGradient::EACH;
    return (int)((at_.samplesPerSlot + run - 1) / run);
  }

  GridPass grid(const Step& step, Grid which) const {
    const bool atlas = which == Grid::atlas;
    return {step, which, at_.px, at_.py, (atlas ? atlas_ : map_).input(), at_.N, at_.samplesPerSlot,
            atlas ? model_.atlasGrid.levels : model_.mapGrid.levels};
  }

  void forward(const Step& step, int first) {
    stream_.items(at_.patches, DrawPatches{step, at_, first});
    stream_.items(at_.N, Positions{step, at_, model_.siren ? atlas_.input() : nullptr});
    if (!model_.siren) grid(step, Grid::atlas).encode(stream_);
    grid(step, Grid::map).encode(stream_);
    atlas_.forward(step.theta);
    map_.forward(step.theta);
    stream_.items(at_.N, Activate{step, at_});
  }

  void mapLosses(const Step& step, const ShardSums& sums) {
    const Shard& s = model_.shard[0];
    const float share = (float)(1.0 / (s.tiled ? (double)s.draws * model_.shards : (double)s.drawStride));
    const int64_t blocks = at_.N / MapLosses::THREADS;
    stream_.blocks(blocks, MapLosses{step, at_, slots_at_.at(), share});
    stream_.items(slots_, SumSlots<double>{slots_at_.at(), sums.scalars, (int)(blocks / slots_), 1, SCALARS});
  }

  template <int VALUES, class K>
  void sumViews(const K& kernel, float* to) {
    stream_.blocks((int64_t)slots_ * at_.views * kernel.tiles, kernel);
    stream_.items((int64_t)slots_ * at_.views * VALUES, SumSlots<float>{slots_at_.at(), to, kernel.tiles, VALUES, VIEW_SUMS});
  }

  void backward(const Step& step, const Gradients& gradients) {
    atlas_.backward(step.theta, gradients.shared, !model_.siren);
    map_.backward(step.theta, gradients.shared, true);
    if (!model_.siren) grid(step, Grid::atlas).scatter(stream_, gradients.atlas);
    grid(step, Grid::map).scatter(stream_, gradients.map);
  }

  Stream& stream_;
  Model model_;
  int slots_;
  Layout at_{};
  Network atlas_, map_;
  Photometric photo_;
  Buffer<float> samples_, windows_, widest_, slots_at_;
  Buffer<int32_t> origin_;
  Buffer<Offset> offsets_;
};

}  // namespace

std::unique_ptr<Pass> createPatches(Stream& stream, const Model& host, int slots) {
  return std::make_unique<Patches>(stream, host, slots);
}

}  // namespace implicam::device
