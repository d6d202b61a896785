// The training step by taps: a sample is a pixel position with all its views; each view is blurred by K queries of the
// scene. Used by the free blur generator, by sharp captures (K = 1), and by the lens where patches do not fit.
// docs/MODEL.md, "lens, taps", "free", "none".
#pragma once
#include "arena.h"
#include "geometry.h"
#include "philox.h"
#include "photometric.h"
#include "scene.h"

namespace implicam::IMPLICAM_ISA {

constexpr R TAU = (R)6.28318530717958648;

struct Taps {
  const Model* model;
  int K, groups, layers, block, pv, qv;  // pixels a block, and vectors of pixels and of queries
  bool lens, free_;
  Scene scene;      // the atlas at the taps of one view
  Scene mapScene;   // the defocus map at every view's pixel, at the pixel and at its neighbour
  Net blur;         // the free generator of one view
  Photometric photo;
  int *column, *row;           // the block's pixels
  V *x, *y, *u0, *u1, *weight; // [pv]
  V *tapX, *tapY;              // [qv] before the warp
  V *unitX, *unitY;            // [qv] direction of each tap: offset = c · unit (lens)
  V *dqx, *dqy;                // [qv]
  V *freeX, *freeY;            // [qv] 0 where a position was clamped
  V *c, *dc;                   // [layers][pv] of one view
  V *sharp;                    // [views][pv]
  V *ds;                       // [views + 2][layers][pv]
  V *mapFreeX, *mapFreeY, *mapDx, *mapDy;
  V *w, *dw;                   // [K][pv] weights of the free generator
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
    int mv = lens ? (m.views + 2) * pv : 0;
    mapScene.model = model;
    if (lens) {
      mapScene.vectors = mv;
      mapScene.px = arena.take<V>(mv);
      mapScene.py = arena.take<V>(mv);
      mapScene.map.place(m.map, mv, arena);
      ds = arena.take<V>((size_t)layers * mv);
      V** mapArrays[] = {&mapFreeX, &mapFreeY, &mapDx, &mapDy};
      for (V** a : mapArrays) *a = arena.take<V>(mv);
    }
    if (free_) {
      blur.place(m.blur, pv, arena);
      w = arena.take<V>((size_t)K * pv);
      dw = arena.take<V>((size_t)K * pv);
    }
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
      mapForward(shard, theta, ticker);
      sharpness(step, theta);
      if (model->loss.smoothDefocus > 0) grad.loss += smoothness(share);
    } else {
      for (int i = 0; i < model->views * pv; i++) sharp[i] = splat(1);
    }
    for (int v = 0; v < model->views; v++) oneView(shard, theta, grad, v, ticker);
    if (lens) mapBackward(shard, theta, grad, ticker);
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

  R kappaOf(const R* theta) const {
    R k = theta[model->kappa];
    return sizeof(R) == 4 ? (R)__builtin_expf(k) : (R)__builtin_exp(k);
  }
  R focusOf(const R* theta, const View& view) const {
    return model->focus >= 0 ? theta[model->focus + view.focus] : (R)model->focusStart[view.focus];
  }

  // Clamps positions to picture and grid; `on` becomes 0 where that moved them.
  void confine(const Shard& shard, V* px, V* py, V* onX, V* onY, int count) const {
    Bounds picture = Bounds::of({0, 0, model->width, model->height}), grid = Bounds::of(shard.grid);
    for (int i = 0; i < count; i++) {
      V a = px[i], b = py[i];
      clampTo(picture, px[i], py[i]);
      clampTo(grid, px[i], py[i]);
      onX[i] = a == px[i] ? splat(1) : V{};
      onY[i] = b == py[i] ? splat(1) : V{};
    }
  }

