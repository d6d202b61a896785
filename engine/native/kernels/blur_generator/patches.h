// The training step behind a lens: evaluate the scene once a pixel of a patch and its halo, spread it into every view,
// compare, and go back. docs/reference/MODEL.md, "lens".
#pragma once
#include "support/arena.h"
#include "kernels/geometry.h"
#include "kernels/scene/hash_grid.h"
#include "kernels/scene/map_losses.h"
#include "kernels/scene/network.h"
#include "kernels/draws.h"
#include "kernels/tone_mapper/photometric.h"
#include "kernels/scene/scene.h"
#include "kernels/blur_generator/spread.h"
#include "support/ticks.h"

namespace implicam::IMPLICAM_ISA {

struct Patches {
  const Model* model;
  int n, w, h, m, pixels, vectors;
  size_t plane;
  Scene scene;
  Spread spread;
  Photometric photo;
  R *c, *dc;                   // circles of confusion of a view, and their gradient
  R *value[3];                 // radiance: the scene's planes
  R *dvalue[3];                // its gradient, summed over views
  R *ds;                       // gradient of the defocus map
  R *out[4], *in[4];           // spread light, and its gradient (padded)
  R *seen[3], *dseen[3];       // one view's blurred radiance on the window, and its gradient
  R *sharp;                    // [views][patch²] weight of each view at each inner pixel
  R *distance;                 // [views] at one pixel
  Warp* warp;
  V* dwarp;                    // [views][AFFINE]

  void place(const Model& model_, Arena& arena) {
    model = &model_;
    m = model->margin;
    h = model->reach + m;
    n = model->patch + 2 * h;
    w = model->patch + 2 * m;
    pixels = n * n;
    vectors = featureStride((pixels + NL - 1) / NL);
    plane = Spread::planeSize(n);
    scene.place(*model, vectors, arena);
    photo.place(*model, arena);
    spread.place(n, w, model->reach, arena);
    c = arena.take<R>(plane);
    dc = arena.take<R>(plane);
    ds = arena.take<R>(plane);
    for (int k = 0; k < 3; k++) {
      value[k] = scene.plane(k);
      dvalue[k] = arena.take<R>(plane);
    }
    for (int k = 0; k < 4; k++) {
      out[k] = arena.take<R>(spread.outSize());
      in[k] = arena.take<R>(spread.inSize());
    }
    for (int k = 0; k < 3; k++) {
      seen[k] = arena.take<R>((size_t)w * outStride() + 4 * NL);
      dseen[k] = arena.take<R>((size_t)w * outStride() + 4 * NL);
    }
    sharp = arena.take<R>((size_t)model->views * model->patch * (model->patch + NL));
    distance = arena.take<R>(model->views);
    warp = arena.take<Warp>(model->views);
    dwarp = arena.take<V>(AFFINE * (size_t)model->views);
  }

  int outStride() const { return (w + NL - 1) / NL * NL; }
  int sharpStride() const { return (model->patch + NL - 1) / NL * NL; }

  void run(int shardIndex, const StepInput& step, const R* theta, ShardGradient<R>& grad) {
    const Shard& shard = model->shard[shardIndex];
    double patches = shard.tiled ? shard.draws : shard.drawStride;
    begin(shard, step, theta, patches);
    Draws draws(shard, model->seed, model->patch);
    for (int j = 0; j < shard.draws; j++) {
      int x0, y0;
      draws.origin(draws.number(step.step, j), x0, y0);
      onePatch(shard, step, theta, grad, x0, y0, (R)(1 / patches));
    }
    photo.finish(theta, grad.shared);
    for (int v = 0; v < model->views; v++) Warp::finish(model->view[v], dwarp + AFFINE * v, grad.shared);
    grad.loss += laneSum(photo.loss);
    grad.squared += laneSum(photo.squared);
    grad.samples += laneSum(photo.samples);
  }

 private:
  void begin(const Shard& shard, const StepInput& step, const R* theta, double patches) {
    if (shard.tiled) patches *= model->shards;
    photo.begin(theta, step, patches * model->patch * model->patch);
    spread.offsets.build(model->reach);
    for (int v = 0; v < model->views; v++) {
      warp[v].begin(*model, model->view[v], theta);
      for (int k = 0; k < AFFINE; k++) dwarp[AFFINE * v + k] = V{};
    }
  }

