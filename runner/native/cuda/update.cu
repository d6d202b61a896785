#include "update.h"

namespace implicam::device {
namespace {

struct Prepare {
  const Model* model;
  const float* theta;
  StepState state;
  StepState* toState;
  ViewCamera* camera;
  float *ev, *knots;

  IC_DEVICE void item(int64_t i) const {
    const Model& m = *model;
    if (i == 0) *toState = state;
    if (i < m.views) return view((int)i);
    i -= m.views;
    float slope;
    if (i < m.frames) ev[i] = exposure(m, theta, (int)i, slope);
    else if (m.knots && i - m.frames < 3) curve((int)(i - m.frames));
  }

 private:
  IC_DEVICE void view(int v) const {
    const Model& m = *model;
    const View& view = m.view[v];
    ViewCamera c;
    c.focus = m.focus >= 0 ? theta[m.focus + view.focus] : m.focusStart[view.focus];
    c.scale = m.kappa >= 0 ? expf(theta[m.kappa]) * view.aperture : 0;
    c.identity = view.registration < 0;
    for (int k = 0; k < 8; k++) {
      c.m[k] = view.homography[k];
      if (c.m[k] != (k == 0 || k == 4 ? 1 : 0)) c.identity = 0;
    }
    if (view.registration >= 0)
      for (int j = 0; j < m.dof; j++)
        for (int k = 0; k < 8; k++) c.m[k] += theta[view.registration + j] * m.registrationBasis[j][k];
    camera[v] = c;
  }

  IC_DEVICE void curve(int c) const {
    const int n = model->knots;
    const float* a = theta + model->tone + c * (n - 1);
    float* v = knots + c * n;
    float top = a[0];
    for (int j = 1; j < n - 1; j++) top = greater(top, a[j]);
    v[0] = 0;
    for (int j = 1; j < n; j++) v[j] = v[j - 1] + expf(a[j - 1] - top);
    const float inverse = 1 / v[n - 1];
    for (int j = 1; j < n; j++) v[j] *= inverse;
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
        if (m.view[v].focus == task) sum += view[v * VIEW_SUMS + 8];
      if (m.focus >= 0) g[m.focus + task] += sum;
      return;
    }
    task -= m.focusSettings;
    if (task == 0) {
      float sum = 0;
      for (int v = 0; v < m.views; v++) sum += view[v * VIEW_SUMS + 9];
      if (m.kappa >= 0) g[m.kappa] += sum;
      return;
    }
    task--;
    if (task < 3) {
      if (m.knots) knots(g + m.tone + task * (m.knots - 1), slot, task);
      return;
    }
    task -= 3;
    const int v = task / m.dof, j = task % m.dof;
    if (m.view[v].registration < 0) return;
    float sum = 0;
    for (int k = 0; k < 8; k++) sum += m.registrationBasis[j][k] * view[v * VIEW_SUMS + k];
    g[m.view[v].registration + j] += sum;
  }

  static int count(const Model& m) { return m.exposures + m.focusSettings + 1 + 3 + m.views * m.dof; }

