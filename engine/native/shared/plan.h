// What a trainer is, as plain data: model/plan.ts in C++. Read by the kernels of every instruction set and by the
// trainer that drives them.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace implicam {

constexpr int MAX_LEVELS = 20;
constexpr int MAX_LAYERS = 9;
constexpr int MAX_TAPS = 32;

constexpr int AFFINE = 6;  // parameters of a view's learned registration

struct GridLevel {
  int32_t offset, nx, ny, nodes, hashed;
  float scale;
};

struct GridSpec {
  int32_t levels;
  int32_t nodes;  // of all levels, padding included
  GridLevel level[MAX_LEVELS];
};

// A fully connected network: `layers` products of widths width[0..layers], parameters at `offset`.
struct NetSpec {
  int32_t layers;
  int32_t width[MAX_LAYERS + 1];
  int32_t sine;
  float omega;
  int64_t offset, size;
};

enum BlurForm { BLUR_NONE, BLUR_LENS, BLUR_FREE };

struct View {
  int32_t focus;         // focus setting
  int32_t frames, first; // frames[first .. first + frames) of `frameOrder`
  float aperture;
  float homography[8];
  int64_t registration;  // offset of its learned registration, or −1
};

struct Rect {
  int32_t x, y, width, height;
};

struct Shard {
  int32_t tiled;
  Rect own, grid;
  int32_t draws;
  int64_t drawOffset, drawStride;
  uint32_t key;
  int64_t atlasGrid, mapGrid;  // offsets in the parameters, or −1
};

struct Loss {
  int32_t inequality, slope;
  float sharpness, sharpnessTau, randomGamma;
  float smoothDefocus, toneSmooth, tonePin, exposureAnchor, rigidity;
};

// One frame's pixels, interleaved RGB of 8 or 16 bits; mask [H·W] or null.
struct FrameData {
  const uint8_t* data8;
  const uint16_t* data16;
  const uint8_t* mask;
};

struct Model {
  int32_t width, height, residual;
  int32_t siren, logLight;
  GridSpec atlasGrid, mapGrid;
  NetSpec atlas, map, blur;
  int32_t blurForm, taps, patch, reach, margin, blurGrid;
  float maxShift;
  int32_t knots;  // 0: network tone mapper
  float toneLow;
  int32_t toneHidden;
  int64_t tone, exposure, focus, kappa, registration;  // offsets, or −1
  int64_t shared;  // parameters before the grids
  float kappaStart;
  int32_t views, frames, shards, focusSettings, exposures;
  float evSquash;
  uint32_t seed;
  Loss loss;
  // Owned by the trainer:
  const View* view;
  const int32_t* frameOrder;
  const float *evBase, *evBasis;  // evBasis [frames][exposures]
  const Shard* shard;
  const FrameData* frame;
  const float *startRadiance, *startDefocus;  // planar, or null
};

// What the step adds to the plan.
struct StepInput {
  int64_t step;
  int32_t sharp;  // the sharpest view already outweighs the others
  float gamma;    // the step's random gamma
};

enum Phase {
  PHASE_BLUR,
  PHASE_HASH,
  PHASE_NETWORK,
  PHASE_COMPOSITE,
  PHASE_NETWORK_BACK,
  PHASE_HASH_BACK,
  PHASE_BLUR_BACK,
  PHASE_UPDATE,
  PHASES
};

// Gradient of one shard: the shared parameters, then its atlas grid, then its map grid.
template <class R>
struct ShardGradient {
  R *shared, *atlas, *map;
  uint8_t *atlasTouched, *mapTouched;  // a byte a cache line (8 nodes)
  double loss, squared, samples;       // total loss; Σ of unweighted squared errors and their number
  uint64_t ticks[PHASES];
};

// One group for the update.
struct AdamStep {
  float beta1, beta2, correction1, correction2;  // 1/(1 − βᵗ)
};

// A baked scene and how to look at it.
struct RenderInput {
  int32_t width, height;
  int32_t reach;  // widest circle of this render plus margin; 0: no lens
  float focus, scale, gain;
  const float* curve;  // 3 × CURVE_SIZE, or null for linear light
  const float *light[3], *defocus;
};

// Display curves are sampled at the floats with bits CURVE_FROM + j·2^CURVE_SHIFT: from 2⁻²⁴ to 2⁸, 64 an octave.
constexpr int32_t CURVE_FROM = (127 - 24) << 23;
constexpr int32_t CURVE_SHIFT = 17;
constexpr int32_t CURVE_SIZE = 32 * 64 + 1;

// The kernels of one instruction set.
template <class R>
struct Kernels {
  const char* isa;
  int lanes;
  // Bytes of scratch memory that `shardGradient` wants: zero at first, then its own from step to step, because vectors
  // read past the ends of rows and what they find there must be finite.
  size_t (*workspace)(const Model&);
  // Adds the gradient of one shard's draws at `step` to `gradient`.
  void (*shardGradient)(const Model&, int shard, const StepInput&, const R* theta, ShardGradient<R>& gradient,
                        void* workspace);
  size_t (*bakeWorkspace)(const Model&);
  // Evaluates the scene at the pixels of rows [y0, y1) owned by a shard; planes of ln radiance, and of the defocus map behind a lens.
  void (*bakeRows)(const Model&, int shard, int y0, int y1, const R* theta, float* radiance, float* defocus,
                   void* workspace);
  // θ −= rate·m̂/(√v̂ + ε) on [0, n); with `sparse`, entries of zero gradient stay untouched. n is a multiple of 16.
  void (*adam)(R* theta, R* m, R* v, const R* gradient, size_t n, R rate, const AdamStep&, bool sparse);
  // Renders tiles of side × side, taken from the counter `next` (a std::atomic<int>), into [height][width][3].
  size_t (*renderWorkspace)(const RenderInput&, int side);
  void (*renderTiles)(const RenderInput&, int side, int columns, int tiles, void* next, void* workspace, float* target);
  // Does so many rounds of multiply-adds as fast as this processor can, and returns their floating-point operations.
  double (*multiplyAdds)(int rounds);
};

}  // namespace implicam
