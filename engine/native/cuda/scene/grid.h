// Multiresolution hash grid on samples [slot][perSlot]: features, their gradient, and the positions' gradient.
#pragma once
#include "cuda/trainer/step.h"

namespace implicam::device {

enum class Grid { atlas, map };

// A grid's gradient: [slots][2·nodes] in fixed point, and a mark a line of 8 nodes that was added to.
struct GridGradient {
  int64_t* sum;
  uint8_t* touched;
  int64_t nodes;  // of one slot
};

struct GridPass {
  Step step;
  Grid which;
  const float *px, *py;  // [samples] positions, confined
  float* features;       // [2·levels][samples], or their gradient
  int64_t samples, perSlot;
  int32_t levels;

  void encode(Stream& stream) const;
  void scatter(Stream& stream, const GridGradient& gradient) const;
  // Adds dL/d(position) to dx, dy.
  void positions(Stream& stream, float* dx, float* dy) const;
};

}  // namespace implicam::device
