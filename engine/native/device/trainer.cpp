// A trainer on a device as the addon sees it. The device computes and updates; what runners exchange as bytes is summed here,
// by the same code and in the same tree as on the processor, and what they exchange from device to device there.
#include <atomic>

#include "device/exchange.h"
#include "device/library.h"
#include "reduction/root_sums.h"

namespace implicam {
namespace {

class DeviceTrainer final : public AnyTrainer {
 public:
  DeviceTrainer(Problem problem, const DeviceApi& api, const std::string& device)
      : problem_(std::move(problem)), api_(api), workers_(1) {
    problem_.connect();
    tiled_ = model().shard[0].tiled;
    whole_ = (int)problem_.hosted.size() == model().shards;
    std::vector<DeviceGroup> groups;
    for (const auto& g : problem_.groups) groups.push_back({g.offset, g.size, g.rate, g.shard});
    const DeviceProblem p = {&problem_.model,
                             groups.data(),
                             (int32_t)groups.size(),
                             (int32_t)problem_.hosted.size(),
                             problem_.size,
                             problem_.beta1,
                             problem_.beta2,
                             problem_.hosted.data()};
    deviceCall([&](DeviceMessage* m) { return api_.open(&p, device.c_str(), &trainer_, m); });
    exchange_ = std::make_unique<DeviceExchange>(api_, trainer_, problem_);
  }
  ~DeviceTrainer() override { api_.close(trainer_); }

  void load(int64_t step, const float* theta, const float* m, const float* v) override {
    call([&](DeviceMessage* e) { return api_.load(trainer_, step, theta, m, v, e); });
    step_ = step;
    open_ = false;
    if (sums_) sums_->forget();
    exchange_->forget();
  }

  void save(float* theta, float* m, float* v) override {
    if (tiled_) closedStep("save");
    int64_t step;
    call([&](DeviceMessage* e) { return api_.save(trainer_, &step, theta, m, v, e); });
  }

  void saveRuns(const Runs& runs, float* out) override {
    Aligned<float> all[3] = {Aligned<float>(problem_.size), Aligned<float>(problem_.size), Aligned<float>(problem_.size)};
    save(all[0].data, all[1].data, all[2].data);
    for (auto [from, to] : runs)
      for (const auto& of : all) out = std::copy(of.data + from, of.data + to, out);
  }

  // Single precision, moments of zero: for tests of the gradient.
  void setParameters(const double* theta) override {
    std::vector<float> single(theta, theta + problem_.size);
    load(step_, single.data(), nullptr, nullptr);
  }

  int64_t step() const override { return step_; }
  const uint64_t* ticks() const override { return ticks_; }
  void clearTicks() override { std::fill_n(ticks_, PHASES, 0); }
  void timePhases(bool on) override { timed_ = on; }
  void cancel() override {
    cancelled_ = true;
    exchange_->abort();
  }

  void join(const Membership& membership, int64_t milliseconds) override {
    closedStep("join other devices");
    exchange_->join(membership, milliseconds);
  }
  void leave(int64_t milliseconds) override { exchange_->leave(milliseconds); }
  void abort() override { exchange_->abort(); }
  PeerLost exchange(const std::vector<Move>& moves, int64_t milliseconds) override {
    openStep();
    if (!exchange_->joined()) throw Refused("no devices are joined: join them first");
    PeerLost lost = exchange_->run(moves, milliseconds);
    if (lost.member >= 0 && cancelled_) throw Refused("the trainer was closed meanwhile");
    return lost;
  }

  StepResult train(const StepPlan& plan) override {
    allShards("train");
    closedStep("train");
    const DeviceStep step = stepOf(plan);
    DeviceResult r{};
    call([&](DeviceMessage* e) {
      return timed_ ? api_.profile(trainer_, &step, ticks_, &r, e) : api_.train(trainer_, &step, &r, e);
    });
    step_++;
    return resultOf(r);
  }

  StepResult gradient(int64_t step, const StepPlan& plan, double* out) override {
    allShards("compute the gradient of a step");
    closedStep("compute a gradient");
    const DeviceStep s = stepOf(plan);
    std::vector<float> single(problem_.size);
    DeviceResult r{};
    call([&](DeviceMessage* e) { return api_.gradient(trainer_, step, &s, single.data(), &r, e); });
    std::copy(single.begin(), single.end(), out);
    return resultOf(r);
  }

  StepResult compute(const StepPlan& plan, int lanes) override {
    closedStep("compute another step");
    const bool joined = exchange_->joined();
    if (joined && lanes != 1) throw Refused("what goes from device to device is taken in one lane");
    plan_ = plan;
    open_ = true;
    if (joined) {
      const DeviceStep step = stepOf(plan);
      call([&](DeviceMessage* e) { return api_.compute(trainer_, &step, e); });
      return exchange_->begin(step_);
    }
    if (!sums_) sums_ = std::make_unique<NodeSums<float>>(model(), problem_.hosted, fingerprintOf(problem_));
    sums_->begin(lanes);
    const DeviceStep step = stepOf(plan);
    call([&](DeviceMessage* e) { return api_.compute(trainer_, &step, e); });
    StepResult total;
    for (size_t slot = 0; slot < problem_.hosted.size(); slot++) {
      const StepResult r = takeLeaf((int)slot);
      total.loss += r.loss;
      total.squared += r.squared;
      total.samples += r.samples;
    }
    return total;
  }

  void combine(int into, int from, Lane lane) override {
    openHere();
    sums_->combine(into, from, lane, workers_);
  }
  size_t take(int slot, Lane lane, uint8_t* out, size_t capacity) override {
    openHere();
    return sums_->take(slot, lane, step_, out, capacity, workers_);
  }
  void add(int slot, const uint8_t* bytes, size_t size) override {
    openHere();
    sums_->add(slot, sums_->read(bytes, size, step_), workers_);
  }

