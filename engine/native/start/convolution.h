// The convolutions of the network at depth edges: `convolve` of develop/start/edges/layers.ts, to the same bits. Compiled once
// for each instruction set; products and sums are rounded apart everywhere, so that all of them agree.
#pragma once
#include <stddef.h>

namespace implicam::start {

// Outputs come in so many groups, whose weights lie side by side for each input and tap.
constexpr int GROUPS = 4;

// Planes with their rows side by side, [y][channel][x]; `origin` is row 0, channel 0, column 0. Around them is a border of
// zeros as far as convolutions reach, and behind the last row memory that may be read.
struct PlaneRows {
  float* origin;
  int channels, width, height;
  ptrdiff_t pitch;

  // Always inlined: it is compiled for several instruction sets, and one must not serve another.
  __attribute__((always_inline)) float* row(int y, int channel) const { return origin + ((ptrdiff_t)y * channels + channel) * pitch; }
};

enum class Ending { plain, rectified, residual };

struct Convolution {
  PlaneRows input, output;
  // Weights [group][input][tap][output of the group].
  const float *weights, *biases;
  int taps, dilation, stride;
  Ending ending;
};

// How many floats convolveRows needs for itself.
inline size_t scratchOf(const PlaneRows& input) { return (size_t)6 * input.channels * (input.width / 2 + 2) + 256; }

typedef void ConvolveRows(const Convolution& how, int from, int to, float* scratch);

// The fastest one that this machine runs, or the one of a name; null where it does not run it.
ConvolveRows* findConvolution(const char* isa);

}  // namespace implicam::start
