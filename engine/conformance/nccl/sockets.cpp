// The few functions of NCCL that runners use, over Unix sockets and the processor's memory: what the tests open in its place.
// It keeps to the documented behaviour of a communicator that does not block: calls return at once, the state is "in
// progress" until what was asked is done, and an operation whose partner died is in progress for ever, until `ncclCommAbort`.
//
// TEST_NCCL_VERSION: the version that it tells. TEST_NCCL_INIT: no communicator is made, by an error (`fail`), or never (`hang`).
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int DONE = 0, SYSTEM_ERROR = 2, INVALID_ARGUMENT = 4, IN_PROGRESS = 7;

struct Id {
  char folder[128];
};

struct Config {
  size_t size;
  unsigned magic, version;
  int blocking;
};

struct Operation {
  bool out;
  char* at;
  size_t bytes;
  int peer;
};

// Ended by `stop`: everything that waits asks for it again and again.
class Comm {
 public:
  Comm(const Id& id, int rank, int ranks) : folder_(id.folder), rank_(rank), out_(ranks, -1), in_(ranks, -1) {
    thread_ = std::thread([this] { run(); });
  }
  ~Comm() {
    stop_ = true;
    wake_.notify_all();
    thread_.join();
    for (auto* list : {&out_, &in_})
      for (int fd : *list)
        if (fd >= 0) close(fd);
    if (listening_ >= 0) close(listening_);
    unlink(place(rank_).c_str());
    rmdir(folder_.c_str());  // the last one succeeds
  }

  int state() const { return state_; }
  int ranks() const { return (int)out_.size(); }
  void ask(const std::vector<Operation>& operations) {
    std::lock_guard<std::mutex> lock(gate_);
    queue_.insert(queue_.end(), operations.begin(), operations.end());
    state_ = IN_PROGRESS;
    wake_.notify_all();
  }

 private:
  std::string place(int rank) const { return folder_ + "/" + std::to_string(rank); }

