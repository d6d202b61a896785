#include "stream.h"

#include <cstdlib>
#include <cstring>

namespace implicam::device {

#if IC_CUDA

namespace {

void check(cudaError_t error, const std::string& what) {
  if (error != cudaSuccess) throw std::runtime_error(what + ": " + cudaGetErrorString(error));
}

std::string mebibytes(size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

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
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), name_ + " cannot be used");
}

Stream::~Stream() {
  cudaSetDevice(device_);
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
    throw std::runtime_error("out of memory on " + name_ + ": " + mebibytes(bytes) + " asked for " + what + ", " +
                             mebibytes(free) + " of " + mebibytes(total) + " are free");
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

void Stream::checkLaunch() { check(cudaGetLastError(), "launch on " + name_); }

#else

Stream::Stream(const std::string& device) : name_("emulated") {
  if (device == "reverse") order_ = Order::reverse;
  else if (device == "shuffled") order_ = Order::shuffled;
  else if (!device.empty() && device != "forward")
    throw std::runtime_error("the emulation runs forward, reverse or shuffled, not " + device);
}

Stream::~Stream() = default;

void* Stream::allocate(size_t bytes, const char* what) {
  void* at = std::calloc(bytes, 1);
  if (!at) throw std::runtime_error("out of memory: " + std::to_string(bytes) + " bytes asked for " + what);
  return at;
}

void Stream::release(void* memory) { std::free(memory); }
void Stream::upload(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
void Stream::download(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
void Stream::zero(void* at, size_t bytes) { std::memset(at, 0, bytes); }
void Stream::wait() {}

#endif

}  // namespace implicam::device
