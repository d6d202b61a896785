// Comparison of two frames under a homography: develop/start/align/compare.ts and align-features.ts, to the same bits.
#pragma once
#include "start/team.h"

namespace implicam::start {

// One size of a frame's light.
struct Level {
  const float *value, *trust;
};

// Where a level's pixels lie in normalised positions.
struct Grid {
  double step, left, top;
};

struct Comparison {
  double* hessians;   // 64 tiles × 8 × 8
  double* gradients;  // 64 tiles × 8
  double correlation, trusted;
};

// Scores of all shifts of up to reachX and reachY pixels, row by row.
void scoreShifts(Team& team, const Level& a, const Level& b, int width, int height, int reachX, int reachY,
                 double* correlation, double* seen);

class Comparer {
 public:
  // `m` takes pixel indices of the template to those of the other frame.
  void compare(Team& team, const Level& first, const Level& second, int width, int height, const double* m,
               const Grid& grid, Comparison& result);

 private:
  void warp(const Member& me, const double* m);
  void contrast(const Member& me);
  double medianResidual() const;
  void accumulate(const Member& me, double weight, const Grid& grid, Comparison& result);
  void finish(const Grid& grid, Comparison& result) const;

  int width_ = 0, height_ = 0;
  Level first_, second_;
  // Planes: the two frames, their trust before and after what the contrast tells, and its mean; and passing sums.
  std::vector<float> value_[2], joint_, trust_, share_, mean_[2], square_[2], mid_[2];
  std::vector<double> sums_;
};

}  // namespace implicam::start
