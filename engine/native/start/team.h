// How the start's kernels share their work: every member of a team takes a band of rows, columns or pixels. What a pixel
// gets, and in which order, does not depend on how many members there are.
#pragma once
#include <cstddef>
#include <vector>

#include "support/workers.h"

namespace implicam::start {

// One member's place in a team.
struct Member {
  int id, count;
  Workers* workers;

  // This member's share of 0 … n.
  int from(int n) const { return (int)((long)n * id / count); }
  int to(int n) const { return (int)((long)n * (id + 1) / count); }

  // Waits for the others.
  void meet() const {
    if (count > 1) workers->meet();
  }
};

class Team {
 public:
  explicit Team(int threads) : workers_(threads) {}

  int count() const { return workers_.count(); }

  // Memory for passing planes that is kept, so that it need not be fetched from the system again; a plane is good until
  // the next call with its number.
  float* plane(int number, size_t pixels) {
    auto& plane = planes_[number];
    if (plane.size() < pixels) plane.resize(pixels);
    return plane.data();
  }

  // Runs job(Member) on all members; on the calling thread alone where the pixels are too few to share.
  template <class Job>
  void run(size_t pixels, Job job) {
    if (workers_.count() == 1 || pixels < FEW) {
      job(Member{0, 1, nullptr});
      return;
    }
    workers_.run([&](int id) { job(Member{id, workers_.count(), &workers_}); });
  }

 private:
  // Waking a thread costs as much as some thousand pixels.
  static constexpr size_t FEW = 8192;
  Workers workers_;
  std::vector<float> planes_[2];
};

}  // namespace implicam::start
