// The training step without a lens: a sample is a pixel position with all its views; each view is blurred by K queries of
// the scene, where the blur generator wants them, or sees it sharp (K = 1).
#include "cuda/blur_generator/taps.h"

namespace implicam::device {
namespace {

class Taps final : public Pass {
 public:
  Taps(Stream& stream, const Model& m, int slots) : stream_(stream), model_(m), slots_(slots) {
    TapLayout& at = at_;
    at.free = m.blurForm == BLUR_FREE;
    at.views = m.views;
    at.K = m.taps;
    at.perSlot = batchDraws(m, floatsPerPixel(), 32);
    at.Q = (int64_t)slots * at.perSlot;
    at.queriesPerSlot = paddedSamples((int64_t)at.views * at.K * at.perSlot);
    at.N = slots * at.queriesPerSlot;
    at.blurPerSlot = at.free ? paddedSamples((int64_t)at.views * at.perSlot) : 0;
    at.blurN = slots * at.blurPerSlot;
    atlas_ = Network(stream, m.atlas, slots, at.queriesPerSlot, "scene network");
    if (at.free) blur_ = Network(stream, m.blur, slots, at.blurPerSlot, "blur network");
    photo_ = Photometric(stream, m, slots, at.perSlot);
    place();
  }

  int draws() const override { return at_.perSlot; }

  void run(const Step& step, int first, const Gradients& gradients) override {
    const LightBatch& light = photo_.batch();
    drawTapPixels(stream_, step, at_, light, first);
    if (at_.free) blurForward(step);
    sceneForward(step);
    photo_.compare(step, gradients.sums, gradients.shared);
    sumTapsBack(stream_, step, at_, light);
    stream_.mark(PHASE_COMPOSITE);
    sceneBackward(step, gradients);
    if (at_.free) blurBackward(step, gradients);
  }

 private:
  int64_t floatsPerPixel() const {
    const Model& m = model_;
    const int64_t queries = (int64_t)at_.views * at_.K;
    // The size of a batch is part of what a step's bits depend on: this stays as it is, though a pixel has only 3 of its own.
    int64_t floats = queries * (Network::floatsPerSample(m.atlas) + 4) + Photometric::floatsPerPixel(m) + 5;
    if (at_.free) floats += at_.views * (Network::floatsPerSample(m.blur) + at_.K);
    return floats;
  }

  void place() {
    TapLayout& at = at_;
    floats_ = Buffer<float>(stream_, 3 * at.Q + 4 * at.N + at.K * at.blurN, "taps");
    float* f = floats_.at();
    const auto take = [&](int64_t count) {
      float* p = f;
      f += count;
      return p;
    };
    for (float** p : {&at.x, &at.y, &at.live}) *p = take(at.Q);
    for (float** p : {&at.px, &at.py, &at.dqx, &at.dqy}) *p = take(at.N);
    at.w = take(at.K * at.blurN);
    at.scene = atlas_.output();
    at.blur = at.free ? blur_.output() : nullptr;
    sums_ = Buffer<float>(stream_, (size_t)slots_ * at.views * tapTiles(at) * AFFINE, "sums of the views");
  }

  // Whether a gradient of where the taps are is wanted.
  bool positions() const { return at_.free || model_.registration >= 0; }

  GridPass atlasGrid(const Step& step) const {
    return {step, Grid::atlas, at_.px, at_.py, atlas_.input(), at_.N, at_.queriesPerSlot, model_.atlasGrid.levels};
  }

  void blurForward(const Step& step) {
    placeBlur(stream_, step, at_, blur_.input());
    stream_.mark(PHASE_BLUR);
    blur_.forward(step.theta);
    stream_.mark(PHASE_NETWORK);
    activateBlur(stream_, at_);
  }

  void sceneForward(const Step& step) {
    placeTaps(stream_, step, at_, photo_.batch(), model_.siren ? atlas_.input() : nullptr);
    stream_.mark(PHASE_BLUR);
    if (!model_.siren) atlasGrid(step).encode(stream_);
    stream_.mark(PHASE_HASH);
    atlas_.forward(step.theta);
    stream_.mark(PHASE_NETWORK);
    lookThroughTaps(stream_, step, at_, photo_.batch());
  }

  void sceneBackward(const Step& step, const Gradients& gradients) {
    if (positions()) startTapSlopes(stream_, step, at_);
    stream_.mark(PHASE_BLUR_BACK);
    atlas_.backward(step.theta, gradients.shared, !model_.siren || positions());
    stream_.mark(PHASE_NETWORK_BACK);
    if (!model_.siren) atlasGrid(step).scatter(stream_, gradients.atlas);
    stream_.mark(PHASE_HASH_BACK);
    if (!positions()) return;
    if (model_.siren) addSineSlopes(stream_, step, at_, atlas_.input());
    else atlasGrid(step).positions(stream_, at_.dqx, at_.dqy);
    stream_.mark(PHASE_HASH_BACK);
    tapPositionsBack(stream_, step, at_, sums_.at(), gradients.sums);
    stream_.mark(PHASE_BLUR_BACK);
  }

  void blurBackward(const Step& step, const Gradients& gradients) {
    blur_.backward(step.theta, gradients.shared, true);
    stream_.mark(PHASE_NETWORK_BACK);
    blurFocusBack(stream_, step, at_, blur_.input(), sums_.at(), gradients.sums);
  }

  Stream& stream_;
  Model model_;
  int slots_;
  TapLayout at_{};
  Network atlas_, blur_;
  Photometric photo_;
  Buffer<float> floats_, sums_;
};

}  // namespace

std::unique_ptr<Pass> createTaps(Stream& stream, const Model& host, int slots) {
  return std::make_unique<Taps>(stream, host, slots);
}

}  // namespace implicam::device
