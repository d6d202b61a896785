// A training at work on the processor: parameters, moments, gradients of every shard, and the step that ties the
// kernels together. Deterministic: a shard is summed by one thread, shards are summed in a fixed binary tree, so the
// bits do not depend on the number of threads, nor on how many processes the shards are spread over.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "support/memory.h"
#include "shared/plan.h"
#include "reduction/reduction.h"

namespace implicam {

// What the host program gives: the plan with the memory it points to.
struct Problem {
  Model model{};
  std::vector<View> views;
  std::vector<int32_t> frameOrder;
  std::vector<float> evBase, evBasis;
  std::vector<Shard> shards;
  std::vector<FrameData> frames;

  struct Group {
    int64_t offset, size;
    double rate;
    bool sparse;
    int32_t shard;  // the one that owns it, or −1 for all
  };
  std::vector<Group> groups;
  std::vector<int32_t> hosted;  // the shards that are computed here, ascending
  int64_t size = 0;
  double beta1 = 0.9, beta2 = 0.99;

  // Points the model at this problem's memory.
  void connect();
};

// What must be the same on every runner of a training, as a number.
uint64_t fingerprintOf(const Problem& problem);

struct StepPlan {
  float factor, gamma;
  int32_t sharp;
};

struct StepResult {
  double loss = 0, squared = 0, samples = 0;
};

// One trainer whatever its precision.
class AnyTrainer {
 public:
  virtual ~AnyTrainer() = default;
  // Moments may be null: zeros in, left out.
  virtual void load(int64_t step, const float* theta, const float* m, const float* v) = 0;
  virtual void save(float* theta, float* m, float* v) = 0;
  // Runs [from, to) of what is held here, one after the other: of each the parameters, then both moments.
  using Runs = std::vector<std::pair<int64_t, int64_t>>;
  virtual void saveRuns(const Runs& runs, float* out) = 0;
  virtual void setParameters(const double* theta) = 0;
  virtual int64_t step() const = 0;
  virtual StepResult train(const StepPlan& plan) = 0;
  virtual StepResult gradient(int64_t step, const StepPlan& plan, double* out) = 0;

  // A step in parts, for trainers whose shards are spread over processes: see engine/engine.ts. Each throws
  // Refused and changes nothing where it is out of turn or its bytes do not fit.
  // The sum of all shards of one lane: where it stands here, or its bytes.
  struct Root {
    bool received = false;
    int slot = -1;
    const uint8_t* bytes = nullptr;
    size_t size = 0;
  };
  virtual StepResult compute(const StepPlan& plan, int lanes) = 0;
  virtual void combine(int into, int from, Lane lane) = 0;
  // The bytes that it needs; nothing is written where they are more than `capacity`.
  virtual size_t take(int slot, Lane lane, uint8_t* out, size_t capacity) = 0;
  virtual void add(int slot, const uint8_t* bytes, size_t size) = 0;
  // One root a lane, in their order.
  virtual StepResult apply(const std::vector<Root>& roots) = 0;

  // The same exchange from device to device, between trainers on devices of one machine. All members join at the same time;
  // `exchange` then takes the place of the calls between `compute`, in one lane, and `apply`, which is given no roots.
  struct Membership {
    std::string carrier;  // the library
    std::vector<uint8_t> id;
    int rank, ranks;
  };
  // One operation of model/reduction.ts: slots are shards, members are ranks.
  enum Operation { COMBINE, SEND, RECEIVE, ROOT, RECEIVE_ROOT, SEND_ROOT };
  struct Move {
    int32_t operation;
    int32_t slot;   // of the value; the one that is added to
    int32_t other;  // the slot that is added, or the member
  };
  // The member with which a move failed, and why; −1: none did.
  struct PeerLost {
    int member = -1;
    std::string why;
  };
  virtual void join(const Membership&, int64_t) { throw Refused("this trainer is on no device: exchange its sums as bytes"); }
  virtual PeerLost exchange(const std::vector<Move>&, int64_t) { throw Refused("no devices are joined: join them first"); }
  // Ends it, for all members; what waits in it ends soon when `abort` is called, from any thread.
  virtual void leave(int64_t) {}
  virtual void abort() {}

  // From another thread: what runs now ends soon, and throws.
  virtual void cancel() = 0;
  virtual void bake(float* radiance, float* defocus) = 0;
  virtual const uint64_t* ticks() const = 0;
  virtual void clearTicks() = 0;
  // Whether `train` shall tell its phases, where that makes it slower.
  virtual void timePhases(bool) {}
};

// Kernels by name: "avx512", "avx2", "sse2", "neon", or "f64"; null where this machine cannot run them.
const Kernels<float>* findKernels(const std::string& isa);
const Kernels<double>* findKernels64();
// The widest that this machine runs.
const char* bestIsa();

std::unique_ptr<AnyTrainer> createTrainer(Problem problem, const std::string& isa, int threads);

}  // namespace implicam
