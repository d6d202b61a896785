// A baked scene held on a device, ready to render.
#pragma once
#include "cuda/blur_generator/spread.h"
#include "cuda/trainer/stream.h"

namespace implicam::device {

class Renderer {
 public:
  // Planes as `bake` leaves them: ln radiance, signed defocus (null: none).
  Renderer(int width, int height, const float* radiance, const float* defocus, const std::string& device);

  // Renders [height][width][3] into `target`. `scale` is κ·aperture; 0 renders without a lens. `curve` is 3 × CURVE_SIZE
  // samples of the display curve, or null for linear light.
  void render(float focus, float scale, float gain, const float* curve, float* target);

 private:
  int reachOf(float focus, float scale) const;

  Stream stream_;
  int width_, height_;
  bool lens_;
  float nearest_ = 0, farthest_ = 0;
  Buffer<float> light_, defocus_, radii_, curve_, target_;
  Buffer<Offset> offsets_;
  int offsetsReach_ = 0;
};

}  // namespace implicam::device
