// The inner loops of the plane sweep: develop/start/depth/sweep-loops.ts and semi-global.ts, to the same bits.
#pragma once
#include <cstdint>

#include "start/team.h"

namespace implicam::start {

// Warm and cool plane of logarithms.
struct Logs {
  const int16_t *warm, *cool;
};

// Two neighbouring rungs of a ladder, 64ths of the way between them, and a prior cost.
struct Between {
  Logs low, high;
  int32_t fraction, prior;
};

// Pixels that share a source: [start, end) of source[i].
struct Runs {
  int count;
  const int32_t *start, *end;
  const uint8_t* source;
};

void addDifferences(Team& team, const Logs& view, const std::vector<Between>& sources, const Runs& runs, int32_t* sum);

void storeCosts(Team& team, const int32_t* sum, const float* trust, int width, int height, int window, uint16_t* cost,
                int label, int labels);

// `valid` may be null; `out`: places × blocks.
void blockDifferences(Team& team, const Logs& view, const uint8_t* valid, const std::vector<Logs>& ladder,
                      const int32_t* pixels, int blocks, int places, float* out);

// `priors`: depths × views; `offsets`: depths × views × views.
double sumLowest(Team& team, const std::vector<const float*>& differences, const uint8_t* sources, int blocks,
                 const double* priors, const int32_t* offsets, int depths);

// `sum` comes as zeros.
void aggregatePaths(Team& team, int width, int height, int labels, const uint16_t* cost, int p1, const uint16_t* p2,
                    uint16_t* sum);

}  // namespace implicam::start