  void onePatch(const Shard& shard, const StepInput& step, const R* theta, ShardGradient<R>& grad, int x0, int y0,
                R share) {
    Ticker ticker(grad.ticks);
    scene.positions(shard, x0 - h, y0 - h, n, pixels);
    scene.forward(shard, theta, ticker);
    scene.addStart(shard, x0 - h, y0 - h, n, pixels);
    scene.activate();
    clearGradients();
    grad.loss += mapLoss(scene, shard, n, share, ds);
    sharpness(step, theta);
    ticker.next(PHASE_COMPOSITE);
    for (int v = 0; v < model->views; v++) oneView(shard, theta, grad, v, x0, y0, ticker);
    scene.backwardFrom(dvalue, ds, pixels);
    ticker.next(PHASE_COMPOSITE);
    scene.backward(shard, theta, grad, ticker);
  }

  void clearGradients() {
    for (size_t i = 0; i < plane; i++) ds[i] = 0;
    for (int k = 0; k < 3; k++)
      for (size_t i = 0; i < plane; i++) dvalue[k][i] = 0;
  }

  // Weights of the views at each inner pixel: none where the circle is wider than a patch can spread, and once `sharp`
  // the sharpest count most. Not differentiated.
  void sharpness(const StepInput& step, const R* theta) {
    int p = model->patch, stride = sharpStride();
    const bool sharpest = step.sharp && model->views > 1;
    R beta = (R)model->loss.sharpness, tau = (R)model->loss.sharpnessTau;
    const R limit = model->reach - (R)0.6;
    for (int y = 0; y < p; y++) {
      for (int x = 0; x < stride; x += NL) {
        const int at = (y + h) * n + x + h;
        V nearest = splat(1e30), total{};
        for (int v = 0; v < model->views; v++) {
          const View& view = model->view[v];
          R f = lensFocus(*model, view, theta), scale = lensScale(*model, view, theta);
          V d = vabs(scale * (load(scene.defocus() + at) - f));
          store(sharp + ((size_t)v * p + y) * stride + x, d);
          nearest = vmin(nearest, d);
        }
        for (int v = 0; v < model->views && sharpest; v++)
          total += vexp((nearest - load(sharp + ((size_t)v * p + y) * stride + x)) / tau);
        for (int v = 0; v < model->views; v++) {
          R* s = sharp + ((size_t)v * p + y) * stride + x;
          V d = load(s), w = splat(1);
          if (sharpest) w = (1 - beta) + beta * model->views * vexp((nearest - d) / tau) / total;
          store(s, d > limit ? V{} : w);
        }
      }
    }
  }

  void oneView(const Shard& shard, const R* theta, ShardGradient<R>& grad, int v, int x0, int y0, Ticker& ticker) {
    const View& view = model->view[v];
    R f = lensFocus(*model, view, theta), scale = lensScale(*model, view, theta);
    for (int i = 0; i < pixels; i += NL) store(c + i, scale * (load(scene.defocus() + i) - f));
    spread.begin(c, value);
    spread.gather(out);
    ticker.next(PHASE_BLUR);
    normalise();
    compareWindow(shard, v, x0, y0);
    normaliseBack();
    ticker.next(PHASE_COMPOSITE);
    spread.scatterBack(in, value, dvalue, dc);
    V sum{}, along{};
    for (int i = 0; i < pixels; i += NL) {
      V d = inside(i, load(dc + i));
      store(ds + i, load(ds + i) + scale * d);
      sum += d;
      along += d * load(c + i);
    }
    grad.shared[model->focus + view.focus] -= settled(scale * laneSum(sum));
    grad.shared[model->kappa] += settled(laneSum(along));
    ticker.next(PHASE_BLUR_BACK);
  }

  // Zero in the lanes behind the last pixel.
  V inside(int i, V x) const {
    if (i + NL <= pixels) return x;
    for (int k = pixels - i; k < NL; k++) x[k] = 0;
    return x;
  }

  // What a pixel of the window sees of the light that reaches it.
  void normalise() {
    for (size_t i = 0; i < spread.outSize(); i += NL) {
      V inverse = 1 / (load(out[0] + i) + (R)1e-4);
      for (int k = 0; k < 3; k++) {
        store(seen[k] + i, load(out[k + 1] + i) * inverse);
        store(dseen[k] + i, V{});
      }
    }
  }

  // From dseen to the padded gradients of the spread planes.
  void normaliseBack() {
    int stride = outStride();
    for (int y = 0; y < w; y++) {
      for (int x = 0; x < stride; x += NL) {
        int i = y * stride + x, o = y * spread.inStride + 2 * model->reach + x;
        V inverse = 1 / (load(out[0] + i) + (R)1e-4), dinverse{};
        for (int k = 0; k < 3; k++) {
          V d = load(dseen[k] + i);
          for (int q = 0; q < NL; q++) d[q] = x + q < w ? d[q] : 0;
          V dsum = d * inverse;
          store(in[k + 1] + o, dsum);
          dinverse -= dsum * load(seen[k] + i);
        }
        for (int q = 0; q < NL; q++) dinverse[q] = x + q < w ? dinverse[q] : 0;
        store(in[0] + o, dinverse);
      }
    }
  }

