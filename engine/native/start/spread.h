// Every source pixel spreads its light over a disk: model/camera/spread.ts, to the same bits.
#pragma once
#include "start/team.h"

namespace implicam::start {

// What the pixels of a picture send out: see SpreadSources.
struct Sources {
  int width, height;
  const float* radii;
  const double *density, *light;
};

struct Window {
  int x, y, width, height;
};

// `distance`: (border + 1)² distances; `sums`, 4 a pixel of the window, come as zeros.
void spread(Team& team, const Sources& sources, int border, const float* distance, const Window& window, float* sums);

}  // namespace implicam::start
