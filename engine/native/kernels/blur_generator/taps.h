// The training step by taps: a sample is a pixel position with all its views; each view is blurred by K queries of the
// scene. Used by the free blur generator, by sharp captures (K = 1), and by the lens where patches do not fit.
// docs/reference/MODEL.md, "lens, taps", "free", "none".
#pragma once
#include "session/arena.h"
#include "kernels/draws.h"
#include "kernels/blur_generator/free_blur.h"
#include "kernels/geometry.h"
#include "kernels/tone_mapper/photometric.h"
#include "kernels/scene/scene.h"
#include "kernels/blur_generator/tap_map.h"

namespace implicam::IMPLICAM_ISA {

struct Taps {
  const Model* model;
  int K, groups, layers, block, pv, qv;  // pixels a block, and vectors of pixels and of queries
  bool lens, free_;
  Scene scene;      // the atlas at the taps of one view
  TapMap map;       // lens: the defocus map
  FreeBlur blur;    // the free generator of one view
  Photometric photo;
  int *column, *row;           // the block's pixels
  V *x, *y, *u0, *u1, *weight; // [pv]
  V *tapX, *tapY;              // [qv] before the warp
  V *unitX, *unitY;            // [qv] direction of each tap: offset = c · unit (lens)
  V *dqx, *dqy;                // [qv]
  V *freeX, *freeY;            // [qv] 0 where a position was clamped
  V *c, *dc;                   // [layers][pv] of one view
  V *sharp;                    // [views][pv]
  Warp* warp;
  V* dwarp;

  static int blockPixels(const Model& m) {
    int groups = m.layers, k = m.blurForm == BLUR_NONE ? 1 : m.taps;
    int wide = 0;
    for (int l = 0; l <= m.atlas.layers; l++) wide = m.atlas.width[l] > wide ? m.atlas.width[l] : wide;
    int queries = wide > 128 ? 288 : 1152;  // activations of a tile stay in the second-level cache
    int b = queries / (k * groups) / NL * NL;
    int draws = 0;
    for (int i = 0; i < m.shards; i++) draws = m.shard[i].draws > draws ? m.shard[i].draws : draws;
    int most = (draws + NL - 1) / NL * NL;  // no larger than what a shard draws
    most = most > 256 ? 256 : most;
    return b < NL ? NL : b > most ? most : b;
  }

  void place(const Model& m, Arena& arena) {
    model = &m;
    layers = m.layers;
    lens = m.blurForm == BLUR_LENS_TAPS;
    free_ = m.blurForm == BLUR_FREE;
    K = m.blurForm == BLUR_NONE ? 1 : m.taps;
    groups = lens ? layers : 1;
    block = blockPixels(m);
    pv = block / NL;
    qv = pv * K * groups;
    scene.place(m, qv, arena);
    scene.hasMap = false;
    photo.place(m, arena);
    column = arena.take<int>(block);
    row = arena.take<int>(block);
    V** pixelArrays[] = {&x, &y, &u0, &u1, &weight};
    for (V** a : pixelArrays) *a = arena.take<V>(pv);
    V** queryArrays[] = {&tapX, &tapY, &unitX, &unitY, &dqx, &dqy, &freeX, &freeY};
    for (V** a : queryArrays) *a = arena.take<V>(qv);
    sharp = arena.take<V>((size_t)m.views * pv);
    c = arena.take<V>((size_t)layers * pv);
    dc = arena.take<V>((size_t)layers * pv);
    if (lens) map.place(m, pv, arena);
    if (free_) blur.place(m, pv, arena);
    warp = arena.take<Warp>(m.views);
    dwarp = arena.take<V>(8 * (size_t)m.views);
  }