  StepResult apply(const std::vector<Root>& roots) override {
    openStep();
    if (exchange_->joined()) return applyMessage(roots);
    const RootSums<float> root(*sums_, roots, step_);
    std::vector<float> shared(model().shared);
    root.takeShared(shared.data());
    Lines lines[2];
    if (!tiled_)
      root.eachLine(0, 1, [&](int map, int64_t line, const float* values) {
        if (!isZeroLine(values)) lines[map].add((uint32_t)line, values);
      });
    const DeviceStep step = stepOf(plan_);
    const DeviceLines atlas = lines[0].view(), map = lines[1].view();
    double plain = 0;
    call([&](DeviceMessage* e) { return api_.apply(trainer_, &step, shared.data(), &atlas, &map, &plain, e); });
    sums_->forget();
    open_ = false;
    step_++;
    StepResult sums = root.sums();
    sums.loss += plain;
    return sums;
  }

  void bake(float* radiance, float* defocus) override {
    if (tiled_) closedStep("bake");
    call([&](DeviceMessage* e) { return api_.bake(trainer_, radiance, defocus, e); });
  }

 private:
  struct Lines {
    std::vector<uint32_t> numbers;
    std::vector<float> values;
    void add(uint32_t number, const float* line) {
      numbers.push_back(number);
      values.insert(values.end(), line, line + LINE);
    }
    DeviceLines view() const { return {numbers.data(), values.data(), (int64_t)numbers.size()}; }
  };

  const Model& model() const { return problem_.model; }
  const GridSpec& gridOf(int map) const { return map ? model().mapGrid : model().atlasGrid; }
  static DeviceStep stepOf(const StepPlan& p) { return {p.factor, p.gamma, p.sharp}; }
  static StepResult resultOf(const DeviceResult& r) { return {r.loss, r.squared, r.samples}; }

  template <class Call>
  void call(Call work) {
    if (cancelled_) throw Refused("the trainer was closed meanwhile");
    deviceCall(work);
  }

  void allShards(const char* what) const {
    if (!whole_) throw Refused(std::string("a trainer that hosts some of its shards cannot ") + what +
                              " alone: open it with all, or take its steps in parts");
  }
  void closedStep(const char* what) const {
    if (open_) throw Refused(std::string("a step is under way: apply it, or load a state, to ") + what);
  }
  void openStep() const {
    if (!open_) throw Refused("no step is under way: compute one first");
  }

  // A step whose sums are here.
  void openHere() const {
    openStep();
    if (exchange_->joined()) throw Refused("the sums of this step are on devices: exchange them there");
  }

  StepResult applyMessage(const std::vector<Root>& roots) {
    if (!roots.empty()) throw Refused("the sum of all shards is on the device: give no roots");
    StepResult sums = exchange_->root();
    const DeviceStep step = stepOf(plan_);
    double plain = 0;
    call([&](DeviceMessage* e) { return api_.applyMessage(trainer_, &step, &plain, e); });
    exchange_->forget();
    open_ = false;
    step_++;
    sums.loss += plain;
    return sums;
  }

  // The gradient of one hosted shard, from the device to its node.
  StepResult takeLeaf(int slot) {
    const int shard = problem_.hosted[slot];
    sums_->clean(shard);
    ShardGradient<float>& g = sums_->gradient(shard);
    DeviceResult r{};
    call([&](DeviceMessage* e) { return api_.takeShared(trainer_, slot, g.shared, &r, e); });
    for (int map = 0; map < 2 && !tiled_; map++)
      if (gridOf(map).levels) takeGrid(slot, map, map ? g.map : g.atlas, map ? g.mapTouched : g.atlasTouched);
    g.loss = r.loss;
    g.squared = r.squared;
    g.samples = r.samples;
    sums_->finishLeaf(shard);
    return resultOf(r);
  }

  void takeGrid(int slot, int map, float* values, uint8_t* touched) {
    const int64_t lines = gridOf(map).nodes / 8;
    std::vector<uint8_t> marks(lines);
    call([&](DeviceMessage* e) { return api_.takeMarks(trainer_, slot, map, marks.data(), e); });
    std::vector<uint32_t> numbers;
    for (int64_t i = 0; i < lines; i++)
      if (marks[i]) numbers.push_back((uint32_t)i);
    std::vector<float> packed(numbers.size() * LINE);
    call([&](DeviceMessage* e) {
      return api_.takeLines(trainer_, slot, map, numbers.data(), (int64_t)numbers.size(), packed.data(), e);
    });
    for (size_t i = 0; i < numbers.size(); i++) {
      std::copy_n(packed.data() + i * LINE, LINE, values + (size_t)numbers[i] * LINE);
      touched[numbers[i]] = 1;
    }
  }

  Problem problem_;
  const DeviceApi& api_;
  void* trainer_ = nullptr;
  std::unique_ptr<DeviceExchange> exchange_;
  Workers workers_;
  std::unique_ptr<NodeSums<float>> sums_;  // for steps in parts
  std::atomic<bool> cancelled_{false};
  bool tiled_ = false, whole_ = true, open_ = false;
  StepPlan plan_{};
  int64_t step_ = 0;
  bool timed_ = false;
  uint64_t ticks_[PHASES] = {};  // nanoseconds
};

}  // namespace

std::unique_ptr<AnyTrainer> createDeviceTrainer(Problem problem, const DeviceApi& api, const std::string& device) {
  if (problem.model.shards > 64 && !problem.shards[0].tiled) throw std::runtime_error("at most 64 shards share a grid");
  return std::make_unique<DeviceTrainer>(std::move(problem), api, device);
}

}  // namespace implicam
