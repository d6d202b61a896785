// Scratch memory laid out once: the same code counts the bytes (without memory) and places the arrays (with it).
// Always inlined: it is compiled for several instruction sets, and one must not serve another.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace implicam {

class Arena {
 public:
  explicit Arena(void* memory) : base_((uint8_t*)memory) {}

  template <class T>
  __attribute__((always_inline)) T* take(size_t count) {
    T* p = (T*)(base_ + used_);
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return p;
  }

  size_t used() const { return used_; }

 private:
  uint8_t* base_;
  size_t used_ = 0;
};

}  // namespace implicam
