// The kernels of one instruction set: compiled once for each, with -DIMPLICAM_ISA=name -DIMPLICAM_VBYTES=bytes.
#include "kernels/blur_generator/patches.h"
#include "kernels/render.h"
#include "kernels/blur_generator/taps.h"

namespace implicam::IMPLICAM_ISA {

// Lays T out behind itself in the arena; without memory it only counts.
template <class T, class M, class... Args>
static void placeOne(const M& m, Arena& arena, void* memory, T** out, Args... args) {
  T* there = arena.take<T>(1);
  if (memory) {
    there->place(m, args..., arena);
    *out = there;
  } else {
    T counting;
    counting.place(m, args..., arena);
  }
}

static size_t place(const Model& m, void* memory, Patches** patches, Taps** taps) {
  Arena arena(memory);
  if (m.blurForm == BLUR_LENS) placeOne<Patches>(m, arena, memory, patches);
  else placeOne<Taps>(m, arena, memory, taps);
  return arena.used();
}

constexpr int BAKE_BLOCK = 1024;

static size_t placeBake(const Model& m, void* memory, Scene** scene) {
  Arena arena(memory);
  placeOne<Scene>(m, arena, memory, scene, BAKE_BLOCK / NL);
  return arena.used();
}

static size_t workspace(const Model& m) { return place(m, nullptr, nullptr, nullptr); }

static size_t bakeWorkspace(const Model& m) { return placeBake(m, nullptr, nullptr); }

static void shardGradient(const Model& m, int shard, const StepInput& step, const R* theta, ShardGradient<R>& gradient,
                          void* memory) {
  Patches* patches = nullptr;
  Taps* taps = nullptr;
  place(m, memory, &patches, &taps);
  if (patches) patches->run(shard, step, theta, gradient);
  else taps->run(shard, step, theta, gradient);
}

static void bakeRows(const Model& m, int shardIndex, int y0, int y1, const R* theta, float* radiance, float* defocus,
                     void* memory) {
  Scene* scene;
  placeBake(m, memory, &scene);
  const Shard& shard = m.shard[shardIndex];
  uint64_t ticks[PHASES] = {};
  Ticker ticker(ticks);
  size_t size = (size_t)m.width * m.height;
  int left = shard.own.x, right = shard.own.x + shard.own.width;
  for (int y = y0; y < y1; y++) {
    for (int x = left; x < right; x += BAKE_BLOCK) {
      int count = right - x < BAKE_BLOCK ? right - x : BAKE_BLOCK;
      scene->positions(shard, x, y, count, count);
      scene->forward(shard, theta, ticker);
      scene->addStart(shard, x, y, count, count);
      size_t at = (size_t)y * m.width + x;
      for (int k = 0; k < 3; k++) {
        const R* o = scene->plane(k);
        for (int i = 0; i < count; i++) {
          const R v = o[i];
          radiance[k * size + at + i] = (float)(v < LN_MIN ? LN_MIN : v > LN_MAX ? LN_MAX : v);
        }
      }
      for (int i = 0; i < count && scene->hasMap; i++) defocus[at + i] = (float)scene->defocus()[i];
    }
  }
}

static size_t placeRender(const RenderInput& input, int side, void* memory, RenderTile** tile) {
  Arena arena(memory);
  placeOne<RenderTile>(input, arena, memory, tile, side);
  return arena.used();
}

static size_t renderWorkspace(const RenderInput& input, int side) {
  return placeRender(input, side, nullptr, nullptr);
}

static void renderTiles(const RenderInput& input, int side, int columns, int tiles, void* next, void* memory,
                        float* target) {
  RenderTile* tile;
  placeRender(input, side, memory, &tile);
  tile->spread.offsets.build(input.reach);
  for (int j; (j = __atomic_fetch_add((int*)next, 1, __ATOMIC_RELAXED)) < tiles;)
    tile->run(j % columns * side, j / columns * side, target);
}

IC_INLINE void adamBlock(R* theta, R* m, R* v, V g, R rate, const AdamStep& s, bool sparse) {
  const R b1 = s.beta1, b2 = s.beta2;
  V old = load(theta), om = load(m), ov = load(v);
  V nm = b1 * om + (1 - b1) * g, nv = b2 * ov + (1 - b2) * g * g;
  V next = old - rate * (nm * (R)s.correction1) / (vsqrt(nv * (R)s.correction2) + (R)1e-15);
  if (sparse) {
    VI keep = g == 0;
    next = keep ? old : next;
    nm = keep ? om : nm;
    nv = keep ? ov : nv;
  }
  store(theta, next);
  store(m, nm);
  store(v, nv);
}

static void adam(R* theta, R* m, R* v, const R* gradient, size_t n, R rate, const AdamStep& step, bool sparse) {
  for (size_t i = 0; i < n; i += NL) adamBlock(theta + i, m + i, v + i, load(gradient + i), rate, step, sparse);
}

// Independent chains of multiply-adds, all of them in registers: no code on these vectors is faster. Returns their
// floating-point operations.
static __attribute__((noinline)) double multiplyAdds(int rounds) {
  V a[CHAINS], k = splat((R)0.999999), d = splat((R)1e-6);
  for (int j = 0; j < CHAINS; j++) a[j] = splat((R)j);
  IC_NOUNROLL
  for (int i = 0; i < rounds; i++) {
    IC_UNROLL
    for (int j = 0; j < CHAINS; j++) a[j] = opaque(a[j] * k + d);
  }
  return 2.0 * CHAINS * NL * rounds;
}

}  // namespace implicam::IMPLICAM_ISA

#define IC_JOIN2(a, b) a##b
#define IC_JOIN(a, b) IC_JOIN2(a, b)
#define IC_TEXT2(a) #a
#define IC_TEXT(a) IC_TEXT2(a)

namespace implicam {
extern const Kernels<IMPLICAM_ISA::R> IC_JOIN(kernels_, IMPLICAM_ISA);
const Kernels<IMPLICAM_ISA::R> IC_JOIN(kernels_, IMPLICAM_ISA) = {
    IC_TEXT(IMPLICAM_ISA),    IMPLICAM_ISA::NL,         IMPLICAM_ISA::workspace, IMPLICAM_ISA::shardGradient, IMPLICAM_ISA::bakeWorkspace,
    IMPLICAM_ISA::bakeRows,   IMPLICAM_ISA::adam,       IMPLICAM_ISA::renderWorkspace,
    IMPLICAM_ISA::renderTiles, IMPLICAM_ISA::multiplyAdds,
};
}  // namespace implicam
