// From blurred radiance to the loss and back: exposure, tone mapper, comparison with the frames. One vector of pixels
// of one view at a time.
#pragma once
#include "shared/comparison.h"
#include "kernels/tone_mapper/tone_mapper.h"

namespace implicam::IMPLICAM_ISA {

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
      R slope;
      ev[f] = exposureOf<R>(*model, theta, f, slope);
      dev[f] = 0;
    }
    scale = (R)(4.0 / (pixels * model->frames * 3));
    gamma = step.gamma;
    logGamma = 1 / logarithm(gamma + 1);
    loss = squared = samples = V{};
  }

  void finish(const R* theta, R* grad) {
    tone.finish(grad);
    for (int f = 0; f < model->frames; f++) {
      R slope;
      exposureOf<R>(*model, theta, f, slope);
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
      const Cost<V> cost = costOf<R>(m.loss, self.gamma, self.logGamma, self.scale, t, y, slope, weight * inside);
      self.squared += cost.squared;
      self.samples += cost.counted;
      self.loss += cost.loss;
      self.tone.back(c, z, cost.dy, y);
      V dz = cost.dy * slope;
      self.dev[f] += LN2 * laneSum(dz);
      du += dz;
    }
    return du;
  }
};

}  // namespace implicam::IMPLICAM_ISA
