// What the kernels of one step read: the model in device memory, the parameters, and what follows from both once a step
// (cameras of the views, exposures, knots).
#pragma once
#include "shared/homography.h"
#include "shared/start_picture.h"
#include "cuda/numbers.h"
#include "cuda/trainer/stream.h"

namespace implicam::device {

constexpr float LN2 = 0.693147180559945309f, LN_MIN = -14, LN_MAX = 8, PI = 3.14159265358979324f;

// A view's camera at one step: circles c = scale·(s − focus), and where it looks.
struct ViewCamera {
  float focus, scale;
  Homography<float> homography;

  // The signed circle of confusion where the defocus map is s.
  IC_DEVICE float circle(float s) const { return scale * (s - focus); }
};

// Which part of a step a batch is, and what the step's schedule says.
struct StepState {
  int64_t step;
  int32_t sharp;
  float gamma, logGamma;  // the random gamma, and 1/ln(gamma + 1)
  float factor;           // of the learning rates
  AdamStep adam;
};

// Pointers into device memory, by value into every kernel.
struct Step {
  const Model* model;       // its pointers are the device's
  const float* theta;
  const StepState* state;
  const ViewCamera* camera; // [views]
  const float* ev;          // [frames]
  const float* knots;       // [3][knots] values
  const int32_t* frameView; // [frames], by place in frameOrder
  const int32_t* hosted;    // [slots] shard of each slot
  int32_t slots;
  Fixed fixed;
  float errorScale;         // 4/(N·F·3)

  IC_DEVICE const Shard& shard(int slot) const { return model->shard[hosted[slot]]; }
};

struct Point {
  float x, y;
};

IC_DEVICE Point warp(const ViewCamera& c, const Normal<float>& n, Point p) {
  Point q;
  c.homography.apply(n, p.x, p.y, q.x, q.y);
  return q;
}

// Adds dL/d(coefficients that are learned) to dm[AFFINE] and gives dL/dp, from dL/dq at p.
IC_DEVICE Point warpBack(const ViewCamera& c, const Normal<float>& n, Point p, Point dq, float* dm) {
  Point dp;
  c.homography.back(n, p.x, p.y, dq.x, dq.y, dm, dp.x, dp.y);
  return dp;
}

// Into the picture and the shard's grid.
IC_DEVICE Point confine(const Model& m, const Shard& s, Point p) {
  p.x = clampTo(clampTo(p.x, .5f, m.width - .5f), s.grid.x + .5f, s.grid.x + s.grid.width - .5f);
  p.y = clampTo(clampTo(p.y, .5f, m.height - .5f), s.grid.y + .5f, s.grid.y + s.grid.height - .5f);
  return p;
}

// What a sine network reads of position n: normalised coordinates, [2][ld].
IC_DEVICE void sineInput(const Model& m, Point p, float* input, int64_t ld, int64_t n) {
  const Normal<float> normal = Normal<float>::of(m);
  input[n] = (p.x - normal.cx) / normal.half;
  input[ld + n] = (p.y - normal.cy) / normal.half;
}

// 1 where an activated radiance was not clamped.
IC_DEVICE float alive(float b) {
  return b > (float)(8.315287191e-7 * 1.000001) && b < (float)(2980.957987 * 0.999999) ? 1 : 0;
}
IC_DEVICE float radiance(float o) { return expf(clampTo(o, LN_MIN, LN_MAX)); }

// Per shard slot, added to over the batches of a step and turned into the shared gradient at its end.
struct ShardSums {
  float* view;      // [slots][views][VIEW_SUMS]
  float* exposure;  // [slots][frames] dL/d ev, by place in frameOrder
  int64_t* knots;   // [slots][KNOT_COPIES][3][knots] fixed point
  double* scalars;  // [slots][SCALARS] loss, Σ squared errors, samples
};
constexpr int FOCUS_SUM = AFFINE, KAPPA_SUM = AFFINE + 1, VIEW_SUMS = AFFINE + 2;  // behind the coefficients
constexpr int SCALARS = 3;
constexpr int KNOT_COPIES = 8;

}  // namespace implicam::device
