// What the kernels of one step read: the model in device memory, the parameters, and what follows from both once a step
// (cameras of the views, exposures, knots).
#pragma once
#include "../plan.h"
#include "numbers.h"
#include "stream.h"

namespace implicam::device {

constexpr float LN2 = 0.693147180559945309f, LN_MIN = -14, LN_MAX = 8, PI = 3.14159265358979324f;
constexpr float TAU = 6.28318530717958648f;

// A view's camera at one step: circles c = scale·(s − focus), and the frame-to-scene homography in normalised coordinates.
struct ViewCamera {
  float focus, scale;
  float m[8];
  int32_t identity;
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

// p̂ = (p − centre) / half.
struct Normal {
  float cx, cy, half;
  IC_DEVICE static Normal of(const Model& m) {
    return {m.width * .5f, m.height * .5f, (m.width > m.height ? m.width : m.height) * .5f};
  }
};

IC_DEVICE Point warp(const ViewCamera& c, const Normal& n, Point p) {
  if (c.identity) return p;
  float u = (p.x - n.cx) / n.half, v = (p.y - n.cy) / n.half;
  float z = 1 / (c.m[6] * u + c.m[7] * v + 1);
  return {(c.m[0] * u + c.m[1] * v + c.m[2]) * z * n.half + n.cx,
          (c.m[3] * u + c.m[4] * v + c.m[5]) * z * n.half + n.cy};
}

// Adds dL/d(coefficients) to dm[8] and gives dL/dp, from dL/dq at p.
IC_DEVICE Point warpBack(const ViewCamera& c, const Normal& n, Point p, Point dq, float* dm) {
  if (c.identity) return dq;
  float u = (p.x - n.cx) / n.half, v = (p.y - n.cy) / n.half;
  float z = 1 / (c.m[6] * u + c.m[7] * v + 1);
  float X = (c.m[0] * u + c.m[1] * v + c.m[2]) * z, Y = (c.m[3] * u + c.m[4] * v + c.m[5]) * z;
  float gx = dq.x * n.half * z, gy = dq.y * n.half * z, gz = -(gx * X + gy * Y);
  dm[0] += gx * u;
  dm[1] += gx * v;
  dm[2] += gx;
  dm[3] += gy * u;
  dm[4] += gy * v;
  dm[5] += gy;
  dm[6] += gz * u;
  dm[7] += gz * v;
  return {(gx * c.m[0] + gy * c.m[3] + gz * c.m[6]) / n.half, (gx * c.m[1] + gy * c.m[4] + gz * c.m[7]) / n.half};
}

// Into the picture and the shard's grid.
IC_DEVICE Point confine(const Model& m, const Shard& s, Point p) {
  p.x = clampTo(clampTo(p.x, .5f, m.width - .5f), s.grid.x + .5f, s.grid.x + s.grid.width - .5f);
  p.y = clampTo(clampTo(p.y, .5f, m.height - .5f), s.grid.y + .5f, s.grid.y + s.grid.height - .5f);
  return p;
}

struct Sampled {
  float value, gx, gy;
};

// A start picture, bilinear at a position inside the picture, and its slopes.
IC_DEVICE Sampled bilinear(const Model& m, const float* plane, Point p) {
  float fx = p.x - .5f, fy = p.y - .5f;
  int ix = (int)fx, iy = (int)fy;
  ix = ix > m.width - 2 ? m.width - 2 : ix;
  iy = iy > m.height - 2 ? m.height - 2 : iy;
  ix = ix < 0 ? 0 : ix;
  iy = iy < 0 ? 0 : iy;
  const int right = m.width > 1 ? 1 : 0, down = m.height > 1 ? m.width : 0;
  fx -= ix;
  fy -= iy;
  const float* s = plane + (int64_t)iy * m.width + ix;
  float a = s[0], b = s[right], c = s[down], d = s[down + right];
  return {(a + (b - a) * fx) * (1 - fy) + (c + (d - c) * fx) * fy, (b - a) * (1 - fy) + (d - c) * fy,
          (c - a) * (1 - fx) + (d - b) * fx};
}

// 1 where an activated radiance was not clamped.
IC_DEVICE float alive(float b) {
  return b > (float)(8.315287191e-7 * 1.000001) && b < (float)(2980.957987 * 0.999999) ? 1 : 0;
}
IC_DEVICE float radiance(float o) { return expf(clampTo(o, LN_MIN, LN_MAX)); }
IC_DEVICE float sigmoid(float o) { return 1 / (1 + expf(-o)); }

// ev = base + squash(P δ), and d ev / d(P δ).
IC_DEVICE float exposure(const Model& m, const float* theta, int frame, float& slope) {
  float shift = 0;
  slope = 1;
  for (int j = 0; j < m.exposures; j++) shift += m.evBasis[frame * m.exposures + j] * theta[m.exposure + j];
  if (m.evSquash > 0) {
    float t = tanhf(shift);
    slope = m.evSquash * (1 - t * t);
    shift = m.evSquash * t;
  }
  return m.evBase[frame] + shift;
}

// Per shard slot, added to over the batches of a step and turned into the shared gradient at its end.
struct ShardSums {
  float* view;      // [slots][views][VIEW_SUMS]
  float* exposure;  // [slots][frames] dL/d ev, by place in frameOrder
  int64_t* knots;   // [slots][KNOT_COPIES][3][knots] fixed point
  double* scalars;  // [slots][SCALARS] loss, Σ squared errors, samples
};
constexpr int VIEW_SUMS = 10;  // eight coefficients, focus, ln κ
constexpr int SCALARS = 3;
constexpr int KNOT_COPIES = 8;

}  // namespace implicam::device
