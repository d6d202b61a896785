#include "cuda/scene/bake.h"

#include <algorithm>

namespace implicam::device {
namespace {

// Floats of workspace for the pixels that are evaluated at once.
constexpr int64_t BAKE_FLOATS = 64 << 20;

struct Pixels {
  Step step;
  Rect rect;
  int64_t first, samples;
  float *px, *py, *siren;  // [samples]; [2][samples] input of a sine network, or null

  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    int64_t r = first + n;
    const int64_t last = (int64_t)rect.width * rect.height - 1;
    r = r < last ? r : last;
    const Point p = confine(m, step.shard(0), {rect.x + r % rect.width + .5f, rect.y + r / rect.width + .5f});
    px[n] = p.x;
    py[n] = p.y;
    if (siren) sineInput(m, p, siren, samples, n);
  }
};

struct Write {
  Step step;
  Rect rect;
  int64_t first, samples;
  const float *scene, *map;  // no map: no lens
  float *radiance, *defocus;

  IC_DEVICE void item(int64_t n) const {
    const Model& m = *step.model;
    const int64_t r = first + n, size = (int64_t)m.width * m.height;
    const int64_t at = (rect.y + r / rect.width) * m.width + rect.x + r % rect.width;
    for (int k = 0; k < 3; k++) {
      float v = scene[k * samples + n];
      if (m.startRadiance && m.residual) v += m.startRadiance[k * size + at];
      radiance[k * size + at] = clampTo(v, LN_MIN, LN_MAX);
    }
    if (map) defocus[at] = map[n] + (m.startDefocus ? m.startDefocus[at] : 0);
  }
};

}  // namespace

Bake::Bake(Stream& stream, const Model& m) : stream_(stream), model_(m), lens_(m.blurForm == BLUR_LENS) {
  const int64_t pixels = (int64_t)m.width * m.height;
  const int64_t floats = Network::floatsPerSample(m.atlas) + Network::floatsPerSample(m.map) + 2;
  chunk_ = paddedSamples(std::min(pixels, std::max<int64_t>(1024, BAKE_FLOATS / floats)));
  atlas_ = Network(stream, m.atlas, 1, chunk_, "scene network");
  if (lens_) map_ = Network(stream, m.map, 1, chunk_, "defocus network");
  positions_ = Buffer<float>(stream, 2 * chunk_, "positions");
  radiance_ = Buffer<float>(stream, 3 * pixels, "baked radiance");
  defocus_ = Buffer<float>(stream, lens_ ? pixels : 0, "baked defocus map");
}

void Bake::run(const Step& step, const Rect& rect) {
  const int64_t all = (int64_t)rect.width * rect.height;
  float *px = positions_.at(), *py = px + chunk_;
  for (int64_t first = 0; first < all; first += chunk_) {
    stream_.items(chunk_, Pixels{step, rect, first, chunk_, px, py, model_.siren ? atlas_.input() : nullptr});
    if (!model_.siren)
      GridPass{step, Grid::atlas, px, py, atlas_.input(), chunk_, chunk_, model_.atlasGrid.levels}.encode(stream_);
    atlas_.forward(step.theta);
    if (lens_) {
      GridPass{step, Grid::map, px, py, map_.input(), chunk_, chunk_, model_.mapGrid.levels}.encode(stream_);
      map_.forward(step.theta);
    }
    stream_.items(std::min(chunk_, all - first), Write{step, rect, first, chunk_, atlas_.output(),
                                                       lens_ ? map_.output() : nullptr, radiance_.at(), defocus_.at()});
  }
}

void Bake::download(float* radiance, float* defocus) const {
  radiance_.download(radiance);
  if (lens_) defocus_.download(defocus);
}

}  // namespace implicam::device
