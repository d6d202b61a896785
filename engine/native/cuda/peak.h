// What the device itself can do, measured: the ceilings that a step is held against.
#pragma once
#include "cuda/trainer/stream.h"

namespace implicam::device {

struct Peak {
  double flops, bytes;  // a second
};

// Chains of multiply-adds in registers, and copies in memory, for about `seconds` each.
Peak measurePeak(Stream& stream, double seconds);

}  // namespace implicam::device
