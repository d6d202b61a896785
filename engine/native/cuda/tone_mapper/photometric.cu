#include "cuda/tone_mapper/photometric.h"

#include <algorithm>
#include "shared/comparison.h"

namespace implicam::device {
namespace {

struct Curve {
  float y, slope;
};
struct Segment {
  int i;
  float f, inverse;
};

IC_DEVICE Segment segmentOf(const Model& m, float z) {
  float inverse = (m.knots - 1) / -m.toneLow;
  float x = clampTo((z - m.toneLow) * inverse, -1e6f, 1e6f);
  int i = clampTo((int)x, 0, m.knots - 2);
  return {i, x - i, inverse};
}

IC_DEVICE Curve knotCurve(const Model& m, const float* knots, int c, float z) {
  Segment s = segmentOf(m, z);
  float a = knots[c * m.knots + s.i], b = knots[c * m.knots + s.i + 1];
  return {a + (b - a) * s.f, (b - a) * s.inverse};
}

IC_DEVICE Curve netCurve(const Model& m, const float* theta, int c, float z) {
  const int h = m.toneHidden;
  const float *a = theta + m.tone + c * (3 * h + 1), *b = a + h, *w = b + h;
  float s = w[h], d = 0;
  for (int j = 0; j < h; j++) {
    float p = a[j] * z + b[j], hp = p > 0 ? w[j] : 0;
    s += hp * p;
    d += hp * a[j];
  }
  float y = 1 / (1 + expf(-2 * s));
  return {y, 2 * y * (1 - y) * d};
}

struct Target {
  float t;
  bool inside;
};
IC_DEVICE Target targetOf(const Model& m, int frame, int c, int x, int y) {
  const FrameData& f = m.frame[frame];
  const int64_t at = (int64_t)y * m.width + x;
  float t = f.data8 ? f.data8[3 * at + c] * (float)(1.0 / 255) : f.data16[3 * at + c] * (float)(1.0 / 65535);
  return {t, !f.mask || f.mask[at]};
}

// One value of one frame: a block takes a run of a slot's (frame, channel, pixel) and adds up its loss.
struct Compare {
  static constexpr int THREADS = 256;
  using Shared = Tally<SCALARS, THREADS>;
  Step step;
  LightBatch batch;
  float* ds;
  float* losses;  // [slots][tiles][SCALARS]
  int64_t* knots;
  int tiles;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int slot = (int)(block.index / tiles);
    PerThread<Sums<SCALARS>, THREADS> sums;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int k = 0; k < SCALARS; k++) sums[t].x[k] = 0;
      int64_t e = block.index % tiles * THREADS + t;
      if (e < step.model->frames * 3 * batch.perSlot) one(slot, e, (int)(block.index % KNOT_COPIES), sums[t]);
    });
    shared.take(block, sums, losses + block.index * SCALARS);
  }

 private:
  IC_DEVICE void one(int slot, int64_t e, int copy, Sums<SCALARS>& sums) const {
    const Model& m = *step.model;
    const int64_t q = slot * batch.perSlot + e % batch.perSlot;
    const int c = (int)(e / batch.perSlot % 3), k = (int)(e / batch.perSlot / 3);
    const int v = step.frameView[k], frame = m.frameOrder[k];
    const int64_t at = (int64_t)(k * 3 + c) * batch.Q + q;
    const float omega = batch.weight[v * batch.Q + q];
    batch.dz[at] = 0;
    if (ds) ds[at] = 0;
    if (!(omega > 0)) return;
    const Target target = targetOf(m, frame, c, batch.column[q], batch.row[q]);
    if (!target.inside) return;
    const float t = target.t, z = batch.uAt(v, c, q) + LN2 * step.ev[frame];
    const Curve g = m.knots ? knotCurve(m, step.knots, c, z) : netCurve(m, step.theta, c, z);
    const Cost<float> cost = costOf<float>(m.loss, step.state->gamma, step.state->logGamma, step.errorScale, t, g.y,
                                           g.slope, omega);
    sums.x[0] = cost.loss;
    sums.x[1] = cost.squared;
    sums.x[2] = cost.counted;
    batch.dz[at] = cost.dy * g.slope;
    if (ds) ds[at] = cost.dy * 2 * g.y * (1 - g.y);
    else if (cost.dy != 0) knotBack(slot, copy, c, z, cost.dy);
  }

  IC_DEVICE void knotBack(int slot, int copy, int c, float z, float dy) const {
    const Model& m = *step.model;
    const Segment s = segmentOf(m, z);
    int64_t* to = knots + ((int64_t)(slot * KNOT_COPIES + copy) * 3 + c) * m.knots + s.i;
    const float right = s.f * dy;
    step.fixed.add(to, dy - right);
    step.fixed.add(to + 1, right);
  }
};

// exposure[slot][frame] += ln 2 · Σ dz.
struct ExposureSums {
  static constexpr int THREADS = 256;
  using Shared = Tally<1, THREADS>;
  LightBatch batch;
  float* exposure;
  float* slots;  // [slots][frames]
  int frames;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int64_t slot = block.index / frames, k = block.index % frames;
    PerThread<Sums<1>, THREADS> sums;
    block.each([&](int t) {
      float sum = 0;
      for (int c = 0; c < 3; c++) {
        const float* dz = batch.dz + (k * 3 + c) * batch.Q + slot * batch.perSlot;
        for (int64_t i = t; i < batch.perSlot; i += THREADS) sum += dz[i];
      }
      sums[t].x[0] = LN2 * sum;
    });
    shared.take(block, sums, slots + block.index);
    block.each([&](int t) {
      if (t == 0) exposure[block.index] += slots[block.index];
    });
  }
};

