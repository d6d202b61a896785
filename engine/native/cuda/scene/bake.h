// The scene and the defocus map at every pixel.
#pragma once
#include "cuda/scene/grid.h"
#include "cuda/scene/network.h"

namespace implicam::device {

class Bake {
 public:
  Bake(Stream& stream, const Model& host);
  // The pixels of a rectangle with the grids of the step's first shard slot.
  void run(const Step& step, const Rect& rect);
  // Planes of ln radiance, and of the defocus map behind a lens; pixels that were not run are 0.
  void download(float* radiance, float* defocus) const;

 private:
  Stream& stream_;
  Model model_;
  bool lens_;
  int64_t chunk_;
  Network atlas_, map_;
  Buffer<float> positions_, radiance_, defocus_;
};

}  // namespace implicam::device
