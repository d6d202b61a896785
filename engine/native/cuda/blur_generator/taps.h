// Where a batch by taps lies in memory, and where its taps are. docs/reference/MODEL.md, "free", "none".
#pragma once
#include "cuda/trainer/batch.h"

namespace implicam::device {

// Pixels q = slot · perSlot + i. Queries of the scene n = slot · queriesPerSlot + (v · K + k) · perSlot + i; samples of the
// blur generator slot · blurPerSlot + v · perSlot + i. What is behind the last of a slot counts nothing.
struct TapLayout {
  int views, K, perSlot;
  bool free;                  // taps are the generator's; else there is one, and no blur
  int64_t Q, queriesPerSlot, N, blurPerSlot, blurN;
  float *x, *y;               // [Q] pixel centres
  float* live;                // [Q] 0: no draw
  float *px, *py, *dqx, *dqy; // [N] positions, confined, and their gradient
  float* scene;               // [3][N]
  float* blur;                // [3K][blurN] outputs of the generator
  float* w;                   // [K][blurN] its weights

  IC_DEVICE int64_t query(int64_t slot, int v, int k, int64_t i) const {
    return slot * queriesPerSlot + ((int64_t)v * K + k) * perSlot + i;
  }
  IC_DEVICE int64_t blurAt(int64_t slot, int v, int64_t i) const { return slot * blurPerSlot + (int64_t)v * perSlot + i; }
  IC_DEVICE float weight(int64_t slot, int v, int k, int64_t i) const {
    return free ? w[k * blurN + blurAt(slot, v, i)] : 1;
  }
};

// A tap before the view's warp.
IC_DEVICE Point tapOf(const Step& step, const TapLayout& t, int64_t slot, int v, int k, int64_t i) {
  const int64_t q = slot * t.perSlot + i;
  Point p = {t.x[q], t.y[q]};
  if (t.free && !(step.model->blurGrid && k == 4)) {
    const float* o = t.blur + (t.K + 2 * k) * t.blurN + t.blurAt(slot, v, i);
    const float gx = step.model->blurGrid ? k % 3 - 1 : 0, gy = step.model->blurGrid ? k / 3 - 1 : 0;
    p.x += step.model->maxShift * o[0] + gx;
    p.y += step.model->maxShift * o[t.blurN] + gy;
  }
  return p;
}

// Draws the pixels of a batch from `first`.
void drawTapPixels(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light, int first);
// Input [3][blurN] of the generator; weights and offsets from its output.
void placeBlur(Stream& stream, const Step& step, const TapLayout& at, float* input);
void activateBlur(Stream& stream, const TapLayout& at);
// Positions of the taps; `siren`: input of a sine network, or null. And what each view counts, in light.weight.
void placeTaps(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light, float* siren);
// The scene's outputs to radiance, and every view's light in light.u.
void lookThroughTaps(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light);

// How many blocks sum the pixels of a slot.
int tapTiles(const TapLayout& at);
// From dL/dz in `light` to the gradient of the scene's outputs and of the generator's, in their places.
void sumTapsBack(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light);
// dL/d(position): through the start pictures; what a sine network adds ([2][N] at its input).
void startTapSlopes(Stream& stream, const Step& step, const TapLayout& at);
void addSineSlopes(Stream& stream, const Step& step, const TapLayout& at, const float* input);
// From the taps' positions to what placed them: homography and generator. `slots`: room for the sums of all tiles.
void tapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums);
// The generator's gradient [3][blurN] of the views' focus.
void blurFocusBack(Stream& stream, const Step& step, const TapLayout& at, const float* input, float* slots,
                   const ShardSums& sums);

}  // namespace implicam::device
