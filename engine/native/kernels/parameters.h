// The parameters of a training on the processor, their moments, and the update by Adam: shared parameters at once, grids by
// the lines that were touched.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>
#include "kernels/scene/grid_lines.h"
#include "trainer/trainer.h"

namespace implicam {

template <class R>
class Parameters {
 public:
  Parameters(const Problem& problem, const Kernels<R>& kernels)
      : theta(problem.size), problem_(problem), kernels_(kernels), m_(problem.size), v_(problem.size) {}

  Aligned<R> theta;

  // Gradients of shards that share their grids, or of one that does not.
  struct Gradients {
    ShardGradient<R>* at;
    size_t count;
  };

  // Values [from, to); moments may be null: zeros.
  void load(int64_t from, int64_t to, const float* values, const float* m, const float* v) {
    std::copy(values + from, values + to, theta.data + from);
    loadMoments(m, m_, from, to);
    loadMoments(v, v_, from, to);
  }
  // After all ranges were loaded.
  void loaded() { fresh_ = false; }

  void save(int64_t from, int64_t to, float* values, float* m, float* v) const {
    std::copy(theta.data + from, theta.data + to, values + from);
    if (m) std::copy(m_.data + from, m_.data + to, m + from);
    if (v) std::copy(v_.data + from, v_.data + to, v + from);
  }

  // Values, then both moments, one after the other; where the next run goes.
  float* saveRun(int64_t from, int64_t to, float* out) const {
    for (const Aligned<R>* of : {&theta, &m_, &v_}) out = std::copy(of->data + from, of->data + to, out);
    return out;
  }

  AdamStep adamStep(int64_t t) const {
    return {(float)problem_.beta1, (float)problem_.beta2, (float)(1 / (1 - std::pow(problem_.beta1, (double)t))),
            (float)(1 / (1 - std::pow(problem_.beta2, (double)t)))};
  }

  void updateShared(float factor, const AdamStep& adam, const R* shared) {
    for (const auto& g : problem_.groups) {
      if (g.sparse) continue;
      int64_t n = (g.size + LINE - 1) / LINE * LINE;
      kernels_.adam(theta.data + g.offset, m_.data + g.offset, v_.data + g.offset, shared + g.offset, n,
                    (R)(g.rate * factor), adam, false);
    }
  }

  void updateLine(int64_t at, const R* sum, R rate, const AdamStep& adam) {
    kernels_.adam(theta.data + at, m_.data + at, v_.data + at, sum, LINE, rate, adam, true);
  }

  void updateGrids(float factor, const AdamStep& adam, int shard, Gradients g, int64_t part = 0, int64_t parts = 1) {
    const Shard& s = model().shard[shard];
    const R rate[2] = {(R)((s.atlasGrid >= 0 ? rateAt(s.atlasGrid) : 0) * factor),
                       (R)((s.mapGrid >= 0 ? rateAt(s.mapGrid) : 0) * factor)};
    eachGrid(shard, g, part, parts, [&](int kind, int64_t at, const R* sum) { updateLine(at, sum, rate[kind], adam); });
  }

  void takeGrids(int shard, Gradients g, double* out) {
    eachGrid(shard, g, 0, 1, [&](int, int64_t at, const R* sum) { std::copy_n(sum, LINE, out + at); });
  }

  double rateAt(int64_t offset) const {
    for (const auto& g : problem_.groups)
      if (offset >= g.offset && offset < g.offset + g.size) return g.rate;
    return 0;
  }

 private:
  void loadMoments(const float* from, Aligned<R>& to, int64_t a, int64_t b) {
    if (from) std::copy(from + a, from + b, to.data + a);
    else if (!fresh_) std::fill(to.data + a, to.data + b, R(0));
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
        visit(kind, offset + line * LINE, sum);
      });
    }
  }

  const Model& model() const { return problem_.model; }
  bool tiled() const { return model().shard[0].tiled; }

  const Problem& problem_;
  const Kernels<R>& kernels_;
  Aligned<R> m_, v_;
  bool fresh_ = true;  // moments are still the zeros that memory begins with
};

}  // namespace implicam
