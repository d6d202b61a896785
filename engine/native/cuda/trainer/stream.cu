#include "cuda/trainer/stream.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace implicam::device {

namespace {

std::string mebibytes(size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

std::string outOfMemory(const std::string& name, size_t bytes, const char* what, size_t free) {
  return "out of memory on " + name + ": " + mebibytes(bytes) + " asked for " + what + ", " + mebibytes(free) + " are free";
}

}  // namespace

#if IC_CUDA

namespace {

void check(cudaError_t error, const std::string& what) {
  if (error != cudaSuccess) throw std::runtime_error(what + ": " + cudaGetErrorString(error));
}

int indexOf(const std::string& wanted) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "no CUDA device can be used");
  if (count == 0) throw std::runtime_error("no CUDA device can be used: the driver reports none");
  if (wanted.empty()) return 0;
  if (wanted.find_first_not_of("0123456789") == std::string::npos) {
    const int index = std::atoi(wanted.c_str());
    if (index < count) return index;
    throw std::runtime_error("there is no CUDA device " + wanted + ": the driver reports " + std::to_string(count) +
                             ", numbered from 0");
  }
  for (int i = 0; i < count; i++)
    if (deviceUuid(i).rfind(wanted, 0) == 0) return i;
  throw std::runtime_error("no CUDA device has a UUID that begins with " + wanted + "; implicam doctor lists them");
}

}  // namespace

std::string deviceUuid(int index) {
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, index), "device " + std::to_string(index) + " cannot be asked");
  std::string text = "GPU-";
  for (int i = 0; i < 16; i++) {
    static const char* digits = "0123456789abcdef";
    const unsigned byte = (unsigned char)p.uuid.bytes[i];
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Stream::Stream(const std::string& device) : device_(indexOf(device)) {
  enter();
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, device_), "the device cannot be asked");
  name_ = std::string(p.name) + " (" + deviceUuid(device_) + ")";
  processors_ = p.multiProcessorCount;
  shared_ = p.sharedMemPerMultiprocessor;
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), name_ + " cannot be used");
}

Stream::~Stream() {
  cudaSetDevice(device_);
  for (const Mark& m : marks_) cudaEventDestroy(m.event);
  cudaStreamDestroy(stream_);
}

void Stream::enter() { check(cudaSetDevice(device_), "the device cannot be used"); }

void* Stream::allocate(size_t bytes, const char* what) {
  enter();
  void* at = nullptr;
  const cudaError_t error = cudaMalloc(&at, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw std::runtime_error(outOfMemory(name_, bytes, what, free) + " of " + mebibytes(total));
  }
  check(error, "memory on " + name_);
  zero(at, bytes);
  return at;
}

void Stream::release(void* memory) {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaFree(memory);
}

void Stream::upload(void* to, const void* from, size_t bytes) {
  enter();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copy to " + name_);
}

void Stream::download(void* to, const void* from, size_t bytes) {
  enter();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copy from " + name_);
  wait();
}

void Stream::zero(void* at, size_t bytes) {
  if (!bytes) return;
  enter();
  check(cudaMemsetAsync(at, 0, bytes, stream_), "clearing memory on " + name_);
}

void Stream::wait() { check(cudaStreamSynchronize(stream_), "work on " + name_); }

bool Stream::idle() {
  enter();
  const cudaError_t state = cudaStreamQuery(stream_);
  if (state != cudaErrorNotReady) check(state, "work on " + name_);
  return state == cudaSuccess;
}

void* Stream::handle() {
  enter();
  return stream_;
}

void Stream::checkLaunch() { check(cudaGetLastError(), "launch on " + name_); }

Sequence::~Sequence() {
  if (graph_) cudaGraphExecDestroy(graph_);
}

