#include "start/light.h"

#include <algorithm>

#include "start/fast_math.h"

namespace implicam::start {

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
