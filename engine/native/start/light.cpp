#include "start/light.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace implicam::start {

namespace {

// fastExp of fast-math.ts.
inline double exponential(double x) {
  const double y = x * 1.4426950408889634;
  if (y < -150) return 0;
  const double z = y > 127 ? 127 : y, whole = std::floor(z);
  const double g = (z - whole) * 0.6931471805599453 - 0.34657359;
  const double p =
      1 + g * (1 + g * (0.5 + g * (0.16666667 + g * (0.041666668 + g * (0.008333334 + g * 0.0013888889)))));
  const int64_t bits = (int64_t)((int)whole + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, 8);
  return 1.4142135623730951 * p * power;
}

}  // namespace

void channelLight(Team& team, const float* data, int width, int channel, double gain, const Coverage& columns,
                  const Coverage& rows, float* out) {
  team.run((size_t)width * rows.count * rows.most, [&](const Member& me) {
    std::vector<double> line(width);
    for (int j = me.from(rows.count); j < me.to(rows.count); j++) {
      std::fill(line.begin(), line.end(), 0.0);
      for (int k = 0; k < rows.most; k++) {
        const double weight = rows.weights[(size_t)j * rows.most + k];
        if (weight == 0) continue;
        const float* row = data + (size_t)(rows.first[j] + k) * width * 3 + channel;
        for (int x = 0; x < width; x++) line[x] += weight * exponential(row[3 * (size_t)x] + gain);
      }
      for (int i = 0; i < columns.count; i++) {
        const double* weights = columns.weights + (size_t)i * columns.most;
        double sum = 0;
        for (int k = 0; k < columns.most; k++)
          if (weights[k] != 0) sum += weights[k] * line[columns.first[i] + k];
        out[(size_t)j * columns.count + i] = (float)sum;
      }
    }
  });
}

}  // namespace implicam::start
