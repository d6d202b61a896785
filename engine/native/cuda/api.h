// What the device library gives to the addon, as plain C: the two are built by different compilers. Every call returns 0,
// or with a message 1, or DEVICE_PEER_LOST where another member of an exchange did not do its part.
#pragma once
#include "shared/plan.h"

namespace implicam {

constexpr int32_t DEVICE_API_VERSION = 3;

constexpr int DEVICE_PEER_LOST = 2;

struct DeviceMessage {
  char text[512];
};

struct DeviceGroup {
  int64_t offset, size;
  double rate;
  int32_t shard;  // the one that owns it, or −1 for all
};

// A trainer: all memory it points to is read before `open` returns.
struct DeviceProblem {
  const Model* model;
  const DeviceGroup* groups;
  int32_t groupCount, hostedCount;
  int64_t size;
  double beta1, beta2;
  const int32_t* hosted;  // shards that are computed here, ascending
};

struct DeviceStep {
  float factor, gamma;
  int32_t sharp;
};

struct DeviceResult {
  double loss, squared, samples;
};

// Lines (16 numbers) of a grid's gradient: their numbers, ascending, and their values.
struct DeviceLines {
  const uint32_t* numbers;
  const float* values;
  int64_t count;
};

// A value of the reduction tree that goes from device to device: of which training and step, the sum of which shards, and
// their losses.
struct DeviceNode {
  uint64_t trainer;
  int64_t step;
  int32_t start, extent;
  double loss, squared, samples;
};

// How long a call may wait for other devices; `ended`, where there is one, is asked meanwhile whether to give up.
struct DeviceWait {
  int64_t milliseconds;
  int32_t (*ended)(const void*);
  const void* of;
};

// What members of one exchange have in common.
constexpr int EXCHANGE_ID_BYTES = 128;

// The library that carries values from device to device (NCCL).
struct DeviceCarrier {
  int32_t version;  // 10000 · major + 100 · minor + patch
  char path[384];
};

struct DeviceInfo {
  char name[128], uuid[64];
  int32_t major, minor, processors;
  uint64_t memory, free;
};

struct DeviceVersions {
  int32_t driver, runtime;  // 1000 · major + 10 · minor; driver 0: none
};

struct DeviceApi {
  int32_t version, modelBytes;
  const char* kind;           // "cuda", or "emulated"
  const char* architectures;  // that it has code for
  int (*versions)(DeviceVersions*, DeviceMessage*);
  int (*count)(int32_t*, DeviceMessage*);
  int (*describe)(int32_t, DeviceInfo*, DeviceMessage*);

  int (*open)(const DeviceProblem*, const char* device, void** trainer, DeviceMessage*);
  void (*close)(void* trainer);
  int (*load)(void*, int64_t step, const float* theta, const float* m, const float* v, DeviceMessage*);
  int (*save)(void*, int64_t* step, float* theta, float* m, float* v, DeviceMessage*);
  int (*train)(void*, const DeviceStep*, DeviceResult*, DeviceMessage*);
  // `train`, slower: adds the nanoseconds of each phase [PHASES].
  int (*profile)(void*, const DeviceStep*, uint64_t* nanoseconds, DeviceResult*, DeviceMessage*);
  int (*gradient)(void*, int64_t step, const DeviceStep*, float* out, DeviceResult*, DeviceMessage*);
  int (*bake)(void*, float* radiance, float* defocus, DeviceMessage*);

  // A step in parts. `compute` leaves the gradient of each hosted shard (and updates the grids of tiles); `slot` is a
  // shard's place among the hosted. `apply` takes the sum over all shards, adds the losses that belong to no sample
  // (`plainLoss`), and updates.
  int (*compute)(void*, const DeviceStep*, DeviceMessage*);
  int (*takeShared)(void*, int32_t slot, float* gradient, DeviceResult*, DeviceMessage*);
  int (*takeMarks)(void*, int32_t slot, int32_t map, uint8_t* touched, DeviceMessage*);
  int (*takeLines)(void*, int32_t slot, int32_t map, const uint32_t* numbers, int64_t count, float* values, DeviceMessage*);
  int (*apply)(void*, const DeviceStep*, const float* shared, const DeviceLines* atlas, const DeviceLines* map,
               double* plainLoss, DeviceMessage*);

  // Exchange from device to device, through the library of NCCL at the path `carrier`. After `join`, which all members of
  // a trainer call at the same time a step in parts goes another way: `leaves` after
  // `compute` makes the shards' gradients values of the tree, each in its shard's slot, and tells their losses; `combine`
  // adds a slot's value to another's; `pack` makes one the message, `post` sends the message to a member, `fetch` makes it
  // what a member sends, `merge` adds it to a slot's value; `applyMessage` is `apply` with it. What waits for another member
  // and fails has ended the exchange: only `leave` follows. `leave` ends it in peace where nothing failed.
  int (*carrier)(const char* carrier, DeviceCarrier*, DeviceMessage*);
  int (*newExchangeId)(const char* carrier, uint8_t* id, DeviceMessage*);
  int (*join)(void*, const char* carrier, const uint8_t* id, int32_t rank, int32_t ranks, const DeviceWait*, DeviceMessage*);
  int (*leave)(void*, const DeviceWait*, DeviceMessage*);
  int (*leaves)(void*, DeviceResult* ofSlots, DeviceMessage*);
  int (*combine)(void*, int32_t into, int32_t from, DeviceMessage*);
  int (*pack)(void*, int32_t slot, const DeviceNode*, DeviceMessage*);
  int (*post)(void*, int32_t member, const DeviceWait*, DeviceMessage*);
  int (*fetch)(void*, int32_t member, DeviceNode*, const DeviceWait*, DeviceMessage*);
  int (*merge)(void*, int32_t slot, DeviceMessage*);
  int (*applyMessage)(void*, const DeviceStep*, double* plainLoss, DeviceMessage*);

  int (*openRenderer)(int32_t width, int32_t height, const float* radiance, const float* defocus,
                      const char* device, void** renderer, DeviceMessage*);
  void (*closeRenderer)(void*);
  int (*render)(void*, float focus, float scale, float gain, const float* curve, float* target, DeviceMessage*);

  // FLOP/s of independent multiply-adds, and bytes/s of copies in device memory.
  int (*peak)(const char* device, double seconds, double* flops, double* bytes, DeviceMessage*);
};

}  // namespace implicam

extern "C" const implicam::DeviceApi* implicam_device_api();
