// The network at depth edges: develop/start/edges/levels.ts, to the same bits.
#pragma once
#include <vector>

#include "start/convolution.h"
#include "start/team.h"

namespace implicam::start {

struct EdgeViews {
  int width, height;
  // Three views of ln radiance, interleaved; nine gains.
  const float* views[3];
  const double* gains;
  double spans[2];
  int levels;
};

struct Part {
  int x, y, width, height;
};

// Numbers of the network, one layer behind the other.
extern const size_t EDGE_WEIGHTS;

class EdgeNetwork {
 public:
  explicit EdgeNetwork(ConvolveRows* convolve) : convolve_(convolve) {}

  // `network`: EDGE_WEIGHTS numbers; the part's sides are multiples of 2^(levels + 1). `out`: four planes of the part.
  void see(Team& team, const float* network, const EdgeViews& input, const Part& part, float* out);

 private:
  ConvolveRows* convolve_;
  // Kept, so that memory need not be fetched again for the next part.
  std::vector<float> memory_[10];
};

}  // namespace implicam::start
