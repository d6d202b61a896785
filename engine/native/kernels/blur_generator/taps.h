// The training step without a lens: a sample is a pixel position with all its views; each view is blurred by K queries of
// the scene, where the blur generator wants them, or sees it sharp (K = 1). docs/reference/MODEL.md, "free", "none".
#pragma once
#include "support/arena.h"
#include "kernels/draws.h"
#include "kernels/blur_generator/free_blur.h"
#include "kernels/geometry.h"
#include "kernels/tone_mapper/photometric.h"
#include "kernels/scene/scene.h"
#include "shared/start_picture.h"

namespace implicam::IMPLICAM_ISA {

// Clamps positions to picture and grid; `onX`, `onY` become 0 where that moved them.
IC_INLINE void confine(const Model& m, const Shard& shard, V* px, V* py, V* onX, V* onY, int count) {
  Bounds picture = Bounds::of({0, 0, m.width, m.height}), grid = Bounds::of(shard.grid);
  for (int i = 0; i < count; i++) {
    V a = px[i], b = py[i];
    clampTo(picture, px[i], py[i]);
    clampTo(grid, px[i], py[i]);
    onX[i] = a == px[i] ? splat(1) : V{};
    onY[i] = b == py[i] ? splat(1) : V{};
  }
}

// Start picture k at vectors of positions, and its slopes.
IC_INLINE Sampled<V> bilinearAt(const Model& m, const float* planes, int k, V px, V py) {
  const float* plane = planes + (size_t)k * m.width * m.height;
  Sampled<V> r;
  for (int q = 0; q < NL; q++) {
    const Sampled<R> s = bilinear<R>(m, plane, px[q], py[q]);
    r.value[q] = s.value;
    r.gx[q] = s.gx;
    r.gy[q] = s.gy;
  }
  return r;
}

struct Taps {
  const Model* model;
  int K, block, pv, qv;  // taps; pixels a block, and vectors of pixels and of queries
  bool free_;
  Scene scene;      // the atlas at the taps of one view
  FreeBlur blur;    // the free generator of one view
  Photometric photo;
  int *column, *row;           // the block's pixels
  V *x, *y, *weight;           // [pv]
  V *tapX, *tapY;              // [qv] before the warp
  V *dqx, *dqy;                // [qv]
  V *freeX, *freeY;            // [qv] 0 where a position was clamped
  Warp* warp;
  V* dwarp;

  static int blockPixels(const Model& m) {
    int wide = 0;
    for (int l = 0; l <= m.atlas.layers; l++) wide = m.atlas.width[l] > wide ? m.atlas.width[l] : wide;
    int queries = wide > 128 ? 288 : 1152;  // activations of a tile stay in the second-level cache
    int b = queries / m.taps / NL * NL;
    int draws = 0;
    for (int i = 0; i < m.shards; i++) draws = m.shard[i].draws > draws ? m.shard[i].draws : draws;
    int most = (draws + NL - 1) / NL * NL;  // no larger than what a shard draws
    most = most > 256 ? 256 : most;
    return b < NL ? NL : b > most ? most : b;
  }

  void place(const Model& m, Arena& arena) {
    model = &m;
    free_ = m.blurForm == BLUR_FREE;
    K = m.taps;
    block = blockPixels(m);
    pv = block / NL;
    qv = pv * K;
    scene.place(m, qv, arena);
    photo.place(m, arena);
    column = arena.take<int>(block);
    row = arena.take<int>(block);
    V** pixelArrays[] = {&x, &y, &weight};
    for (V** a : pixelArrays) *a = arena.take<V>(pv);
    V** queryArrays[] = {&tapX, &tapY, &dqx, &dqy, &freeX, &freeY};
    for (V** a : queryArrays) *a = arena.take<V>(qv);
    if (free_) blur.place(m, pv, arena);
    warp = arena.take<Warp>(m.views);
    dwarp = arena.take<V>(AFFINE * (size_t)m.views);
  }

  void run(int shardIndex, const StepInput& step, const R* theta, ShardGradient<R>& grad) {
    const Shard& shard = model->shard[shardIndex];
    double pixels = shard.tiled ? (double)shard.draws * model->shards : shard.drawStride;
    photo.begin(theta, step, pixels);
    for (int v = 0; v < model->views; v++) {
      warp[v].begin(*model, model->view[v], theta);
      for (int k = 0; k < AFFINE; k++) dwarp[AFFINE * v + k] = V{};
    }
    Draws draws(shard, model->seed, 1);
    for (int j = 0; j < shard.draws; j += block) oneBlock(shard, step, theta, grad, draws, j);
    photo.finish(theta, grad.shared);
    for (int v = 0; v < model->views; v++) Warp::finish(model->view[v], dwarp + AFFINE * v, grad.shared);
    grad.loss += laneSum(photo.loss);
    grad.squared += laneSum(photo.squared);
    grad.samples += laneSum(photo.samples);
  }

 private:
  void oneBlock(const Shard& shard, const StepInput& step, const R* theta, ShardGradient<R>& grad, Draws& draws, int j0) {
    Ticker ticker(grad.ticks);
    drawBlock(shard, step, draws, j0);
    for (int v = 0; v < model->views; v++) oneView(shard, theta, grad, v, ticker);
  }

  void drawBlock(const Shard& shard, const StepInput& step, Draws& draws, int j0) {
    for (int i = 0; i < block; i++) {
      int j = j0 + i < shard.draws ? j0 + i : shard.draws - 1;
      draws.origin(draws.number(step.step, j), column[i], row[i]);
      x[i / NL][i % NL] = (R)(column[i] + .5);
      y[i / NL][i % NL] = (R)(row[i] + .5);
      weight[i / NL][i % NL] = j0 + i < shard.draws ? 1 : 0;
    }
  }

