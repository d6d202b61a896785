// Where the time of a step goes: processor ticks by phase.
#pragma once
#include "shared/plan.h"
#include "kernels/simd.h"
#include <time.h>

namespace implicam::IMPLICAM_ISA {

IC_INLINE uint64_t tickCount() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t t;
  asm volatile("mrs %0, cntvct_el0" : "=r"(t));
  return t;
#else
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
#endif
}

struct Ticker {
  uint64_t* ticks;
  uint64_t last;

  explicit Ticker(uint64_t* t) : ticks(t), last(tickCount()) {}

  // Books the time since the last call under `phase`.
  void next(Phase phase) {
    uint64_t now = tickCount();
    ticks[phase] += now - last;
    last = now;
  }
};

}  // namespace implicam::IMPLICAM_ISA
