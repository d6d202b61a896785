#include "session.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace implicam {

void Problem::connect() {
  model.view = views.data();
  model.frameOrder = frameOrder.data();
  model.evBase = evBase.data();
  model.evBasis = evBasis.data();
  model.focusStart = focusStart.data();
  model.shard = shards.data();
  model.frame = frames.data();
}

namespace {

constexpr int LINE = 16;           // numbers a touched mark stands for: 8 nodes of two features
constexpr int MARKED_NODES = 8192; // levels up to this size are not marked, see hash_grid.h

// The losses that do not depend on samples (docs/MODEL.md), once a step.
template <class R>
double plainLosses(const Model& m, const R* theta, R* grad) {
  const Loss& loss = m.loss;
  double total = 0;
  if (m.knots && loss.toneSmooth > 0) {
    int n = m.knots;
    double weight = loss.toneSmooth * std::pow(n / 9.0, 3);
    std::vector<double> v(n), dv(n);
    for (int c = 0; c < 3; c++) {
      const R* a = theta + m.tone + c * (n - 1);
      double top = *std::max_element(a, a + n - 1);
      for (int j = 1; j < n; j++) v[j] = v[j - 1] + std::exp((double)a[j - 1] - top);
      const double sum = v[n - 1];
      for (double& x : v) x /= sum;
      std::fill(dv.begin(), dv.end(), 0.0);
      for (int j = 1; j + 1 < n; j++) {
        double d = v[j + 1] - 2 * v[j] + v[j - 1];
        total += weight * d * d;
        dv[j + 1] += 2 * weight * d;
        dv[j] -= 4 * weight * d;
        dv[j - 1] += 2 * weight * d;
      }
      double tail = 0, mean = 0;
      for (int i = n - 2; i >= 0; i--) {
        tail += dv[i + 1];
        mean += (v[i + 1] - v[i]) * tail;
      }
      tail = 0;
      for (int i = n - 2; i >= 0; i--) {
        tail += dv[i + 1];
        grad[m.tone + c * (n - 1) + i] += (R)((v[i + 1] - v[i]) * (tail - mean));
      }
    }
  }
  if (!m.knots && loss.tonePin > 0) {
    int h = m.toneHidden;
    for (int c = 0; c < 3; c++) {
      const R *a = theta + m.tone + c * (3 * h + 1), *b = a + h, *w = b + h;
      R* g = grad + m.tone + c * (3 * h + 1);
      double s = w[h];
      for (int j = 0; j < h; j++) s += w[j] * std::max<double>(b[j], 0);
      double y = 1 / (1 + std::exp(-2 * s));
      total += loss.tonePin * std::abs(y - 0.5) / 3;
      double ds = loss.tonePin / 3 * (y > 0.5 ? 1 : -1) * 2 * y * (1 - y);
      g[3 * h] += (R)ds;
      for (int j = 0; j < h; j++) {
        if (b[j] <= 0) continue;
        g[h + j] += (R)(ds * w[j]);
        g[2 * h + j] += (R)(ds * b[j]);
      }
    }
  }
  if (loss.exposureAnchor > 0) {
    double mean = 0;
    std::vector<double> slope(m.frames, 1);
    for (int f = 0; f < m.frames; f++) {
      double shift = 0;
      for (int j = 0; j < m.exposures; j++) shift += m.evBasis[f * m.exposures + j] * theta[m.exposure + j];
      if (m.evSquash > 0) {
        double t = std::tanh(shift);
        slope[f] = m.evSquash * (1 - t * t);
        shift = m.evSquash * t;
      }
      mean += (m.evBase[f] + shift) / m.frames;
    }
    total += loss.exposureAnchor * mean * mean;
    for (int f = 0; f < m.frames; f++)
      for (int j = 0; j < m.exposures; j++)
        grad[m.exposure + j] +=
            (R)(2 * loss.exposureAnchor * mean / m.frames * slope[f] * m.evBasis[f * m.exposures + j]);
  }
  if (loss.rigidity > 0 && m.registration >= 0) {
    double s = std::max(m.width, m.height);
    for (int i = 0; i < (m.views - 1) * m.dof; i++) {
      double h = theta[m.registration + i];
      total += loss.rigidity * s * s * h * h;
      grad[m.registration + i] += (R)(2 * loss.rigidity * s * s * h);
    }
  }
  return total;
}

template <class R>
class Session final : public AnySession {
 public:
  Session(Problem problem, const Kernels<R>& kernels, int threads)
      : problem_(std::move(problem)),
        kernels_(kernels),
        workers_(std::max(1, std::min(threads, problem_.model.shards))),
        theta_(problem_.size),
        m_(problem_.size),
        v_(problem_.size) {
    problem_.connect();
    tiled_ = model().shard[0].tiled;
    size_t atlas = 2 * (size_t)model().atlasGrid.nodes, map = 2 * (size_t)model().mapGrid.nodes;
    // Tiles own their grids: nothing is summed over shards, so a buffer a thread is enough.
    int grids = tiled_ ? workers_.count() : model().shards;
    for (int s = 0; s < model().shards; s++) shared_.emplace_back(model().shared + LINE);
    for (int s = 0; s < grids; s++) {
      atlas_.emplace_back(atlas);
      map_.emplace_back(map);
      atlasTouched_.emplace_back(atlas / LINE + 1);
      mapTouched_.emplace_back(map / LINE + 1);
    }
    gradients_.resize(model().shards);
    size_t scratch = kernels_.workspace(model());
    for (int t = 0; t < workers_.count(); t++) scratch_.emplace_back(scratch);
  }

