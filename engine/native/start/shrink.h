// Noise out of a plane by shrinking the cosines of its windows: develop/start/merge/shrink.ts, to the same bits.
#pragma once
#include "start/team.h"

namespace implicam::start {

// Width and height are at least the side of a window, 4.
void shrinkDetail(Team& team, const float* plane, int width, int height, const float* variance, float* out);

}  // namespace implicam::start
