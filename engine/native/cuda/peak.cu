#include "cuda/peak.h"

#include <chrono>

namespace implicam::device {
namespace {

constexpr int CHAINS = 8, ROUNDS = 256;

// Independent chains keep the units busy over the latency of one.
struct MultiplyAdd {
  float* out;
  float factor, term;
  IC_DEVICE void item(int64_t i) const {
    float a[CHAINS];
    IC_PRAGMA_UNROLL
    for (int k = 0; k < CHAINS; k++) a[k] = (float)(i + k);
    for (int r = 0; r < ROUNDS; r++)
      IC_PRAGMA_UNROLL
      for (int k = 0; k < CHAINS; k++) a[k] = a[k] * factor + term;
    float sum = 0;
    IC_PRAGMA_UNROLL
    for (int k = 0; k < CHAINS; k++) sum += a[k];
    out[i] = sum;
  }
};

struct Copy {
  const float* from;
  float* to;
  IC_DEVICE void item(int64_t i) const { to[i] = from[i]; }
};

// Units of `work` a second, in rounds of `launch` until the time is spent; the first round warms up.
template <class F>
double rateOf(Stream& stream, double seconds, double work, F launch) {
  using Clock = std::chrono::steady_clock;
  launch();
  stream.wait();
  double best = 0, spent = 0;
  while (spent < seconds) {
    const auto start = Clock::now();
    for (int k = 0; k < 4; k++) launch();
    stream.wait();
    const double t = std::chrono::duration<double>(Clock::now() - start).count();
    spent += t;
    best = std::max(best, 4 * work / t);
  }
  return best;
}

}  // namespace

Peak measurePeak(Stream& stream, double seconds) {
  const int64_t threads = IC_CUDA ? 1 << 20 : 1 << 10, numbers = IC_CUDA ? 64 << 20 : 1 << 18;
  Buffer<float> a(stream, numbers, "the measurement of its speed"), b(stream, numbers, "the measurement of its speed");
  const MultiplyAdd chains{a.at(), 0.999999f, 1e-6f};
  return {rateOf(stream, seconds, 2.0 * CHAINS * ROUNDS * threads, [&] { stream.items(threads, chains); }),
          rateOf(stream, seconds, 8.0 * numbers, [&] { stream.items(numbers, Copy{a.at(), b.at()}); })};
}

}  // namespace implicam::device
