// What the multiply-adds of an instruction set reach on this machine: the ceiling of every step.
#pragma once
#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "shared/plan.h"
#include "support/workers.h"

namespace implicam {

// Rounds of a probe: tens of microseconds, long beside a look at the clock and short beside a turn on the processor.
constexpr int PROBE_ROUNDS = 20000;

// FLOP/s of so many threads at once: the sum of each one's best probe of those that it makes in `seconds`. So neither a
// processor that is still cold nor other work, which takes it away now and then, is mistaken for the machine.
inline double measurePeak(const Kernels<float>& kernels, int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  std::vector<double> best(threads);
  const auto start = Clock::now();
  Workers(threads).run([&](int id) {
    Clock::time_point now = Clock::now();
    do {
      const auto began = now;
      const double flop = kernels.multiplyAdds(PROBE_ROUNDS);
      now = Clock::now();
      best[id] = std::max(best[id], flop / Seconds(now - began).count());
    } while (Seconds(now - start).count() < seconds);
  });
  return std::accumulate(best.begin(), best.end(), 0.0);
}

}  // namespace implicam
