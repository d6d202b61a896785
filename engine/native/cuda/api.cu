// The device library's C interface: exceptions become messages.
#include "cuda/api.h"

#include <cstdio>
#include <cstring>
#include "cuda/peak.h"
#include "cuda/renderer.h"
#include "cuda/trainer/trainer.h"

namespace implicam::device {
namespace {

template <class F>
int guarded(DeviceMessage* message, F work) {
  try {
    work();
    return 0;
  } catch (const PeerLost& e) {
    std::snprintf(message->text, sizeof message->text, "%s", e.what());
    return DEVICE_PEER_LOST;
  } catch (const std::exception& e) {
    std::snprintf(message->text, sizeof message->text, "%s", e.what());
  } catch (...) {
    std::snprintf(message->text, sizeof message->text, "unknown failure");
  }
  return 1;
}

int versions(DeviceVersions* out, DeviceMessage* message) {
  return guarded(message, [&] {
    *out = {};
#if IC_CUDA
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    *out = {driver, runtime};
#endif
  });
}

int count(int32_t* out, DeviceMessage* message) {
  return guarded(message, [&] {
    *out = IC_CUDA ? 0 : 1;
#if IC_CUDA
    int n = 0;
    const cudaError_t error = cudaGetDeviceCount(&n);
    if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
    *out = n;
#endif
  });
}

int describe(int32_t index, DeviceInfo* out, DeviceMessage* message) {
  return guarded(message, [&] {
    *out = {};
#if IC_CUDA
    cudaDeviceProp p;
    const cudaError_t error = cudaGetDeviceProperties(&p, index);
    if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
    std::snprintf(out->name, sizeof out->name, "%s", p.name);
    std::snprintf(out->uuid, sizeof out->uuid, "%s", deviceUuid(index).c_str());
    out->major = p.major;
    out->minor = p.minor;
    out->processors = p.multiProcessorCount;
    size_t free = 0, total = 0;
    if (cudaSetDevice(index) == cudaSuccess && cudaMemGetInfo(&free, &total) == cudaSuccess) {
      out->free = free;
      out->memory = total;
    }
#else
    (void)index;
    std::snprintf(out->name, sizeof out->name, "emulated");
#endif
  });
}

int open(const DeviceProblem* problem, const char* device, void** trainer, DeviceMessage* message) {
  return guarded(message, [&] { *trainer = new Trainer(*problem, device ? device : ""); });
}

void close(void* trainer) { delete (Trainer*)trainer; }

int load(void* trainer, int64_t step, const float* theta, const float* m, const float* v, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->load(step, theta, m, v); });
}

int save(void* trainer, int64_t* step, float* theta, float* m, float* v, DeviceMessage* message) {
  return guarded(message, [&] {
    ((Trainer*)trainer)->save(theta, m, v);
    *step = ((Trainer*)trainer)->step();
  });
}

int train(void* trainer, const DeviceStep* plan, DeviceResult* result, DeviceMessage* message) {
  return guarded(message, [&] { *result = ((Trainer*)trainer)->train(*plan); });
}

int profile(void* trainer, const DeviceStep* plan, uint64_t* nanoseconds, DeviceResult* result, DeviceMessage* message) {
  return guarded(message, [&] { *result = ((Trainer*)trainer)->profile(*plan, nanoseconds); });
}

int gradient(void* trainer, int64_t step, const DeviceStep* plan, float* out, DeviceResult* result,
             DeviceMessage* message) {
  return guarded(message, [&] { *result = ((Trainer*)trainer)->gradient(step, *plan, out); });
}

int bake(void* trainer, float* radiance, float* defocus, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->bake(radiance, defocus); });
}

int compute(void* trainer, const DeviceStep* plan, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->compute(*plan); });
}

Grid gridOf(int32_t map) { return map ? Grid::map : Grid::atlas; }

int takeShared(void* trainer, int32_t slot, float* gradient, DeviceResult* result, DeviceMessage* message) {
  return guarded(message, [&] { *result = ((Trainer*)trainer)->takeShared(slot, gradient); });
}

int takeMarks(void* trainer, int32_t slot, int32_t map, uint8_t* touched, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->takeMarks(slot, gridOf(map), touched); });
}

