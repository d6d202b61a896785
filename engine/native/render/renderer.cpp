#include "render/renderer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "session/session.h"

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

Renderer::Renderer(int width, int height, int layers, const float* radiance, const float* defocus,
                   const std::string& isa, int threads)
    : width_(width), height_(height), layers_(layers), kernels_(need(isa)), workers_(threads), scratch_(threads) {
  const size_t size = (size_t)width * height;
  const int maps = defocus ? layers : 0;
  planes_.resize(size * ((layers > 1 ? 7 : 3) + maps));
  float* to = planes_.data();
  for (int k = 0; k < 3; k++, to += size) {
    back_[k] = to;
    std::transform(radiance + k * size, radiance + (k + 1) * size, to, [](float v) { return std::exp(v); });
  }
  if (layers > 1) {
    const float *logit = radiance + 6 * size, *alpha = to;
    front_[0] = to;
    std::transform(logit, logit + size, to, [](float v) { return 1 / (1 + std::exp(-v)); });
    to += size;
    for (int k = 0; k < 3; k++, to += size) {
      front_[k + 1] = to;
      for (size_t i = 0; i < size; i++) to[i] = alpha[i] * std::exp(radiance[(3 + k) * size + i]);
    }
  }
  for (int l = 0; l < maps; l++, to += size) {
    defocus_[l] = to;
    std::copy_n(defocus + l * size, size, to);
    auto [low, high] = std::minmax_element(to, to + size);
    nearest_[l] = *low;
    farthest_[l] = *high;
  }
}

void Renderer::render(float focus, float scale, float gain, const float* curve, float* target) {
  RenderInput input{width_, height_, layers_, 0, focus, scale, gain, curve, {}, {}, {}};
  std::copy_n(back_, 3, input.back);
  std::copy_n(front_, 4, input.front);
  std::copy_n(defocus_, 2, input.defocus);
  if (scale > 0 && defocus_[0]) {
    float widest = 0;
    for (int l = 0; l < layers_; l++)
      widest = std::max({widest, scale * std::abs(nearest_[l] - focus), scale * std::abs(farthest_[l] - focus)});
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
