// Where a batch by taps lies in memory, and where its taps are. docs/MODEL.md, "lens, taps", "free", "none".
#pragma once
#include "batch.h"
#include "draws.h"

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
  return {sinf(TAU * turn), cosf(TAU * turn), c.scale * (t.map[g * t.mapN + t.mapAt(slot, v, i)] - c.focus)};
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

// Gradient of a position that confining may have moved.
IC_DEVICE Point freed(Point before, Point after, float dx, float dy) {
  return {before.x == after.x ? dx : 0, before.y == after.y ? dy : 0};
}

// Views are summed by tiles of this many pixels.
constexpr int TILE = 128;

}  // namespace implicam::device
