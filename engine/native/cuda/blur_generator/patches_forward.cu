// Patches, forward: from draws to the light of every view.
#include "shared/sampling.h"
#include "cuda/blur_generator/patches.h"

namespace implicam::device {
namespace {

struct DrawPatches {
  Step step;
  PatchLayout at;
  int first;
  IC_DEVICE void item(int64_t b) const {
    const int slot = (int)(b / at.perSlot), j = first + (int)(b % at.perSlot);
    const Shard& shard = step.shard(slot);
    const bool live = j < shard.draws;
    const Cells cells = Cells::of(shard, at.patch);
    const int64_t draw = drawNumber(shard, step.state->step, live ? j : 0);
    int32_t* o = at.origin + 3 * b;
    originOf(shard, cells, epochOf(shard, step.model->seed, cells, draw / cells.count), draw, o[0], o[1]);
    o[2] = live;
  }
};

struct Positions {
  Step step;
  PatchLayout at;
  float* siren;  // [2][N] input of a sine network, or null
  IC_DEVICE void item(int64_t n) const {
    const Place p = placeOf(at, n);
    const int32_t* o = at.origin + 3 * p.b;
    const Model& m = *step.model;
    const Point q = confine(m, step.shard((int)(n / at.samplesPerSlot)),
                            {o[0] - at.h + p.x + .5f, o[1] - at.h + p.y + .5f});
    at.px[n] = q.x;
    at.py[n] = q.y;
    if (siren) sineInput(m, q, siren, at.N, n);
  }
};

// Adds the start pictures; outputs become linear radiance.
struct Activate {
  Step step;
  PatchLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const Place p = placeOf(at, n);
    const int32_t* o = at.origin + 3 * p.b;
    const int x = clampTo(o[0] - at.h + p.x, 0, m.width - 1), y = clampTo(o[1] - at.h + p.y, 0, m.height - 1);
    const int64_t size = (int64_t)m.width * m.height, from = (int64_t)y * m.width + x;
    if (m.startDefocus) at.map[n] += m.startDefocus[from];
    if (at.edge) {
      const float* s = m.startRadiance + from;
      at.edge[n] = greater((s[0] + s[size] + s[2 * size]) * (float)(1.0 / 3), -7);
    }
    for (int k = 0; k < 3; k++) {
      float v = at.scene[k * at.N + n];
      if (m.startRadiance && m.residual) v += m.startRadiance[k * size + from];
      at.scene[k * at.N + n] = radiance(v);
    }
  }
};

// Radii of one view, and the widest of each patch.
struct Radii {
  static constexpr int THREADS = 128;
  struct Shared {
    float top[THREADS];
  };
  Step step;
  PatchLayout at;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int b = (int)(block.index % at.patches), v = (int)(block.index / at.patches);
    const int64_t base = at.base(b), to = v * at.N + base;
    const ViewCamera& camera = step.camera[v];
    block.each([&](int t) {
      float top = 0;
      for (int i = t; i < at.pixels; i += THREADS) {
        const Radius<float> r = radiusOf(camera.circle(at.map[base + i]), (float)at.reach);
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
  PatchLayout at;
  IC_DEVICE void item(int64_t i) const {
    const int v = (int)(i / at.window);
    const int64_t win = i % at.window;
    float sum[4] = {};
    const int b = (int)(win / (at.w * at.w)), r = (int)(win % (at.w * at.w));
    const int centre = (r / at.w + at.reach) * at.n + r % at.w + at.reach;
    const int64_t base = at.base(b);
    const float *rho = at.rho + v * at.N + base, *inverse = at.inverse + v * at.N + base;
    const float end = at.widest[(int64_t)v * at.patches + b] + .5f;
    for (int k = 0; k < at.offsets && at.offset[k].distance < end; k++) {
      const Offset o = at.offset[k];
      const int i = centre + o.dy * at.n + o.dx;
      const float weight = clampTo(rho[i] + (.5f - o.distance), 0.f, 1.f) * inverse[i];
      sum[0] += weight;
      IC_PRAGMA_UNROLL
      for (int c = 0; c < 3; c++) sum[c + 1] += weight * at.scene[c * at.N + base + i];
    }
    IC_PRAGMA_UNROLL
    for (int c = 0; c < 4; c++) at.outAt(v, c, win) = sum[c];
    const float normal = 1 / (sum[0] + COVER);
    for (int k = 0; k < 3; k++) at.seenAt(v, k, win) = sum[k + 1] * normal;
  }
};

// ω of an inner pixel in every view: none where the circle is wider than a patch can spread or the pixel is not the
// shard's, and once `sharp` the sharpest most.
struct Weigh {
  Step step;
  PatchLayout at;
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
    const auto circle = [&](int v) { return fabsf(step.camera[v].circle(at.map[n])); };
    const bool sharpest = step.state->sharp && m.views > 1;
    const float beta = m.loss.sharpness, tau = m.loss.sharpnessTau;
    float nearest = 1e30f, total = 0;
    for (int v = 0; v < m.views && sharpest; v++) nearest = lesser(nearest, circle(v));
    for (int v = 0; v < m.views && sharpest; v++) total += expf((nearest - circle(v)) / tau);
    for (int v = 0; v < m.views; v++) {
      const float d = circle(v);
      const float w = sharpest ? (1 - beta) + beta * m.views * expf((nearest - d) / tau) / total : 1;
      light.weight[v * light.Q + q] = own && !(d > at.reach - .6f) ? w : 0;
    }
  }
};

// u of every view at the inner pixels.
struct Look {
  Step step;
  PatchLayout at;
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

}  // namespace

void placePatches(Stream& stream, const Step& step, const PatchLayout& at, int first, float* siren) {
  stream.items(at.patches, DrawPatches{step, at, first});
  stream.items(at.N, Positions{step, at, siren});
}

void activatePatches(Stream& stream, const Step& step, const PatchLayout& at) {
  stream.items(at.N, Activate{step, at});
}

void lookAtPatches(Stream& stream, const Step& step, const PatchLayout& at, const LightBatch& light) {
  stream.blocks((int64_t)at.views * at.patches, Radii{step, at});
  stream.items(at.views * at.window, Gather{step, at});
  stream.items(at.Q, Weigh{step, at, light});
  stream.items(at.views * at.Q, Look{step, at, light});
}

}  // namespace implicam::device
