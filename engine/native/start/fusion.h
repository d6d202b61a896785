// The soft fusion of a focus stack: develop/start/fusion/, which defines it, to the same bits. So all arithmetic is of
// floats, in the same order, and nothing is contracted (see build.mjs); vectors of any width may do it.
#pragma once
#include <cstdint>
#include <vector>

#include "start/team.h"

namespace implicam::start {

constexpr int BANDS = 3;
constexpr int WINDOWS = 5;
// Blocks to either side of a window's centre, at most.
constexpr int WIDEST_WINDOW = 64;

// One window over blocks of `side` pixels: the centre and one side of its kernel.
struct FusionWindow {
  int side, radius;
  const float* kernel;
  float weight, margin;
};

struct FusionTerms {
  const float* tables[BANDS];
  FusionWindow windows[BANDS][WINDOWS];
  float least, missing;
};

// Sums of one size.
struct LevelSums {
  float *most, *weight, *light[3];
};

struct FusionSums {
  int width, height;
  LevelSums full, half;
  uint8_t *least, *greatest;
  uint16_t* best;
  float *before, *after, *latest;
};

// Memory that is kept from frame to frame.
class FusionScratch {
 public:
  float* floats(int number, size_t count) {
    auto& plane = floats_[number];
    if (plane.size() < count) plane.resize(count);
    return plane.data();
  }
  uint8_t* bytes(int number, size_t count) {
    auto& plane = bytes_[number];
    if (plane.size() < count) plane.resize(count);
    return plane.data();
  }

 private:
  std::vector<float> floats_[64];
  std::vector<uint8_t> bytes_[BANDS];
};

// Energy and brightness of the three bands of a frame of interleaved codes.
void bandEnergy(Team& team, FusionScratch& scratch, const float* codes, int width, int height, float* const* energy,
                uint8_t* const* brightness);

// Adds a frame; `mask` may be null.
void addToFusion(Team& team, FusionScratch& scratch, const FusionSums& sums, const float* codes, const uint8_t* mask,
                 int index, const FusionTerms& terms);

// The fused codes, interleaved; `slack` as in sums.ts.
void fusedCodes(Team& team, FusionScratch& scratch, const FusionSums& sums, float slack, float* out);

}  // namespace implicam::start
