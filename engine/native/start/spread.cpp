#include "start/spread.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace implicam::start {

void spread(Team& team, const Sources& sources, int border, const float* distance, const Window& window, float* sums) {
  const int span = border + 1, right = window.x + window.width;
  team.run((size_t)window.width * window.height, [&](const Member& me) {
    // This member's rows of the window: what arrives at a pixel does so in the order of its sources.
    const int top = window.y + me.from(window.height), bottom = window.y + me.to(window.height);
    for (int y = top - border; y < bottom + border; y++) {
      const size_t row = (size_t)std::clamp(y, 0, sources.height - 1) * sources.width;
      for (int x = window.x - border; x < right + border; x++) {
        const size_t at = row + std::clamp(x, 0, sources.width - 1);
        const double limit = (double)sources.radii[at] + 0.5;
        const double light[4] = {sources.density[at], sources.light[3 * at], sources.light[3 * at + 1],
                                 sources.light[3 * at + 2]};
        const int rows = (int)std::ceil(limit) - 1;
        const int first = std::max(top, y - rows), last = std::min(bottom - 1, y + rows);
        for (int ty = first; ty <= last; ty++) {
          const int dy = std::abs(ty - y);
          const int columns = (int)std::ceil(std::sqrt(std::max(0.0, limit * limit - (double)dy * dy)));
          const int from = std::max(window.x, x - columns), to = std::min(right - 1, x + columns);
          const float* away = distance + (size_t)dy * span;
          size_t i = (size_t)(ty - window.y) * window.width + from - window.x;
          for (int tx = from; tx <= to; tx++, i++) {
            const double reached = limit - away[std::abs(tx - x)];
            if (reached <= 0) continue;
            const double k = std::min(1.0, reached);
            float* sum = sums + 4 * i;
            for (int c = 0; c < 4; c++) sum[c] = (float)(sum[c] + k * light[c]);
          }
        }
      }
    }
  });
}

}  // namespace implicam::start
