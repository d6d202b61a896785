// A baked scene held ready to render, and the threads to do it.
#pragma once
#include <string>
#include <vector>
#include "shared/plan.h"
#include "support/workers.h"

namespace implicam {

class Renderer {
 public:
  // Planes as `bake` leaves them: ln radiance, signed defocus (null: none).
  Renderer(int width, int height, const float* radiance, const float* defocus, const std::string& isa, int threads);

  // Renders [height][width][3] into `target`. `scale` is κ·aperture; 0 renders without a lens. `curve` is 3 × CURVE_SIZE
  // samples of the display curve, or null for linear light.
  void render(float focus, float scale, float gain, const float* curve, float* target);

  int width() const { return width_; }
  int height() const { return height_; }

 private:
  int width_, height_;
  std::vector<float> light_, defocus_;
  float nearest_ = 0, farthest_ = 0;
  const Kernels<float>& kernels_;
  Workers workers_;
  std::vector<std::vector<uint8_t>> scratch_;
};

}  // namespace implicam
