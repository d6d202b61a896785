// A fixed team of threads that run one job together. The calling thread is member 0.
#pragma once
#include <barrier>
#include <functional>
#include <thread>
#include <vector>

namespace implicam {

class Workers {
 public:
  explicit Workers(int count) : count_(count), gate_(count), meet_(count) {
    for (int id = 1; id < count; id++)
      threads_.emplace_back([this, id] {
        for (;;) {
          gate_.arrive_and_wait();
          if (quit_) return;
          job_(id);
          gate_.arrive_and_wait();
        }
      });
  }

  ~Workers() {
    quit_ = true;
    gate_.arrive_and_wait();
    for (auto& t : threads_) t.join();
  }

  int count() const { return count_; }

  // Runs job(id) on every member and returns when all are done.
  void run(std::function<void(int)> job) {
    job_ = std::move(job);
    gate_.arrive_and_wait();
    job_(0);
    gate_.arrive_and_wait();
  }

  // Inside a job: waits for every member.
  void meet() { meet_.arrive_and_wait(); }

 private:
  int count_;
  bool quit_ = false;
  std::function<void(int)> job_;
  std::barrier<> gate_, meet_;
  std::vector<std::thread> threads_;
};

}  // namespace implicam