  void oneView(const Shard& shard, const R* theta, ShardGradient<R>& grad, int v, Ticker& ticker) {
    const View& view = model->view[v];
    placeTaps(theta, view);
    for (int q = 0; q < qv; q++) warp[v].apply(tapX[q], tapY[q], scene.px[q], scene.py[q]);
    confine(*model, shard, scene.px, scene.py, freeX, freeY, qv);
    ticker.next(PHASE_BLUR);
    scene.forward(shard, theta, ticker);
    if (scene.hasStart && model->residual) addStart();
    activate();
    compareView(view);
    ticker.next(PHASE_COMPOSITE);
    backwardScene(shard, theta, grad, ticker);
    for (int q = 0; q < qv; q++) {
      V dx, dy;
      warp[v].back(tapX[q], tapY[q], dqx[q] * freeX[q], dqy[q] * freeY[q], dwarp + AFFINE * v, dx, dy);
      dqx[q] = dx;
      dqy[q] = dy;
    }
    if (free_) blur.backward(theta, view, dqx, dqy, grad.shared);
    ticker.next(PHASE_BLUR_BACK);
  }

  void placeTaps(const R* theta, const View& view) {
    if (free_) return blur.forward(theta, view, x, y, tapX, tapY);
    for (int i = 0; i < pv; i++) {
      tapX[i] = x[i];
      tapY[i] = y[i];
    }
  }

  void activate() {
    if (!model->logLight) return scene.activate();
    for (int k = 0; k < 3; k++)
      for (int q = 0; q < qv; q++) ((V*)scene.plane(k))[q] = clamp(((V*)scene.plane(k))[q], LN_MIN, LN_MAX);
  }

  // Pixel values of the block's lanes.
  struct Target {
    const Taps* taps;
    int i, k;
    void operator()(int f, V& t, V& in) const {
      const Model& m = *taps->model;
      const FrameData& frame = m.frame[f];
      for (int q = 0; q < NL; q++) {
        size_t at = (size_t)taps->row[i * NL + q] * m.width + taps->column[i * NL + q];
        t[q] = frame.data8 ? frame.data8[3 * at + k] * (R)(1.0 / 255) : frame.data16[3 * at + k] * (R)(1.0 / 65535);
        in[q] = frame.mask && !frame.mask[at] ? 0 : 1;
      }
    }
  };

  // Composites the taps, compares, and leaves the gradient of the scene's outputs in their place.
  void compareView(const View& view) {
    for (int i = 0; i < pv; i++) {
      const V omega = weight[i];
      V dweight[MAX_TAPS];
      for (int k = 0; k < K; k++) dweight[k] = V{};
      for (int ch = 0; ch < 3; ch++) {
        V* b = (V*)scene.plane(ch);
        V sum{};
        for (int k = 0; k < K; k++) sum += tapWeight(k, i) * b[k * pv + i];
        V light = sum + (R)1e-8;
        V u = model->logLight ? sum : vlog(light);
        V du = Photometric::compare(photo, view, ch, u, omega, Target{this, i, ch});
        V dsum = model->logLight ? du : du / light;
        for (int k = 0; k < K; k++) {
          V value = b[k * pv + i];
          dweight[k] += dsum * value;
          V d = dsum * tapWeight(k, i);
          b[k * pv + i] = model->logLight ? ((value > LN_MIN) & (value < LN_MAX) ? d : V{})
                                          : d * value * Scene::alive(value);
        }
      }
      if (free_) blur.weightsBack(dweight, i);
    }
  }

  V tapWeight(int k, int i) const { return free_ ? blur.w[k * pv + i] : splat(1); }

  void addStart() {
    for (int k = 0; k < 3; k++)
      for (int q = 0; q < qv; q++)
        ((V*)scene.plane(k))[q] += bilinearAt(*model, model->startRadiance, k, scene.px[q], scene.py[q]).value;
  }

  // From the outputs' gradient to the networks', the grid's, and the positions'.
  void backwardScene(const Shard& shard, const R* theta, ShardGradient<R>& grad, Ticker& ticker) {
    bool positions = free_ || model->registration >= 0;
    for (int q = 0; q < qv; q++) dqx[q] = dqy[q] = V{};
    if (scene.hasStart && model->residual && positions)
      for (int k = 0; k < 3; k++)
        for (int q = 0; q < qv; q++) {
          const V d = ((V*)scene.plane(k))[q];
          const Sampled<V> s = bilinearAt(*model, model->startRadiance, k, scene.px[q], scene.py[q]);
          dqx[q] += d * s.gx;
          dqy[q] += d * s.gy;
        }
    scene.atlas.backward(theta, grad.shared, qv, !model->siren || positions);
    ticker.next(PHASE_NETWORK_BACK);
    V* in = scene.atlas.input();
    if (model->siren) {
      const R half = Normal<R>::of(*model).half;
      for (int q = 0; q < qv && positions; q++) {
        dqx[q] += in[q] / half;
        dqy[q] += in[qv + q] / half;
      }
      return;
    }
    R ox = (R)shard.grid.x, oy = (R)shard.grid.y;
    const R* table = theta + shard.atlasGrid;
    if (positions)
      scatter<true>(model->atlasGrid, table, grad.atlas, grad.atlasTouched, ox, oy, scene.px, scene.py, in, dqx, dqy,
                    qv, qv);
    else
      scatter<false>(model->atlasGrid, table, grad.atlas, grad.atlasTouched, ox, oy, scene.px, scene.py, in, dqx, dqy,
                     qv, qv);
    ticker.next(PHASE_HASH_BACK);
  }
};

}  // namespace implicam::IMPLICAM_ISA
