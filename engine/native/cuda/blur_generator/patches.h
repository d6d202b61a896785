// Where a batch by patches lies in memory, and the launches of its step. docs/reference/MODEL.md, "lens".
#pragma once
#include "cuda/trainer/batch.h"
#include "cuda/blur_generator/spread.h"

namespace implicam::device {

constexpr float COVER = 1e-4f, DARK = 1e-8f;

// Where everything of a batch lies. Patches b = slot · perSlot + j; samples n = slot · samplesPerSlot + j · pixels + i;
// window pixels b · w² + y · w + x; inner pixels q = b · patch² + y · patch + x.
struct PatchLayout {
  int views, patches, perSlot;  // patches in all, and of a slot
  int n, w, h, m, reach, patch, pixels, offsets;
  int64_t samplesPerSlot, N, window, Q;
  const Offset* offset;
  int32_t* origin;     // [patches][3] x, y of the first inner pixel; 0: no draw
  float *px, *py;      // [N]
  float* scene;        // [3][N] the network's outputs, then radiance, then their gradient
  float* map;          // [N] defocus, then its gradient
  float* edge;         // [N] start luminance, or null
  float *rho, *inverse;// [views][N]
  float* widest;       // [views][patches] largest ρ
  float* out;          // [views][4][window] spread sums S[1] and S[radiance], then their gradient
  float* seen;         // [views][3][window]
  float *dvalue, *dc;  // [views][3][N], [views][N]
  float* dmap;         // [N] gradient of the loss on the map

  IC_DEVICE int64_t base(int b) const { return b / perSlot * samplesPerSlot + (int64_t)(b % perSlot) * pixels; }
  IC_DEVICE float& outAt(int v, int k, int64_t i) const { return out[((int64_t)v * 4 + k) * window + i]; }
  IC_DEVICE float& seenAt(int v, int k, int64_t i) const { return seen[((int64_t)v * 3 + k) * window + i]; }
};

// A sample's patch and pixel in it; samples behind the last patch repeat its last pixel, and count nothing.
struct Place {
  int b, i, x, y;
  bool live;
};
IC_DEVICE Place placeOf(const PatchLayout& at, int64_t n) {
  const int slot = (int)(n / at.samplesPerSlot);
  int64_t r = n % at.samplesPerSlot;
  const int64_t last = (int64_t)at.perSlot * at.pixels - 1;
  const bool inside = r <= last;
  r = inside ? r : last;
  const int b = slot * at.perSlot + (int)(r / at.pixels), i = (int)(r % at.pixels);
  return {b, i, i % at.n, i / at.n, inside && at.origin[3 * b + 2]};
}

// Where a displaced view reads the window for an inner pixel.
struct Read {
  int x, y;  // window pixel of the first corner
  float fx, fy;
  bool freeX, freeY;
};
IC_DEVICE Read readAt(const PatchLayout& at, const Step& step, int v, int b, int x, int y) {
  const int32_t* o = at.origin + 3 * b;
  const Point p = {o[0] + x + .5f, o[1] + y + .5f}, d = warp(step.camera[v], Normal<float>::of(*step.model), p);
  const float ux = d.x - p.x, uy = d.y - p.y;
  const float dx = clampTo(ux, -1.f, 1.f), dy = clampTo(uy, -1.f, 1.f);
  const int ix = dx < 0 ? -1 : 0, iy = dy < 0 ? -1 : 0;
  return {x + 1 + ix, y + 1 + iy, dx - ix, dy - iy, fabsf(ux) < 1, fabsf(uy) < 1};
}

// Draws the patches of a batch from `first`, and places their samples; `siren`: input of a sine network, or null.
void placePatches(Stream& stream, const Step& step, const PatchLayout& at, int first, float* siren);
// The networks' outputs to linear radiance and defocus.
void activatePatches(Stream& stream, const Step& step, const PatchLayout& at);
// Every view's light at the inner pixels, in light.u, and what each counts, in light.weight.
void lookAtPatches(Stream& stream, const Step& step, const PatchLayout& at, const LightBatch& light);

// Blocks over a slot's inner pixels and over its samples.
int patchWarpTiles(const PatchLayout& at, const LightBatch& light);
int patchFocusTiles(const PatchLayout& at);
int patchLossBlocks(const PatchLayout& at);
// From dL/dz in `light` to the gradient of scene and map, in their places; adds to the sums of the views and to the loss.
// `slots`: room for the sums of all tiles.
void patchesBackward(Stream& stream, const Step& step, const PatchLayout& at, const LightBatch& light, float* slots,
                     float share, const ShardSums& sums);

}  // namespace implicam::device
