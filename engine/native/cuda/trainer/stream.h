// A device as the host drives it: memory, copies, launches, all in one order. With CUDA the runtime API; in the
// emulation plain memory and loops.
#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>
#include "cuda/device.h"

namespace implicam::device {

#if IC_CUDA
// "GPU-xxxxxxxx-…" of a device by index.
std::string deviceUuid(int index);
#endif

// Launches that are recorded once and repeated from then on, each with the arguments that it was recorded with: what
// changes from one time to the next goes through device memory. On a device, a CUDA graph: one call instead of forty.
class Sequence {
 public:
  Sequence() = default;
  Sequence(const Sequence&) = delete;
  ~Sequence();

 private:
  friend class Stream;
#if IC_CUDA
  cudaGraphExec_t graph_ = nullptr;
  bool refused_ = false;
#else
  std::vector<std::function<void()>> launches_;
#endif
};

class Stream {
 public:
  // `device`: an index, a UUID ("GPU-…", a prefix is enough), or empty for the first. The emulation takes an order and a
  // shape: "forward", "reverse" or "shuffled", then "/MULTIPROCESSORS/KIB", their number and the shared memory of one, then
  // "/KIB", the memory of all; what is not said is small.
  explicit Stream(const std::string& device);
  ~Stream();
  Stream(const Stream&) = delete;

  // Zeroed memory. Out of memory: an error that says what for, how much was asked and how much there is.
  void* allocate(size_t bytes, const char* what);
  void release(void* memory);
  void upload(void* to, const void* from, size_t bytes);
  // Waits for everything before it.
  void download(void* to, const void* from, size_t bytes);
  void zero(void* at, size_t bytes);
  void wait();
  // Whether everything so far is done; does not wait.
  bool idle();
  // For calls of another library, which follow on this thread: the stream as the runtime's, its device being chosen. The
  // emulation has none.
  void* handle();
  // The machine and its place: "NVIDIA H200 (GPU-…)".
  const std::string& name() const { return name_; }
  // Multiprocessors, and bytes of shared memory of one.
  int processors() const { return processors_; }
  size_t sharedBytes() const { return shared_; }

  // What `launches` launches: recorded the first time. A device that cannot record it is told of in one line, and launches
  // one by one.
  template <class F>
  void repeat(Sequence& sequence, F launches) {
#if IC_CUDA
    if (!sequence.graph_ && !sequence.refused_) record(sequence, launches);
    if (sequence.graph_) launch(sequence);
    else launches();
#else
    if (sequence.launches_.empty()) record(sequence, launches);
    for (const auto& run : sequence.launches_) run();
#endif
  }

  // Time by phase: from `startClock` to `stopClock` each mark ends the work of a phase, and its nanoseconds are added.
  void startClock(uint64_t* nanoseconds);
  void mark(int phase);
  void stopClock();

  template <class K>
  void items(int64_t count, const K& kernel) {
    if (count <= 0) return;
#if IC_CUDA
    enter();
    int64_t blocks = (count + ITEM_THREADS - 1) / ITEM_THREADS;
    enterItems<K><<<(unsigned)checkedBlocks(blocks), ITEM_THREADS, 0, stream_>>>(kernel, count);
    checkLaunch();
#else
    take([kernel, count, order = order_] {
      for (int64_t i = 0; i < count; i++) kernel.item(ordered(order, i, count));
    });
#endif
  }

  template <class K>
  void blocks(int64_t count, const K& kernel) {
    if (count <= 0) return;
#if IC_CUDA
    enter();
    enterBlocks<K><<<(unsigned)checkedBlocks(count), K::THREADS, 0, stream_>>>(kernel);
    checkLaunch();
#else
    take([kernel, count, order = order_] {
      static thread_local typename K::Shared shared;
      for (int64_t i = 0; i < count; i++) {
        Block<K::THREADS> block{ordered(order, i, count), order};
        kernel.run(block, shared);
      }
    });
#endif
  }

 private:
  std::string name_;
  int processors_ = 1;
  size_t shared_ = 48 << 10;
  uint64_t* clock_ = nullptr;
#if IC_CUDA
  static int64_t checkedBlocks(int64_t blocks) {
    if (blocks > 0x7fffffff) throw std::runtime_error("a launch of more blocks than a device takes");
    return blocks;
  }
  void checkLaunch();
  // The device of the calling thread: calls come from any thread of a pool.
  void enter();
  void record(Sequence& sequence, const std::function<void()>& launches);
  void launch(const Sequence& sequence);
  int device_ = 0;
  cudaStream_t stream_ = nullptr;
  struct Mark {
    cudaEvent_t event;
    int phase;
  };
  std::vector<Mark> marks_;
#else
  // Runs now, or is recorded.
  template <class F>
  void take(F run) {
    if (recording_) recording_->launches_.push_back(run);
    else run();
  }
  void record(Sequence& sequence, const std::function<void()>& launches);
  void notRecorded() const {
    if (recording_) throw std::runtime_error("what copies or waits cannot be part of a sequence");
  }
  Order order_ = Order::forward;
  Sequence* recording_ = nullptr;
  size_t free_ = SIZE_MAX;  // bytes of the memory that are left
  uint64_t marked_ = 0;
#endif
};

// Device memory of `count` values of T, zero at first.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Stream& stream, size_t count, const char* what)
      : stream_(&stream), count_(count), at_(count ? (T*)stream.allocate(count * sizeof(T), what) : nullptr) {}
  Buffer(Buffer&& o) noexcept { swap(o); }
  Buffer& operator=(Buffer&& o) noexcept {
    swap(o);
    return *this;
  }
  ~Buffer() {
    if (at_) stream_->release(at_);
  }

  T* at() const { return at_; }
  size_t count() const { return count_; }
  void zero() const {
    if (at_) stream_->zero(at_, count_ * sizeof(T));
  }
  void upload(const T* from) const {
    if (at_) stream_->upload(at_, from, count_ * sizeof(T));
  }
  void download(T* to) const {
    if (at_) stream_->download(to, at_, count_ * sizeof(T));
  }

 private:
  void swap(Buffer& o) {
    std::swap(stream_, o.stream_);
    std::swap(count_, o.count_);
    std::swap(at_, o.at_);
  }
  Stream* stream_ = nullptr;
  size_t count_ = 0;
  T* at_ = nullptr;
};

}  // namespace implicam::device