// Other threads may allocate meanwhile: only what this thread does is held to the rules of recording.
void Stream::record(Sequence& sequence, const std::function<void()>& launches) {
  enter();
  std::string why;
  cudaGraph_t graph = nullptr;
  cudaError_t error = cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal);
  if (error == cudaSuccess) {
    try {
      launches();
    } catch (const std::exception& e) {
      why = e.what();
    }
    error = cudaStreamEndCapture(stream_, &graph);
  }
  if (error == cudaSuccess && why.empty()) error = cudaGraphInstantiateWithFlags(&sequence.graph_, graph, 0);
  if (graph) cudaGraphDestroy(graph);
  if (error == cudaSuccess && why.empty()) return;
  if (why.empty()) why = cudaGetErrorString(error);
  cudaGetLastError();
  sequence.graph_ = nullptr;
  sequence.refused_ = true;
  std::fprintf(stderr, "implicam: %s records no graph of a step (%s); its kernels are launched one by one\n",
               name_.c_str(), why.c_str());
}

void Stream::launch(const Sequence& sequence) {
  enter();
  check(cudaGraphLaunch(sequence.graph_, stream_), "a step on " + name_);
}

void Stream::startClock(uint64_t* nanoseconds) {
  clock_ = nanoseconds;
  mark(-1);
}

void Stream::mark(int phase) {
  if (!clock_) return;
  Mark m{nullptr, phase};
  check(cudaEventCreate(&m.event), "a clock on " + name_);
  marks_.push_back(m);
  check(cudaEventRecord(m.event, stream_), "a clock on " + name_);
}

void Stream::stopClock() {
  wait();
  for (size_t i = 1; i < marks_.size(); i++) {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, marks_[i - 1].event, marks_[i].event), "a clock on " + name_);
    clock_[marks_[i].phase] += (uint64_t)(1e6 * milliseconds);
  }
  for (const Mark& m : marks_) cudaEventDestroy(m.event);
  marks_.clear();
  clock_ = nullptr;
}

#else

namespace {

uint64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Stream::Stream(const std::string& device) : name_("emulated") {
  char order[16] = "";
  int processors = processors_, kib = (int)(shared_ >> 10), all = 0;
  if (std::sscanf(device.c_str(), "%15[a-z]/%d/%d/%d", order, &processors, &kib, &all) > 1) {
    processors_ = processors;
    shared_ = (size_t)kib << 10;
    if (all > 0) free_ = (size_t)all << 10;
  }
  const std::string name = order;
  if (name == "reverse") order_ = Order::reverse;
  else if (name == "shuffled") order_ = Order::shuffled;
  else if (!device.empty() && name != "forward")
    throw std::runtime_error("the emulation runs forward, reverse or shuffled, not " + device);
}

Sequence::~Sequence() = default;
Stream::~Stream() = default;

void Stream::record(Sequence& sequence, const std::function<void()>& launches) {
  recording_ = &sequence;
  try {
    launches();
  } catch (...) {
    recording_ = nullptr;
    sequence.launches_.clear();
    throw;
  }
  recording_ = nullptr;
}

// Its size goes before it, so that what is released is free again.
constexpr size_t BEFORE = 64;

void* Stream::allocate(size_t bytes, const char* what) {
  notRecorded();
  void* at = bytes > free_ ? nullptr : std::calloc(bytes + BEFORE, 1);
  if (!at)
    throw std::runtime_error(outOfMemory(name_, bytes, what, bytes > free_ ? free_ : 0));
  free_ -= free_ == SIZE_MAX ? 0 : bytes;
  *(size_t*)at = bytes;
  return (char*)at + BEFORE;
}

void Stream::release(void* memory) {
  char* at = (char*)memory - BEFORE;
  free_ += free_ == SIZE_MAX ? 0 : *(size_t*)at;
  std::free(at);
}

void Stream::upload(void* to, const void* from, size_t bytes) {
  notRecorded();
  std::memcpy(to, from, bytes);
}
void Stream::download(void* to, const void* from, size_t bytes) {
  notRecorded();
  std::memcpy(to, from, bytes);
}
void Stream::zero(void* at, size_t bytes) {
  if (bytes) take([at, bytes] { std::memset(at, 0, bytes); });
}
void Stream::wait() { notRecorded(); }
bool Stream::idle() { return true; }
void* Stream::handle() { return nullptr; }

void Stream::startClock(uint64_t* nanoseconds) {
  clock_ = nanoseconds;
  marked_ = now();
}

void Stream::mark(int phase) {
  if (!clock_) return;
  const uint64_t t = now();
  clock_[phase] += t - marked_;
  marked_ = t;
}

void Stream::stopClock() { clock_ = nullptr; }

#endif

}  // namespace implicam::device