  // The defocus map at D_v(p) for every view, at p, and at p's neighbour.
  void mapForward(const Shard& shard, const R* theta, Ticker& ticker) {
    V *mx = mapScene.px, *my = mapScene.py;
    for (int v = 0; v < model->views; v++)
      for (int i = 0; i < pv; i++) warp[v].apply(x[i], y[i], mx[v * pv + i], my[v * pv + i]);
    for (int i = 0; i < pv; i++) {
      V s, cs;
      vsincos(TAU * u1[i], s, cs);
      int a = model->views * pv + i, b = a + pv;
      mx[a] = x[i];
      my[a] = y[i];
      mx[b] = x[i] + cs;
      my[b] = y[i] + s;
    }
    int mv = mapScene.vectors;
    confine(shard, mx, my, mapFreeX, mapFreeY, mv);
    encode(model->mapGrid, theta + shard.mapGrid, (R)shard.grid.x, (R)shard.grid.y, mx, my, mapScene.map.input(), mv,
           mv);
    ticker.next(PHASE_HASH);
    mapScene.map.forward(theta, mv);
    if (model->startDefocus)
      for (int l = 0; l < layers; l++)
        for (int i = 0; i < mv; i++) defocus(l)[i] += bilinear(model->startDefocus, l, mx[i], my[i]);
    for (int i = 0; i < layers * mv; i++) ds[i] = V{};
    ticker.next(PHASE_BLUR);
  }

  V* defocus(int l) const { return mapScene.map.act[mapScene.map.spec.layers] + (size_t)l * mapScene.vectors; }
  V* dDefocus(int l) const { return ds + (size_t)l * mapScene.vectors; }

  void sharpness(const StepInput& step, const R* theta) {
    int views = model->views;
    R beta = (R)model->loss.sharpness, kappa = kappaOf(theta);
    for (int i = 0; i < pv; i++) {
      V nearest = splat(1e30), total{};
      for (int v = 0; v < views; v++) {
        const View& view = model->view[v];
        V d = vabs(kappa * (R)view.aperture * (defocus(0)[v * pv + i] - focusOf(theta, view)));
        sharp[v * pv + i] = d;
        nearest = vmin(nearest, d);
      }
      for (int v = 0; v < views; v++) {
        V e = vexp((nearest - sharp[v * pv + i]) / (R)model->loss.sharpnessTau);
        sharp[v * pv + i] = e;
        total += e;
      }
      for (int v = 0; v < views; v++)
        sharp[v * pv + i] =
            step.sharp && views > 1 ? (1 - beta) + beta * views * sharp[v * pv + i] / total : splat(1);
    }
  }

  double smoothness(R share) {
    double total = 0;
    R k = (R)model->kappaStart, each = (R)model->loss.smoothDefocus * share;
    for (int l = 0; l < layers; l++)
      for (int i = 0; i < pv; i++) {
        int a = model->views * pv + i, b = a + pv;
        V delta = k * (defocus(l)[b] - defocus(l)[a]);
        V root = vsqrt(delta * delta + (R)1e-3);
        total += laneSum(each * root * weight[i]);
        V g = each * weight[i] * delta / root * k;
        dDefocus(l)[b] += g;
        dDefocus(l)[a] -= g;
      }
    return total;
  }

  void oneView(const Shard& shard, const R* theta, ShardGradient<R>& grad, int v, Ticker& ticker) {
    const View& view = model->view[v];
    placeTaps(theta, view, v);
    for (int q = 0; q < qv; q++) warp[v].apply(tapX[q], tapY[q], scene.px[q], scene.py[q]);
    confine(shard, scene.px, scene.py, freeX, freeY, qv);
    ticker.next(PHASE_BLUR);
    scene.forward(shard, theta, ticker);
    if (scene.hasStart && model->residual) addStart();
    activate();
    for (int i = 0; i < layers * pv; i++) dc[i] = V{};
    compareView(view, v);
    ticker.next(PHASE_COMPOSITE);
    backwardScene(shard, theta, grad, ticker);
    for (int q = 0; q < qv; q++) {
      V dx{}, dy{};
      warp[v].back(tapX[q], tapY[q], dqx[q] * freeX[q], dqy[q] * freeY[q], dwarp + 8 * v, dx, dy);
      dqx[q] = dx;
      dqy[q] = dy;
    }
    if (lens) lensBack(theta, grad, view, v);
    if (free_) freeBack(theta, grad, view);
    ticker.next(PHASE_BLUR_BACK);
  }

  int query(int g, int k, int i) const { return (g * K + k) * pv + i; }

