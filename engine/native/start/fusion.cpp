#include "start/fusion.h"

#include "start/float_planes.h"

namespace implicam::start {

namespace {

constexpr float COLOURS[3] = {0.375f, 0.75f, 0.375f};
constexpr float BAND_WEIGHTS[BANDS] = {1, 1.0f / 32, 1.0f / 1024};

// A band as it is worked on. `noise` is what noise alone gives of energy.
struct Plane {
  int width, height;
  size_t pixels() const { return (size_t)width * height; }
};

struct Bands {
  Plane size[BANDS];
  float* planes[BANDS + 1][3];
  float* energy[BANDS];
  uint8_t* brightness[BANDS];
};

IMPLICAM_WIDEST void brightnessRow(const float* r, const float* g, const float* b, int width, uint8_t* __restrict out) {
  for (int x = 0; x < width; x++) {
    const float mean = ((r[x] + b[x]) + 2.0f * g[x]) * 0.25f;
    out[x] = (uint8_t)(int)std::min(std::max(mean, 0.0f), 255.0f);
  }
}

IMPLICAM_WIDEST void detailRow(const float* plane, const float* smooth, int width, float* out) {
  for (int x = 0; x < width; x++) out[x] = plane[x] - smooth[x];
}

IMPLICAM_WIDEST void energyRow(const float* r, const float* g, const float* b, int width, float* __restrict out) {
  for (int x = 0; x < width; x++)
    out[x] = (COLOURS[0] * (r[x] * r[x]) + COLOURS[1] * (g[x] * g[x])) + COLOURS[2] * (b[x] * b[x]);
}

IMPLICAM_WIDEST void addSure(const float* smooth, const float* noise, float weight, float margin, int width,
                             float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] += weight * std::max(smooth[x] - margin * noise[x], 0.0f);
}

IMPLICAM_WIDEST void addScaled(const float* row, float weight, int width, float* __restrict out) {
  for (int x = 0; x < width; x++) out[x] += weight * row[x];
}

inline float eighth(float v) {
  const float square = v * v, fourth = square * square;
  return fourth * fourth;
}

// Scales of what was summed before and of what is added, and the sums of weights.
IMPLICAM_WIDEST void weighRow(const float* evidence, int width, float* __restrict most, float* __restrict weight,
                              float* __restrict scale, float* __restrict share) {
  for (int x = 0; x < width; x++) {
    const float high = std::max(most[x], evidence[x]);
    scale[x] = eighth(most[x] / high);
    share[x] = eighth(evidence[x] / high);
    most[x] = high;
    weight[x] = weight[x] * scale[x] + share[x];
  }
}

IMPLICAM_WIDEST void sumRow(const float* value, const float* scale, const float* share, int width,
                            float* __restrict sum) {
  for (int x = 0; x < width; x++) sum[x] = sum[x] * scale[x] + value[x] * share[x];
}

IMPLICAM_WIDEST void trackRow(const float* evidence, const float* most, int index, int width, uint16_t* __restrict best,
                              float* __restrict before, float* __restrict after, float* __restrict latest) {
  for (int x = 0; x < width; x++) {
    if (index == 0 || evidence[x] > most[x]) {
      best[x] = (uint16_t)index;
      before[x] = latest[x];
      after[x] = 0;
    } else if (index == best[x] + 1) {
      after[x] = evidence[x];
    }
    latest[x] = evidence[x];
  }
}

IMPLICAM_WIDEST void boundRow(const float* codes, size_t count, uint8_t* __restrict least, uint8_t* __restrict greatest) {
  for (size_t i = 0; i < count; i++) {
    const float code = std::min(std::max(codes[i], 0.0f), 255.0f);
    const int low = (int)code, high = low + (code > (float)low);
    least[i] = std::min(least[i], (uint8_t)low);
    greatest[i] = std::max(greatest[i], (uint8_t)high);
  }
}

IMPLICAM_WIDEST void splitRow(const float* codes, int width, float* __restrict r, float* __restrict g,
                              float* __restrict b) {
  for (int x = 0; x < width; x++) {
    r[x] = codes[3 * x];
    g[x] = codes[3 * x + 1];
    b[x] = codes[3 * x + 2];
  }
}

// Rows of one member's own.
struct Lines {
  std::vector<float> memory;
  size_t length;
  Lines(int width, int count) : memory((size_t)(width + 256) * count), length(width + 256) {}
  float* operator[](int i) { return memory.data() + i * length; }
};

constexpr int PLANES = 0, ENERGY = 12, NOISE = 15, OWN = 18, HALF_ENERGY = 21, HALF_NOISE = 22, BLOCKS = 24;

Bands bandsOf(FusionScratch& scratch, int width, int height) {
  Bands bands;
  int w = width, h = height;
  for (int l = 0; l <= BANDS; l++) {
    const size_t pixels = (size_t)w * h;
    for (int c = 0; c < 3; c++) bands.planes[l][c] = scratch.floats(PLANES + 3 * l + c, pixels);
    if (l < BANDS) {
      bands.size[l] = {w, h};
      bands.energy[l] = scratch.floats(ENERGY + l, pixels);
      bands.brightness[l] = scratch.bytes(l, pixels);
    }
    w = halfOf(w);
    h = halfOf(h);
  }
  return bands;
}

void halvePlanes(const Member& me, const Bands& bands, int level, Lines& lines) {
  const auto [width, height] = bands.size[level];
  const int rows = halfOf(height), columns = halfOf(width);
  for (int y = me.from(rows); y < me.to(rows); y++)
    for (int c = 0; c < 3; c++)
      halveRow(bands.planes[level][c], width, height, y, lines[0], bands.planes[level + 1][c] + (size_t)y * columns);
}

// Brightness and energy of a band; the finest one's detail takes the place of its planes.
void judgeBand(const Member& me, const Bands& bands, int level, Lines& lines) {
  const auto [width, height] = bands.size[level];
  auto& planes = bands.planes[level];
  for (int y = me.from(height); y < me.to(height); y++) {
    const size_t at = (size_t)y * width;
    brightnessRow(planes[0] + at, planes[1] + at, planes[2] + at, width, bands.brightness[level] + at);
    float* detail[3];
    for (int c = 0; c < 3; c++) {
      detail[c] = level == 0 ? planes[c] + at : lines[2 + c];
      doubleRow(bands.planes[level + 1][c], width, height, y, lines[0], lines[1]);
      detailRow(planes[c] + at, lines[1], width, detail[c]);
    }
    energyRow(detail[0], detail[1], detail[2], width, bands.energy[level] + at);
  }
}

void judgeBands(const Member& me, const Bands& bands, const float* codes, Lines& lines) {
  const auto [width, height] = bands.size[0];
  for (int y = me.from(height); y < me.to(height); y++) {
    const size_t at = (size_t)y * width;
    splitRow(codes + 3 * at, width, bands.planes[0][0] + at, bands.planes[0][1] + at, bands.planes[0][2] + at);
  }
  me.meet();
  for (int l = 0; l < BANDS; l++) {
    halvePlanes(me, bands, l, lines);
    me.meet();
    judgeBand(me, bands, l, lines);
  }
  me.meet();
}

// One band's evidence: its energy, noise and the smoothed blocks of its wide windows.
struct Evidence {
  Plane size;
  const float *energy, *noise;
  const FusionWindow* windows;
  float* blocks[WINDOWS];
  float* smooth[WINDOWS];
  std::vector<Between> across, down;
};

Evidence evidenceOf(FusionScratch& scratch, int number, Plane size, const float* energy, const float* noise,
                    const FusionWindow* windows) {
  Evidence e{size, energy, noise, windows, {}, {}, {}, {}};
  for (int k = 0; k < WINDOWS; k++) {
    const int side = windows[k].side;
    const size_t blocks = (size_t)blocksOf(size.width, side) * blocksOf(size.height, side);
    e.blocks[k] = side > 1 ? scratch.floats(BLOCKS + 10 * number + 2 * k, blocks) : nullptr;
    e.smooth[k] = side > 1 ? scratch.floats(BLOCKS + 10 * number + 2 * k + 1, blocks) : nullptr;
    e.across.emplace_back(size.width, side);
    e.down.emplace_back(size.height, side);
  }
  return e;
}

void meanBlocks(const Member& me, Evidence& e, Lines& lines) {
  for (int k = 0; k < WINDOWS; k++) {
    const int side = e.windows[k].side;
    if (side == 1) continue;
    const int columns = blocksOf(e.size.width, side), rows = blocksOf(e.size.height, side);
    for (int j = me.from(rows); j < me.to(rows); j++)
      blockRow(e.energy, e.size.width, e.size.height, side, j, lines[0], e.blocks[k] + (size_t)j * columns);
  }
}

void smoothBlocks(const Member& me, Evidence& e, Lines& lines) {
  for (int k = 0; k < WINDOWS; k++) {
    const auto& window = e.windows[k];
    if (window.side == 1) continue;
    const int columns = blocksOf(e.size.width, window.side), rows = blocksOf(e.size.height, window.side);
    for (int j = me.from(rows); j < me.to(rows); j++)
      smoothRow(e.blocks[k], columns, rows, window.kernel, window.radius, j, lines[0],
                e.smooth[k] + (size_t)j * columns);
  }
}

void evidenceRow(const Evidence& e, int y, Lines& lines, float* out) {
  const auto [width, height] = e.size;
  std::fill_n(out, width, 0.0f);
  for (int k = 0; k < WINDOWS; k++) {
    const auto& window = e.windows[k];
    if (window.side == 1) smoothRow(e.energy, width, height, window.kernel, window.radius, y, lines[0], lines[1]);
    else enlargedRow(e.smooth[k], y, e.across[k], e.down[k], lines[0], lines[1]);
    addSure(lines[1], e.noise + (size_t)y * width, window.weight, window.margin, width, out);
  }
}

void accumulateRow(const LevelSums& sums, size_t at, int width, const float* evidence, const float* const* values,
                   float* scale, float* share) {
  weighRow(evidence, width, sums.most + at, sums.weight + at, scale, share);
  for (int c = 0; c < 3; c++) sumRow(values[c] + at, scale, share, width, sums.light[c] + at);
}

// What one frame adds, after its bands are known.
struct Addition {
  const FusionSums& sums;
  const FusionTerms& terms;
  const Bands& bands;
  Evidence &fine, &middle, &coarse, &half;
  const float *own1, *own2;
  const uint8_t* mask;
  const float* codes;
  int index;
  Between halfAcross, halfDown, quarterAcross, quarterDown, coarseAcross, coarseDown;
};

void addHalf(const Member& me, const Addition& a, Lines& lines) {
  const auto [width, height] = a.bands.size[1];
  const int fullWidth = a.sums.width, fullHeight = a.sums.height;
  float* row = lines[2];
  for (int y = me.from(height); y < me.to(height); y++) {
    const size_t at = (size_t)y * width;
    evidenceRow(a.half, y, lines, row);
    for (int x = 0; x < width; x++) row[x] = (row[x] + a.terms.least) + BAND_WEIGHTS[1] * a.own1[at + x];
    enlargedRow(a.own2, y, a.coarseAcross, a.coarseDown, lines[0], lines[1]);
    addScaled(lines[1], BAND_WEIGHTS[2], width, row);
    for (int j = 2 * y; a.mask && j < std::min(2 * y + 2, fullHeight); j++)
      for (int x = 0; x < fullWidth; x++)
        if (a.mask[(size_t)j * fullWidth + x] == 0) row[x >> 1] = a.terms.missing;
    accumulateRow(a.sums.half, at, width, row, a.bands.planes[1], lines[3], lines[4]);
  }
}

void addFull(const Member& me, const Addition& a, Lines& lines) {
  const auto [width, height] = a.bands.size[0];
  const auto& sums = a.sums;
  float *row = lines[2], *scale = lines[3], *share = lines[4];
  for (int y = me.from(height); y < me.to(height); y++) {
    const size_t at = (size_t)y * width;
    evidenceRow(a.fine, y, lines, row);
    for (int x = 0; x < width; x++) row[x] += a.terms.least;
    enlargedRow(a.own1, y, a.halfAcross, a.halfDown, lines[0], lines[1]);
    addScaled(lines[1], BAND_WEIGHTS[1], width, row);
    enlargedRow(a.own2, y, a.quarterAcross, a.quarterDown, lines[0], lines[1]);
    addScaled(lines[1], BAND_WEIGHTS[2], width, row);
    for (int x = 0; a.mask && x < width; x++)
      if (a.mask[at + x] == 0) row[x] = a.terms.missing;
    trackRow(row, sums.full.most + at, a.index, width, sums.best + at, sums.before + at, sums.after + at,
             sums.latest + at);
    accumulateRow(sums.full, at, width, row, a.bands.planes[0], scale, share);
    boundRow(a.codes + 3 * at, 3 * (size_t)width, sums.least + 3 * at, sums.greatest + 3 * at);
  }
}

}  // namespace