  void load(int64_t step, const float* theta, const float* m, const float* v) override {
    step_ = step;
    std::copy_n(theta, problem_.size, theta_.data);
    if (m) std::copy_n(m, problem_.size, m_.data);
    else std::fill_n(m_.data, problem_.size, R(0));
    if (v) std::copy_n(v, problem_.size, v_.data);
    else std::fill_n(v_.data, problem_.size, R(0));
  }

  void save(float* theta, float* m, float* v) override {
    std::copy_n(theta_.data, problem_.size, theta);
    if (m) std::copy_n(m_.data, problem_.size, m);
    if (v) std::copy_n(v_.data, problem_.size, v);
  }

  void setParameters(const double* theta) override { std::copy_n(theta, problem_.size, theta_.data); }
  int64_t step() const override { return step_; }
  const uint64_t* ticks() const override { return ticks_; }
  void clearTicks() override { std::fill_n(ticks_, PHASES, 0); }

  StepResult train(const StepPlan& plan) override {
    const StepInput input{step_, plan.sharp, plan.gamma};
    AdamStep adam = adamStep(step_ + 1);
    next_ = 0;
    workers_.run([&](int id) {
      computeShards(id, input, [&](int shard, ShardGradient<R>& g) {
        if (tiled_) updateGrids(plan.factor, adam, shard, {&g, 1});
      });
      workers_.meet();
      if (id == 0) sumShared();
      workers_.meet();
      auto t0 = ticksNow();
      if (id == 0) updateShared(plan.factor, adam);
      if (!tiled_) updateGridsTogether(plan.factor, adam, id);
      if (id == 0) ticks_[PHASE_UPDATE] += ticksNow() - t0;
    });
    step_++;
    return collect();
  }

  StepResult gradient(int64_t step, const StepPlan& plan, double* out) override {
    const StepInput input{step, plan.sharp, plan.gamma};
    std::fill_n(out, problem_.size, 0.0);
    next_ = 0;
    workers_.run([&](int id) {
      computeShards(id, input, [&](int shard, ShardGradient<R>& g) {
        if (tiled_) takeGrids(shard, {&g, 1}, out);
      });
    });
    sumShared();
    std::copy_n(shared_[0].data, model().shared, out);
    if (!tiled_) takeGrids(0, {gradients_.data(), gradients_.size()}, out);
    return collect();
  }

  void bake(float* radiance, float* defocus) override {
    constexpr int ROWS = 8;
    std::vector<std::pair<int, int>> jobs;
    int shards = tiled_ ? model().shards : 1;
    for (int s = 0; s < shards; s++) {
      const Rect& own = model().shard[s].own;
      for (int y = own.y; y < own.y + own.height; y += ROWS) jobs.push_back({s, y});
    }
    std::atomic<size_t> next{0};
    workers_.run([&](int) {
      Aligned<uint8_t> scratch(kernels_.bakeWorkspace(model()));
      for (size_t j; (j = next++) < jobs.size();) {
        auto [s, y] = jobs[j];
        const Rect& own = model().shard[s].own;
        kernels_.bakeRows(model(), s, y, std::min(y + ROWS, own.y + own.height), theta_.data, radiance, defocus,
                          scratch.data);
      }
    });
  }

