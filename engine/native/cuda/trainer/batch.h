// A batch of a step: as many draws of every shard slot as fit into the workspace at once. Steps larger than that run in
// several batches, whose sizes depend on the plan alone.
#pragma once
#include <algorithm>
#include <memory>
#include "cuda/scene/grid.h"
#include "cuda/scene/network.h"
#include "cuda/tone_mapper/photometric.h"
#include "cuda/trainer/update.h"

namespace implicam::device {

// Floats of workspace a shard slot may use for one batch.
#ifndef IMPLICAM_BATCH_FLOATS
#define IMPLICAM_BATCH_FLOATS (48 << 20)
#endif
constexpr int64_t BATCH_FLOATS = IMPLICAM_BATCH_FLOATS;

// What a batch adds to.
struct Gradients {
  SharedGradient shared;
  GridGradient atlas, map;
  ShardSums sums;
};

// Draws of a batch, where one needs `floats`.
inline int batchDraws(const Model& m, int64_t floats, int multiple) {
  int most = 1;
  for (int s = 0; s < m.shards; s++) most = std::max(most, m.shard[s].draws);
  const int64_t fit = std::max<int64_t>(1, BATCH_FLOATS / std::max<int64_t>(1, floats));
  const int64_t draws = std::min<int64_t>(most, fit);
  return (int)((draws + multiple - 1) / multiple * multiple);
}

// Samples a step of all shards that share a scene, in pixels: N of docs/reference/MODEL.md.
inline double samplePixels(const Model& m) {
  const Shard& s = m.shard[0];
  const double draws = s.tiled ? (double)s.draws * m.shards : (double)s.drawStride;
  return m.blurForm == BLUR_LENS ? draws * m.patch * m.patch : draws;
}

// A block of sums over a slot's samples in one view: blocks are [slots][views][tiles].
struct ViewTile {
  int64_t slot;
  int view, tile;
  IC_DEVICE static ViewTile of(int64_t block, int views, int tiles) {
    return {block / tiles / views, (int)(block / tiles % views), (int)(block % tiles)};
  }
};

// Sums `kernel` over the tiles of every slot and view: VALUES of them are added to `to`, [slots][views] of VIEW_SUMS.
template <int VALUES, class K>
void sumViews(Stream& stream, int slots, int views, const K& kernel, float* to) {
  stream.blocks((int64_t)slots * views * kernel.tiles, kernel);
  stream.items((int64_t)slots * views * VALUES, SumSlots<float>{kernel.slots, to, kernel.tiles, VALUES, VIEW_SUMS});
}

// A training step's samples, by patches or by taps.
class Pass {
 public:
  virtual ~Pass() = default;
  // Draws of a slot in one batch.
  virtual int draws() const = 0;
  // Computes the draws from `first` of every slot.
  virtual void run(const Step& step, int first, const Gradients& gradients) = 0;
};

std::unique_ptr<Pass> createPatches(Stream& stream, const Model& host, int slots);
std::unique_ptr<Pass> createTaps(Stream& stream, const Model& host, int slots);

}  // namespace implicam::device
