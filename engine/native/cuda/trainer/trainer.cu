#include "cuda/trainer/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include "cuda/scene/bake.h"
#include "shared/reduction_tree.h"

namespace implicam::device {

Trainer::Trainer(const DeviceProblem& problem, const std::string& device)
    : stream_(device),
      model_(*problem.model),
      shards_(model_.shard, model_.shard + model_.shards),
      hosted_(problem.hosted, problem.hosted + problem.hostedCount),
      beta1_(problem.beta1),
      beta2_(problem.beta2),
      tiled_(model_.shard[0].tiled) {
  errorScale_ = 4.0 / (samplePixels(model_) * model_.frames * 3);
  placeParameters(problem);
  model_.shard = shards_.data();
  uploadModel(problem);
  placeSums();
  at_ = constantStep();
  const int slots = (int)hosted_.size();
  pass_ = model_.blurForm == BLUR_LENS ? createPatches(stream_, model_, slots) : createTaps(stream_, model_, slots);
}

// Parameters of tiles that live elsewhere take no place: the shards' grids move up.
void Trainer::placeParameters(const DeviceProblem& problem) {
  std::vector<float> rate;
  for (int g = 0; g < problem.groupCount; g++) {
    const DeviceGroup& group = problem.groups[g];
    if (group.shard >= 0 && !std::binary_search(hosted_.begin(), hosted_.end(), group.shard)) continue;
    const int64_t count = (group.size + LINE - 1) / LINE * LINE;
    if (group.shard >= 0) {
      Shard& shard = shards_[group.shard];
      (shard.atlasGrid == group.offset ? shard.atlasGrid : shard.mapGrid) = size_;
    }
    ranges_.push_back({group.offset, size_, count});
    rate.insert(rate.end(), count / LINE, (float)group.rate);
    size_ += count;
  }
  rate_ = Buffer<float>(stream_, rate.size(), "learning rates");
  rate_.upload(rate.data());
  theta_ = Buffer<float>(stream_, size_, "parameters");
  m_ = Buffer<float>(stream_, size_, "first moments");
  v_ = Buffer<float>(stream_, size_, "second moments");
}

template <class T>
const T* Trainer::keep(const T* from, size_t count, const char* what) {
  if (!from || !count) return nullptr;
  kept_.emplace_back(stream_, count * sizeof(T), what);
  kept_.back().upload((const uint8_t*)from);
  return (const T*)kept_.back().at();
}

void Trainer::uploadModel(const DeviceProblem& problem) {
  const Model& host = *problem.model;
  const size_t pixels = (size_t)host.width * host.height;
  std::vector<FrameData> frames(host.frame, host.frame + host.frames);
  for (FrameData& f : frames) {
    f.data8 = keep(f.data8, 3 * pixels, "a frame");
    f.data16 = keep(f.data16, 3 * pixels, "a frame");
    f.mask = keep(f.mask, pixels, "a mask");
  }
  std::vector<int32_t> frameView(host.frames);
  for (int v = 0; v < host.views; v++)
    std::fill_n(frameView.begin() + host.view[v].first, host.view[v].frames, v);
  Model m = host;
  m.view = keep(host.view, host.views, "views");
  m.frameOrder = keep(host.frameOrder, host.frames, "frames");
  m.evBase = keep(host.evBase, host.frames, "exposures");
  m.evBasis = keep(host.evBasis, (size_t)host.frames * host.exposures, "exposures");
  m.shard = keep(shards_.data(), shards_.size(), "shards");
  m.frame = keep(frames.data(), frames.size(), "frames");
  m.startRadiance = keep(host.startRadiance, 3 * pixels, "start radiance");
  m.startDefocus = keep(host.startDefocus, pixels, "start defocus");
  frameView_ = keep(frameView.data(), frameView.size(), "frames");
  hostedAt_ = keep(hosted_.data(), hosted_.size(), "shards");
  deviceModel_ = Buffer<Model>(stream_, 1, "model");
  deviceModel_.upload(&m);
  stream_.wait();
}

void Trainer::placeSums() {
  const Model& m = model_;
  const size_t slots = hosted_.size();
  state_ = Buffer<StepState>(stream_, 1, "state of the step");
  camera_ = Buffer<ViewCamera>(stream_, m.views, "cameras");
  ev_ = Buffer<float>(stream_, m.frames, "exposures");
  knots_ = Buffer<float>(stream_, 3 * m.knots, "knots");
  size_t bytes = 0;
  const auto take = [&](size_t size) {
    const size_t at = bytes;
    bytes += (size + 63) / 64 * 64;
    return at;
  };
  const size_t shared = take(slots * m.shared * sizeof(float));
  const size_t knots = take(slots * KNOT_COPIES * 3 * m.knots * sizeof(int64_t));
  const size_t view = take(slots * m.views * VIEW_SUMS * sizeof(float));
  const size_t exposure = take(slots * m.frames * sizeof(float));
  const size_t scalars = take((slots * SCALARS + PLAIN_PARTS + 1) * sizeof(double));
  sums_ = Buffer<uint8_t>(stream_, bytes, "gradients of the shared parameters");
  uint8_t* at = sums_.at();
  scalars_ = (double*)(at + scalars);
  parts_ = scalars_ + slots * SCALARS;
  trouble_ = (int32_t*)(parts_ + PLAIN_PARTS);
  gradients_.shared = {(float*)(at + shared), m.shared};
  gradients_.sums = {(float*)(at + view), (float*)(at + exposure), (int64_t*)(at + knots), scalars_};
  const int64_t atlas = m.siren ? 0 : m.atlasGrid.nodes, map = m.mapGrid.nodes;
  atlasSum_ = Buffer<int64_t>(stream_, slots * 2 * atlas, "gradient of the scene's grid");
  mapSum_ = Buffer<int64_t>(stream_, slots * 2 * map, "gradient of the defocus grid");
  atlasTouched_ = Buffer<uint8_t>(stream_, slots * (atlas / 8), "marks of the scene's grid");
  mapTouched_ = Buffer<uint8_t>(stream_, slots * (map / 8), "marks of the defocus grid");
  gradients_.atlas = {atlasSum_.at(), atlasTouched_.at(), atlas};
  gradients_.map = {mapSum_.at(), mapTouched_.at(), map};
}

void Trainer::load(int64_t step, const float* theta, const float* m, const float* v) {
  step_ = step;
  for (const Range& r : ranges_) {
    stream_.upload(theta_.at() + r.here, theta + r.from, r.count * sizeof(float));
    if (m) stream_.upload(m_.at() + r.here, m + r.from, r.count * sizeof(float));
    if (v) stream_.upload(v_.at() + r.here, v + r.from, r.count * sizeof(float));
  }
  if (!m) m_.zero();
  if (!v) v_.zero();
  // What an abandoned step left.
  atlasSum_.zero();
  mapSum_.zero();
  atlasTouched_.zero();
  mapTouched_.zero();
  stream_.wait();
}

void Trainer::save(float* theta, float* m, float* v) {
  for (const Range& r : ranges_) {
    stream_.download(theta + r.from, theta_.at() + r.here, r.count * sizeof(float));
    if (m) stream_.download(m + r.from, m_.at() + r.here, r.count * sizeof(float));
    if (v) stream_.download(v + r.from, v_.at() + r.here, r.count * sizeof(float));
  }
}

Fixed Trainer::fixed() const {
  const int unit = std::ilogb(errorScale_) - FIXED_BITS;
  return {std::ldexp(1.f, -unit), std::ldexp(1.f, unit), trouble_};
}

Step Trainer::constantStep() const {
  Step s{};
  s.model = deviceModel_.at();
  s.theta = theta_.at();
  s.state = state_.at();
  s.camera = camera_.at();
  s.ev = ev_.at();
  s.knots = knots_.at();
  s.frameView = frameView_;
  s.hosted = hostedAt_;
  s.slots = (int32_t)hosted_.size();
  s.fixed = fixed();
  s.errorScale = (float)errorScale_;
  return s;
}

// All that changes from step to step beside the parameters goes to the device here: the launches stay the same.
void Trainer::begin(int64_t number, const DeviceStep& plan) {
  const double t = (double)number + 1;
  const AdamStep adam = {(float)beta1_, (float)beta2_, (float)(1 / (1 - std::pow(beta1_, t))),
                         (float)(1 / (1 - std::pow(beta2_, t)))};
  const StepState state = {number, plan.sharp, plan.gamma, 1 / std::log(plan.gamma + 1), plan.factor, adam};
  state_.upload(&state);
}

// The gradient of each hosted shard.
void Trainer::computeShards() {
  prepareStep(stream_, model_, at_, camera_.at(), ev_.at(), knots_.at());
  sums_.zero();
  int draws = 0;
  for (int32_t s : hosted_) draws = std::max(draws, shards_[s].draws);
  stream_.mark(PHASE_UPDATE);
  for (int first = 0; first < draws; first += pass_->draws()) pass_->run(at_, first, gradients_);
  finishShards(stream_, model_, at_, gradients_.sums, gradients_.shared);
}

// The shared parameters' gradient of the whole step, in the first slot.
void Trainer::sumAll() {
  sumShards(stream_, at_.slots, model_.shared, gradients_.shared);
  plainLosses(stream_, at_, gradients_.shared.at, parts_);
}

void Trainer::updateGrids(float* out) {
  updateGrid(stream_, at_, Grid::atlas, tiled_, gradients_.atlas, moments(), out);
  updateGrid(stream_, at_, Grid::map, tiled_, gradients_.map, moments(), out);
}

void Trainer::trainOnce() {
  computeShards();
  sumAll();
  updateShared(stream_, at_, moments(), gradients_.shared.at, model_.shared);
  updateGrids(nullptr);
  stream_.mark(PHASE_UPDATE);
}

// The slots' sums, then the parts of the losses that belong to no sample.
std::vector<double> Trainer::report() {
  std::vector<double> sums(hosted_.size() * SCALARS + PLAIN_PARTS + 1);
  stream_.download(sums.data(), scalars_, sums.size() * sizeof(double));
  int32_t trouble;
  std::memcpy(&trouble, &sums.back(), sizeof trouble);
  if (trouble)
    throw std::runtime_error(
        "a gradient is not finite or beyond the range of its sum: the training has diverged; go back to a snapshot and "
        "train with lower rates");
  return sums;
}

// Summed as the gradients are: in the tree over shards.
DeviceResult Trainer::total(const std::vector<double>& sums) const {
  const size_t slots = hosted_.size();
  std::vector<double> tree(sums.begin(), sums.begin() + slots * SCALARS);
  forEachSum((int)slots, [&](int into, int from) {
    for (int k = 0; k < SCALARS; k++) tree[into * SCALARS + k] += tree[from * SCALARS + k];
  });
  double plain = 0;
  for (int k = 0; k < PLAIN_PARTS; k++) plain += sums[slots * SCALARS + k];
  return {tree[0] + plain, tree[1], tree[2]};
}

DeviceResult Trainer::train(const DeviceStep& plan) {
  begin(step_, plan);
  stream_.repeat(training_, [&] { trainOnce(); });
  step_++;
  return total(report());
}

DeviceResult Trainer::profile(const DeviceStep& plan, uint64_t* nanoseconds) {
  begin(step_, plan);
  stream_.startClock(nanoseconds);
  trainOnce();
  stream_.stopClock();
  step_++;
  return total(report());
}

DeviceResult Trainer::gradient(int64_t number, const DeviceStep& plan, float* out) {
  begin(number, plan);
  computeShards();
  sumAll();
  Buffer<float> all(stream_, size_, "gradient");
  updateGrids(all.at());
  for (const Range& r : ranges_) stream_.download(out + r.from, all.at() + r.here, r.count * sizeof(float));
  stream_.download(out, gradients_.shared.at, model_.shared * sizeof(float));
  return total(report());
}

void Trainer::compute(const DeviceStep& plan) {
  begin(step_, plan);
  stream_.repeat(computing_, [&] {
    computeShards();
    if (tiled_) updateGrids(nullptr);
  });
  report();
}

DeviceResult Trainer::takeShared(int slot, float* gradient) {
  stream_.download(gradient, gradients_.shared.at + slot * gradients_.shared.stride, model_.shared * sizeof(float));
  const std::vector<double> sums = report();
  return {sums[slot * SCALARS], sums[slot * SCALARS + 1], sums[slot * SCALARS + 2]};
}

void Trainer::takeMarks(int slot, Grid which, uint8_t* touched) {
  const GridGradient& g = grid(which);
  uint8_t* marks = g.touched + slot * (g.nodes / 8);
  stream_.download(touched, marks, g.nodes / 8);
  stream_.zero(marks, g.nodes / 8);
}

void Trainer::takeLines(int slot, Grid which, const uint32_t* numbers, int64_t count, float* values) {
  if (!count) return;
  Buffer<uint32_t> list(stream_, count, "lines of a grid");
  Buffer<float> lines(stream_, count * LINE, "lines of a grid");
  list.upload(numbers);
  const GridGradient& g = grid(which);
  takeGridLines(stream_, fixed(), g.sum + slot * 2 * g.nodes, list.at(), count, lines.at());
  lines.download(values);
}

double Trainer::apply(const DeviceStep& plan, const float* shared, const DeviceLines& atlas, const DeviceLines& map) {
  begin(step_, plan);
  stream_.upload(gradients_.shared.at, shared, model_.shared * sizeof(float));
  plainLosses(stream_, at_, gradients_.shared.at, parts_);
  updateShared(stream_, at_, moments(), gradients_.shared.at, model_.shared);
  for (const Grid which : {Grid::atlas, Grid::map}) {
    const DeviceLines& lines = which == Grid::atlas ? atlas : map;
    if (!lines.count) continue;
    Buffer<uint32_t> numbers(stream_, lines.count, "lines of a grid");
    Buffer<float> values(stream_, lines.count * LINE, "lines of a grid");
    numbers.upload(lines.numbers);
    values.upload(lines.values);
    updateGridLines(stream_, at_, moments(), gridAt(which), numbers.at(), values.at(), lines.count);
  }
  step_++;
  return plainLoss();
}

double Trainer::plainLoss() {
  double parts[PLAIN_PARTS], plain = 0;
  stream_.download(parts, parts_, sizeof parts);
  for (double p : parts) plain += p;
  return plain;
}

void Trainer::join(const Nccl& nccl, const uint8_t* id, int rank, int ranks, const Wait& wait) {
  exchange_.reset();
  auto exchange = std::make_unique<Exchange>(stream_, model_, (int)hosted_.size(), gradients_, fixed(), !tiled_);
  exchange->connect(std::make_unique<Communicator>(stream_, nccl, id, rank, ranks, wait));
  exchange_ = std::move(exchange);
}

void Trainer::leave(const Wait& wait) {
  if (!exchange_) return;
  const std::unique_ptr<Exchange> exchange = std::move(exchange_);
  exchange->communicator().finish(wait);
}

Exchange& Trainer::exchange() {
  if (!exchange_) throw std::runtime_error("this trainer exchanges with no other device: join one first");
  return *exchange_;
}

void Trainer::leaves(DeviceResult* ofSlots) {
  exchange().begin();
  const std::vector<double> sums = report();
  for (size_t slot = 0; slot < hosted_.size(); slot++)
    ofSlots[slot] = {sums[slot * SCALARS], sums[slot * SCALARS + 1], sums[slot * SCALARS + 2]};
}

double Trainer::applyMessage(const DeviceStep& plan) {
  Exchange& sums = exchange();
  begin(step_, plan);
  plainLosses(stream_, at_, sums.shared(), parts_);
  updateShared(stream_, at_, moments(), sums.shared(), model_.shared);
  for (const Grid which : {Grid::atlas, Grid::map}) {
    const Exchange::Lines lines = sums.lines(which);
    updateGridLines(stream_, at_, moments(), gridAt(which), lines.numbers, lines.values, lines.count);
  }
  sums.end();
  step_++;
  return plainLoss();
}

void Trainer::bake(float* radiance, float* defocus) {
  Step step = at_;
  const int count = tiled_ ? (int)hosted_.size() : 1;
  Bake bake(stream_, model_);
  for (int s = 0; s < count; s++) {
    step.hosted = hostedAt_ + s;
    step.slots = 1;
    bake.run(step, shards_[hosted_[s]].own);
  }
  bake.download(radiance, defocus);
}

}  // namespace implicam::device
