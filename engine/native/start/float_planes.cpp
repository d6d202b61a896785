#include "start/float_planes.h"

namespace implicam::start {

namespace {

inline float lowPass(float a, float b, float c, float d, float e) {
  return ((6.0f * c + 4.0f * (b + d)) + (a + e)) * 0.0625f;
}

IMPLICAM_WIDEST void lowPassRows(const float* a, const float* b, const float* c, const float* d, const float* e,
                                 int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] = lowPass(a[x], b[x], c[x], d[x], e[x]);
}

IMPLICAM_WIDEST void lowPassPairs(const float* line, int from, int to, float* __restrict out) {
  for (int x = from; x < to; x++)
    out[x] = lowPass(line[2 * x - 2], line[2 * x - 1], line[2 * x], line[2 * x + 1], line[2 * x + 2]);
}

IMPLICAM_WIDEST void ontoRows(const float* a, const float* b, const float* c, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] = (6.0f * b[x] + (a[x] + c[x])) * 0.125f;
}

IMPLICAM_WIDEST void betweenRows(const float* a, const float* b, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] = (a[x] + b[x]) * 0.5f;
}

IMPLICAM_WIDEST void doublePairs(const float* line, int from, int to, float* __restrict out) {
  for (int i = from; i < to; i++) {
    out[2 * i] = (6.0f * line[i] + (line[i - 1] + line[i + 1])) * 0.125f;
    out[2 * i + 1] = (line[i] + line[i + 1]) * 0.5f;
  }
}

IMPLICAM_WIDEST void scaledRow(const float* a, float k, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] = k * a[x];
}

IMPLICAM_WIDEST void addPair(const float* a, const float* b, float k, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] += k * (a[x] + b[x]);
}

IMPLICAM_WIDEST void addRow(const float* a, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] += a[x];
}

IMPLICAM_WIDEST void mixRows(const float* a, const float* b, float t, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] = a[x] + t * (b[x] - a[x]);
}

}  // namespace

void halveRow(const float* source, int width, int height, int y, float* line, float* out) {
  auto row = [&](int k) { return rowOf(source, width, height, 2 * y + k); };
  lowPassRows(row(-2), row(-1), row(0), row(1), row(2), width, line);
  const int columns = halfOf(width), last = width - 1;
  auto at = [&](int x) { return line[std::clamp(x, 0, last)]; };
  auto slow = [&](int x) { out[x] = lowPass(at(2 * x - 2), at(2 * x - 1), at(2 * x), at(2 * x + 1), at(2 * x + 2)); };
  const int inner = std::max(1, (width - 1) / 2);
  for (int x = 0; x < std::min(1, columns); x++) slow(x);
  lowPassPairs(line, 1, std::min(inner, columns), out);
  for (int x = std::min(inner, columns); x < columns; x++) slow(x);
}

void doubleRow(const float* half, int width, int height, int y, float* line, float* out) {
  const int columns = halfOf(width), rows = halfOf(height), i = y >> 1;
  const float *here = rowOf(half, columns, rows, i), *below = rowOf(half, columns, rows, i + 1);
  if (y % 2 == 0) ontoRows(rowOf(half, columns, rows, i - 1), here, below, columns, line);
  else betweenRows(here, below, columns, line);
  auto slow = [&](int x) {
    const int j = x >> 1;
    const float left = line[std::max(j - 1, 0)], mid = line[j], right = line[std::min(j + 1, columns - 1)];
    out[x] = x % 2 == 0 ? (6.0f * mid + (left + right)) * 0.125f : (mid + right) * 0.5f;
  };
  const int inner = std::max(1, columns - 1);
  for (int x = 0; x < std::min(2, width); x++) slow(x);
  doublePairs(line, 1, inner, out);
  for (int x = 2 * inner; x < width; x++) slow(x);
}

void smoothRow(const float* source, int width, int height, const float* kernel, int radius, int y, float* line,
               float* out) {
  float* mid = line + radius;
  scaledRow(rowOf(source, width, height, y), kernel[0], width, mid);
  for (int k = 1; k <= radius; k++)
    addPair(rowOf(source, width, height, y - k), rowOf(source, width, height, y + k), kernel[k], width, mid);
  std::fill_n(line, radius, mid[0]);
  std::fill_n(mid + width, radius, mid[width - 1]);
  scaledRow(mid, kernel[0], width, out);
  for (int k = 1; k <= radius; k++) addPair(mid - k, mid + k, kernel[k], width, out);
}

void blockRow(const float* source, int width, int height, int side, int j, float* line, float* out) {
  const int tall = std::min(side, height - j * side);
  std::fill_n(line, width, 0.0f);
  for (int y = j * side; y < j * side + tall; y++) addRow(source + (size_t)y * width, width, line);
  for (int i = 0, x = 0; x < width; i++, x += side) {
    const int wide = std::min(side, width - x);
    float sum = 0;
    for (int k = 0; k < wide; k++) sum += line[x + k];
    out[i] = sum / (float)(tall * wide);
  }
}

Between::Between(int length, int side) : before(length), after(length), share(length) {
  const int blocks = blocksOf(length, side);
  for (int x = 0; x < length; x++) {
    const double at = std::clamp((x + 0.5) / side - 0.5, 0.0, (double)(blocks - 1));
    before[x] = (int)at;
    after[x] = std::min(before[x] + 1, blocks - 1);
    share[x] = (float)(at - before[x]);
  }
}

void enlargedRow(const float* blocks, int y, const Between& across, const Between& down, float* line, float* out) {
  const int width = (int)across.share.size(), columns = across.after[width - 1] + 1;
  mixRows(blocks + (size_t)down.before[y] * columns, blocks + (size_t)down.after[y] * columns, down.share[y], columns,
          line);
  const int *before = across.before.data(), *after = across.after.data();
  const float* share = across.share.data();
  for (int x = 0; x < width; x++) {
    const float left = line[before[x]];
    out[x] = left + share[x] * (line[after[x]] - left);
  }
}

}  // namespace implicam::start
