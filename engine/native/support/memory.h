// Large arrays that cost only what is touched of them: fresh pages of the operating system, zero until written. A runner
// that hosts a few tiles of a large training keeps the whole training's addressing and only its own tiles' memory.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

namespace implicam {

template <class T>
struct Aligned {
  // Vectors of the kernels may read a little past the end.
  static constexpr size_t SLACK = 256;
  T* data = nullptr;
  size_t size = 0;

  explicit Aligned(size_t n = 0) : size(n) {
    if (!n) return;
#ifdef MAP_NORESERVE
    constexpr int flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE;
#else
    constexpr int flags = MAP_PRIVATE | MAP_ANON;
#endif
    void* at = mmap(nullptr, n * sizeof(T) + SLACK, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    data = (T*)at;
  }
  Aligned(Aligned&& o) noexcept : data(o.data), size(o.size) { o.data = nullptr; }
  Aligned& operator=(Aligned&& o) noexcept {
    std::swap(data, o.data);
    std::swap(size, o.size);
    return *this;
  }
  ~Aligned() {
    if (data) munmap((void*)data, size * sizeof(T) + SLACK);
  }
};

}  // namespace implicam
