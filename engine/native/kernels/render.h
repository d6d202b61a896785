// Renders from a baked scene: the lens at any focus and aperture by the same source-side spread that training uses,
// or no lens at all; then exposure and a display curve. Works tile by tile.
#pragma once
#include "support/arena.h"
#include "kernels/blur_generator/spread.h"

namespace implicam::IMPLICAM_ISA {

struct RenderTile {
  const RenderInput* input;
  int side, n;
  Spread spread;
  R *circle, *value[3], *out[4];

  void place(const RenderInput& in, int side_, Arena& arena) {
    input = &in;
    side = side_;
    n = side + 2 * in.reach;
    circle = arena.take<R>(Spread::planeSize(n));
    spread.place(n, side, in.reach, arena);
    for (R*& plane : value) plane = arena.take<R>(Spread::planeSize(n));
    for (R*& plane : out) plane = arena.take<R>(spread.outSize() + 4 * NL);
  }

  void run(int x0, int y0, float* target) {
    if (input->reach == 0) return sharp(x0, y0, target);
    copy(input->defocus, circle, x0, y0);
    for (int i = 0; i < n * n; i += NL) store(circle + i, (R)input->scale * (load(circle + i) - (R)input->focus));
    for (int k = 0; k < 3; k++) copy(input->light[k], value[k], x0, y0);
    spread.begin(circle, value);
    spread.gather(out);
    int stride = spread.outStride;
    for (int y = 0; y < side && y0 + y < input->height; y++)
      for (int x = 0; x < side && x0 + x < input->width; x += NL) {
        int i = y * stride + x;
        V inverse = 1 / (load(out[0] + i) + (R)1e-4);
        V light[3];
        for (int k = 0; k < 3; k++) light[k] = load(out[k + 1] + i) * inverse;
        finish(light, x0 + x, y0 + y, x0 + side, target);
      }
  }

 private:
  void sharp(int x0, int y0, float* target) {
    for (int y = y0; y < y0 + side && y < input->height; y++)
      for (int x = x0; x < x0 + side && x < input->width; x += NL) {
        V light[3];
        size_t at = (size_t)y * input->width + x;
        int left = input->width - x < NL ? input->width - x : NL;
        for (int k = 0; k < 3; k++) light[k] = some(input->light[k] + at, left);
        finish(light, x, y, x0 + side, target);
      }
  }

  static V some(const float* p, int count) {
    V r{};
    for (int q = 0; q < count; q++) r[q] = p[q];
    return r;
  }

  // A block of a plane around the tile; outside the picture its edge.
  void copy(const float* plane, R* to, int x0, int y0) const {
    int w = input->width, h = input->height, r = input->reach;
    for (int y = 0; y < n; y++) {
      int row = y0 - r + y;
      const float* line = plane + (size_t)(row < 0 ? 0 : row >= h ? h - 1 : row) * w;
      for (int x = 0; x < n; x++) {
        int column = x0 - r + x;
        to[y * n + x] = line[column < 0 ? 0 : column >= w ? w - 1 : column];
      }
    }
  }

  // Exposure and curve, interleaved into the target.
  void finish(V* light, int x, int y, int end, float* target) const {
    for (int k = 0; k < 3; k++) {
      V v = light[k] * (R)input->gain;
      if (input->curve) v = curve(input->curve + k * CURVE_SIZE, v);
      light[k] = v;
    }
    end = end < input->width ? end : input->width;
    float* t = target + 3 * ((size_t)y * input->width + x);
    for (int q = 0; q < NL && x + q < end; q++)
      for (int k = 0; k < 3; k++) t[3 * q + k] = (float)light[k][q];
  }

  // The curve is sampled at floats whose bits are CURVE_FROM + j·2^CURVE_SHIFT: linear between, at even relative steps.
  static V curve(const float* table, V x) {
    V r;
    for (int q = 0; q < NL; q++) {
      float f = (float)x[q];
      int32_t bits;
      __builtin_memcpy(&bits, &f, 4);
      int32_t d = f > 0 ? bits - CURVE_FROM : 0;
      d = d < 0 ? 0 : d;
      int32_t j = d >> CURVE_SHIFT;
      if (j > CURVE_SIZE - 2) {
        r[q] = table[CURVE_SIZE - 1];
        continue;
      }
      float part = (float)(d & ((1 << CURVE_SHIFT) - 1)) * (1.0f / (1 << CURVE_SHIFT));
      r[q] = table[j] + (table[j + 1] - table[j]) * part;
    }
    return r;
  }
};

}  // namespace implicam::IMPLICAM_ISA
