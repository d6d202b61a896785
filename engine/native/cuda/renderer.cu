#include "cuda/renderer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include "cuda/trainer/step.h"

namespace implicam::device {
namespace {

// Wider circles are held at this radius, in pixels, as on the processor.
constexpr int WIDEST = 48;
constexpr float COVER = 1e-4f;

// Linear light.
struct Linear {
  const float* planes;  // as baked
  float* light;
  IC_DEVICE void item(int64_t i) const { light[i] = expf(planes[i]); }
};

// ρ and 1/(π(ρ² + 1/12)) of every pixel.
struct RenderRadii {
  const float* defocus;
  float* radii;  // [2][size]
  int64_t size;
  float focus, scale;
  int reach;

  IC_DEVICE void item(int64_t i) const {
    const Radius<float> r = radiusOf(scale * (defocus[i] - focus), (float)reach);
    radii[i] = r.rho;
    radii[size + i] = r.inverse;
  }
};

struct RenderPixel {
  const float *light, *radii, *curve;
  float* target;
  const Offset* offset;
  int offsets, width, height;  // no offsets: no lens
  float gain;

  IC_DEVICE void item(int64_t i) const {
    const int64_t size = (int64_t)width * height;
    float seen[3];
    if (offsets) {
      float sum[4] = {};
      gather(i, sum);
      const float inverse = 1 / (sum[0] + COVER);
      for (int k = 0; k < 3; k++) seen[k] = sum[k + 1] * inverse;
    } else {
      for (int k = 0; k < 3; k++) seen[k] = light[k * size + i];
    }
    for (int k = 0; k < 3; k++) {
      const float v = seen[k] * gain;
      target[3 * i + k] = curve ? display(curve + k * CURVE_SIZE, v) : v;
    }
  }

 private:
  IC_DEVICE void gather(int64_t i, float* sum) const {
    const int64_t size = (int64_t)width * height;
    const float *rho = radii, *inverse = rho + size;
    const int x = (int)(i % width), y = (int)(i / width);
    for (int k = 0; k < offsets; k++) {
      const Offset o = offset[k];
      // Outside the picture, its edge.
      const int64_t at = (int64_t)clampTo(y + o.dy, 0, height - 1) * width + clampTo(x + o.dx, 0, width - 1);
      const float reach = rho[at] + (.5f - o.distance);
      if (reach <= 0) continue;
      const float weight = lesser(reach, 1) * inverse[at];
      sum[0] += weight;
      IC_PRAGMA_UNROLL
      for (int c = 0; c < 3; c++) sum[c + 1] += weight * light[c * size + at];
    }
  }

  // The curve is sampled at floats whose bits are CURVE_FROM + j·2^CURVE_SHIFT: linear between, at even relative steps.
  IC_DEVICE static float display(const float* table, float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    const int32_t d = x > 0 && bits > CURVE_FROM ? bits - CURVE_FROM : 0, j = d >> CURVE_SHIFT;
    if (j > CURVE_SIZE - 2) return table[CURVE_SIZE - 1];
    const float part = (float)(d & ((1 << CURVE_SHIFT) - 1)) * (1.0f / (1 << CURVE_SHIFT));
    return table[j] + (table[j + 1] - table[j]) * part;
  }
};

}  // namespace

Renderer::Renderer(int width, int height, const float* radiance, const float* defocus, const std::string& device)
    : stream_(device), width_(width), height_(height), lens_(defocus != nullptr) {
  const size_t size = (size_t)width * height;
  light_ = Buffer<float>(stream_, 3 * size, "the baked scene");
  target_ = Buffer<float>(stream_, 3 * size, "the render");
  curve_ = Buffer<float>(stream_, 3 * CURVE_SIZE, "the display curve");
  {
    Buffer<float> baked(stream_, 3 * size, "the baked scene");
    baked.upload(radiance);
    stream_.items(3 * (int64_t)size, Linear{baked.at(), light_.at()});
    stream_.wait();
  }
  if (!defocus) return;
  defocus_ = Buffer<float>(stream_, size, "the defocus map");
  defocus_.upload(defocus);
  radii_ = Buffer<float>(stream_, 2 * size, "radii of the defocus map");
  const auto [low, high] = std::minmax_element(defocus, defocus + size);
  nearest_ = *low;
  farthest_ = *high;
}

int Renderer::reachOf(float focus, float scale) const {
  if (!(scale > 0) || !lens_) return 0;
  const float widest = std::max(scale * std::abs(nearest_ - focus), scale * std::abs(farthest_ - focus));
  return std::min((float)WIDEST, std::ceil(widest) + 2);
}

void Renderer::render(float focus, float scale, float gain, const float* curve, float* target) {
  const int64_t size = (int64_t)width_ * height_;
  const int reach = reachOf(focus, scale);
  if (reach && reach != offsetsReach_) {
    offsets_ = uploadOffsets(stream_, reach);
    offsetsReach_ = reach;
  }
  if (curve) curve_.upload(curve);
  if (reach) stream_.items(size, RenderRadii{defocus_.at(), radii_.at(), size, focus, scale, reach});
  stream_.items(size, RenderPixel{light_.at(), radii_.at(), curve ? curve_.at() : nullptr, target_.at(), offsets_.at(),
                                  reach ? (int)offsets_.count() : 0, width_, height_, gain});
  target_.download(target);
}

}  // namespace implicam::device
