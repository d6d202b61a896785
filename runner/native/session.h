// A training session on the processor: parameters, moments, gradients of every shard, and the step that ties the
// kernels together. Deterministic: a shard is summed by one thread, shards are summed in a fixed binary tree, so the
// bits do not depend on the number of threads.
#pragma once
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>
#include "plan.h"
#include "workers.h"

namespace implicam {

// What the host program gives: the plan with the memory it points to.
struct Problem {
  Model model{};
  std::vector<View> views;
  std::vector<int32_t> frameOrder;
  std::vector<float> evBase, evBasis, focusStart;
  std::vector<Shard> shards;
  std::vector<FrameData> frames;

  struct Group {
    int64_t offset, size;
    double rate;
    bool sparse;
  };
  std::vector<Group> groups;
  int64_t size = 0;
  double beta1 = 0.9, beta2 = 0.99;

  // Points the model at this problem's memory.
  void connect();
};

struct StepPlan {
  float factor, gamma;
  int32_t sharp;
};

struct StepResult {
  double loss = 0, squared = 0, samples = 0;
};

// One session whatever its precision.
class AnySession {
 public:
  virtual ~AnySession() = default;
  // Moments may be null: zeros in, left out.
  virtual void load(int64_t step, const float* theta, const float* m, const float* v) = 0;
  virtual void save(float* theta, float* m, float* v) = 0;
  virtual void setParameters(const double* theta) = 0;
  virtual int64_t step() const = 0;
  virtual StepResult train(const StepPlan& plan) = 0;
  virtual StepResult gradient(int64_t step, const StepPlan& plan, double* out) = 0;
  virtual void bake(float* radiance, float* defocus) = 0;
  virtual const uint64_t* ticks() const = 0;
  virtual void clearTicks() = 0;
};

template <class T>
struct Aligned {
  T* data = nullptr;
  size_t size = 0;

  explicit Aligned(size_t n = 0) : size(n) {
    if (!n) return;
    size_t bytes = (n * sizeof(T) + 4095) / 4096 * 4096;
    data = (T*)std::aligned_alloc(4096, bytes);
    if (!data) throw std::bad_alloc();
    std::memset((void*)data, 0, bytes);
  }
  Aligned(Aligned&& o) noexcept : data(o.data), size(o.size) { o.data = nullptr; }
  Aligned& operator=(Aligned&& o) noexcept {
    std::swap(data, o.data);
    std::swap(size, o.size);
    return *this;
  }
  ~Aligned() { std::free(data); }
};

// Kernels by name: "avx512", "avx2", "sse2", "neon", or "f64"; null where this machine cannot run them.
const Kernels<float>* findKernels(const std::string& isa);
const Kernels<double>* findKernels64();
// The widest that this machine runs.
const char* bestIsa();

std::unique_ptr<AnySession> createSession(Problem problem, const std::string& isa, int threads);

}  // namespace implicam
