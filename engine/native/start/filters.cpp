#include "start/filters.h"

#include <algorithm>
#include <cstring>

namespace implicam::start {

void boxRows(const Member& me, const float* source, int width, int height, int radius, float* out) {
  const double scale = 1.0 / (2 * radius + 1);
  const int last = width - 1;
  for (int y = me.from(height); y < me.to(height); y++) {
    const float* row = source + (size_t)y * width;
    float* to = out + (size_t)y * width;
    const double first = row[0], final = row[last];
    double sum = first * (radius + 1);
    for (int x = 1; x <= radius; x++) sum += row[std::min(x, last)];
    int x = 0;
    auto step = [&](double enter, double leave) {
      to[x] = (float)(sum * scale);
      sum += enter - leave;
      x++;
    };
    while (x < width && x <= radius) step(x + radius + 1 < width ? row[x + radius + 1] : final, first);
    while (x + radius + 1 < width) step(row[x + radius + 1], row[x - radius]);
    while (x < width) step(final, row[x - radius]);
  }
}

void boxColumns(const Member& me, const float* source, int width, int height, int radius, float* out) {
  const double scale = 1.0 / (2 * radius + 1);
  const int last = height - 1, from = me.from(width), count = me.to(width) - from;
  std::vector<double> sums(count);
  double* sum = sums.data();
  source += from;
  out += from;
  for (int x = 0; x < count; x++) sum[x] = (double)source[x] * (radius + 1);
  for (int k = 1; k <= radius; k++) {
    const float* row = source + (size_t)std::min(k, last) * width;
    for (int x = 0; x < count; x++) sum[x] += row[x];
  }
  for (int y = 0; y < height; y++) {
    float* __restrict to = out + (size_t)y * width;
    const float* __restrict enter = source + (size_t)std::min(y + radius + 1, last) * width;
    const float* __restrict leave = source + (size_t)std::max(y - radius, 0) * width;
    for (int x = 0; x < count; x++) {
      const double s = sum[x];
      to[x] = (float)(s * scale);
      sum[x] = s + enter[x] - leave[x];
    }
  }
}

void boxMean(Team& team, const float* source, int width, int height, int radius, float* out) {
  const size_t pixels = (size_t)width * height;
  float* mid = team.plane(0, pixels);
  team.run(pixels, [&](const Member& me) {
    boxRows(me, source, width, height, radius, mid);
    me.meet();
    boxColumns(me, mid, width, height, radius, out);
  });
}

void convolve(Team& team, const float* source, int width, int height, const double* kernel, int radius, float* out) {
  const size_t pixels = (size_t)width * height;
  float* mid = team.plane(0, pixels);
  team.run(pixels, [&](const Member& me) {
    std::vector<double> padded(width + 2 * radius), sums(width);
    const double* pad = padded.data() + radius;
    double* __restrict sum = sums.data();
    for (int y = me.from(height); y < me.to(height); y++) {
      const float* row = source + (size_t)y * width;
      std::fill_n(padded.begin(), radius, row[0]);
      std::copy_n(row, width, padded.begin() + radius);
      std::fill_n(padded.begin() + radius + width, radius, row[width - 1]);
      for (int x = 0; x < width; x++) sum[x] = kernel[0] * pad[x];
      for (int k = 1; k <= radius; k++)
        for (int x = 0; x < width; x++) sum[x] += kernel[k] * (pad[x - k] + pad[x + k]);
      float* to = mid + (size_t)y * width;
      for (int x = 0; x < width; x++) to[x] = (float)sum[x];
    }
    me.meet();
    for (int y = me.from(height); y < me.to(height); y++) {
      const float* row = mid + (size_t)y * width;
      for (int x = 0; x < width; x++) sum[x] = kernel[0] * row[x];
      for (int k = 1; k <= radius; k++) {
        const float* above = mid + (size_t)std::max(y - k, 0) * width;
        const float* below = mid + (size_t)std::min(y + k, height - 1) * width;
        for (int x = 0; x < width; x++) sum[x] += kernel[k] * ((double)above[x] + below[x]);
      }
      float* to = out + (size_t)y * width;
      for (int x = 0; x < width; x++) to[x] = (float)sum[x];
    }
  });
}

void medianFilter(Team& team, const float* source, int width, int height, int size, float* out) {
  const int radius = (size - 1) / 2, middle = size * size / 2;
  team.run((size_t)width * height, [&](const Member& me) {
    float window[25];
    for (int y = me.from(height); y < me.to(height); y++)
      for (int x = 0; x < width; x++) {
        int filled = 0;
        for (int j = -radius; j <= radius; j++) {
          const float* row = source + (size_t)std::clamp(y + j, 0, height - 1) * width;
          for (int i = -radius; i <= radius; i++) {
            const float value = row[std::clamp(x + i, 0, width - 1)];
            int at = filled++;
            for (; at > 0 && window[at - 1] > value; at--) window[at] = window[at - 1];
            window[at] = value;
          }
        }
        out[(size_t)y * width + x] = window[middle];
      }
  });
}

namespace {

// Kernels of at most 5 × 5: sums of the rows above and below first, then one pass along the row.
void blurSmall(const Member& me, const float* source, int width, int height, const Disk& disk, float* out) {
  auto weight = [&](int j, int i) {
    if (j > disk.reach) return 0.0;
    if (i <= disk.run[j]) return disk.full[j];
    const int t = i - disk.run[j] - 1;
    return t < disk.taps[j] ? disk.weights[j * (disk.reach + 1) + t] : 0.0;
  };
  const double w00 = weight(0, 0), w01 = weight(0, 1), w02 = weight(0, 2);
  const double w10 = weight(1, 0), w11 = weight(1, 1), w12 = weight(1, 2);
  const double w20 = weight(2, 0), w21 = weight(2, 1), w22 = weight(2, 2);
  std::vector<double> lines(3 * (size_t)(width + 4));
  double *centre = lines.data() + 2, *near = centre + width + 4, *far = near + width + 4;
  auto repeatEnds = [&](double* line) {
    line[-2] = line[-1] = line[0];
    line[width] = line[width + 1] = line[width - 1];
  };
  for (int y = me.from(height); y < me.to(height); y++) {
    auto rowAt = [&](int k) { return source + (size_t)std::clamp(y + k, 0, height - 1) * width; };
    const float *here = rowAt(0), *up1 = rowAt(-1), *down1 = rowAt(1), *up2 = rowAt(-2), *down2 = rowAt(2);
    float* to = out + (size_t)y * width;
    for (int x = 0; x < width; x++) {
      centre[x] = here[x];
      near[x] = (double)up1[x] + down1[x];
    }
    repeatEnds(centre);
    repeatEnds(near);
    if (disk.reach < 2) {
      for (int x = 0; x < width; x++)
        to[x] = (float)(w00 * centre[x] + w01 * (centre[x - 1] + centre[x + 1]) + w10 * near[x] +
                        w11 * (near[x - 1] + near[x + 1]));
      continue;
    }
    for (int x = 0; x < width; x++) far[x] = (double)up2[x] + down2[x];
    repeatEnds(far);
    for (int x = 0; x < width; x++)
      to[x] = (float)(w00 * centre[x] + w01 * (centre[x - 1] + centre[x + 1]) +
                      w02 * (centre[x - 2] + centre[x + 2]) + w10 * near[x] + w11 * (near[x - 1] + near[x + 1]) +
                      w12 * (near[x - 2] + near[x + 2]) + w20 * far[x] + w21 * (far[x - 1] + far[x + 1]) +
                      w22 * (far[x - 2] + far[x + 2]));
  }
}

// One row of a plane convolved with one row of a disk.
void convolveRow(const double* pad, const double* prefix, const Disk& disk, int j, int width, float* __restrict line) {
  const int run = disk.run[j], taps = disk.taps[j], reach = disk.reach;
  const double full = disk.full[j], *weights = disk.weights + j * (reach + 1);
  int i = 0;
  if (run >= 0) {
    const double *high = prefix + reach + run + 1, *low = prefix + reach - run;
    if (taps > 0) {
      const double w = weights[0], *a = pad - run - 1, *b = pad + run + 1;
      for (int x = 0; x < width; x++) line[x] = (float)(full * (high[x] - low[x]) + w * (a[x] + b[x]));
      i = 1;
    } else {
      for (int x = 0; x < width; x++) line[x] = (float)(full * (high[x] - low[x]));
    }
  } else {
    for (int x = 0; x < width; x++) line[x] = (float)(weights[0] * pad[x]);
    i = 1;
  }
  for (; i + 1 < taps; i += 2) {
    const double w = weights[i], v = weights[i + 1], *a = pad - run - 1 - i, *b = pad + run + 1 + i;
    for (int x = 0; x < width; x++)
      line[x] = (float)(line[x] + (w * (a[x] + b[x]) + v * (a[x - 1] + b[x + 1])));
  }
  if (i < taps) {
    const double w = weights[i], *a = pad - run - 1 - i, *b = pad + run + 1 + i;
    for (int x = 0; x < width; x++) line[x] = (float)(line[x] + w * (a[x] + b[x]));
  }
}

// Convolves each source row with every row of the disk and adds it to the two rows it reaches, of this member's.
void spreadRows(const Member& me, const float* source, int width, int height, const Disk& disk, float* out) {
  const int reach = disk.reach, from = me.from(height), to = me.to(height);
  std::vector<double> padded(width + 2 * reach), prefixes(padded.size() + 1);
  std::vector<float> lines(width);
  const double* pad = padded.data() + reach;
  double* prefix = prefixes.data();
  float* line = lines.data();
  std::fill(out + (size_t)from * width, out + (size_t)to * width, 0.0f);
  auto add = [&](int y) {
    if (y < from || y >= to) return;
    float* __restrict row = out + (size_t)y * width;
    for (int x = 0; x < width; x++) row[x] += line[x];
  };
  for (int y = std::max(0, from - reach); y < std::min(height, to + reach); y++) {
    const float* row = source + (size_t)y * width;
    std::fill_n(padded.begin(), reach, row[0]);
    std::copy_n(row, width, padded.begin() + reach);
    std::fill_n(padded.begin() + reach + width, reach, row[width - 1]);
    double sum = 0;
    for (size_t i = 0; i < padded.size(); i++) {
      prefix[i] = sum;
      sum += padded[i];
    }
    prefix[padded.size()] = sum;
    for (int j = 0; j <= reach; j++) {
      const bool mine = (y + j >= from && y + j < to) || (y - j >= from && y - j < to);
      if (!mine && y > 0 && y < height - 1) continue;
      convolveRow(pad, prefix, disk, j, width, line);
      // The first and last rows repeat beyond the border.
      add(y + j);
      if (y == 0)
        for (int t = 0; t < std::min(j, height); t++) add(t);
      if (j == 0) continue;
      add(y - j);
      if (y == height - 1)
        for (int t = std::max(0, height - j); t < height; t++) add(t);
    }
  }
}

}  // namespace

void blurDisk(Team& team, const float* source, int width, int height, const Disk& disk, float* out) {
  team.run((size_t)width * height, [&](const Member& me) {
    if (disk.reach <= 2) blurSmall(me, source, width, height, disk, out);
    else spreadRows(me, source, width, height, disk, out);
  });
}

void quantisedLog(Team& team, const float* plane, int pixels, double floor, const double* exponents,
                  const double* mantissas, int16_t* out) {
  team.run(pixels, [&](const Member& me) {
    for (int p = me.from(pixels); p < me.to(pixels); p++) {
      const float shifted = (float)(plane[p] + floor);
      int32_t bits;
      std::memcpy(&bits, &shifted, 4);
      out[p] = (int16_t)(int)(exponents[(bits >> 23) & 255] + mantissas[(bits >> 12) & 2047]);
    }
  });
}

}  // namespace implicam::start