  static sockaddr_un addressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    return address;
  }

  void run() {
    listening_ = socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un own = addressOf(place(rank_));
    if (listening_ < 0 || bind(listening_, (const sockaddr*)&own, sizeof own) || listen(listening_, ranks())) {
      state_ = SYSTEM_ERROR;
      return;
    }
    for (int peer = 0; peer < ranks(); peer++)
      if (peer != rank_ && !reach(peer)) return;
    for (int n = 1; n < ranks(); n++)
      if (!accepted()) return;
    state_ = DONE;
    for (;;) {
      Operation next;
      {
        std::unique_lock<std::mutex> lock(gate_);
        wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (stop_) return;
        next = queue_.front();
      }
      if (!move(next)) return;
      std::lock_guard<std::mutex> lock(gate_);
      queue_.pop_front();
      if (queue_.empty()) state_ = DONE;
    }
  }

  // Connects to a peer that may not be there yet.
  bool reach(int peer) {
    const sockaddr_un address = addressOf(place(peer));
    while (!stop_) {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      if (connect(fd, (const sockaddr*)&address, sizeof address) == 0) {
        const int32_t own = rank_;
        out_[peer] = fd;
        return write(fd, &own, sizeof own) == sizeof own;
      }
      close(fd);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  bool accepted() {
    if (!ready(listening_, POLLIN)) return false;
    const int fd = accept(listening_, nullptr, nullptr);
    int32_t peer = -1;
    if (!ready(fd, POLLIN) || read(fd, &peer, sizeof peer) != sizeof peer || peer < 0 || peer >= ranks()) return false;
    in_[peer] = fd;
    return true;
  }

  bool ready(int fd, short events) {
    while (!stop_) {
      pollfd p = {fd, events, 0};
      if (poll(&p, 1, 20) > 0) return true;
    }
    return false;
  }

  bool move(const Operation& o) {
    const int fd = (o.out ? out_ : in_)[o.peer];
    for (size_t done = 0; done < o.bytes;) {
      if (!ready(fd, o.out ? POLLOUT : POLLIN)) return false;
      const ssize_t n = o.out ? send(fd, o.at + done, o.bytes - done, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : recv(fd, o.at + done, o.bytes - done, MSG_DONTWAIT);
      if (n > 0) done += (size_t)n;
      else if (n == 0 || (errno != EAGAIN && errno != EINTR)) spin();  // nobody is there any more
    }
    return true;
  }

  void spin() {
    while (!stop_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  const std::string folder_;
  const int rank_;
  std::vector<int> out_, in_;
  int listening_ = -1;
  std::atomic<int> state_{IN_PROGRESS};
  std::atomic<bool> stop_{false};
  std::mutex gate_;
  std::condition_variable wake_;
  std::deque<Operation> queue_;
  std::thread thread_;
};

thread_local int grouped = 0;
thread_local std::vector<std::pair<Comm*, Operation>> group;

int ask(Comm* comm, const Operation& o) {
  if (o.peer < 0 || o.peer >= comm->ranks()) return INVALID_ARGUMENT;
  if (grouped) {
    group.push_back({comm, o});
    return DONE;
  }
  comm->ask({o});
  return IN_PROGRESS;
}

bool is(const char* variable, const char* value) {
  const char* set = std::getenv(variable);
  return set && std::strcmp(set, value) == 0;
}

}  // namespace

extern "C" {

int ncclGetVersion(int* version) {
  const char* set = std::getenv("TEST_NCCL_VERSION");
  *version = set ? std::atoi(set) : 22703;
  return DONE;
}

const char* ncclGetErrorString(int result) { return result == SYSTEM_ERROR ? "a system call failed" : "an error of the test's"; }
const char* ncclGetLastError(void*) { return ""; }

int ncclGetUniqueId(Id* id) {
  const char* folder = std::getenv("TMPDIR");
  std::snprintf(id->folder, sizeof id->folder, "%s/implicam-nccl-XXXXXX", folder ? folder : "/tmp");
  return mkdtemp(id->folder) ? DONE : SYSTEM_ERROR;
}

int ncclCommInitRankConfig(void** comm, int ranks, Id id, int rank, Config* config) {
  const bool understood = config->magic == 0xcafebeef && config->version == 21700 && config->size >= sizeof(Config);
  if (!understood || config->blocking != 0 || rank < 0 || rank >= ranks) return INVALID_ARGUMENT;
  if (is("TEST_NCCL_INIT", "fail")) return SYSTEM_ERROR;
  // A rank that nobody else knows of meets nobody.
  if (is("TEST_NCCL_INIT", "hang")) rank += ranks++;
  *comm = new Comm(id, rank, ranks);
  return IN_PROGRESS;
}

int ncclCommGetAsyncError(void* comm, int* state) {
  *state = ((Comm*)comm)->state();
  return DONE;
}

int ncclCommFinalize(void*) { return DONE; }

int ncclCommDestroy(void* comm) {
  delete (Comm*)comm;
  return DONE;
}

int ncclCommAbort(void* comm) { return ncclCommDestroy(comm); }

int ncclGroupStart() {
  grouped++;
  return DONE;
}

int ncclGroupEnd() {
  if (--grouped) return DONE;
  for (const auto& [comm, operation] : group) comm->ask({operation});
  const bool any = !group.empty();
  group.clear();
  return any ? IN_PROGRESS : DONE;
}

int ncclSend(const void* at, size_t bytes, int type, int peer, void* comm, void*) {
  return type == 1 ? ask((Comm*)comm, {true, (char*)at, bytes, peer}) : INVALID_ARGUMENT;
}

int ncclRecv(void* at, size_t bytes, int type, int peer, void* comm, void*) {
  return type == 1 ? ask((Comm*)comm, {false, (char*)at, bytes, peer}) : INVALID_ARGUMENT;
}

}
