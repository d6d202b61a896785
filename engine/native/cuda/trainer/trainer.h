// A training at work on a device: parameters, moments, frames and all that a step needs stay in its memory.
#pragma once
#include <vector>
#include "cuda/api.h"
#include "cuda/trainer/batch.h"
#include "cuda/exchange/exchange.h"

namespace implicam::device {

class Trainer {
 public:
  Trainer(const DeviceProblem& problem, const std::string& device);

  // Moments may be null: zeros in, left out.
  void load(int64_t step, const float* theta, const float* m, const float* v);
  void save(float* theta, float* m, float* v);
  int64_t step() const { return step_; }
  DeviceResult train(const DeviceStep& plan);
  // The same step, launch by launch; adds each phase's nanoseconds.
  DeviceResult profile(const DeviceStep& plan, uint64_t* nanoseconds);
  // The gradient of all shards at the present parameters, [size of the layout].
  DeviceResult gradient(int64_t step, const DeviceStep& plan, float* out);
  // A step in parts: see api.h.
  void compute(const DeviceStep& plan);
  DeviceResult takeShared(int slot, float* gradient);
  void takeMarks(int slot, Grid which, uint8_t* touched);
  void takeLines(int slot, Grid which, const uint32_t* numbers, int64_t count, float* values);
  double apply(const DeviceStep& plan, const float* shared, const DeviceLines& atlas, const DeviceLines& map);
  // A step in parts whose sums go from device to device: see api.h.
  void join(const Nccl& nccl, const uint8_t* id, int rank, int ranks, const Wait& wait);
  void leave(const Wait& wait);
  Exchange& exchange();
  void leaves(DeviceResult* ofSlots);
  double applyMessage(const DeviceStep& plan);
  // The rows of hosted shards; planes of ln radiance, and of the defocus map behind a lens.
  void bake(float* radiance, float* defocus);

 private:
  void placeParameters(const DeviceProblem& problem);
  void uploadModel(const DeviceProblem& problem);
  void placeSums();
  template <class T>
  const T* keep(const T* from, size_t count, const char* what);
  Fixed fixed() const;
  Step constantStep() const;
  void begin(int64_t step, const DeviceStep& plan);
  void computeShards();
  void sumAll();
  void trainOnce();
  std::vector<double> report();
  DeviceResult total(const std::vector<double>& sums) const;
  const GridGradient& grid(Grid which) const { return which == Grid::atlas ? gradients_.atlas : gradients_.map; }
  void updateGrids(float* out);
  int64_t gridAt(Grid which) const { return which == Grid::atlas ? shards_[0].atlasGrid : shards_[0].mapGrid; }
  double plainLoss();
  Moments moments() const { return {theta_.at(), m_.at(), v_.at(), rate_.at()}; }

  Stream stream_;
  Sequence training_, computing_;
  Model model_;         // its pointers are the host's, valid only while opening, but for `shard`
  std::vector<Shard> shards_;
  std::vector<int32_t> hosted_;
  // Where runs of the trainer's parameters lie here: all that is shared, and the grids of hosted tiles.
  struct Range {
    int64_t from, here, count;
  };
  std::vector<Range> ranges_;
  int64_t size_ = 0;    // of the parameters held here
  double beta1_, beta2_;
  bool tiled_;
  int64_t step_ = 0;
  double errorScale_;

  std::vector<Buffer<uint8_t>> kept_;
  Buffer<Model> deviceModel_;
  Buffer<StepState> state_;
  Buffer<ViewCamera> camera_;
  Buffer<float> theta_, m_, v_, rate_, ev_, knots_;
  Buffer<uint8_t> sums_;  // everything that a step adds to, cleared as one
  Buffer<int64_t> atlasSum_, mapSum_;
  Buffer<uint8_t> atlasTouched_, mapTouched_;
  const int32_t *frameView_ = nullptr, *hostedAt_ = nullptr;
  Gradients gradients_{};
  double *scalars_ = nullptr, *parts_ = nullptr;
  int32_t* trouble_ = nullptr;
  Step at_{};           // what every step's kernels read: its numbers are in `state_`
  std::unique_ptr<Pass> pass_;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace implicam::device