  void run(int shardIndex, const StepInput& step, const R* theta, ShardGradient<R>& grad) {
    const Shard& shard = model->shard[shardIndex];
    double pixels = shard.tiled ? (double)shard.draws * model->shards : shard.drawStride;
    photo.begin(theta, step, pixels);
    for (int v = 0; v < model->views; v++) {
      warp[v].begin(*model, model->view[v], theta);
      for (int k = 0; k < 8; k++) dwarp[8 * v + k] = V{};
    }
    Draws draws(shard, model->seed, 1);
    for (int j = 0; j < shard.draws; j += block) oneBlock(shard, step, theta, grad, draws, j, (R)(1 / pixels));
    photo.finish(theta, grad.shared);
    for (int v = 0; v < model->views; v++) Warp::finish(*model, model->view[v], dwarp + 8 * v, grad.shared);
    grad.loss += laneSum(photo.loss);
    grad.squared += laneSum(photo.squared);
    grad.samples += laneSum(photo.samples);
  }

 private:
  void oneBlock(const Shard& shard, const StepInput& step, const R* theta, ShardGradient<R>& grad, Draws& draws, int j0,
                R share) {
    Ticker ticker(grad.ticks);
    drawBlock(shard, step, draws, j0);
    if (lens) {
      map.forward(shard, theta, warp, x, y, u1, ticker);
      map.sharpness(step, theta, sharp);
      if (model->loss.smoothDefocus > 0) grad.loss += map.smoothness(share, weight);
    } else {
      for (int i = 0; i < model->views * pv; i++) sharp[i] = splat(1);
    }
    for (int v = 0; v < model->views; v++) oneView(shard, theta, grad, v, ticker);
    if (lens) map.backward(shard, theta, grad, warp, dwarp, x, y, ticker);
  }

  void drawBlock(const Shard& shard, const StepInput& step, Draws& draws, int j0) {
    for (int i = 0; i < block; i++) {
      int j = j0 + i < shard.draws ? j0 + i : shard.draws - 1;
      int64_t draw = draws.number(step.step, j);
      draws.origin(draw, column[i], row[i]);
      float a, b;
      draws.units(draw, a, b);
      x[i / NL][i % NL] = (R)(column[i] + .5);
      y[i / NL][i % NL] = (R)(row[i] + .5);
      u0[i / NL][i % NL] = a;
      u1[i / NL][i % NL] = b;
      weight[i / NL][i % NL] = j0 + i < shard.draws ? 1 : 0;
    }
  }

  void oneView(const Shard& shard, const R* theta, ShardGradient<R>& grad, int v, Ticker& ticker) {
    const View& view = model->view[v];
    placeTaps(theta, view, v);
    for (int q = 0; q < qv; q++) warp[v].apply(tapX[q], tapY[q], scene.px[q], scene.py[q]);
    confine(*model, shard, scene.px, scene.py, freeX, freeY, qv);
    ticker.next(PHASE_BLUR);
    scene.forward(shard, theta, ticker);
    if (scene.hasStart && model->residual) addStart();
    activate();
    for (int i = 0; i < layers * pv; i++) dc[i] = V{};
    compareView(view, v);
    ticker.next(PHASE_COMPOSITE);
    backwardScene(shard, theta, grad, ticker);
    for (int q = 0; q < qv; q++) {
      V dx, dy;
      warp[v].back(tapX[q], tapY[q], dqx[q] * freeX[q], dqy[q] * freeY[q], dwarp + 8 * v, dx, dy);
      dqx[q] = dx;
      dqy[q] = dy;
    }
    if (lens) lensBack(theta, grad, view, v);
    if (free_) blur.backward(theta, view, dqx, dqy, grad.shared);
    ticker.next(PHASE_BLUR_BACK);
  }

  int query(int g, int k, int i) const { return (g * K + k) * pv + i; }

