#include "cuda/trainer/update.h"

#include "shared/plain_losses.h"
#include "shared/reduction_tree.h"

namespace implicam::device {
namespace {

struct Prepare {
  const Model* model;
  const float* theta;
  ViewCamera* camera;
  float *ev, *knots;

  IC_DEVICE void item(int64_t i) const {
    const Model& m = *model;
    if (i < m.views) return view((int)i);
    i -= m.views;
    float slope;
    if (i < m.frames) ev[i] = exposureOf<float>(m, theta, (int)i, slope);
    else if (m.knots && i - m.frames < 3) curve((int)(i - m.frames));
  }

 private:
  IC_DEVICE void view(int v) const {
    const Model& m = *model;
    const View& view = m.view[v];
    ViewCamera c;
    c.focus = m.focus >= 0 ? theta[m.focus + view.focus] : 0;
    c.scale = m.kappa >= 0 ? expf(theta[m.kappa]) * view.aperture : 0;
    c.homography = Homography<float>::of(view, theta);
    camera[v] = c;
  }

  IC_DEVICE void curve(int c) const {
    const int n = model->knots;
    knotValues(theta + model->tone + c * (n - 1), n, knots + c * n);
  }
};

struct FinishShard {
  Step step;
  ShardSums sums;
  SharedGradient gradient;
  int tasks;

  IC_DEVICE void item(int64_t i) const {
    const Model& m = *step.model;
    const int slot = (int)(i / tasks);
    int task = (int)(i % tasks);
    float* g = gradient.at + slot * gradient.stride;
    const float* view = sums.view + (int64_t)slot * m.views * VIEW_SUMS;
    if (task < m.exposures) return exposures(g + m.exposure + task, slot, task);
    task -= m.exposures;
    if (task < m.focusSettings) {
      float sum = 0;
      for (int v = 0; v < m.views; v++)
        if (m.view[v].focus == task) sum += view[v * VIEW_SUMS + FOCUS_SUM];
      if (m.focus >= 0) g[m.focus + task] += sum;
      return;
    }
    task -= m.focusSettings;
    if (task == 0) {
      float sum = 0;
      for (int v = 0; v < m.views; v++) sum += view[v * VIEW_SUMS + KAPPA_SUM];
      if (m.kappa >= 0) g[m.kappa] += sum;
      return;
    }
    task--;
    if (task < 3) {
      if (m.knots) knots(g + m.tone + task * (m.knots - 1), slot, task);
      return;
    }
    task -= 3;
    const int v = task / AFFINE, j = task % AFFINE;
    if (m.view[v].registration < 0) return;
    g[m.view[v].registration + j] += view[v * VIEW_SUMS + coefficientOf(j)];
  }

  static int count(const Model& m) { return m.exposures + m.focusSettings + 1 + 3 + m.views * AFFINE; }

 private:
  IC_DEVICE void exposures(float* g, int slot, int j) const {
    const Model& m = *step.model;
    float sum = 0;
    for (int k = 0; k < m.frames; k++) {
      const int frame = m.frameOrder[k];
      float slope;
      exposureOf<float>(m, step.theta, frame, slope);
      sum += sums.exposure[slot * m.frames + k] * slope * m.evBasis[frame * m.exposures + j];
    }
    *g += sum;
  }

  IC_DEVICE float knot(int slot, int c, int j) const {
    const int n = step.model->knots;
    int64_t sum = 0;
    for (int copy = 0; copy < KNOT_COPIES; copy++) sum += sums.knots[((int64_t)(slot * KNOT_COPIES + copy) * 3 + c) * n + j];
    return step.fixed.read(sum);
  }

  IC_DEVICE void knots(float* g, int slot, int c) const {
    const int n = step.model->knots;
    knotGradient(step.knots + c * n, n, [&](int j) { return knot(slot, c, j); }, g);
  }
};

struct AddShards {
  SharedGradient gradient;
  int64_t count;
  int stride;
  IC_DEVICE void item(int64_t i) const {
    const NodeSum sum = nodeSum(stride, (int)(i / count));
    float* at = gradient.at + i % count;
    at[sum.into * gradient.stride] += at[sum.from * gradient.stride];
  }
};

// The parts: tone mapper by channel, exposures, registration.
struct Plain {
  Step step;
  float* gradient;
  double* parts;

  IC_DEVICE void item(int64_t i) const { parts[i] = part((int)i); }

