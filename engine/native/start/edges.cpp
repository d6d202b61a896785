#include "start/edges.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "start/constants.h"
#include "start/fast_math.h"

namespace implicam::start {

namespace {
using namespace layers;
using namespace levels;

constexpr int PAD = 2;

struct Layer {
  int inputs, outputs, taps, dilation, stride;
  Ending ending;
};

constexpr Layer LAYERS[] = {
    {INPUT, FINE, 9, 1, 1, Ending::rectified},   {FINE, FINE, 9, 1, 1, Ending::residual},
    {FINE, FINE, 9, 1, 1, Ending::residual},     {FINE, COARSE, 9, 1, 2, Ending::rectified},
    {COARSE, COARSE, 9, 1, 1, Ending::residual}, {COARSE, COARSE, 9, 2, 1, Ending::residual},
    {COARSE, COARSE, 9, 1, 1, Ending::residual}, {COARSE, FINE, 1, 1, 1, Ending::plain},
    {FINE, FINE, 9, 1, 1, Ending::residual},     {FINE, FINE, 9, 1, 1, Ending::residual},
    {FINE, OUTPUT, 9, 1, 1, Ending::plain},
};
constexpr int LAYER_COUNT = 11;

constexpr size_t startOf(int layer) {
  size_t start = 0;
  for (int k = 0; k < layer; k++) start += (size_t)LAYERS[k].outputs * (LAYERS[k].inputs * LAYERS[k].taps + 1);
  return start;
}

// The weights of a group's outputs side by side; biases stay behind them.
void packed(const float* network, float* out) {
  for (int k = 0; k < LAYER_COUNT; k++) {
    const Layer& layer = LAYERS[k];
    const int each = layer.inputs * layer.taps;
    const float* from = network + startOf(k);
    float* to = out + startOf(k);
    const int group = layer.outputs / GROUPS;
    for (int o = 0; o < layer.outputs; o += group)
      for (int i = 0; i < each; i++)
        for (int n = 0; n < group; n++) *to++ = from[(size_t)(o + n) * each + i];
    std::copy_n(from + (size_t)layer.outputs * each, layer.outputs, to);
  }
}

// Planes in memory that is made large enough, with zeros around them.
PlaneRows planesIn(std::vector<float>& memory, int channels, int width, int height) {
  const ptrdiff_t pitch = width + 2 * PAD;
  const size_t size = (size_t)(height + 2 * PAD) * channels * pitch;
  // Behind it as far as a vector may reach.
  memory.assign(size + 256, 0);
  return {memory.data() + (size_t)PAD * channels * pitch + PAD, channels, width, height, pitch};
}

struct Light {
  int width, height;
  float* data;
};

inline int clamped(int i, int size) { return std::clamp(i, 0, size - 1); }

void lightRows(const Member& me, const EdgeViews& input, const Part& part, int margin, const Light& light) {
  for (int y = me.from(light.height); y < me.to(light.height); y++) {
    const size_t row = (size_t)clamped(part.y - margin + y, input.height) * input.width;
    for (int p = 0; p < 9; p++) {
      const float* from = input.views[p / 3] + 3 * row + p % 3;
      float* to = light.data + ((size_t)p * light.height + y) * light.width;
      for (int x = 0; x < light.width; x++) {
        const double value = exponential(from[3 * (size_t)clamped(part.x - margin + x, input.width)] + input.gains[p]);
        to[x] = (float)(value < CEILING ? value : CEILING);
      }
    }
  }
}

void halveRows(const Member& me, const Light& from, const Light& to) {
  for (int p = 0; p < 9; p++)
    for (int y = me.from(to.height); y < me.to(to.height); y++) {
      const float* i = from.data + ((size_t)p * from.height + 2 * y) * from.width;
      const float* j = i + from.width;
      float* out = to.data + ((size_t)p * to.height + y) * to.width;
      for (int x = 0; x < to.width; x++, i += 2, j += 2)
        out[x] = (float)(0.25 * ((double)i[0] + i[1] + ((double)j[0] + j[1])));
    }
}

// What passes from level to level: planes of one size.
struct Level {
  int width, height;
  float *views, *guess, *out;
  size_t pixels() const { return (size_t)width * height; }
};

void curveRows(const Member& me, const Light& light, const Level& level) {
  const int left = (light.width - level.width) / 2, top = (light.height - level.height) / 2;
  for (int p = 0; p < 9; p++)
    for (int y = me.from(level.height); y < me.to(level.height); y++) {
      const float* from = light.data + ((size_t)p * light.height + top + y) * light.width + left;
      float* to = level.views + p * level.pixels() + (size_t)y * level.width;
      for (int x = 0; x < level.width; x++) to[x] = (float)(logarithm((float)(1 + MU * from[x])) * (1 / CURVE));
    }
}

inline float meanOf(const float* views, size_t i, size_t step) {
  return (float)(1.0 / 3) * (views[i] + views[i + step] + views[i + 2 * step]);
}

inline float between(const float* near, const float* far, int i, int j) {
  const float a = 0.75f * near[i] + 0.25f * near[j], b = 0.75f * far[i] + 0.25f * far[j];
  return 0.75f * a + 0.25f * b;
}

void guessRows(const Member& me, const Level& level, const Level* coarser) {
  const size_t pixels = level.pixels();
  for (int p = 0; p < PLANES; p++)
    for (int y = me.from(level.height); y < me.to(level.height); y++) {
      float* to = level.guess + p * pixels + (size_t)y * level.width;
      if (!coarser) {
        for (int x = 0; x < level.width; x++)
          to[x] = p < 3 ? meanOf(level.views, p * pixels + (size_t)y * level.width + x, 3 * pixels) : 0;
        continue;
      }
      const float* near =
          coarser->out + ((size_t)p * coarser->height + MARGIN / 2 + (y >> 1)) * coarser->width + MARGIN / 2;
      const float* far = near + (y % 2 == 0 ? -coarser->width : coarser->width);
      for (int x = 0; x < level.width; x++) to[x] = between(near, far, x >> 1, (x >> 1) + (x % 2 == 0 ? -1 : 1));
    }
}

void inputRows(const Member& me, const Level& level, const double* spans, int scale, const PlaneRows& out) {
  const size_t pixels = level.pixels(), colours = 3 * pixels;
  for (int row = me.from(out.height); row < me.to(out.height); row++) {
    for (int corner = 0; corner < 4; corner++) {
      const size_t at = (size_t)(2 * row + corner / 2) * level.width + corner % 2;
      for (int c = 0; c < 3; c++) {
        const float *views = level.views + c * pixels + at, *guess = level.guess + c * pixels + at;
        float *first = out.row(row, 4 * c + corner), *last = out.row(row, 4 * (3 + c) + corner);
        float *middle = out.row(row, 4 * (6 + c) + corner), *other = out.row(row, 4 * (9 + c) + corner);
        for (int x = 0; x < out.width; x++) {
          const float mean = meanOf(views, 2 * x, colours);
          first[x] = 4 * (views[2 * x] - mean);
          last[x] = 4 * (views[2 * x + 2 * colours] - mean);
          middle[x] = 2 * mean - 1;
          other[x] = 4 * (guess[2 * x] - mean);
        }
      }
      float* depth = out.row(row, 4 * 12 + corner);
      for (int x = 0; x < out.width; x++) depth[x] = level.guess[colours + at + 2 * x];
    }
    for (int k = 0; k < 2; k++) {
      const float given = (float)(std::clamp(spans[k] / scale, -LARGEST_SPAN, LARGEST_SPAN) / SPAN_UNIT);
      std::fill_n(out.row(row, INPUT - 2 + k), out.width, given);
    }
  }
}

void addEnlargedRows(const Member& me, const PlaneRows& planes, const PlaneRows& half) {
  for (int y = me.from(planes.height); y < me.to(planes.height); y++) {
    const int other = clamped((y >> 1) + (y % 2 == 0 ? -1 : 1), half.height);
    for (int c = 0; c < planes.channels; c++) {
      const float *near = half.row(y >> 1, c), *far = half.row(other, c);
      float* to = planes.row(y, c);
      for (int x = 0; x < planes.width; x++)
        to[x] += between(near, far, x >> 1, clamped((x >> 1) + (x % 2 == 0 ? -1 : 1), half.width));
    }
  }
}

void mixRows(const Member& me, const Level& level, const PlaneRows& said) {
  const size_t pixels = level.pixels();
  for (int y = 2 * me.from(said.height); y < 2 * me.to(said.height); y++)
    for (int x = 0; x < level.width; x++) {
      const size_t p = (size_t)y * level.width + x;
      const float* at = said.row(y >> 1, 2 * (y % 2) + x % 2) + (x >> 1);
      const ptrdiff_t step = 4 * said.pitch;
      const double a = 4.0 * at[0], b = 4.0 * at[step], c = 4.0 * at[2 * step];
      const double most = std::max(std::max(a, b), c);
      const double near = exponential(a - most), middle = exponential(b - most), far = exponential(c - most);
      const double sum = near + middle + far;
      for (int k = 0; k < 3; k++) {
        const float* views = level.views + k * pixels + p;
        const double chosen = near * views[0] + middle * views[3 * pixels] + far * views[6 * pixels];
        level.out[k * pixels + p] = (float)(chosen / sum + 0.5 * at[(3 + k) * step]);
      }
      level.out[3 * pixels + p] = at[6 * step];
    }
}

}  // namespace

const size_t EDGE_WEIGHTS = startOf(LAYER_COUNT);

void EdgeNetwork::see(Team& team, const float* network, const EdgeViews& input, const Part& part, float* out) {
  const int count = input.levels, widest = levels::MARGIN << (count - 1);
  enum { WEIGHTS, LIGHT, VIEWS, GUESS, OUT, SEEN, ONE, OTHER, HALF, HALF_OTHER };
  memory_[WEIGHTS].resize(EDGE_WEIGHTS);
  packed(network, memory_[WEIGHTS].data());
  std::vector<Light> lights;
  std::vector<Level> all;
  size_t lit = 0, finished = 0;
  for (int l = 0; l < count; l++) {
    const int margin = widest >> l;
    lights.push_back({(part.width >> l) + 2 * margin, (part.height >> l) + 2 * margin, nullptr});
    all.push_back({(part.width >> l) + 2 * MARGIN, (part.height >> l) + 2 * MARGIN, nullptr, nullptr, nullptr});
    lit += 9 * (size_t)lights[l].width * lights[l].height;
    finished += PLANES * all[l].pixels();
  }
  memory_[LIGHT].resize(lit);
  memory_[OUT].resize(finished);
  memory_[VIEWS].resize(9 * all[0].pixels());
  memory_[GUESS].resize(PLANES * all[0].pixels());
  lit = finished = 0;
  for (int l = 0; l < count; l++) {
    lights[l].data = memory_[LIGHT].data() + lit;
    lit += 9 * (size_t)lights[l].width * lights[l].height;
    all[l].views = memory_[VIEWS].data();
    all[l].guess = memory_[GUESS].data();
    all[l].out = memory_[OUT].data() + finished;
    finished += PLANES * all[l].pixels();
  }
  team.run(all[0].pixels(), [&](const Member& me) {
    lightRows(me, input, part, widest, lights[0]);
    me.meet();
    for (int l = 1; l < count; l++) {
      halveRows(me, lights[l - 1], lights[l]);
      me.meet();
    }
  });
  for (int l = count - 1; l >= 0; l--) {
    const Level& level = all[l];
    const int width = level.width / 2, height = level.height / 2;
    const PlaneRows seen = planesIn(memory_[SEEN], INPUT, width, height);
    const PlaneRows one = planesIn(memory_[ONE], FINE, width, height);
    const PlaneRows other = planesIn(memory_[OTHER], FINE, width, height);
    const PlaneRows half = planesIn(memory_[HALF], COARSE, width / 2, height / 2);
    const PlaneRows halfOther = planesIn(memory_[HALF_OTHER], COARSE, width / 2, height / 2);
    // Where nobody needs what it saw any more, the output goes.
    const PlaneRows said{seen.origin, OUTPUT, width, height, seen.pitch};
    team.run(level.pixels(), [&](const Member& me) {
      std::vector<float> scratch(scratchOf(one));
      auto apply = [&](int k, const PlaneRows& from, const PlaneRows& to) {
        const Layer& layer = LAYERS[k];
        const float* weights = memory_[WEIGHTS].data() + startOf(k);
        const float* biases = weights + (size_t)layer.outputs * layer.inputs * layer.taps;
        convolve_({from, to, weights, biases, layer.taps, layer.dilation, layer.stride, layer.ending}, me.from(to.height),
                  me.to(to.height), scratch.data());
        me.meet();
      };
      curveRows(me, lights[l], level);
      guessRows(me, level, l + 1 < count ? &all[l + 1] : nullptr);
      me.meet();
      inputRows(me, level, input.spans, 1 << l, seen);
      me.meet();
      apply(0, seen, one);
      apply(1, one, other);
      apply(2, other, one);
      apply(3, one, half);
      apply(4, half, halfOther);
      apply(5, halfOther, half);
      apply(6, half, halfOther);
      apply(7, {halfOther.origin, COARSE, width / 2, height / 2, halfOther.pitch},
            {half.origin, FINE, width / 2, height / 2, half.pitch});
      addEnlargedRows(me, one, {half.origin, FINE, width / 2, height / 2, half.pitch});
      me.meet();
      apply(8, one, other);
      apply(9, other, one);
      apply(10, one, said);
      mixRows(me, level, said);
    });
  }
  for (int p = 0; p < PLANES; p++)
    for (int y = 0; y < part.height; y++)
      std::copy_n(all[0].out + ((size_t)p * all[0].height + MARGIN + y) * all[0].width + MARGIN, part.width,
                  out + ((size_t)p * part.height + y) * part.width);
}

#if defined(__x86_64__)
extern ConvolveRows *const convolve_avx512, *const convolve_avx2, *const convolve_sse2;
#elif defined(__aarch64__)
extern ConvolveRows* const convolve_neon;
#endif

ConvolveRows* findConvolution(const char* isa) {
  const std::string name(isa);
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (wide && (name.empty() || name == "avx512")) return convolve_avx512;
  if (__builtin_cpu_supports("avx2") && (name.empty() || name == "avx2")) return convolve_avx2;
  if (name.empty() || name == "sse2") return convolve_sse2;
#elif defined(__aarch64__)
  if (name.empty() || name == "neon") return convolve_neon;
#endif
  return nullptr;
}

}  // namespace implicam::start
