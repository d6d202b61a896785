// Before and after the samples of a step: what follows from the parameters, shard sums to gradients, the fixed tree over
// shards, losses that belong to no sample, Adam.
#pragma once
#include "cuda/scene/grid.h"
#include "cuda/scene/network.h"

namespace implicam::device {

// One number a line of 16 parameters: groups start on lines.
constexpr int LINE = 16;

// What follows from the parameters once a step: cameras, exposures and knots. `host`: the model in the host's memory.
void prepareStep(Stream& stream, const Model& host, const Step& step, ViewCamera* camera, float* ev, float* knots);

// Adds what was summed by slot (views, exposures, knots) to the slots' gradients of the shared parameters.
void finishShards(Stream& stream, const Model& host, const Step& step, const ShardSums& sums,
                  const SharedGradient& gradient);

// gradient[0] = Σ over slots in a binary tree; other slots are left with partial sums.
void sumShards(Stream& stream, int slots, int64_t count, const SharedGradient& gradient);

// Losses that do not depend on samples: adds their gradient to `gradient` [shared], writes PLAIN_PARTS parts of the loss.
constexpr int PLAIN_PARTS = 5;
void plainLosses(Stream& stream, const Step& step, float* gradient, double* parts);

struct Moments {
  float *theta, *m, *v;
  const float* rate;  // a line, without the schedule's factor
};

// Adam on the shared parameters [0, count).
void updateShared(Stream& stream, const Step& step, const Moments& moments, const float* gradient, int64_t count);

// Sums a grid's gradient over the slots (in the tree, where they share it; each its own, where tiled), clears it, and
// updates the entries whose sum is not zero; with `out` the sums go there instead, at their place in the parameters.
void updateGrid(Stream& stream, const Step& step, Grid which, bool tiled, const GridGradient& gradient,
                const Moments& moments, float* out);

// For steps that several processes share. Lines of one slot's grid gradient, as numbers; clears them.
void takeGridLines(Stream& stream, const Fixed& fixed, int64_t* sums, const uint32_t* numbers, int64_t count,
                   float* values);
// Updates the lines of the grid at `at` by their sums.
void updateGridLines(Stream& stream, const Step& step, const Moments& moments, int64_t at, const uint32_t* numbers,
                     const float* values, int64_t count);

}  // namespace implicam::device