void bandEnergy(Team& team, FusionScratch& scratch, const float* codes, int width, int height, float* const* energy,
                uint8_t* const* brightness) {
  Bands bands = bandsOf(scratch, width, height);
  for (int l = 0; l < BANDS; l++) {
    bands.energy[l] = energy[l];
    bands.brightness[l] = brightness[l];
  }
  team.run((size_t)width * height, [&](const Member& me) {
    Lines lines(width, 5);
    judgeBands(me, bands, codes, lines);
  });
}

void addToFusion(Team& team, FusionScratch& scratch, const FusionSums& sums, const float* codes, const uint8_t* mask,
                 int index, const FusionTerms& terms) {
  const Bands bands = bandsOf(scratch, sums.width, sums.height);
  float* noise[BANDS];
  for (int l = 0; l < BANDS; l++) noise[l] = scratch.floats(NOISE + l, bands.size[l].pixels());
  float *halfEnergy = scratch.floats(HALF_ENERGY, bands.size[1].pixels()),
        *halfNoise = scratch.floats(HALF_NOISE, bands.size[1].pixels());
  float *own1 = scratch.floats(OWN + 1, bands.size[1].pixels()), *own2 = scratch.floats(OWN + 2, bands.size[2].pixels());
  Evidence e[] = {evidenceOf(scratch, 0, bands.size[0], bands.energy[0], noise[0], terms.windows[0]),
                  evidenceOf(scratch, 1, bands.size[1], bands.energy[1], noise[1], terms.windows[1]),
                  evidenceOf(scratch, 2, bands.size[2], bands.energy[2], noise[2], terms.windows[2]),
                  evidenceOf(scratch, 3, bands.size[1], halfEnergy, halfNoise, terms.windows[1])};
  const auto [halfWidth, halfHeight] = bands.size[1];
  const Addition addition{sums, terms, bands, e[0], e[1], e[2], e[3], own1, own2, mask, codes, index,
                          Between(sums.width, 2), Between(sums.height, 2), Between(sums.width, 4),
                          Between(sums.height, 4), Between(halfWidth, 2), Between(halfHeight, 2)};
  team.run((size_t)sums.width * sums.height, [&](const Member& me) {
    Lines lines(sums.width, 5);
    judgeBands(me, bands, codes, lines);
    for (int l = 0; l < BANDS; l++) {
      const auto [width, height] = bands.size[l];
      for (size_t p = (size_t)me.from(height) * width; p < (size_t)me.to(height) * width; p++)
        noise[l][p] = terms.tables[l][bands.brightness[l][p]];
    }
    me.meet();
    for (int y = me.from(halfHeight); y < me.to(halfHeight); y++) {
      const size_t at = (size_t)y * halfWidth;
      halveRow(bands.energy[0], sums.width, sums.height, y, lines[0], halfEnergy + at);
      halveRow(noise[0], sums.width, sums.height, y, lines[0], halfNoise + at);
    }
    me.meet();
    for (auto& one : e) meanBlocks(me, one, lines);
    me.meet();
    for (auto& one : e) smoothBlocks(me, one, lines);
    me.meet();
    for (int y = me.from(halfHeight); y < me.to(halfHeight); y++)
      evidenceRow(e[1], y, lines, own1 + (size_t)y * halfWidth);
    const auto [coarseWidth, coarseHeight] = bands.size[2];
    for (int y = me.from(coarseHeight); y < me.to(coarseHeight); y++)
      evidenceRow(e[2], y, lines, own2 + (size_t)y * coarseWidth);
    me.meet();
    addHalf(me, addition, lines);
    addFull(me, addition, lines);
  });
}