  void placeTaps(const R* theta, const View& view, int v) {
    if (free_) return blur.forward(theta, view, x, y, tapX, tapY);
    if (!lens) {
      for (int i = 0; i < pv; i++) {
        tapX[i] = x[i];
        tapY[i] = y[i];
      }
      return;
    }
    R f = lensFocus(*model, view, theta), scale = lensScale(*model, view, theta);
    for (int i = 0; i < pv; i++) {
      V turn = u0[i] + (R)(0.618034f * v);
      turn -= tofloat(floori(turn));
      V sn, cs;
      vsincos((R)6.28318530717958648 * turn, sn, cs);
      for (int g = 0; g < groups; g++) {
        V radius = scale * (map.at(g, v)[i] - f);
        c[g * pv + i] = radius;
        for (int k = 0; k < K; k++) {
          double r = __builtin_sqrt((k + .5) / K), angle = 2.399963 * (k + .5);
          R bx = (R)(r * __builtin_cos(angle)), by = (R)(r * __builtin_sin(angle));
          int q = query(g, k, i);
          unitX[q] = bx * cs - by * sn;
          unitY[q] = bx * sn + by * cs;
          tapX[q] = x[i] + radius * unitX[q];
          tapY[q] = y[i] + radius * unitY[q];
        }
      }
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
  void compareView(const View& view, int v) {
    for (int i = 0; i < pv; i++) {
      V omega = weight[i] * sharp[v * pv + i];
      if (groups > 1) {
        compareLayers(view, i, omega);
        continue;
      }
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

  V tapWeight(int k, int i) const { return free_ ? blur.w[k * pv + i] : splat((R)1 / K); }

  // Two layers: background taps and foreground taps have circles of their own.
  void compareLayers(const View& view, int i, V omega) {
    const R share = (R)1 / K;
    V *a = (V*)scene.plane(6), cover{};
    for (int k = 0; k < K; k++) cover += share * a[query(1, k, i)];
    V dcover{};
    for (int ch = 0; ch < 3; ch++) {
      V *b = (V*)scene.plane(ch), *f = (V*)scene.plane(3 + ch), back{}, front{};
      for (int k = 0; k < K; k++) {
        back += share * b[query(0, k, i)];
        front += share * a[query(1, k, i)] * f[query(1, k, i)];
      }
      V light = front + (1 - cover) * back + (R)1e-8;
      V d = Photometric::compare(photo, view, ch, vlog(light), omega, Target{this, i, ch}) / light;
      dcover -= d * back;
      for (int k = 0; k < K; k++) {
        V &bk = b[query(0, k, i)], &fk = f[query(1, k, i)];
        dqx[query(1, k, i)] = (ch ? dqx[query(1, k, i)] : V{}) + share * d * fk;  // dL/dα of the tap, borrowed
        bk = share * (1 - cover) * d * bk * Scene::alive(bk);
        fk = share * d * a[query(1, k, i)] * fk * Scene::alive(fk);
        b[query(1, k, i)] = V{};
        f[query(0, k, i)] = V{};
      }
    }
    for (int k = 0; k < K; k++) {
      V& alpha = a[query(1, k, i)];
      alpha = (dqx[query(1, k, i)] + share * dcover) * alpha * (1 - alpha);
      a[query(0, k, i)] = V{};
    }
  }

  void addStart() {
    for (int k = 0; k < model->outputs; k++)
      for (int q = 0; q < qv; q++)
        ((V*)scene.plane(k))[q] += bilinearAt(*model, model->startRadiance, k, scene.px[q], scene.py[q]).value;
  }

  // From the outputs' gradient to the networks', the grid's, and the positions'.
  void backwardScene(const Shard& shard, const R* theta, ShardGradient<R>& grad, Ticker& ticker) {
    bool positions = model->blurForm != BLUR_NONE || model->dof > 0;
    for (int q = 0; q < qv; q++) dqx[q] = dqy[q] = V{};
    if (scene.hasStart && model->residual && positions)
      for (int k = 0; k < model->outputs; k++)
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

  void lensBack(const R* theta, ShardGradient<R>& grad, const View& view, int v) {
    R scale = lensScale(*model, view, theta);
    V df{}, dkappa{};
    for (int g = 0; g < groups; g++)
      for (int i = 0; i < pv; i++) {
        V d{};
        for (int k = 0; k < K; k++) {
          int q = query(g, k, i);
          d += dqx[q] * unitX[q] + dqy[q] * unitY[q];
        }
        map.gradientAt(g, v)[i] += scale * d;
        df += scale * d;
        dkappa += d * c[g * pv + i];
      }
    if (model->focus >= 0) grad.shared[model->focus + view.focus] -= laneSum(df);
    grad.shared[model->kappa] += laneSum(dkappa);
  }
};

}  // namespace implicam::IMPLICAM_ISA
