// Source-side defocus for the training scenes: every pixel spreads its light over a disk of its own radius.
// Built and called by disks.py.
#include <algorithm>
#include <cmath>
#include <vector>

namespace {
// Radii are rounded to a sixteenth of a pixel; the rims of the disks are antialiased by 12 × 12 samples a pixel.
constexpr int STEPS = 16, SAMPLES = 12;
typedef float Lanes __attribute__((vector_size(32), aligned(4)));
struct Disk {
  int reach;
  std::vector<float> share;
};
std::vector<Disk> disks;

Disk diskOf(float radius) {
  Disk disk;
  disk.reach = std::max(0, (int)std::ceil(radius - 0.5f));
  const int side = 2 * disk.reach + 1;
  disk.share.assign(side * side, 0);
  double total = 0;
  for (int y = -disk.reach; y <= disk.reach; y++)
    for (int x = -disk.reach; x <= disk.reach; x++) {
      int inside = 0;
      for (int a = 0; a < SAMPLES; a++)
        for (int b = 0; b < SAMPLES; b++) {
          const float u = x + (a + 0.5f) / SAMPLES - 0.5f, v = y + (b + 0.5f) / SAMPLES - 0.5f;
          inside += u * u + v * v <= radius * radius;
        }
      disk.share[(y + disk.reach) * side + x + disk.reach] = inside;
      total += inside;
    }
  if (total == 0) disk.share.assign(1, total = 1);
  for (float& share : disk.share) share /= total;
  return disk;
}
}  // namespace

extern "C" {
// Disks up to this radius, once, before spread.
void prepare(float most) {
  while ((int)disks.size() <= (int)(most * STEPS) + 2) disks.push_back(diskOf(disks.size() / (float)STEPS));
}

// `light`, `out`: height × width × 8 channels; `out` comes as zeros.
void spread(const float* light, const float* radii, int height, int width, float* out) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const size_t p = (size_t)y * width + x;
      const Disk& disk = disks[(int)(radii[p] * STEPS + 0.5f)];
      const int reach = disk.reach, side = 2 * reach + 1;
      const int left = std::max(-reach, -x), right = std::min(reach, width - 1 - x);
      const Lanes value = *(const Lanes*)(light + 8 * p);
      for (int dy = std::max(-reach, -y); dy <= std::min(reach, height - 1 - y); dy++) {
        const float* share = &disk.share[(dy + reach) * side + reach];
        Lanes* to = (Lanes*)(out + 8 * ((size_t)(y + dy) * width + x));
        for (int dx = left; dx <= right; dx++) to[dx] += share[dx] * value;
      }
    }
}
}
