// A trainer on the processor's cores, whatever the precision and the instruction set of its kernels.
#pragma once
#include <algorithm>
#include <atomic>
#include <string>
#include <vector>
#include "reduction/node_sums.h"
#include "kernels/parameters.h"
#include "kernels/tone_mapper/plain_losses.h"
#include "reduction/root_sums.h"
#include "shared/reduction_tree.h"
#include "trainer/trainer.h"
#include "support/workers.h"

namespace implicam {

template <class R>
class Trainer final : public AnyTrainer {
 public:
  Trainer(Problem problem, const Kernels<R>& kernels, int threads)
      : problem_(std::move(problem)),
        kernels_(kernels),
        workers_(std::max(1, std::min(threads, (int)problem_.hosted.size()))),
        parameters_(problem_, kernels_),
        sums_(problem_.model, connected().hosted, fingerprintOf(problem_)) {
    tiled_ = model().shard[0].tiled;
    whole_ = (int)problem_.hosted.size() == model().shards;
    for (const auto& g : problem_.groups) {
      if (g.shard >= 0 && !sums_.hosts(g.shard)) continue;
      int64_t end = g.offset + (g.size + LINE - 1) / LINE * LINE;
      if (!ranges_.empty() && ranges_.back().second == g.offset) ranges_.back().second = end;
      else ranges_.push_back({g.offset, end});
    }
    // Tiles own their grids: nothing is summed over shards, so a buffer a thread is enough.
    for (int t = 0; t < workers_.count() && tiled_; t++) tiles_.emplace_back(model());
    size_t scratch = kernels_.workspace(model());
    for (int t = 0; t < workers_.count(); t++) scratch_.emplace_back(scratch);
  }

  void load(int64_t step, const float* theta, const float* m, const float* v) override {
    step_ = step;
    open_ = false;
    sums_.forget();
    for (auto [from, to] : ranges_) parameters_.load(from, to, theta, m, v);
    parameters_.loaded();
  }

  void save(float* theta, float* m, float* v) override {
    if (tiled_) closedStep("save");
    for (auto [from, to] : ranges_) parameters_.save(from, to, theta, m, v);
  }

  void saveRuns(const Runs& runs, float* out) override {
    if (tiled_) closedStep("save");
    for (auto [from, to] : runs) out = parameters_.saveRun(from, to, out);
  }

  void setParameters(const double* theta) override { std::copy_n(theta, problem_.size, parameters_.theta.data); }
  int64_t step() const override { return step_; }
  const uint64_t* ticks() const override { return ticks_; }
  void clearTicks() override { std::fill_n(ticks_, PHASES, 0); }
  void cancel() override { cancelled_ = true; }

  StepResult train(const StepPlan& plan) override {
    allShards("train");
    closedStep("train");
    const StepInput input{step_, plan.sharp, plan.gamma};
    AdamStep adam = parameters_.adamStep(step_ + 1);
    next_ = 0;
    workers_.run([&](int id) {
      computeShards(id, input, [&](int shard, ShardGradient<R>& g) {
        if (tiled_) parameters_.updateGrids(plan.factor, adam, shard, {&g, 1});
      });
      workers_.meet();
      if (id == 0) sumShared();
      workers_.meet();
      auto t0 = ticksNow();
      if (id == 0) parameters_.updateShared(plan.factor, adam, root());
      if (!tiled_) updateGridsTogether(plan.factor, adam, id);
      if (id == 0) ticks_[PHASE_UPDATE] += ticksNow() - t0;
    });
    step_++;
    notCancelled();
    return collect();
  }

  StepResult gradient(int64_t step, const StepPlan& plan, double* out) override {
    allShards("compute the gradient of a step");
    closedStep("compute a gradient");
    const StepInput input{step, plan.sharp, plan.gamma};
    std::fill_n(out, problem_.size, 0.0);
    next_ = 0;
    workers_.run([&](int id) {
      computeShards(id, input, [&](int shard, ShardGradient<R>& g) {
        if (tiled_) parameters_.takeGrids(shard, {&g, 1}, out);
      });
    });
    notCancelled();
    sumShared();
    std::copy_n(root(), model().shared, out);
    if (!tiled_) {
      auto all = allGradients();
      parameters_.takeGrids(0, {all.data(), all.size()}, out);
    }
    return collect();
  }

