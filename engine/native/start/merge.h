// The most likely radiance of every pixel of one channel: develop/start/merge/merge.ts, pixel-reader.ts and pixel-radiance.ts, to
// the same bits, for 8-bit frames.
#pragma once
#include <cstdint>

#include "start/constants.h"
#include "start/team.h"

namespace implicam::start {

using pixelRadiance::SEGMENTS;
constexpr int MOST_FRAMES = compiled::MOST_MERGED;

struct MergeInput {
  int frames, channel;
  size_t pixels;
  // 3 channels, interleaved; masks may be null.
  const uint8_t *codes[MOST_FRAMES], *masks[MOST_FRAMES];
  // Of each frame; of each code; of the response: SEGMENTS + 1 knots, and by segment.
  const double *shifts, *table, *knots, *pull, *curvature;
  double blackest;
};

// `radiance` has 3 channels, interleaved.
void mergeChannel(Team& team, const MergeInput& input, float* radiance);

}  // namespace implicam::start
