// From blurred radiance to the loss and back: exposure, tone mapper, comparison with the frames. docs/reference/MODEL.md, "Tone
// mapper" and "Losses".
#pragma once
#include "cuda/scene/network.h"
#include "cuda/trainer/step.h"

namespace implicam::device {

// Pixels q of a batch, [slots][perSlot], as every view sees them.
struct LightBatch {
  float* u;              // [views][3][Q] ln of the blurred radiance
  float* weight;         // [views][Q] ω without its slope part; 0: does not count
  int32_t *column, *row; // [Q] inside the picture
  float* dz;             // [frames][3][Q] dL/dz, by place in frameOrder
  int64_t Q, perSlot;

  IC_DEVICE float& uAt(int v, int c, int64_t q) const { return u[(v * 3 + c) * Q + q]; }
  // dL/du: all frames of the view share u.
  IC_DEVICE float gradient(const View& view, int c, int64_t q) const {
    float sum = 0;
    for (int k = 0; k < view.frames; k++) sum += dz[((int64_t)(view.first + k) * 3 + c) * Q + q];
    return sum;
  }
};

class Photometric {
 public:
  Photometric() = default;
  Photometric(Stream& stream, const Model& model, int slots, int64_t perSlot);

  const LightBatch& batch() const { return batch_; }
  // Compares a batch with the frames: leaves dz, adds to the shards' sums and to the tone network's gradient.
  void compare(const Step& step, const ShardSums& sums, const SharedGradient& gradient) const;

  static int64_t floatsPerPixel(const Model& m) { return m.views * 4 + m.frames * (m.knots ? 3 : 6); }

 private:
  Stream* stream_ = nullptr;
  int slots_ = 0, frames_ = 0, hidden_ = 0, splits_ = 0;
  int64_t length_ = 0, tone_ = 0;
  LightBatch batch_{};
  Buffer<float> floats_, partial_, losses_;
  Buffer<int32_t> places_;
  float* ds_ = nullptr;  // [frames][3][Q] dL/d(tone network before its sigmoid)
};

}  // namespace implicam::device