  // The inner pixels against the frames of view v; leaves dL/d(seen) in dseen.
  void compareWindow(const Shard& shard, int v, int x0, int y0) {
    if (m > 0) return compareWarped(shard, v, x0, y0);
    const View& view = model->view[v];
    int p = model->patch, stride = outStride();
    for (int y = 0; y < p; y++) {
      if (y0 + y < shard.own.y || y0 + y >= shard.own.y + shard.own.height) continue;
      for (int x = 0; x < p; x += NL) {
        V weight = ownColumns(shard, x0 + x, p - x) * load(sharp + ((size_t)v * p + y) * sharpStride() + x);
        for (int k = 0; k < 3; k++) {
          V light = load(seen[k] + y * stride + x) + (R)1e-8;
          V du = Photometric::compare(photo, view, k, vlog(light), weight, target(x0 + x, y0 + y, k));
          store(dseen[k] + y * stride + x, du / light);
        }
      }
    }
  }

  // 1 for the lanes of pixels x … that the shard owns, at most `left` of them.
  V ownColumns(const Shard& shard, int x, int left) const {
    V r{};
    for (int q = 0; q < NL; q++)
      r[q] = q < left && x + q >= shard.own.x && x + q < shard.own.x + shard.own.width ? 1 : 0;
    return r;
  }

  // Reads NL pixels of a frame from (x, y) of channel k, and their mask; lanes outside the picture read its edge.
  struct Target {
    const Model* model;
    int x, y, k;
    void operator()(int f, V& t, V& in) const { readFrame(*model, f, k, x, y, t, in); }
  };
  Target target(int x, int y, int k) const { return {model, x, y, k}; }

  // As above where the view is displaced: the window is read bilinearly at D(p) − p.
  void compareWarped(const Shard& shard, int v, int x0, int y0) {
    const View& view = model->view[v];
    int p = model->patch, stride = outStride();
    V* dm = dwarp + AFFINE * v;
    for (int y = 0; y < p; y++) {
      if (y0 + y < shard.own.y || y0 + y >= shard.own.y + shard.own.height) continue;
      for (int x = 0; x < p; x += NL) {
        V weight = ownColumns(shard, x0 + x, p - x) * load(sharp + ((size_t)v * p + y) * sharpStride() + x);
        V px, py = splat((R)(y0 + y + .5)), qx, qy;
        for (int q = 0; q < NL; q++) px[q] = (R)(x0 + x + q + .5);
        warp[v].apply(px, py, qx, qy);
        V dx = qx - px, dy = qy - py;
        V freeX = vabs(dx) < 1 ? splat(1) : V{}, freeY = vabs(dy) < 1 ? splat(1) : V{};
        dx = clamp(dx, -1, 1);
        dy = clamp(dy, -1, 1);
        VI ix = floori(dx), iy = floori(dy);
        ix = ix > 0 ? VI{} : ix;
        iy = iy > 0 ? VI{} : iy;
        V fx = dx - tofloat(ix), fy = dy - tofloat(iy), ddx{}, ddy{};
        for (int k = 0; k < 3; k++) {
          V a, b, c_, d;
          int corner[NL];
          for (int q = 0; q < NL; q++) {
            int column = x + q < p ? x + q : p - 1;
            corner[q] = (int)((y + 1 + iy[q]) * stride + column + 1 + ix[q]);
            const R* s = seen[k] + corner[q];
            a[q] = s[0];
            b[q] = s[1];
            c_[q] = s[stride];
            d[q] = s[stride + 1];
          }
          V top = a + (b - a) * fx, low = c_ + (d - c_) * fx;
          V light = top + (low - top) * fy + (R)1e-8;
          V g = Photometric::compare(photo, view, k, vlog(light), weight, target(x0 + x, y0 + y, k)) / light;
          ddx += g * ((1 - fy) * (b - a) + fy * (d - c_));
          ddy += g * (low - top);
          for (int q = 0; q < NL; q++) {
            R* s = dseen[k] + corner[q];
            R right = g[q] * fx[q], left = g[q] - right;
            s[0] += left * (1 - fy[q]);
            s[1] += right * (1 - fy[q]);
            s[stride] += left * fy[q];
            s[stride + 1] += right * fy[q];
          }
        }
        V unusedX, unusedY;
        warp[v].back(px, py, ddx * freeX, ddy * freeY, dm, unusedX, unusedY);
      }
    }
  }
};

}  // namespace implicam::IMPLICAM_ISA