  void placeTaps(const R* theta, const View& view, int v) {
    if (free_) return placeFree(theta, view);
    if (!lens) {
      for (int i = 0; i < pv; i++) {
        tapX[i] = x[i];
        tapY[i] = y[i];
      }
      return;
    }
    R f = focusOf(theta, view), scale = kappaOf(theta) * (R)view.aperture;
    for (int i = 0; i < pv; i++) {
      V turn = u0[i] + (R)(0.618034f * v);
      turn -= tofloat(floori(turn));
      V sn, cs;
      vsincos(TAU * turn, sn, cs);
      for (int g = 0; g < groups; g++) {
        V radius = scale * (defocus(g)[v * pv + i] - f);
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

  void placeFree(const R* theta, const View& view) {
    R cx = (R)(model->width * .5), cy = (R)(model->height * .5);
    R half = (R)((model->width > model->height ? model->width : model->height) * .5), f = focusOf(theta, view);
    for (int i = 0; i < pv; i++) {
      blur.input()[i] = splat(f);
      blur.input()[pv + i] = (x[i] - cx) / half;
      blur.input()[2 * pv + i] = (y[i] - cy) / half;
    }
    blur.forward(theta, pv);
    V* o = blur.output();
    for (int i = 0; i < pv; i++) {
      V top = o[i], sum{};
      for (int k = 1; k < K; k++) top = vmax(top, o[k * pv + i]);
      for (int k = 0; k < K; k++) sum += w[k * pv + i] = vexp(o[k * pv + i] - top);
      V inverse = 1 / sum;
      for (int k = 0; k < K; k++) {
        w[k * pv + i] *= inverse;
        V *ox = o + (K + 2 * k) * pv + i, *oy = ox + pv;
        *ox = 2 / (1 + vexp(-2 * *ox)) - 1;
        *oy = 2 / (1 + vexp(-2 * *oy)) - 1;
        bool fixed = model->blurGrid && k == 4;
        R gx = model->blurGrid ? (R)(k % 3 - 1) : 0, gy = model->blurGrid ? (R)(k / 3 - 1) : 0;
        tapX[k * pv + i] = x[i] + (fixed ? V{} : (R)model->maxShift * *ox + gx);
        tapY[k * pv + i] = y[i] + (fixed ? V{} : (R)model->maxShift * *oy + gy);
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
      if (!free_) continue;
      V dot{};
      for (int k = 0; k < K; k++) dot += dweight[k] * w[k * pv + i];
      for (int k = 0; k < K; k++) dw[k * pv + i] = w[k * pv + i] * (dweight[k] - dot);
    }
  }

  V tapWeight(int k, int i) const { return free_ ? w[k * pv + i] : splat((R)1 / K); }

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

  // The start pictures, bilinear at a position.
  V bilinear(const float* planes, int k, V px, V py) const {
    V v, gx, gy;
    bilinearWithSlope(planes, k, px, py, v, gx, gy);
    return v;
  }
  void bilinearWithSlope(const float* planes, int k, V px, V py, V& value, V& gx, V& gy) const {
    const float* p = planes + (size_t)k * model->width * model->height;
    for (int q = 0; q < NL; q++) {
      R fx = px[q] - (R)0.5, fy = py[q] - (R)0.5;
      int ix = (int)fx, iy = (int)fy;
      ix = ix > model->width - 2 ? model->width - 2 : ix;
      iy = iy > model->height - 2 ? model->height - 2 : iy;
      ix = ix < 0 ? 0 : ix;
      iy = iy < 0 ? 0 : iy;
      int right = model->width > 1 ? 1 : 0;
      size_t down = model->height > 1 ? model->width : 0;
      fx -= ix;
      fy -= iy;
      const float* s = p + (size_t)iy * model->width + ix;
      R a = s[0], b = s[right], c_ = s[down], d = s[down + right];
      value[q] = (a + (b - a) * fx) * (1 - fy) + (c_ + (d - c_) * fx) * fy;
      gx[q] = (b - a) * (1 - fy) + (d - c_) * fy;
      gy[q] = (c_ - a) * (1 - fx) + (d - b) * fx;
    }
  }

  void addStart() {
    for (int k = 0; k < model->outputs; k++)
      for (int q = 0; q < qv; q++) ((V*)scene.plane(k))[q] += bilinear(model->startRadiance, k, scene.px[q], scene.py[q]);
  }

  // From the outputs' gradient to the networks', the grid's, and the positions'.
  void backwardScene(const Shard& shard, const R* theta, ShardGradient<R>& grad, Ticker& ticker) {
    bool positions = model->blurForm != BLUR_NONE || model->dof > 0;
    for (int q = 0; q < qv; q++) dqx[q] = dqy[q] = V{};
    if (scene.hasStart && model->residual && positions)
      for (int k = 0; k < model->outputs; k++)
        for (int q = 0; q < qv; q++) {
          V value, gx, gy, d = ((V*)scene.plane(k))[q];
          bilinearWithSlope(model->startRadiance, k, scene.px[q], scene.py[q], value, gx, gy);
          dqx[q] += d * gx;
          dqy[q] += d * gy;
        }
    scene.atlas.backward(theta, grad.shared, qv, !model->siren || positions);
    ticker.next(PHASE_NETWORK_BACK);
    V* in = scene.atlas.input();
    if (model->siren) {
      R half = (R)((model->width > model->height ? model->width : model->height) * .5);
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
    R scale = kappaOf(theta) * (R)view.aperture;
    V df{}, dkappa{};
    for (int g = 0; g < groups; g++)
      for (int i = 0; i < pv; i++) {
        V d{};
        for (int k = 0; k < K; k++) {
          int q = query(g, k, i);
          d += dqx[q] * unitX[q] + dqy[q] * unitY[q];
        }
        dDefocus(g)[v * pv + i] += scale * d;
        df += scale * d;
        dkappa += d * c[g * pv + i];
      }
    if (model->focus >= 0) grad.shared[model->focus + view.focus] -= laneSum(df);
    grad.shared[model->kappa] += laneSum(dkappa);
  }

  void freeBack(const R* theta, ShardGradient<R>& grad, const View& view) {
    V* o = blur.output();
    for (int i = 0; i < pv; i++)
      for (int k = 0; k < K; k++) {
        V *ox = o + (K + 2 * k) * pv + i, *oy = ox + pv;
        R shift = model->blurGrid && k == 4 ? 0 : (R)model->maxShift;
        *ox = dqx[k * pv + i] * shift * (1 - *ox * *ox);
        *oy = dqy[k * pv + i] * shift * (1 - *oy * *oy);
        o[k * pv + i] = dw[k * pv + i];
      }
    blur.backward(theta, grad.shared, pv, model->focus >= 0);
    if (model->focus < 0) return;
    V df{};
    for (int i = 0; i < pv; i++) df += blur.input()[i];
    grad.shared[model->focus + view.focus] += laneSum(df);
  }

  void mapBackward(const Shard& shard, const R* theta, ShardGradient<R>& grad, Ticker& ticker) {
    int mv = mapScene.vectors;
    V* out = mapScene.map.output();
    for (int i = 0; i < mv; i++) mapDx[i] = mapDy[i] = V{};
    for (int l = 0; l < layers; l++)
      for (int i = 0; i < mv; i++) {
        V d = dDefocus(l)[i];
        if (model->startDefocus && model->dof > 0) {
          V value, gx, gy;
          bilinearWithSlope(model->startDefocus, l, mapScene.px[i], mapScene.py[i], value, gx, gy);
          mapDx[i] += d * gx;
          mapDy[i] += d * gy;
        }
        out[(size_t)l * mv + i] = d;
      }
    mapScene.map.backward(theta, grad.shared, mv, true);
    ticker.next(PHASE_NETWORK_BACK);
    scatter<true>(model->mapGrid, theta + shard.mapGrid, grad.map, grad.mapTouched, (R)shard.grid.x, (R)shard.grid.y,
                  mapScene.px, mapScene.py, mapScene.map.input(), mapDx, mapDy, mv, mv);
    for (int v = 0; v < model->views; v++) {
      if (model->view[v].registration < 0) continue;
      for (int i = 0; i < pv; i++) {
        int a = v * pv + i;
        V dx{}, dy{};
        warp[v].back(x[i], y[i], mapDx[a] * mapFreeX[a], mapDy[a] * mapFreeY[a], dwarp + 8 * v, dx, dy);
      }
    }
    ticker.next(PHASE_HASH_BACK);
  }
};

}  // namespace implicam::IMPLICAM_ISA
