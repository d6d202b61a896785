// A device as the host drives it: memory, copies, launches, all in one order. With CUDA the runtime API; in the
// emulation plain memory and loops.
#pragma once
#include <stdexcept>
#include <string>
#include "device.h"

namespace implicam::device {

#if IC_CUDA
// "GPU-xxxxxxxx-…" of a device by index.
std::string deviceUuid(int index);
#endif

class Stream {
 public:
  // `device`: an index, a UUID ("GPU-…", a prefix is enough), or empty for the first. The emulation takes an order:
  // "forward", "reverse", "shuffled".
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
  // The machine and its place: "NVIDIA H200 (GPU-…)".
  const std::string& name() const { return name_; }

  template <class K>
  void items(int64_t count, const K& kernel) {
    if (count <= 0) return;
#if IC_CUDA
    enter();
    int64_t blocks = (count + ITEM_THREADS - 1) / ITEM_THREADS;
    enterItems<K><<<(unsigned)checkedBlocks(blocks), ITEM_THREADS, 0, stream_>>>(kernel, count);
    checkLaunch();
#else
    for (int64_t i = 0; i < count; i++) kernel.item(ordered(order_, i, count));
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
    static thread_local typename K::Shared shared;
    for (int64_t i = 0; i < count; i++) {
      Block<K::THREADS> block{ordered(order_, i, count), order_};
      kernel.run(block, shared);
    }
#endif
  }

 private:
  std::string name_;
#if IC_CUDA
  static int64_t checkedBlocks(int64_t blocks) {
    if (blocks > 0x7fffffff) throw std::runtime_error("a launch of more blocks than a device takes");
    return blocks;
  }
  void checkLaunch();
  // The device of the calling thread: calls come from any thread of a pool.
  void enter();
  int device_ = 0;
  cudaStream_t stream_ = nullptr;
#else
  Order order_ = Order::forward;
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