  StepResult compute(const StepPlan& plan, int lanes) override {
    closedStep("compute another step");
    plan_ = plan;
    open_ = true;
    sums_.begin(lanes);
    const StepInput input{step_, plan.sharp, plan.gamma};
    AdamStep adam = parameters_.adamStep(step_ + 1);
    next_ = 0;
    workers_.run([&](int id) {
      computeShards(id, input, [&](int shard, ShardGradient<R>& g) {
        if (tiled_) parameters_.updateGrids(plan.factor, adam, shard, {&g, 1});
        sums_.finishLeaf(shard);
      });
    });
    notCancelled();
    StepResult r;
    for (int s : problem_.hosted) {
      const ShardGradient<R>& g = sums_.gradient(s);
      r.loss += g.loss;
      r.squared += g.squared;
      r.samples += g.samples;
      for (int p = 0; p < PHASES; p++) ticks_[p] += g.ticks[p];
    }
    return r;
  }

  void combine(int into, int from, Lane lane) override {
    openStep();
    sums_.combine(into, from, lane, workers_);
  }

  size_t take(int slot, Lane lane, uint8_t* out, size_t capacity) override {
    openStep();
    return sums_.take(slot, lane, step_, out, capacity, workers_);
  }

  void add(int slot, const uint8_t* bytes, size_t size) override {
    openStep();
    sums_.add(slot, sums_.read(bytes, size, step_), workers_);
  }

  StepResult apply(const std::vector<Root>& roots) override {
    openStep();
    const RootSums<R> root(sums_, roots, step_);
    R* shared = sums_.gradient(problem_.hosted[0]).shared;
    root.takeShared(shared);
    AdamStep adam = parameters_.adamStep(step_ + 1);
    StepResult sums = root.sums();
    sums.loss += plainLosses(model(), parameters_.theta.data, shared);
    workers_.run([&](int id) {
      auto t0 = ticksNow();
      if (id == 0) parameters_.updateShared(plan_.factor, adam, shared);
      if (!tiled_) {
        const Shard& s = model().shard[0];
        const int64_t grid[2] = {s.atlasGrid, s.mapGrid};
        const R rate[2] = {(R)(parameters_.rateAt(grid[0]) * plan_.factor), (R)(parameters_.rateAt(grid[1]) * plan_.factor)};
        root.eachLine(id, workers_.count(), [&](int kind, int64_t line, const R* values) {
          parameters_.updateLine(grid[kind] + line * LINE, values, rate[kind], adam);
        });
      }
      if (id == 0) ticks_[PHASE_UPDATE] += ticksNow() - t0;
    });
    sums_.forget();
    open_ = false;
    step_++;
    return sums;
  }

  void bake(float* radiance, float* defocus) override {
    if (tiled_) closedStep("bake");
    constexpr int ROWS = 8;
    std::vector<std::pair<int, int>> jobs;
    for (int s : problem_.hosted) {
      const Rect& own = model().shard[s].own;
      for (int y = own.y; y < own.y + own.height; y += ROWS) jobs.push_back({s, y});
      if (!tiled_) break;
    }
    std::atomic<size_t> next{0};
    workers_.run([&](int) {
      Aligned<uint8_t> scratch(kernels_.bakeWorkspace(model()));
      for (size_t j; !cancelled_ && (j = next++) < jobs.size();) {
        auto [s, y] = jobs[j];
        const Rect& own = model().shard[s].own;
        kernels_.bakeRows(model(), s, y, std::min(y + ROWS, own.y + own.height), parameters_.theta.data, radiance, defocus,
                          scratch.data);
      }
    });
    notCancelled();
  }

 private:
  // Grids' gradients of the tile that a thread is at.
  struct TileBuffer {
    Aligned<R> atlas, map;
    Aligned<uint8_t> atlasTouched, mapTouched;
    explicit TileBuffer(const Model& m)
        : atlas(2 * (size_t)m.atlasGrid.nodes),
          map(2 * (size_t)m.mapGrid.nodes),
          atlasTouched(atlas.size / LINE + 8),
          mapTouched(map.size / LINE + 8) {}
  };

