// From blurred radiance to the loss and back: exposure, tone mapper, comparison with the frames. One vector of pixels
// of one view at a time.
#pragma once
#include "tone.h"

namespace implicam::IMPLICAM_ISA {

constexpr R CLIPPED_HIGH = (R)(254.5 / 255), CLIPPED_LOW = (R)(0.5 / 255);

struct Photometric {
  const Model* model;
  Tone tone;
  R* ev;      // [frames]
  R* dev;     // [frames] gradient
  R scale;    // 4 / (N·F·3)
  R gamma, logGamma;
  V loss, squared, samples;

  void place(const Model& m, Arena& arena) {
    model = &m;
    tone.place(m, arena);
    ev = arena.take<R>(m.frames);
    dev = arena.take<R>(m.frames);
  }

  void begin(const R* theta, const StepInput& step, double pixels) {
    tone.begin(theta);
    for (int f = 0; f < model->frames; f++) {
      ev[f] = exposureOf(*model, theta, f, nullptr);
      dev[f] = 0;
    }
    scale = (R)(4.0 / (pixels * model->frames * 3));
    gamma = step.gamma;
    logGamma = 1 / scalarLog(gamma + 1);
    loss = squared = samples = V{};
  }

  // ev = base + squash(P δ); `slope` receives d ev / d(P δ).
  static R exposureOf(const Model& m, const R* theta, int f, R* slope) {
    R shift = 0;
    for (int j = 0; j < m.exposures; j++) shift += (R)m.evBasis[f * m.exposures + j] * theta[m.exposure + j];
    if (slope) *slope = 1;
    if (m.evSquash > 0) {
      R t = scalarTanh(shift);
      if (slope) *slope = (R)m.evSquash * (1 - t * t);
      shift = (R)m.evSquash * t;
    }
    return (R)m.evBase[f] + shift;
  }

  void finish(const R* theta, R* grad) {
    tone.finish(grad);
    for (int f = 0; f < model->frames; f++) {
      R slope;
      exposureOf(*model, theta, f, &slope);
      for (int j = 0; j < model->exposures; j++)
        grad[model->exposure + j] += dev[f] * slope * (R)model->evBasis[f * model->exposures + j];
    }
  }

  // One channel of one view: u = ln of blurred radiance, weight ω without its slope part (0 outside), targets by
  // `target(frame)`. Returns dL/du.
  template <class Target>
  IC_INLINE V compare(Photometric& self, const View& view, int c, V u, V weight, Target target) {
    const Model& m = *self.model;
    V du{};
    for (int k = 0; k < view.frames; k++) {
      int f = m.frameOrder[view.first + k];
      V t, inside;
      target(f, t, inside);
      V z = u + LN2 * self.ev[f], y, slope;
      Tone::curve(self.tone, c, z, y, slope);
      V e = y - t, gain = splat(1);
      if (m.loss.randomGamma > 0) {
        V yp = vmax(y, V{});
        e += (R)m.loss.randomGamma * (vlog(yp * self.gamma + 1) - vlog(t * self.gamma + 1)) * self.logGamma;
        V d = (R)m.loss.randomGamma * self.logGamma * self.gamma / (yp * self.gamma + 1);
        gain += y > 0 ? d : V{};
      }
      V plain = y - t;
      VI both = ((t >= CLIPPED_HIGH) & (y > CLIPPED_HIGH)) | ((t <= CLIPPED_LOW) & (y < CLIPPED_LOW));
      plain = both ? V{} : plain;
      if (m.loss.inequality) e = both ? V{} : e;
      V w = weight * inside;
      V seen = w > 0 ? splat(1) : V{};
      self.squared += seen * plain * plain;
      self.samples += seen;
      if (m.loss.slope) w *= (R)0.05 / (slope * slope + (R)0.01);
      w *= self.scale;
      self.loss += w * e * e;
      V dy = 2 * w * e * gain;
      self.tone.back(c, z, dy, y);
      V dz = dy * slope;
      self.dev[f] += LN2 * laneSum(dz);
      du += dz;
    }
    return du;
  }

  static R scalarLog(R x) { return sizeof(R) == 4 ? (R)__builtin_logf(x) : (R)__builtin_log(x); }
  static R scalarTanh(R x) { return sizeof(R) == 4 ? (R)__builtin_tanhf(x) : (R)__builtin_tanh(x); }
};

}  // namespace implicam::IMPLICAM_ISA
