// Where a batch by taps lies in memory, and where its taps are. docs/reference/MODEL.md, "lens, taps", "free", "none".
#pragma once
#include "cuda/session/batch.h"

namespace implicam::device {

// Pixels q = slot · perSlot + i. Queries of the scene n = slot · queriesPerSlot + ((v · groups + g) · K + k) · perSlot + i;
// samples of the defocus network slot · mapPerSlot + r · perSlot + i, r = a view, the pixel itself, its neighbour; samples
// of the blur generator slot · blurPerSlot + v · perSlot + i. What is behind the last of a slot counts nothing.
struct TapLayout {
  int views, layers, groups, K, perSlot;
  bool lens, free;
  int64_t Q, queriesPerSlot, N, mapPerSlot, mapN, blurPerSlot, blurN;
  const float* disk;          // [K][2] points of the unit disk
  float *x, *y, *u0, *u1;     // [Q] pixel centres and random numbers
  float* live;                // [Q] 0: no draw
  float *px, *py, *dqx, *dqy; // [N] positions, confined, and their gradient
  float* scene;               // [outputs][N]
  float *mapX, *mapY, *mapDx, *mapDy;  // [mapN]
  float* map;                 // [layers][mapN] defocus, then its gradient
  float* blur;                // [3K][blurN] outputs of the generator
  float* w;                   // [K][blurN] its weights

  IC_DEVICE int64_t query(int64_t slot, int v, int g, int k, int64_t i) const {
    return slot * queriesPerSlot + (((int64_t)v * groups + g) * K + k) * perSlot + i;
  }
  IC_DEVICE int64_t mapAt(int64_t slot, int r, int64_t i) const { return slot * mapPerSlot + (int64_t)r * perSlot + i; }
  IC_DEVICE int64_t blurAt(int64_t slot, int v, int64_t i) const { return slot * blurPerSlot + (int64_t)v * perSlot + i; }
};

// A tap before the view's warp, and its direction: offset = radius · unit (lens).
struct Tap {
  Point at, unit;
};

// What the taps of a pixel, view and layer share: how the disk is turned, and how wide it is (lens).
struct Disk {
  float sine, cosine, radius;
};

IC_DEVICE Disk diskOf(const Step& step, const TapLayout& t, int64_t slot, int v, int g, int64_t i) {
  if (!t.lens) return {0, 1, 0};
  const ViewCamera& c = step.camera[v];
  float turn = t.u0[slot * t.perSlot + i] + 0.618034f * v;
  turn -= floorf(turn);
  Disk disk;
  turned(turn, disk.sine, disk.cosine);
  disk.radius = c.circle(t.map[g * t.mapN + t.mapAt(slot, v, i)]);
  return disk;
}

IC_DEVICE Tap tapOf(const Step& step, const TapLayout& t, const Disk& disk, int64_t slot, int v, int k, int64_t i) {
  const int64_t q = slot * t.perSlot + i;
  Tap tap = {{t.x[q], t.y[q]}, {0, 0}};
  if (t.lens) {
    const float bx = t.disk[2 * k], by = t.disk[2 * k + 1];
    tap.unit = {bx * disk.cosine - by * disk.sine, bx * disk.sine + by * disk.cosine};
    tap.at.x += disk.radius * tap.unit.x;
    tap.at.y += disk.radius * tap.unit.y;
  } else if (t.free && !(step.model->blurGrid && k == 4)) {
    const float* o = t.blur + (t.K + 2 * k) * t.blurN + t.blurAt(slot, v, i);
    const float gx = step.model->blurGrid ? k % 3 - 1 : 0, gy = step.model->blurGrid ? k / 3 - 1 : 0;
    tap.at.x += step.model->maxShift * o[0] + gx;
    tap.at.y += step.model->maxShift * o[t.blurN] + gy;
  }
  return tap;
}

// Where the defocus map is asked: at D_v(p) for every view, at p, and at p's neighbour.
IC_DEVICE Point mapPoint(const Step& step, const TapLayout& at, int64_t slot, int r, int64_t i) {
  const int64_t q = slot * at.perSlot + i;
  const Point p = {at.x[q], at.y[q]};
  if (r < at.views) return warp(step.camera[r], Normal<float>::of(*step.model), p);
  if (r == at.views) return p;
  float sine, cosine;
  turned(at.u1[q], sine, cosine);
  return {p.x + cosine, p.y + sine};
}

// What the taps of one pixel of one view make together.
struct Composite {
  Step step;
  TapLayout at;

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
};

// Draws the pixels of a batch from `first`.
void drawTapPixels(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light, int first);
// Positions of the defocus map, and its start pictures once the network has run.
void placeTapMap(Stream& stream, const Step& step, const TapLayout& at);
void startTapMap(Stream& stream, const Step& step, const TapLayout& at);
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
void compositeTapsBack(Stream& stream, const Step& step, const TapLayout& at, const LightBatch& light);
// dL/d(position): through the start pictures; what a sine network adds ([2][N] at its input).
void startTapSlopes(Stream& stream, const Step& step, const TapLayout& at);
void addSineSlopes(Stream& stream, const Step& step, const TapLayout& at, const float* input);
// From the taps' positions to what placed them: homography, circle (in place of the defocus map), generator. `slots`: room
// for the sums of all tiles.
void tapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums);
// Smoothness of the defocus map, `each` a pixel: its gradient takes the map's place.
void smoothTapMap(Stream& stream, const Step& step, const TapLayout& at, float each, float* slots, const ShardSums& sums);
// dL/d(position) of the defocus map through its start picture, and from there to the homographies.
void startMapSlopes(Stream& stream, const Step& step, const TapLayout& at);
void mapPositionsBack(Stream& stream, const Step& step, const TapLayout& at, float* slots, const ShardSums& sums);
// The generator's gradient [3][blurN] of the views' focus.
void blurFocusBack(Stream& stream, const Step& step, const TapLayout& at, const float* input, float* slots,
                   const ShardSums& sums);

}  // namespace implicam::device
