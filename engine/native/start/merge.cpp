#include "start/merge.h"

#include <algorithm>
#include <limits>

namespace implicam::start {

namespace {

using namespace pixelRadiance;
using namespace response;
using namespace merge;

// What the frames say about one pixel.
struct Pixel {
  const MergeInput& in;
  int used = 0;
  int code[MOST_FRAMES];
  double value[MOST_FRAMES], shift[MOST_FRAMES];

  double read(size_t p) {
    double sum = 0, trust = 0;
    used = 0;
    for (int e = 0; e < in.frames; e++) {
      if (in.masks[e] && in.masks[e][p] == 0) continue;
      const int raw = in.codes[e][3 * p + in.channel];
      code[used] = raw;
      value[used] = raw * (1.0 / 255);
      shift[used++] = in.shifts[e];
      const double known = raw / 255.0 <= BLACK || raw / 255.0 >= WHITE ? 0 : std::min(raw, 255 - raw);
      sum += known * (in.table[raw] - in.shifts[e]);
      trust += known;
    }
    return trust > 0 ? sum / trust : bound();
  }

  // Where every value is clipped: at least what the white ones ask, at most what the black ones allow.
  double bound() const {
    constexpr double INFINITE = std::numeric_limits<double>::infinity();
    double least = -INFINITE, most = INFINITE;
    for (int e = 0; e < used; e++) {
      const double limit = in.table[code[e]] - shift[e];
      if (value[e] >= WHITE) least = std::max(least, limit);
      else most = std::min(most, limit);
    }
    if (least == -INFINITE) return most;
    return most == INFINITE ? least : (least + most) / 2;
  }

  // Gauss-Newton.
  double solve(double u) const {
    for (int step = 0; step < STEPS; step++) {
      double numerator = 0, denominator = DAMPING, whitePull = 0, whiteCurvature = 0;
      bool inside = false;
      for (int e = 0; e < used; e++) {
        const double position = (u + shift[e] - RESPONSE_MIN) * (1 / KNOT_STEP);
        const int k = position <= 0 ? 0 : position >= SEGMENTS ? SEGMENTS - 1 : (int)position;
        const double low = in.knots[k], model = low + (in.knots[k + 1] - low) * (position - k), v = value[e];
        if (v <= BLACK ? model < BLACK + ROUNDING : v >= WHITE && (model > v || model > FULL)) continue;
        if (position >= SEGMENTS) {
          whitePull += in.pull[k] * (v - std::min(1.0, model));
          whiteCurvature += in.curvature[k];
          continue;
        }
        inside = true;
        numerator += in.pull[k] * (v - model);
        denominator += in.curvature[k];
      }
      // A frame that the model sees beyond saturation is heard only where no other is inside.
      if (!inside) {
        numerator += whitePull;
        denominator += whiteCurvature;
      }
      const double change = std::clamp(numerator / denominator, -LONGEST_STEP, LONGEST_STEP);
      u += change;
      if (change < CLOSE && change > -CLOSE) break;
    }
    return u;
  }
};

// Codes repeat, and radiance depends on nothing else: results by the codes of all frames.
struct Solved {
  uint64_t key = UINT64_MAX;
  float radiance;
};

}  // namespace

void mergeChannel(Team& team, const MergeInput& in, float* radiance) {
  team.run(in.pixels, [&](const Member& me) {
    std::vector<Solved> solved((size_t)1 << SLOT_BITS);
    Pixel pixel{in, 0, {}, {}, {}};
    const size_t from = in.pixels * me.id / me.count, to = in.pixels * (me.id + 1) / me.count;
    for (size_t p = from; p < to; p++) {
      uint64_t key = 0;
      for (int e = 0; e < in.frames; e++)
        key = key << 9 | (in.masks[e] && in.masks[e][p] == 0 ? 256 : in.codes[e][3 * p + in.channel]);
      Solved& slot = solved[key * 0x9e3779b97f4a7c15 >> (64 - SLOT_BITS)];
      if (slot.key != key) {
        const double start = pixel.read(p);
        const double u = pixel.used == 0 ? in.blackest : pixel.used == 1 ? start : pixel.solve(start);
        slot = {key, (float)u};
      }
      radiance[3 * p + in.channel] = slot.radiance;
    }
  });
}

}  // namespace implicam::start