  const Model& model() const { return problem_.model; }
  const Problem& connected() {
    problem_.connect();
    return problem_;
  }
  R* root() { return sums_.gradient(0).shared; }

  std::vector<ShardGradient<R>> allGradients() {
    std::vector<ShardGradient<R>> all;
    for (int s = 0; s < model().shards; s++) all.push_back(sums_.gradient(s));
    return all;
  }

  void allShards(const char* what) const {
    if (!whole_) throw Refused(std::string("a trainer that hosts some of its shards cannot ") + what +
                              " alone: open it with all, or take its steps in parts");
  }
  void closedStep(const char* what) const {
    if (open_) throw Refused(std::string("a step is under way: apply it, or load a state, to ") + what);
  }
  void notCancelled() const {
    if (cancelled_) throw Refused("the trainer was closed meanwhile");
  }
  void openStep() const {
    if (!open_) throw Refused("no step is under way: compute one first");
  }

  static uint64_t ticksNow() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }

  // Takes hosted shards one after the other; `done` ends what a shard's buffers are needed for.
  template <class Done>
  void computeShards(int id, const StepInput& input, Done done) {
    const int count = (int)problem_.hosted.size();
    for (int i; !cancelled_ && (i = next_++) < count;) {
      int s = problem_.hosted[i];
      sums_.clean(s);
      ShardGradient<R>& g = sums_.gradient(s);
      if (tiled_) {
        TileBuffer& t = tiles_[id];
        g.atlas = t.atlas.data;
        g.map = t.map.data;
        g.atlasTouched = t.atlasTouched.data;
        g.mapTouched = t.mapTouched.data;
      }
      kernels_.shardGradient(model(), s, input, parameters_.theta.data, g, scratch_[id].data);
      done(s, g);
    }
  }

  // Shared parameters: shards summed in a fixed binary tree, then the losses that belong to none.
  void sumShared() {
    host::forEachSum(model().shards, [&](int into, int from) {
      R *a = sums_.gradient(into).shared, *b = sums_.gradient(from).shared;
      for (int64_t i = 0; i < model().shared; i++) a[i] += b[i];
    });
    plainLoss_ = plainLosses(model(), parameters_.theta.data, root());
  }

  // Shared grids: every thread takes its part of the lines.
  void updateGridsTogether(float factor, const AdamStep& adam, int id) {
    auto all = allGradients();
    parameters_.updateGrids(factor, adam, 0, {all.data(), all.size()}, id, workers_.count());
  }

  // The step's losses, summed as its gradients are.
  StepResult collect() {
    std::vector<StepResult> sums;
    for (int s = 0; s < model().shards; s++) {
      const ShardGradient<R>& g = sums_.gradient(s);
      sums.push_back({g.loss, g.squared, g.samples});
      for (int p = 0; p < PHASES; p++) ticks_[p] += g.ticks[p];
    }
    host::forEachSum(model().shards, [&](int into, int from) {
      sums[into].loss += sums[from].loss;
      sums[into].squared += sums[from].squared;
      sums[into].samples += sums[from].samples;
    });
    sums[0].loss += plainLoss_;
    return sums[0];
  }

  Problem problem_;
  const Kernels<R>& kernels_;
  Workers workers_;
  Parameters<R> parameters_;
  NodeSums<R> sums_;
  std::vector<TileBuffer> tiles_;
  std::vector<Aligned<uint8_t>> scratch_;
  std::vector<std::pair<int64_t, int64_t>> ranges_;  // of the parameters that are held here
  std::atomic<int> next_{0};
  std::atomic<bool> cancelled_{false};
  bool tiled_ = false, whole_ = true;
  bool open_ = false;  // computed and not applied
  StepPlan plan_{};
  int64_t step_ = 0;
  double plainLoss_ = 0;
  uint64_t ticks_[PHASES] = {};
};

}  // namespace implicam