 private:
  IC_DEVICE double part(int i) const {
    const Model& m = *step.model;
    if (i < 3 && m.knots) return m.loss.toneSmooth > 0 ? toneSmoothness<float>(m, i, step.theta, gradient) : 0;
    if (i < 3) return m.loss.tonePin > 0 ? tonePin<float>(m, i, step.theta, gradient) : 0;
    if (i == 3) return m.loss.exposureAnchor > 0 ? exposureAnchor<float>(m, step.theta, gradient) : 0;
    return m.loss.rigidity > 0 && m.registration >= 0 ? rigidity<float>(m, step.theta, gradient) : 0;
  }
};

IC_DEVICE void adam(const Step& step, const Moments& o, int64_t i, float g) {
  const AdamStep& a = step.state->adam;
  const float m = a.beta1 * o.m[i] + (1 - a.beta1) * g, v = a.beta2 * o.v[i] + (1 - a.beta2) * g * g;
  o.m[i] = m;
  o.v[i] = v;
  const float rate = o.rate[i / LINE] * step.state->factor;
  o.theta[i] -= rate * (m * a.correction1) / (sqrtf(v * a.correction2) + 1e-15f);
}

struct UpdateShared {
  Step step;
  Moments moments;
  const float* gradient;
  IC_DEVICE void item(int64_t i) const { adam(step, moments, i, gradient[i]); }
};

struct UpdateGrid {
  Step step;
  Grid which;
  bool tiled;
  GridGradient gradient;
  Moments moments;
  float* out;

  IC_DEVICE void item(int64_t i) const {
    const int64_t size = 2 * gradient.nodes, entry = i % size;
    const int first = (int)(i / size);
    const Shard& shard = step.shard(first);
    const int64_t at = (which == Grid::atlas ? shard.atlasGrid : shard.mapGrid) + entry;
    const float g = tiled ? take(first, entry) : tree(entry);
    if (out) out[at] = g;
    else if (g != 0) adam(step, moments, at, g);
  }

 private:
  IC_DEVICE float take(int slot, int64_t entry) const {
    if (!gradient.touched[slot * (gradient.nodes / 8) + entry / LINE]) return 0;
    int64_t* sum = gradient.sum + slot * 2 * gradient.nodes + entry;
    const float g = step.fixed.read(*sum);
    *sum = 0;
    return g;
  }

  // Shards in a binary tree by their numbers: two neighbours, two such pairs, and so on.
  IC_DEVICE float tree(int64_t entry) const {
    float part[7];
    int depth = 0;
    for (int s = 0; s < step.slots; s++) {
      part[depth++] = take(s, entry);
      for (int k = s + 1; k % 2 == 0; k /= 2, depth--) part[depth - 2] += part[depth - 1];
    }
    for (; depth > 1; depth--) part[depth - 2] += part[depth - 1];
    return part[0];
  }
};

struct TakeLines {
  Fixed fixed;
  int64_t* sums;
  const uint32_t* numbers;
  float* values;
  IC_DEVICE void item(int64_t i) const {
    int64_t& sum = sums[(int64_t)numbers[i / LINE] * LINE + i % LINE];
    values[i] = fixed.read(sum);
    sum = 0;
  }
};

struct UpdateLines {
  Step step;
  Moments moments;
  int64_t at;
  const uint32_t* numbers;
  const float* values;
  IC_DEVICE void item(int64_t i) const {
    if (values[i] != 0) adam(step, moments, at + (int64_t)numbers[i / LINE] * LINE + i % LINE, values[i]);
  }
};

}  // namespace

void prepareStep(Stream& stream, const Model& host, const Step& step, ViewCamera* camera, float* ev, float* knots) {
  stream.items(host.views + host.frames + 3, Prepare{step.model, step.theta, camera, ev, knots});
}

void finishShards(Stream& stream, const Model& host, const Step& step, const ShardSums& sums,
                  const SharedGradient& gradient) {
  const int tasks = FinishShard::count(host);
  stream.items((int64_t)step.slots * tasks, FinishShard{step, sums, gradient, tasks});
}

void sumShards(Stream& stream, int slots, int64_t count, const SharedGradient& gradient) {
  forEachStride(slots, [&](int stride, int sums) { stream.items(sums * count, AddShards{gradient, count, stride}); });
}

void plainLosses(Stream& stream, const Step& step, float* gradient, double* parts) {
  stream.items(PLAIN_PARTS, Plain{step, gradient, parts});
}

void updateShared(Stream& stream, const Step& step, const Moments& moments, const float* gradient, int64_t count) {
  stream.items(count, UpdateShared{step, moments, gradient});
}

void updateGrid(Stream& stream, const Step& step, Grid which, bool tiled, const GridGradient& gradient,
                const Moments& moments, float* out) {
  if (!gradient.nodes) return;
  stream.items((tiled ? step.slots : 1) * 2 * gradient.nodes, UpdateGrid{step, which, tiled, gradient, moments, out});
  stream.zero(gradient.touched, step.slots * (gradient.nodes / 8));
}

void takeGridLines(Stream& stream, const Fixed& fixed, int64_t* sums, const uint32_t* numbers, int64_t count,
                   float* values) {
  stream.items(count * LINE, TakeLines{fixed, sums, numbers, values});
}

void updateGridLines(Stream& stream, const Step& step, const Moments& moments, int64_t at, const uint32_t* numbers,
                     const float* values, int64_t count) {
  stream.items(count * LINE, UpdateLines{step, moments, at, numbers, values});
}

}  // namespace implicam::device
