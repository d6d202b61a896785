// Filters of single-channel planes: develop/start/pixels/filters.ts, rank-filters.ts, disk-blur.ts and log-steps.ts, which define
// them, to the same bits. So arithmetic is in double, sums are in the same order, and nothing may be contracted to a
// fused multiply-add (see build.mjs).
#pragma once
#include <cstdint>

#include "start/team.h"

namespace implicam::start {

// Means of the rows, for this member's share of them; then of the columns, for its share of those.
void boxRows(const Member& me, const float* source, int width, int height, int radius, float* out);
void boxColumns(const Member& me, const float* source, int width, int height, int radius, float* out);

void boxMean(Team& team, const float* source, int width, int height, int radius, float* out);

// `kernel`: the centre and one side, radius + 1 weights.
void convolve(Team& team, const float* source, int width, int height, const double* kernel, int radius, float* out);

// `size` is 3 or 5.
void medianFilter(Team& team, const float* source, int width, int height, int size, float* out);

// Row j of a disk: weight full[j] for |x| ≤ run[j], then weights[j · (reach + 1) + i], i < taps[j].
struct Disk {
  int reach;
  const int32_t *run, *taps;
  const double *full, *weights;
};

void blurDisk(Team& team, const float* source, int width, int height, const Disk& disk, float* out);

// `exponents` has 256 entries, `mantissas` 2048.
void quantisedLog(Team& team, const float* plane, int pixels, double floor, const double* exponents,
                  const double* mantissas, int16_t* out);

}  // namespace implicam::start
