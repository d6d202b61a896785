// The training step behind a lens: evaluate the scene once a pixel of a patch and its halo, spread it into every view,
// compare, and go back. docs/reference/MODEL.md, "lens".
#include "cuda/blur_generator/patches.h"

namespace implicam::device {
namespace {

class Patches final : public Pass {
 public:
  Patches(Stream& stream, const Model& m, int slots) : stream_(stream), model_(m), slots_(slots) {
    PatchLayout& at = at_;
    at.views = m.views;
    at.m = m.margin;
    at.reach = m.reach;
    at.patch = m.patch;
    at.h = m.reach + m.margin;
    at.n = m.patch + 2 * at.h;
    at.w = m.patch + 2 * m.margin;
    at.pixels = at.n * at.n;
    at.perSlot = batchDraws(m, floatsPerPatch(), 1);
    at.patches = slots * at.perSlot;
    at.samplesPerSlot = paddedSamples((int64_t)at.perSlot * at.pixels);
    at.N = slots * at.samplesPerSlot;
    at.window = (int64_t)at.patches * at.w * at.w;
    at.Q = (int64_t)at.patches * at.patch * at.patch;
    atlas_ = Network(stream, m.atlas, slots, at.samplesPerSlot, "scene network");
    map_ = Network(stream, m.map, slots, at.samplesPerSlot, "defocus network");
    photo_ = Photometric(stream, m, slots, (int64_t)at.perSlot * at.patch * at.patch);
    place();
  }

  int draws() const override { return at_.perSlot; }

  void run(const Step& step, int first, const Gradients& gradients) override {
    forward(step, first);
    lookAtPatches(stream_, step, at_, photo_.batch());
    stream_.mark(PHASE_BLUR);
    photo_.compare(step, gradients.sums, gradients.shared);
    stream_.mark(PHASE_COMPOSITE);
    patchesBackward(stream_, step, at_, photo_.batch(), slots_at_.at(), share(), gradients.sums);
    stream_.mark(PHASE_BLUR_BACK);
    backward(step, gradients);
  }

 private:
  int64_t floatsPerPatch() const {
    const Model& m = model_;
    const int64_t networks = Network::floatsPerSample(m.atlas) + Network::floatsPerSample(m.map);
    const int64_t sample = networks + 6 * m.views + 7;
    return at_.pixels * sample + at_.w * at_.w * 7 * m.views + m.patch * m.patch * Photometric::floatsPerPixel(m);
  }

  void place() {
    PatchLayout& at = at_;
    const int64_t N = at.N, V = at.views;
    const bool start = model_.startRadiance;
    samples_ = Buffer<float>(stream_, N * (3 + start + 6 * V), "patches");
    windows_ = Buffer<float>(stream_, V * at.window * 7, "windows of the views");
    origin_ = Buffer<int32_t>(stream_, 3 * (int64_t)at.patches, "origins of the patches");
    widest_ = Buffer<float>(stream_, V * at.patches, "widest circles");
    const int64_t tiles = std::max<int64_t>(AFFINE * patchWarpTiles(at, photo_.batch()), 2 * patchFocusTiles(at));
    slots_at_ = Buffer<float>(stream_, std::max<int64_t>(slots_ * V * tiles, patchLossBlocks(at)), "sums of the views");
    offsets_ = uploadOffsets(stream_, at.reach);
    float* f = samples_.at();
    const auto take = [&](int64_t count) {
      float* p = f;
      f += count * N;
      return p;
    };
    at.px = take(1);
    at.py = take(1);
    at.edge = start ? take(1) : nullptr;
    at.dmap = take(1);
    at.rho = take(V);
    at.inverse = take(V);
    at.dc = take(V);
    at.dvalue = take(3 * V);
    at.out = windows_.at();
    at.seen = at.out + 4 * V * at.window;
    at.origin = origin_.at();
    at.widest = widest_.at();
    at.offset = offsets_.at();
    at.offsets = (int)offsets_.count();
    at.scene = atlas_.output();
    at.map = map_.output();
  }

  GridPass grid(const Step& step, Grid which) const {
    const bool atlas = which == Grid::atlas;
    return {step, which, at_.px, at_.py, (atlas ? atlas_ : map_).input(), at_.N, at_.samplesPerSlot,
            atlas ? model_.atlasGrid.levels : model_.mapGrid.levels};
  }

  void forward(const Step& step, int first) {
    placePatches(stream_, step, at_, first, model_.siren ? atlas_.input() : nullptr);
    if (!model_.siren) grid(step, Grid::atlas).encode(stream_);
    grid(step, Grid::map).encode(stream_);
    stream_.mark(PHASE_HASH);
    atlas_.forward(step.theta);
    map_.forward(step.theta);
    stream_.mark(PHASE_NETWORK);
    activatePatches(stream_, step, at_);
  }

  // Of a patch, in the loss on the map.
  float share() const {
    const Shard& s = model_.shard[0];
    return (float)(1.0 / (s.tiled ? (double)s.draws * model_.shards : (double)s.drawStride));
  }

  void backward(const Step& step, const Gradients& gradients) {
    atlas_.backward(step.theta, gradients.shared, !model_.siren);
    map_.backward(step.theta, gradients.shared, true);
    stream_.mark(PHASE_NETWORK_BACK);
    if (!model_.siren) grid(step, Grid::atlas).scatter(stream_, gradients.atlas);
    grid(step, Grid::map).scatter(stream_, gradients.map);
    stream_.mark(PHASE_HASH_BACK);
  }

  Stream& stream_;
  Model model_;
  int slots_;
  PatchLayout at_{};
  Network atlas_, map_;
  Photometric photo_;
  Buffer<float> samples_, windows_, widest_, slots_at_;
  Buffer<int32_t> origin_;
  Buffer<Offset> offsets_;
};

}  // namespace

std::unique_ptr<Pass> createPatches(Stream& stream, const Model& host, int slots) {
  return std::make_unique<Patches>(stream, host, slots);
}

}  // namespace implicam::device