void fusedCodes(Team& team, FusionScratch& scratch, const FusionSums& sums, float slack, float* out) {
  const int width = sums.width, height = sums.height, columns = halfOf(width), rows = halfOf(height);
  float* rest[3];
  for (int c = 0; c < 3; c++) rest[c] = scratch.floats(PLANES + c, (size_t)columns * rows);
  team.run((size_t)width * height, [&](const Member& me) {
    Lines lines(width, 2);
    for (int y = me.from(rows); y < me.to(rows); y++)
      for (int c = 0; c < 3; c++)
        for (size_t p = (size_t)y * columns; p < (size_t)(y + 1) * columns; p++)
          rest[c][p] = sums.half.light[c][p] / sums.half.weight[p];
    me.meet();
    for (int y = me.from(height); y < me.to(height); y++)
      for (int c = 0; c < 3; c++) {
        doubleRow(rest[c], width, height, y, lines[0], lines[1]);
        for (int x = 0; x < width; x++) {
          const size_t p = (size_t)y * width + x, i = 3 * p + c;
          const float code = sums.full.light[c][p] / sums.full.weight[p] + lines[1][x];
          const float low = std::max((float)sums.least[i] - slack, 0.0f);
          const float high = sums.greatest[i] == 255 ? INFINITY : (float)sums.greatest[i] + slack;
          out[i] = std::min(std::max(code, low), high);
        }
      }
  });
}

}  // namespace implicam::start