 private:
  struct Gradients {
    ShardGradient<R>* at;
    size_t count;
  };

  const Model& model() const { return problem_.model; }

  static uint64_t ticksNow() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }

  AdamStep adamStep(int64_t t) const {
    return {(float)problem_.beta1, (float)problem_.beta2, (float)(1 / (1 - std::pow(problem_.beta1, (double)t))),
            (float)(1 / (1 - std::pow(problem_.beta2, (double)t)))};
  }

  template <class Done>
  void computeShards(int id, const StepInput& input, Done done) {
    for (int s; (s = next_++) < model().shards;) {
      int buffer = tiled_ ? id : s;
      ShardGradient<R>& g = gradients_[s];
      g = {shared_[s].data, atlas_[buffer].data, map_[buffer].data, atlasTouched_[buffer].data,
           mapTouched_[buffer].data, 0, 0, 0, {}};
      std::fill_n(g.shared, model().shared, R(0));
      kernels_.shardGradient(model(), s, input, theta_.data, g, scratch_[id].data);
      done(s, g);
    }
  }

  // Shared parameters: shards summed in a fixed binary tree, then the losses that belong to none.
  void sumShared() {
    int n = model().shards;
    for (int stride = 1; stride < n; stride *= 2)
      for (int s = 0; s + stride < n; s += 2 * stride) {
        R *a = shared_[s].data, *b = shared_[s + stride].data;
        for (int64_t i = 0; i < model().shared; i++) a[i] += b[i];
      }
    plainLoss_ = plainLosses(model(), theta_.data, shared_[0].data);
  }

  void updateShared(float factor, const AdamStep& adam) {
    for (const auto& g : problem_.groups) {
      if (g.sparse) continue;
      int64_t n = (g.size + LINE - 1) / LINE * LINE;
      kernels_.adam(theta_.data + g.offset, m_.data + g.offset, v_.data + g.offset, shared_[0].data + g.offset, n,
                    (R)(g.rate * factor), adam, false);
    }
  }

  double rateAt(int64_t offset) const {
    for (const auto& g : problem_.groups)
      if (offset >= g.offset && offset < g.offset + g.size) return g.rate;
    return 0;
  }

  // Calls visit(line) for the lines of a grid in [from, to) that any of the shards may have touched.
  template <class Visit>
  static void touchedLines(const GridSpec& grid, int64_t from, int64_t to, uint8_t* const* touched, size_t count,
                           Visit visit) {
    for (int l = 0; l < grid.levels; l++) {
      int64_t a = std::max<int64_t>(from, grid.level[l].offset / 8);
      int64_t b = std::min<int64_t>(to, (grid.level[l].offset + grid.level[l].nodes + 7) / 8);
      bool whole = grid.level[l].nodes <= MARKED_NODES;
      for (int64_t i = a; i < b; i++) {
        bool hit = whole;
        for (size_t s = 0; s < count; s++) {
          hit |= touched[s][i] != 0;
          touched[s][i] = 0;
        }
        if (hit) visit(i);
      }
    }
  }

  // Sums the shards' line in the fixed tree into `sum` and clears it.
  static void takeLine(R* const* grads, size_t count, int64_t at, R* sum) {
    R part[64][LINE];
    for (size_t s = 0; s < count; s++) {
      std::copy_n(grads[s] + at, LINE, part[s]);
      std::fill_n(grads[s] + at, LINE, R(0));
    }
    for (size_t stride = 1; stride < count; stride *= 2)
      for (size_t s = 0; s + stride < count; s += 2 * stride)
        for (int i = 0; i < LINE; i++) part[s][i] += part[s + stride][i];
    std::copy_n(part[0], LINE, sum);
  }