int takeLines(void* trainer, int32_t slot, int32_t map, const uint32_t* numbers, int64_t count, float* values,
              DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->takeLines(slot, gridOf(map), numbers, count, values); });
}

int apply(void* trainer, const DeviceStep* plan, const float* shared, const DeviceLines* atlas, const DeviceLines* map,
          double* plainLoss, DeviceMessage* message) {
  return guarded(message, [&] { *plainLoss = ((Trainer*)trainer)->apply(*plan, shared, *atlas, *map); });
}

int carrier(const char* path, DeviceCarrier* out, DeviceMessage* message) {
  return guarded(message, [&] {
    const Nccl& nccl = openNccl(path);
    *out = {};
    out->version = nccl.version;
    std::snprintf(out->path, sizeof out->path, "%s", nccl.path.c_str());
  });
}

int newId(const char* path, uint8_t* id, DeviceMessage* message) {
  return guarded(message, [&] { newExchangeId(openNccl(path), id); });
}

int join(void* trainer, const char* path, const uint8_t* id, int32_t rank, int32_t ranks, const DeviceWait* wait,
         DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->join(openNccl(path), id, rank, ranks, Wait(*wait)); });
}

int leave(void* trainer, const DeviceWait* wait, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->leave(Wait(*wait)); });
}

int leaves(void* trainer, DeviceResult* ofSlots, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->leaves(ofSlots); });
}

int combine(void* trainer, int32_t into, int32_t from, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->exchange().combine(into, from); });
}

int pack(void* trainer, int32_t slot, const DeviceNode* node, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->exchange().pack(slot, *node); });
}

int post(void* trainer, int32_t member, const DeviceWait* wait, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->exchange().send(member, Wait(*wait)); });
}

int fetch(void* trainer, int32_t member, DeviceNode* node, const DeviceWait* wait, DeviceMessage* message) {
  return guarded(message, [&] { *node = ((Trainer*)trainer)->exchange().receive(member, Wait(*wait)); });
}

int merge(void* trainer, int32_t slot, DeviceMessage* message) {
  return guarded(message, [&] { ((Trainer*)trainer)->exchange().add(slot); });
}

int applyMessage(void* trainer, const DeviceStep* plan, double* plainLoss, DeviceMessage* message) {
  return guarded(message, [&] { *plainLoss = ((Trainer*)trainer)->applyMessage(*plan); });
}

int openRenderer(int32_t width, int32_t height, const float* radiance, const float* defocus, const char* device,
                 void** renderer, DeviceMessage* message) {
  return guarded(message, [&] { *renderer = new Renderer(width, height, radiance, defocus, device ? device : ""); });
}

void closeRenderer(void* renderer) { delete (Renderer*)renderer; }

int render(void* renderer, float focus, float scale, float gain, const float* curve, float* target,
           DeviceMessage* message) {
  return guarded(message, [&] { ((Renderer*)renderer)->render(focus, scale, gain, curve, target); });
}

int peak(const char* device, double seconds, double* flops, double* bytes, DeviceMessage* message) {
  return guarded(message, [&] {
    Stream stream(device ? device : "");
    const Peak p = measurePeak(stream, seconds);
    *flops = p.flops;
    *bytes = p.bytes;
  });
}

}  // namespace
}  // namespace implicam::device

#ifndef IMPLICAM_ARCHITECTURES
#define IMPLICAM_ARCHITECTURES "processor"
#endif

extern "C" __attribute__((visibility("default"))) const implicam::DeviceApi* implicam_device_api() {
  using namespace implicam::device;
  static const implicam::DeviceApi api = {implicam::DEVICE_API_VERSION,
                                          (int32_t)sizeof(implicam::Model),
                                          IC_CUDA ? "cuda" : "emulated",
                                          IMPLICAM_ARCHITECTURES,
                                          versions,
                                          count,
                                          describe,
                                          open,
                                          close,
                                          load,
                                          save,
                                          train,
                                          profile,
                                          gradient,
                                          bake,
                                          compute,
                                          takeShared,
                                          takeMarks,
                                          takeLines,
                                          apply,
                                          carrier,
                                          newId,
                                          join,
                                          leave,
                                          leaves,
                                          combine,
                                          pack,
                                          post,
                                          fetch,
                                          merge,
                                          applyMessage,
                                          openRenderer,
                                          closeRenderer,
                                          render,
                                          peak};
  return &api;
}
