#include "cuda/exchange/communicator.h"

#include <dlfcn.h>

#include <climits>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

namespace implicam::device {

// The names and values of NCCL's documented interface ("NCCL API", docs.nvidia.com); no header of it is needed to build.
struct NcclFunctions {
  struct Id {
    char bytes[EXCHANGE_ID_BYTES];
  };
  // As of 2.17: later versions read what this one had, by its size and version, and take their defaults for the rest.
  struct Config {
    size_t size = sizeof(Config);
    unsigned magic = 0xcafebeef, version = 21700;
    int blocking = 0;
    int clusterSize = INT_MIN, fewestBlocks = INT_MIN, mostBlocks = INT_MIN;
    const char* network = nullptr;
  };
  static constexpr int DONE = 0, CUDA_ERROR = 1, IN_PROGRESS = 7;
  static constexpr int BYTES = 1;  // the data type

  int (*getVersion)(int*);
  const char* (*getErrorString)(int);
  const char* (*getLastError)(void*);
  int (*getUniqueId)(Id*);
  int (*commInitRankConfig)(void**, int ranks, Id, int rank, Config*);
  int (*commGetAsyncError)(void*, int*);
  int (*commFinalize)(void*);
  int (*commDestroy)(void*);
  int (*commAbort)(void*);
  int (*groupStart)();
  int (*groupEnd)();
  int (*send)(const void*, size_t, int type, int peer, void* comm, void* stream);
  int (*receive)(void*, size_t, int type, int peer, void* comm, void* stream);
};

namespace {

constexpr int OLDEST = 21700, NEWEST = 29999;

std::string versionText(int v) {
  return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

template <class F>
void find(void* library, const char* name, F*& function) {
  function = (F*)dlsym(library, name);
  if (!function) throw std::runtime_error(std::string("it has no ") + name);
}

Nccl load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  auto f = std::make_shared<NcclFunctions>();
  find(library, "ncclGetVersion", f->getVersion);
  int version = 0;
  if (f->getVersion(&version) != NcclFunctions::DONE) throw std::runtime_error("it does not tell its version");
  if (version < OLDEST || version > NEWEST)
    throw std::runtime_error("it is version " + versionText(version) + ", " + versionText(OLDEST) + " or a later 2 is needed");
  find(library, "ncclGetErrorString", f->getErrorString);
  find(library, "ncclGetLastError", f->getLastError);
  find(library, "ncclGetUniqueId", f->getUniqueId);
  find(library, "ncclCommInitRankConfig", f->commInitRankConfig);
  find(library, "ncclCommGetAsyncError", f->commGetAsyncError);
  find(library, "ncclCommFinalize", f->commFinalize);
  find(library, "ncclCommDestroy", f->commDestroy);
  find(library, "ncclCommAbort", f->commAbort);
  find(library, "ncclGroupStart", f->groupStart);
  find(library, "ncclGroupEnd", f->groupEnd);
  find(library, "ncclSend", f->send);
  find(library, "ncclRecv", f->receive);
  Dl_info where{};
  const bool known = dladdr((void*)f->getVersion, &where) && where.dli_fname;
  return {known ? where.dli_fname : path, version, f};
}

}  // namespace

const Nccl& openNccl(const std::string& path) {
  static std::mutex gate;
  static std::map<std::string, Nccl> opened;
  std::lock_guard<std::mutex> lock(gate);
  auto it = opened.find(path);
  if (it == opened.end()) it = opened.emplace(path, load(path)).first;
  return it->second;
}

void newExchangeId(const Nccl& nccl, uint8_t* id) {
  NcclFunctions::Id made;
  const int result = nccl.functions->getUniqueId(&made);
  if (result != NcclFunctions::DONE)
    throw std::runtime_error(std::string("NCCL makes no identity: ") + nccl.functions->getErrorString(result));
  std::memcpy(id, made.bytes, sizeof made.bytes);
}

Wait::Wait(const DeviceWait& wait)
    : wait_(wait), until_(std::chrono::steady_clock::now() + std::chrono::milliseconds(wait.milliseconds)) {}

Communicator::Communicator(Stream& stream, const Nccl& nccl, const uint8_t* id, int rank, int ranks, const Wait& wait)
    : stream_(&stream), nccl_(nccl.functions) {
  NcclFunctions::Id shared;
  NcclFunctions::Config config;
  std::memcpy(shared.bytes, id, sizeof shared.bytes);
  stream_->handle();  // selects the device of the communicator
  try {
    check(nccl_->commInitRankConfig(&handle_, ranks, shared, rank, &config), "the devices cannot be connected");
    settle(wait, "the other devices");
  } catch (...) {
    abandon();
    throw;
  }
}

Communicator::~Communicator() { abandon(); }

void Communicator::transfer(const std::vector<Span>& spans, int peer, bool out, const Wait& wait) {
  const std::string what = std::string(out ? "sending to" : "receiving from") + " device " + std::to_string(peer);
  if (!handle_) throw PeerLost(what + ": the devices are not connected any more");
  void* stream = stream_->handle();
  check(nccl_->groupStart(), what);
  int result = NcclFunctions::DONE;
  for (const Span& span : spans) {
    if (!span.bytes) continue;
    const int now = out ? nccl_->send(span.at, span.bytes, NcclFunctions::BYTES, peer, handle_, stream)
                        : nccl_->receive(span.at, span.bytes, NcclFunctions::BYTES, peer, handle_, stream);
    if (now != NcclFunctions::DONE && now != NcclFunctions::IN_PROGRESS) result = now;
  }
  const int ended = nccl_->groupEnd();
  check(result, what);
  check(ended, what);
  settle(wait, what);
}

void Communicator::settle(const Wait& wait, const std::string& what) {
  // Most waits are shorter than a sleep.
  for (int round = 0;; round++) {
    int state = NcclFunctions::DONE;
    check(nccl_->commGetAsyncError(handle_, &state), what);
    check(state, what);
    if (state == NcclFunctions::DONE && stream_->idle()) return;
    std::string why;
    if (wait.ended()) why = "given up";
    else if (wait.late()) why = "nothing happened for " + std::to_string(wait.milliseconds() / 1000) + " s";
    if (!why.empty()) {
      abandon();
      throw PeerLost(what + ": " + why);
    }
    if (round < 1000) std::this_thread::yield();
    else std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

void Communicator::check(int result, const std::string& what) {
  if (result == NcclFunctions::DONE || result == NcclFunctions::IN_PROGRESS) return;
  std::string why = nccl_->getErrorString(result);
  if (const char* last = nccl_->getLastError(handle_); last && *last) why += std::string(" (") + last + ")";
  abandon();
  const std::string message = what + ": NCCL: " + why;
  if (result == NcclFunctions::CUDA_ERROR) throw std::runtime_error(message);
  throw PeerLost(message);
}

void Communicator::finish(const Wait& wait) {
  if (!handle_) return;
  stream_->handle();
  check(nccl_->commFinalize(handle_), "leaving");
  settle(wait, "leaving");
  void* handle = handle_;
  handle_ = nullptr;
  nccl_->commDestroy(handle);
}

void Communicator::abandon() {
  if (!handle_) return;
  void* handle = handle_;
  handle_ = nullptr;
  stream_->handle();
  nccl_->commAbort(handle);
}

}  // namespace implicam::device
