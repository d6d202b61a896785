// NCCL, opened at run time, and what an exchange needs of it: memory from device to device, between the processes of one
// machine. Nothing here waits without a deadline: the communicator is one that does not block, its state and the stream's
// are asked again and again, and what does not end is aborted, because an operation whose partner has died runs for ever.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>
#include "cuda/api.h"
#include "cuda/trainer/stream.h"

namespace implicam::device {

struct NcclFunctions;

// A library of NCCL that can be used here.
struct Nccl {
  std::string path;  // of the file that was found
  int version;       // 10000 · major + 100 · minor + patch
  std::shared_ptr<const NcclFunctions> functions;
};

// Opens the library, once in a process. Throws with the reason where it cannot be used.
const Nccl& openNccl(const std::string& path);

// What members of one communicator must have in common; made by one of them.
void newExchangeId(const Nccl& nccl, uint8_t* id);

// What another member did not do; whatever else is thrown is this device's own failure.
struct PeerLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A deadline, and somebody who may want to end the wait before.
class Wait {
 public:
  explicit Wait(const DeviceWait& wait);
  bool ended() const { return wait_.ended && wait_.ended(wait_.of); }
  bool late() const { return std::chrono::steady_clock::now() > until_; }
  int64_t milliseconds() const { return wait_.milliseconds; }

 private:
  DeviceWait wait_;
  std::chrono::steady_clock::time_point until_;
};

// The connection between the devices that train together. Calls come one at a time, from any thread. One that fails leaves
// nothing to be used: all later ones fail, too.
class Communicator {
 public:
  // All members make theirs at the same time, each with its rank in 0 … ranks − 1.
  Communicator(Stream& stream, const Nccl& nccl, const uint8_t* id, int rank, int ranks, const Wait& wait);
  // Aborts: what the others still wait for does not come.
  ~Communicator();
  Communicator(const Communicator&) = delete;

  // Memory of the device.
  struct Span {
    void* at;
    size_t bytes;
  };
  // Goes on with the next when the memory was taken, or is there.
  void send(const std::vector<Span>& spans, int peer, const Wait& wait) { transfer(spans, peer, true, wait); }
  void receive(const std::vector<Span>& spans, int peer, const Wait& wait) { transfer(spans, peer, false, wait); }
  // Ends it in an orderly way: what was sent arrives.
  void finish(const Wait& wait);

 private:
  void transfer(const std::vector<Span>& spans, int peer, bool out, const Wait& wait);
  // Until the library has taken what was asked of it and the stream has done it.
  void settle(const Wait& wait, const std::string& what);
  void check(int result, const std::string& what);
  void abandon();

  Stream* stream_;
  std::shared_ptr<const NcclFunctions> nccl_;
  void* handle_ = nullptr;
};

}  // namespace implicam::device
