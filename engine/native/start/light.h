// Linear light of ln radiance: develop/start/pixels/channel-light.ts with fast-math.ts and resize.ts, to the same bits.
#pragma once
#include <cstdint>

#include "start/team.h"

namespace implicam::start {

// What each output covers along one axis: `most` weights from first[i] on, of which those that are zero do not count.
struct Coverage {
  int count, most;
  const int32_t* first;
  const double* weights;
};

// `data` has 3 channels, interleaved; `out`: rows.count × columns.count.
void channelLight(Team& team, const float* data, int width, int channel, double gain, const Coverage& columns,
                  const Coverage& rows, float* out);

}  // namespace implicam::start
