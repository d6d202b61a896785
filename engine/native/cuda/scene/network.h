// Fully connected networks of any width on feature-major samples: X[feature · ld + n]. A layer is one launch; activations
// lie in device memory, and only the tile that a block works on in shared memory.
#pragma once
#include "shared/plan.h"
#include "cuda/numbers.h"
#include "cuda/trainer/stream.h"

namespace implicam::device {

// Gradient sums of the shared parameters: [shard slot][shared].
struct SharedGradient {
  float* at;
  int64_t stride;
};

// gradient[slot][offset + p] += Σ over splits of partial[slot][split][p], in order of splits.
void sumPartials(Stream& stream, const float* partial, int slots, int splits, int64_t size,
                 const SharedGradient& gradient, int64_t offset);

class Network {
 public:
  Network() = default;
  // `perShard` samples each of `shards` shard slots; a multiple of SAMPLE_BLOCK.
  Network(Stream& stream, const NetSpec& spec, int shards, int64_t perShard, const char* what);

  explicit operator bool() const { return spec_.layers > 0; }
  float* input() const { return activation(0); }
  float* output() const { return activation(spec_.layers); }
  int64_t samples() const { return ld_; }

  void forward(const float* theta) const;
  // output() holds dL/d(output). Adds to the weights' gradient and, with `toInput`, leaves dL/d(input) in input().
  void backward(const float* theta, const SharedGradient& gradient, bool toInput) const;

  // Floats of device memory a sample.
  static int64_t floatsPerSample(const NetSpec& spec);

 private:
  float* activation(int layer) const { return memory_.at() + first_[layer] * ld_; }
  float* slope(int layer) const { return memory_.at() + slope_[layer] * ld_; }
  bool sine(int layer) const { return spec_.sine && layer > 0 && layer < spec_.layers; }

  Stream* stream_ = nullptr;
  NetSpec spec_{};
  int shards_ = 0;
  int64_t perShard_ = 0, ld_ = 0;
  int64_t first_[MAX_LAYERS + 1] = {}, slope_[MAX_LAYERS + 1] = {};
  Buffer<float> memory_, partial_;
};

// Shard slots hold a multiple of this many samples.
constexpr int SAMPLE_BLOCK = 128;
constexpr int64_t paddedSamples(int64_t n) { return (n + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK * SAMPLE_BLOCK; }

}  // namespace implicam::device