  template <class Visit>
  void eachGrid(int shard, Gradients g, int64_t part, int64_t parts, Visit visit) {
    for (int kind = 0; kind < 2; kind++) {
      const GridSpec& grid = kind ? model().mapGrid : model().atlasGrid;
      int64_t offset = kind ? model().shard[shard].mapGrid : model().shard[shard].atlasGrid;
      if (!grid.levels || offset < 0) continue;
      R* grads[64];
      uint8_t* touched[64];
      for (size_t s = 0; s < g.count; s++) {
        grads[s] = kind ? g.at[s].map : g.at[s].atlas;
        touched[s] = kind ? g.at[s].mapTouched : g.at[s].atlasTouched;
      }
      int64_t lines = grid.nodes / 8;
      touchedLines(grid, lines * part / parts, lines * (part + 1) / parts, touched, g.count, [&](int64_t line) {
        alignas(64) R sum[LINE];
        takeLine(grads, g.count, line * LINE, sum);
        visit(offset + line * LINE, sum);
      });
    }
  }

  void updateGrids(float factor, const AdamStep& adam, int shard, Gradients g, int64_t part = 0, int64_t parts = 1) {
    double atlasRate = model().shard[shard].atlasGrid >= 0 ? rateAt(model().shard[shard].atlasGrid) : 0;
    double mapRate = model().shard[shard].mapGrid >= 0 ? rateAt(model().shard[shard].mapGrid) : 0;
    int64_t mapFrom = model().shard[shard].mapGrid, atlasFrom = model().shard[shard].atlasGrid;
    eachGrid(shard, g, part, parts, [&](int64_t at, const R* sum) {
      bool isMap = mapFrom >= 0 && at >= mapFrom && (atlasFrom < mapFrom || at < atlasFrom);
      kernels_.adam(theta_.data + at, m_.data + at, v_.data + at, sum, LINE,
                    (R)((isMap ? mapRate : atlasRate) * factor), adam, true);
    });
  }

  // Shared grids: every thread takes its part of the lines.
  void updateGridsTogether(float factor, const AdamStep& adam, int id) {
    updateGrids(factor, adam, 0, {gradients_.data(), gradients_.size()}, id, workers_.count());
  }

  void takeGrids(int shard, Gradients g, double* out) {
    eachGrid(shard, g, 0, 1, [&](int64_t at, const R* sum) { std::copy_n(sum, LINE, out + at); });
  }

  StepResult collect() {
    StepResult r;
    for (const auto& g : gradients_) {
      r.loss += g.loss;
      r.squared += g.squared;
      r.samples += g.samples;
      for (int p = 0; p < PHASES; p++) ticks_[p] += g.ticks[p];
    }
    r.loss += plainLoss_;
    return r;
  }

  Problem problem_;
  const Kernels<R>& kernels_;
  Workers workers_;
  Aligned<R> theta_, m_, v_;
  std::vector<Aligned<R>> shared_, atlas_, map_;
  std::vector<Aligned<uint8_t>> atlasTouched_, mapTouched_, scratch_;
  std::vector<ShardGradient<R>> gradients_;
  std::atomic<int> next_{0};
  bool tiled_ = false;
  int64_t step_ = 0;
  double plainLoss_ = 0;
  uint64_t ticks_[PHASES] = {};
};

}  // namespace

#if defined(__x86_64__)
extern const Kernels<float> kernels_avx512, kernels_avx2, kernels_sse2;
#elif defined(__aarch64__)
extern const Kernels<float> kernels_neon;
#endif
extern const Kernels<double> kernels_f64;

const Kernels<float>* findKernels(const std::string& isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == "avx512") return avx512 ? &kernels_avx512 : nullptr;
  if (isa == "avx2") return avx2 ? &kernels_avx2 : nullptr;
  if (isa == "sse2") return &kernels_sse2;
#elif defined(__aarch64__)
  if (isa == "neon") return &kernels_neon;
#endif
  return nullptr;
}

const Kernels<double>* findKernels64() { return &kernels_f64; }

const char* bestIsa() {
  for (const char* isa : {"avx512", "avx2", "sse2", "neon"})
    if (findKernels(isa)) return isa;
  throw std::runtime_error("no kernels for this processor");
}

std::unique_ptr<AnySession> createSession(Problem problem, const std::string& isa, int threads) {
  if (problem.model.shards > 64 && !problem.shards[0].tiled) throw std::runtime_error("at most 64 shards share a grid");
  if (isa == "f64") return std::make_unique<Session<double>>(std::move(problem), *findKernels64(), threads);
  const Kernels<float>* kernels = findKernels(isa);
  if (!kernels) throw std::runtime_error("this processor cannot run the " + isa + " kernels");
  return std::make_unique<Session<float>>(std::move(problem), *kernels, threads);
}

}  // namespace implicam
