// Rows of planes in float arithmetic: develop/start/fusion/planes.ts, to the same bits.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// The widest vectors of the processor, without changing a bit. Sanitizers cannot start what is chosen at load time.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define IMPLICAM_WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define IMPLICAM_WIDEST
#endif

namespace implicam::start {

inline int halfOf(int side) { return (side + 1) >> 1; }
inline int blocksOf(int length, int side) { return (length + side - 1) / side; }

// Row y of a plane, the border's beyond it.
inline const float* rowOf(const float* plane, int width, int height, int y) {
  return plane + (size_t)std::clamp(y, 0, height - 1) * width;
}

// Row y of the plane at half the size; `line` holds `width` floats.
void halveRow(const float* source, int width, int height, int y, float* line, float* out);

// Row y of a half-size plane at full size again; `line` holds half the width.
void doubleRow(const float* half, int width, int height, int y, float* line, float* out);

// Row y of the plane convolved with a symmetric window; `line` holds width + 2 · radius floats.
void smoothRow(const float* source, int width, int height, const float* kernel, int radius, int y, float* line,
               float* out);

// Row j of the means of blocks; `line` holds `width` floats.
void blockRow(const float* source, int width, int height, int side, int j, float* line, float* out);

// Where the pixels of an axis stand between the centres of blocks.
struct Between {
  std::vector<int> before, after;
  std::vector<float> share;
  Between(int length, int side);
};

// Row y of blocks brought to the width of `across`; `line` holds as many floats as there are columns of blocks.
void enlargedRow(const float* blocks, int y, const Between& across, const Between& down, float* line, float* out);

}  // namespace implicam::start