// The tone network's gradient of one channel over a run of a slot's samples: a thread sums hidden units.
struct ToneGradient {
  static constexpr int THREADS = 128, UNITS = 4;  // THREADS · UNITS: the widest tone network
  struct Shared {
    float z[THREADS], ds[THREADS];
  };
  struct Own {
    float a[UNITS], b[UNITS], w[UNITS], d;
  };
  Step step;
  LightBatch batch;
  const float* ds;
  float* partial;  // [slots][splits][3][3h + 1]
  int splits;
  int64_t length;

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const Model& m = *step.model;
    const int c = (int)(block.index % 3), h = m.toneHidden;
    const int64_t slot = block.index / 3 / splits, split = block.index / 3 % splits;
    const int64_t all = m.frames * batch.perSlot, from = split * length;
    const int64_t to = from + length < all ? from + length : all;
    const float *a = step.theta + m.tone + c * (3 * h + 1), *b = a + h, *w = b + h;
    PerThread<Own, THREADS> own;
    block.each([&](int t) { own[t] = Own{}; });
    for (int64_t e0 = from; e0 < to; e0 += THREADS) {
      block.each([&](int t) {
        const int64_t e = e0 + t;
        shared.z[t] = shared.ds[t] = 0;
        if (e >= to) return;
        const int64_t k = e / batch.perSlot, q = slot * batch.perSlot + e % batch.perSlot;
        shared.ds[t] = ds[(k * 3 + c) * batch.Q + q];
        if (shared.ds[t] != 0) shared.z[t] = batch.uAt(step.frameView[k], c, q) + LN2 * step.ev[m.frameOrder[k]];
      });
      block.each([&](int t) {
        IC_PRAGMA_UNROLL
        for (int r = 0; r < UNITS; r++) {
          const int j = t + r * THREADS;
          if (j >= h) continue;
          const float aj = a[j], bj = b[j], wj = w[j];
          float sa = 0, sb = 0, sw = 0;
          for (int e = 0; e < THREADS; e++) {
            const float p = aj * shared.z[e] + bj, on = p > 0 ? shared.ds[e] : 0, dh = on * wj;
            sa += dh * shared.z[e];
            sb += dh;
            sw += on * p;
          }
          own[t].a[r] += sa;
          own[t].b[r] += sb;
          own[t].w[r] += sw;
        }
        if (t == 0)
          for (int e = 0; e < THREADS; e++) own[t].d += shared.ds[e];
      });
    }
    float* out = partial + ((slot * splits + split) * 3 + c) * (3 * h + 1);
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int r = 0; r < UNITS; r++) {
        const int j = t + r * THREADS;
        if (j >= h) continue;
        out[j] = own[t].a[r];
        out[h + j] = own[t].b[r];
        out[2 * h + j] = own[t].w[r];
      }
      if (t == 0) out[3 * h] = own[t].d;
    });
  }
};

}  // namespace

Photometric::Photometric(Stream& stream, const Model& m, int slots, int64_t perSlot)
    : stream_(&stream), slots_(slots), frames_(m.frames), hidden_(m.knots ? 0 : m.toneHidden), tone_(m.tone) {
  if (hidden_ > ToneGradient::THREADS * ToneGradient::UNITS) throw std::runtime_error("a tone network that wide is not supported");
  const int64_t Q = slots * perSlot, frames = m.frames, views = m.views;
  floats_ = Buffer<float>(stream, Q * floatsPerPixel(m), "photometric samples");
  places_ = Buffer<int32_t>(stream, 2 * Q, "pixel places");
  float* at = floats_.at();
  batch_ = {at, at + views * 3 * Q, places_.at(), places_.at() + Q, at + views * 4 * Q, Q, perSlot};
  if (hidden_) {
    ds_ = batch_.dz + frames * 3 * Q;
    length_ = std::max<int64_t>(ToneGradient::THREADS, paddedSamples((frames * perSlot + 63) / 64));
    splits_ = (int)((frames * perSlot + length_ - 1) / length_);
    partial_ = Buffer<float>(stream, (size_t)slots * splits_ * 3 * (3 * hidden_ + 1), "gradient of the tone mapper");
  }
  const int64_t tiles = (frames * 3 * perSlot + Compare::THREADS - 1) / Compare::THREADS;
  losses_ = Buffer<float>(stream, slots * std::max(tiles * SCALARS, frames), "losses");
}

void Photometric::compare(const Step& step, const ShardSums& sums, const SharedGradient& gradient) const {
  const int tiles = (int)((frames_ * 3 * batch_.perSlot + Compare::THREADS - 1) / Compare::THREADS);
  stream_->blocks((int64_t)slots_ * tiles, Compare{step, batch_, ds_, losses_.at(), sums.knots, tiles});
  stream_->items(slots_ * SCALARS, SumSlots<double>{losses_.at(), sums.scalars, tiles, SCALARS, SCALARS});
  stream_->blocks((int64_t)slots_ * frames_, ExposureSums{batch_, sums.exposure, losses_.at(), frames_});
  if (!hidden_) return;
  stream_->blocks((int64_t)slots_ * splits_ * 3, ToneGradient{step, batch_, ds_, partial_.at(), splits_, length_});
  sumPartials(*stream_, partial_.at(), slots_, splits_, 3 * (3 * (int64_t)hidden_ + 1), gradient, tone_);
}

}  // namespace implicam::device
