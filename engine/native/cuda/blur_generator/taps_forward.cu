// Taps, forward: from draws to the light of every view.
#include "shared/sampling.h"
#include "cuda/blur_generator/taps.h"

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
    const Cells cells = Cells::of(shard, 1);
    const int64_t draw = drawNumber(shard, step.state->step, j < shard.draws ? j : 0);
    int x, y;
    originOf(shard, cells, epochOf(shard, step.model->seed, cells, draw / cells.count), draw, x, y);
    light.column[q] = x;
    light.row[q] = y;
    at.x[q] = x + .5f;
    at.y[q] = y + .5f;
    at.live[q] = j < shard.draws ? 1 : 0;
  }
};

struct BlurInput {
  Step step;
  TapLayout at;
  float* input;  // [3][blurN]
  IC_DEVICE void item(int64_t n) const {
    const int64_t slot = n / at.blurPerSlot, r = n % at.blurPerSlot, v = r / at.perSlot;
    const int64_t q = slot * at.perSlot + r % at.perSlot;
    const Normal<float> normal = Normal<float>::of(*step.model);
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

// ω of a pixel: the same in every view.
struct WeighTaps {
  TapLayout at;
  LightBatch light;
  IC_DEVICE void item(int64_t i) const { light.weight[i] = at.live[i % at.Q]; }
};

struct TapPositions {
  Step step;
  TapLayout at;
  float* siren;  // [2][N] input of a sine network, or null
  IC_DEVICE void item(int64_t n) const {
    const int64_t slot = n / at.queriesPerSlot, r = n % at.queriesPerSlot, query = r / at.perSlot;
    const int k = (int)(query % at.K), v = (int)(query / at.K);
    const Model& m = *step.model;
    const int view = v < at.views ? v : 0;
    const Point tap = tapOf(step, at, slot, view, k, r % at.perSlot);
    const Point p = confine(m, step.shard((int)slot), warp(step.camera[view], Normal<float>::of(m), tap));
    at.px[n] = p.x;
    at.py[n] = p.y;
    if (siren) sineInput(m, p, siren, at.N, n);
  }
};

// Adds the start pictures; outputs become linear radiance, or clamped logarithms.
struct ActivateTaps {
  Step step;
  TapLayout at;
  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const bool used = n % at.queriesPerSlot < (int64_t)at.views * at.K * at.perSlot;
    for (int k = 0; k < 3; k++) {
      float v = at.scene[k * at.N + n];
      if (m.startRadiance && m.residual)
        v += bilinear(m, m.startRadiance + (int64_t)k * m.width * m.height, at.px[n], at.py[n]).value;
      v = m.logLight ? clampTo(v, LN_MIN, LN_MAX) : radiance(v);
      // What no view reads has no gradient either.
      at.scene[k * at.N + n] = used ? v : 0;
    }
  }
};

// From the taps to u.
struct SumTaps {
  Step step;
  TapLayout at;
  LightBatch light;
  IC_DEVICE void item(int64_t n) const {
    const int v = (int)(n / at.Q);
    const int64_t q = n % at.Q, slot = q / at.perSlot, i = q % at.perSlot;
    float seen[3] = {};
    for (int k = 0; k < at.K; k++) {
      const float share = at.weight(slot, v, k, i);
      const float* b = at.scene + at.query(slot, v, k, i);
      for (int c = 0; c < 3; c++) seen[c] += share * b[c * at.N];
    }
    for (int c = 0; c < 3; c++) light.uAt(v, c, q) = step.model->logLight ? seen[c] : logf(seen[c] + DARK);
  }
};

}  // namespace

void drawTapPixels(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light, int first) {
  stream.items(at.Q, DrawPixels{step, at, light, first});
}

void placeBlur(Stream& stream, const Step& step, const TapLayout& at, float* input) {
  stream.items(at.blurN, BlurInput{step, at, input});
}
void activateBlur(Stream& stream, const TapLayout& at) { stream.items(at.blurN, BlurOutput{at}); }

void placeTaps(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light, float* siren) {
  stream.items(at.views * at.Q, WeighTaps{at, light});
  stream.items(at.N, TapPositions{step, at, siren});
}

void lookThroughTaps(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light) {
  stream.items(at.N, ActivateTaps{step, at});
  stream.items(at.views * at.Q, SumTaps{step, at, light});
}

}  // namespace implicam::device
