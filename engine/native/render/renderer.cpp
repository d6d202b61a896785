#include "render/renderer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "trainer/trainer.h"

namespace implicam {

namespace {
// Wider circles are held at this radius, in pixels.
constexpr int WIDEST = 48;

const Kernels<float>& need(const std::string& isa) {
  const Kernels<float>* k = findKernels(isa);
  if (!k) throw std::runtime_error("this processor cannot run the " + isa + " kernels");
  return *k;
}
}  // namespace

Renderer::Renderer(int width, int height, const float* radiance, const float* defocus, const std::string& isa, int threads)
    : width_(width), height_(height), kernels_(need(isa)), workers_(threads), scratch_(threads) {
  const size_t size = (size_t)width * height;
  light_.resize(3 * size);
  std::transform(radiance, radiance + 3 * size, light_.data(), [](float v) { return std::exp(v); });
  if (!defocus) return;
  defocus_.assign(defocus, defocus + size);
  const auto [low, high] = std::minmax_element(defocus_.begin(), defocus_.end());
  nearest_ = *low;
  farthest_ = *high;
}

void Renderer::render(float focus, float scale, float gain, const float* curve, float* target) {
  RenderInput input{width_, height_, 0, focus, scale, gain, curve, {}, defocus_.data()};
  for (int k = 0; k < 3; k++) input.light[k] = light_.data() + k * (size_t)width_ * height_;
  if (scale > 0 && !defocus_.empty()) {
    const float widest = std::max(scale * std::abs(nearest_ - focus), scale * std::abs(farthest_ - focus));
    input.reach = std::min(WIDEST, (int)std::ceil(widest) + 2);
  }
  const int side = input.reach > 16 ? 128 : 64;
  const int columns = (width_ + side - 1) / side, tiles = columns * ((height_ + side - 1) / side);
  const size_t need = kernels_.renderWorkspace(input, side);
  std::atomic<int> next{0};
  workers_.run([&](int id) {
    auto& scratch = scratch_[id];
    if (scratch.size() < need + 64) scratch.assign(need + 64, 0);
    void* memory = (void*)(((uintptr_t)scratch.data() + 63) & ~(uintptr_t)63);
    kernels_.renderTiles(input, side, columns, tiles, &next, memory, target);
  });
}

}  // namespace implicam
