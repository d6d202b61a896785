#include "trainer/trainer.h"

#include <cstring>
#include <stdexcept>

#include "trainer/cpu_trainer.h"

namespace implicam {

void Problem::connect() {
  model.view = views.data();
  model.frameOrder = frameOrder.data();
  model.evBase = evBase.data();
  model.evBasis = evBasis.data();
  model.shard = shards.data();
  model.frame = frames.data();
}

// What must be the same on every runner of a training, as a number.
uint64_t fingerprintOf(const Problem& p) {
  const Model& m = p.model;
  Fingerprint f;
  auto real = [&](double x) {
    int64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    f.add(bits);
  };
  for (int64_t x : {(int64_t)m.width, (int64_t)m.height, (int64_t)m.shards, (int64_t)m.seed, m.shared,
                    (int64_t)m.frames, (int64_t)m.views, (int64_t)m.blurForm, (int64_t)m.patch, (int64_t)m.reach,
                    (int64_t)m.taps, (int64_t)m.residual, p.size})
    f.add(x);
  for (const auto& g : p.groups) {
    f.add(g.offset);
    f.add(g.size);
    real(g.rate);
  }
  for (const Shard& s : p.shards)
    for (int64_t x : {(int64_t)s.tiled, (int64_t)s.own.x, (int64_t)s.own.y, (int64_t)s.draws, s.drawOffset}) f.add(x);
  for (const auto* list : {&p.evBase, &p.evBasis})
    for (float x : *list) real(x);
  const Loss& l = m.loss;
  for (double x : {(double)l.inequality, (double)l.slope, (double)l.sharpness, (double)l.sharpnessTau,
                   (double)l.randomGamma, (double)l.smoothDefocus, (double)l.toneSmooth, (double)l.tonePin,
                   (double)l.exposureAnchor, (double)l.rigidity, (double)m.kappaStart, (double)m.maxShift, p.beta1,
                   p.beta2})
    real(x);
  return f.value;
}

#if defined(__x86_64__)
extern const Kernels<float> kernels_avx512, kernels_avx2, kernels_sse2;
#elif defined(__aarch64__)
extern const Kernels<float> kernels_neon;
#endif
extern const Kernels<double> kernels_f64;

const Kernels<float>* findKernels(const std::string& isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == "avx512") return avx512 ? &kernels_avx512 : nullptr;
  if (isa == "avx2") return avx2 ? &kernels_avx2 : nullptr;
  if (isa == "sse2") return &kernels_sse2;
#elif defined(__aarch64__)
  if (isa == "neon") return &kernels_neon;
#endif
  return nullptr;
}

const Kernels<double>* findKernels64() { return &kernels_f64; }

const char* bestIsa() {
  for (const char* isa : {"avx512", "avx2", "sse2", "neon"})
    if (findKernels(isa)) return isa;
  throw std::runtime_error("no kernels for this processor");
}

std::unique_ptr<AnyTrainer> createTrainer(Problem problem, const std::string& isa, int threads) {
  if (problem.model.shards > 64 && !problem.shards[0].tiled) throw std::runtime_error("at most 64 shards share a grid");
  if (isa == "f64") return std::make_unique<Trainer<double>>(std::move(problem), *findKernels64(), threads);
  const Kernels<float>* kernels = findKernels(isa);
  if (!kernels) throw std::runtime_error("this processor cannot run the " + isa + " kernels");
  return std::make_unique<Trainer<float>>(std::move(problem), *kernels, threads);
}

}  // namespace implicam