 private:
  IC_DEVICE void exposures(float* g, int slot, int j) const {
    const Model& m = *step.model;
    float sum = 0;
    for (int k = 0; k < m.frames; k++) {
      const int frame = m.frameOrder[k];
      float slope;
      exposure(m, step.theta, frame, slope);
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

  // d/d(logits) from d/d(values): with p the softmax, v_j = Σ_{i<j} p_i.
  IC_DEVICE void knots(float* g, int slot, int c) const {
    const int n = step.model->knots;
    const float* v = step.knots + c * n;
    float tail = 0, mean = 0;
    for (int i = n - 2; i >= 0; i--) {
      tail += knot(slot, c, i + 1);
      mean += (v[i + 1] - v[i]) * tail;
    }
    tail = 0;
    for (int i = n - 2; i >= 0; i--) {
      tail += knot(slot, c, i + 1);
      g[i] += (v[i + 1] - v[i]) * (tail - mean);
    }
  }
};

struct AddShards {
  SharedGradient gradient;
  int64_t count;
  int stride;
  IC_DEVICE void item(int64_t i) const {
    float* a = gradient.at + i / count * 2 * stride * gradient.stride + i % count;
    *a += a[stride * gradient.stride];
  }
};

// The parts: tone mapper by channel, exposures, registration.
struct Plain {
  Step step;
  float* gradient;
  double* parts;

  IC_DEVICE void item(int64_t i) const {
    parts[i] = i < 3 ? (step.model->knots ? toneSmooth((int)i) : tonePin((int)i)) : i == 3 ? anchor() : rigidity();
  }

 private:
  // Second differences of the values are first differences of the softmax.
  IC_DEVICE double toneSmooth(int c) const {
    const Model& m = *step.model;
    if (!(m.loss.toneSmooth > 0)) return 0;
    const int n = m.knots - 1;
    const float *a = step.theta + m.tone + c * n, third = m.knots / 9.f, weight = m.loss.toneSmooth * third * third * third;
    float top = a[0], sum = 0, mean = 0;
    for (int j = 1; j < n; j++) top = greater(top, a[j]);
    for (int j = 0; j < n; j++) sum += expf(a[j] - top);
    double loss = 0;
    for (int pass = 0; pass < 2; pass++) {
      float before = 0, here = expf(a[0] - top) / sum;
      for (int j = 0; j < n; j++) {
        const float after = j + 1 < n ? expf(a[j + 1] - top) / sum : 0;
        const float left = j > 0 ? here - before : 0, right = j + 1 < n ? after - here : 0;
        const float d = 2 * weight * (left - right);
        if (pass) gradient[m.tone + c * n + j] += here * (d - mean);
        else {
          mean += here * d;
          loss += (double)(weight * left * left);
        }
        before = here;
        here = after;
      }
    }
    return loss;
  }

  IC_DEVICE double tonePin(int c) const {
    const Model& m = *step.model;
    if (!(m.loss.tonePin > 0)) return 0;
    const int h = m.toneHidden;
    const float *b = step.theta + m.tone + c * (3 * h + 1) + h, *w = b + h;
    float* g = gradient + m.tone + c * (3 * h + 1);
    float s = w[h];
    for (int j = 0; j < h; j++) s += w[j] * greater(b[j], 0);
    const float y = 1 / (1 + expf(-2 * s));
    const float ds = m.loss.tonePin / 3 * (y > .5f ? 1 : -1) * 2 * y * (1 - y);
    g[3 * h] += ds;
    for (int j = 0; j < h; j++) {
      if (b[j] <= 0) continue;
      g[h + j] += ds * w[j];
      g[2 * h + j] += ds * b[j];
    }
    return (double)(m.loss.tonePin * fabsf(y - .5f) / 3);
  }

  IC_DEVICE double anchor() const {
    const Model& m = *step.model;
    if (!(m.loss.exposureAnchor > 0)) return 0;
    double mean = 0;
    float slope;
    for (int f = 0; f < m.frames; f++) mean += (double)exposure(m, step.theta, f, slope) / m.frames;
    for (int f = 0; f < m.frames; f++) {
      exposure(m, step.theta, f, slope);
      for (int j = 0; j < m.exposures; j++)
        gradient[m.exposure + j] += (float)(2 * m.loss.exposureAnchor * mean / m.frames) * slope * m.evBasis[f * m.exposures + j];
    }
    return m.loss.exposureAnchor * mean * mean;
  }

  IC_DEVICE double rigidity() const {
    const Model& m = *step.model;
    if (!(m.loss.rigidity > 0) || m.registration < 0) return 0;
    const float s = m.width > m.height ? m.width : m.height;
    double loss = 0;
    for (int i = 0; i < (m.views - 1) * m.dof; i++) {
      const float h = step.theta[m.registration + i];
      loss += (double)(m.loss.rigidity * s * s * h * h);
      gradient[m.registration + i] += 2 * m.loss.rigidity * s * s * h;
    }
    return loss;
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

void prepareStep(Stream& stream, const Step& step, const StepState& state, StepState* toState, ViewCamera* camera,
                 float* ev, float* knots, int work) {
  stream.items(work, Prepare{step.model, step.theta, state, toState, camera, ev, knots});
}

void finishShards(Stream& stream, const Model& host, const Step& step, const ShardSums& sums,
                  const SharedGradient& gradient) {
  const int tasks = FinishShard::count(host);
  stream.items((int64_t)step.slots * tasks, FinishShard{step, sums, gradient, tasks});
}

void sumShards(Stream& stream, int slots, int64_t count, const SharedGradient& gradient) {
  for (int stride = 1; stride < slots; stride *= 2) {
    const int pairs = (slots - stride + 2 * stride - 1) / (2 * stride);
    stream.items(pairs * count, AddShards{gradient, count, stride});
  }
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
