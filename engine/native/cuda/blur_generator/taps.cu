// The training step by taps: a sample is a pixel position with all its views; each view is blurred by K queries of the
// scene. Used by the free blur generator, by sharp captures (K = 1), and by the lens where patches do not fit.
#include <math.h>
#include <vector>
#include "cuda/blur_generator/taps.h"

namespace implicam::device {
namespace {

class Taps final : public Pass {
 public:
  Taps(Stream& stream, const Model& m, int slots) : stream_(stream), model_(m), slots_(slots) {
    TapLayout& at = at_;
    at.lens = m.blurForm == BLUR_LENS_TAPS;
    at.free = m.blurForm == BLUR_FREE;
    at.views = m.views;
    at.layers = m.layers;
    at.groups = at.lens ? m.layers : 1;
    at.K = m.blurForm == BLUR_NONE ? 1 : m.taps;
    at.perSlot = batchDraws(m, floatsPerPixel(), 32);
    at.Q = (int64_t)slots * at.perSlot;
    at.queriesPerSlot = paddedSamples((int64_t)at.views * at.groups * at.K * at.perSlot);
    at.N = slots * at.queriesPerSlot;
    at.mapPerSlot = at.lens ? paddedSamples((int64_t)(at.views + 2) * at.perSlot) : 0;
    at.mapN = slots * at.mapPerSlot;
    at.blurPerSlot = at.free ? paddedSamples((int64_t)at.views * at.perSlot) : 0;
    at.blurN = slots * at.blurPerSlot;
    atlas_ = Network(stream, m.atlas, slots, at.queriesPerSlot, "scene network");
    if (at.lens) map_ = Network(stream, m.map, slots, at.mapPerSlot, "defocus network");
    if (at.free) blur_ = Network(stream, m.blur, slots, at.blurPerSlot, "blur network");
    photo_ = Photometric(stream, m, slots, at.perSlot);
    place();
  }

  int draws() const override { return at_.perSlot; }

  void run(const Step& step, int first, const Gradients& gradients) override {
    const LightBatch& light = photo_.batch();
    drawTapPixels(stream_, step, at_, light, first);
    if (at_.lens) mapForward(step);
    if (at_.free) blurForward(step);
    sceneForward(step);
    photo_.compare(step, gradients.sums, gradients.shared);
    compositeTapsBack(stream_, step, at_, light);
    stream_.mark(PHASE_COMPOSITE);
    sceneBackward(step, gradients);
    if (at_.lens) mapBackward(step, gradients);
    if (at_.free) blurBackward(step, gradients);
  }

 private:
  int64_t floatsPerPixel() const {
    const Model& m = model_;
    const int64_t queries = (int64_t)at_.views * at_.groups * at_.K;
    int64_t floats = queries * (Network::floatsPerSample(m.atlas) + 4) + Photometric::floatsPerPixel(m) + 5;
    if (at_.lens) floats += (at_.views + 2) * (Network::floatsPerSample(m.map) + 4);
    if (at_.free) floats += at_.views * (Network::floatsPerSample(m.blur) + at_.K);
    return floats;
  }

  void place() {
    TapLayout& at = at_;
    floats_ = Buffer<float>(stream_, 5 * at.Q + 4 * at.N + 4 * at.mapN + at.K * at.blurN, "taps");
    float* f = floats_.at();
    const auto take = [&](int64_t count) {
      float* p = f;
      f += count;
      return p;
    };
    for (float** p : {&at.x, &at.y, &at.u0, &at.u1, &at.live}) *p = take(at.Q);
    for (float** p : {&at.px, &at.py, &at.dqx, &at.dqy}) *p = take(at.N);
    for (float** p : {&at.mapX, &at.mapY, &at.mapDx, &at.mapDy}) *p = take(at.mapN);
    at.w = take(at.K * at.blurN);
    at.scene = atlas_.output();
    at.map = at.lens ? map_.output() : nullptr;
    at.blur = at.free ? blur_.output() : nullptr;
    std::vector<float> disk;
    for (int k = 0; k < at.K; k++) {
      const double r = sqrt((k + .5) / at.K), angle = 2.399963 * (k + .5);
      disk.push_back((float)(r * cos(angle)));
      disk.push_back((float)(r * sin(angle)));
    }
    disk_ = Buffer<float>(stream_, disk.size(), "disk of taps");
    disk_.upload(disk.data());
    at.disk = disk_.at();
    sums_ = Buffer<float>(stream_, (size_t)slots_ * at.views * tapTiles(at) * 8, "sums of the views");
  }

  bool positions() const { return model_.blurForm != BLUR_NONE || model_.dof > 0; }

  GridPass atlasGrid(const Step& step) const {
    return {step, Grid::atlas, at_.px, at_.py, atlas_.input(), at_.N, at_.queriesPerSlot, model_.atlasGrid.levels};
  }
  GridPass mapGrid(const Step& step) const {
    return {step, Grid::map, at_.mapX, at_.mapY, map_.input(), at_.mapN, at_.mapPerSlot, model_.mapGrid.levels};
  }

  void mapForward(const Step& step) {
    placeTapMap(stream_, step, at_);
    stream_.mark(PHASE_BLUR);
    mapGrid(step).encode(stream_);
    stream_.mark(PHASE_HASH);
    map_.forward(step.theta);
    stream_.mark(PHASE_NETWORK);
    startTapMap(stream_, step, at_);
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

  void mapBackward(const Step& step, const Gradients& gradients) {
    const Shard& s = model_.shard[0];
    const double pixels = s.tiled ? (double)s.draws * model_.shards : (double)s.drawStride;
    const float each = model_.loss.smoothDefocus > 0 ? model_.loss.smoothDefocus * (float)(1 / pixels) : 0;
    smoothTapMap(stream_, step, at_, each, sums_.at(), gradients.sums);
    if (model_.dof > 0) startMapSlopes(stream_, step, at_);
    stream_.mark(PHASE_BLUR_BACK);
    map_.backward(step.theta, gradients.shared, true);
    stream_.mark(PHASE_NETWORK_BACK);
    mapGrid(step).scatter(stream_, gradients.map);
    stream_.mark(PHASE_HASH_BACK);
    if (model_.dof == 0) return;
    mapGrid(step).positions(stream_, at_.mapDx, at_.mapDy);
    stream_.mark(PHASE_HASH_BACK);
    mapPositionsBack(stream_, step, at_, sums_.at(), gradients.sums);
  }

  void blurBackward(const Step& step, const Gradients& gradients) {
    blur_.backward(step.theta, gradients.shared, model_.focus >= 0);
    stream_.mark(PHASE_NETWORK_BACK);
    if (model_.focus >= 0) blurFocusBack(stream_, step, at_, blur_.input(), sums_.at(), gradients.sums);
  }

  Stream& stream_;
  Model model_;
  int slots_;
  TapLayout at_{};
  Network atlas_, map_, blur_;
  Photometric photo_;
  Buffer<float> floats_, disk_, sums_;
};

}  // namespace

std::unique_ptr<Pass> createTaps(Stream& stream, const Model& host, int slots) {
  return std::make_unique<Taps>(stream, host, slots);
}

}  // namespace implicam::device
