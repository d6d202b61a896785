#include "cuda/scene/grid.h"

namespace implicam::device {
namespace {

struct Cell {
  int64_t node[4];  // (0,0), (1,0), (0,1), (1,1)
  float fx, fy;
};

IC_DEVICE Cell locate(const GridLevel& g, const Rect& rect, float px, float py) {
  float x = (px - rect.x) * g.scale, y = (py - rect.y) * g.scale;
  int ix = clampTo((int)x, 0, g.nx - 2), iy = clampTo((int)y, 0, g.ny - 2);
  Cell c;
  c.fx = x - ix;
  c.fy = y - iy;
  if (g.hashed) {
    const uint32_t mask = (uint32_t)g.nodes - 1, x0 = (uint32_t)ix, y0 = (uint32_t)iy;
    const uint32_t h0 = y0 * 2654435761u, h1 = (y0 + 1) * 2654435761u;
    c.node[0] = (x0 ^ h0) & mask;
    c.node[1] = ((x0 + 1) ^ h0) & mask;
    c.node[2] = (x0 ^ h1) & mask;
    c.node[3] = ((x0 + 1) ^ h1) & mask;
  } else {
    c.node[0] = (int64_t)iy * g.nx + ix;
    c.node[1] = c.node[0] + 1;
    c.node[2] = c.node[0] + g.nx;
    c.node[3] = c.node[2] + 1;
  }
  return c;
}

// One sample of one level.
struct Where {
  int64_t n;
  int slot;
  const GridLevel* level;
  const float* table;  // of the level
  Cell cell;
};

IC_DEVICE Where whereOf(const GridPass& p, int level, int64_t n) {
  const int slot = (int)(n / p.perSlot);
  const Shard& shard = p.step.shard(slot);
  const GridSpec& grid = p.which == Grid::atlas ? p.step.model->atlasGrid : p.step.model->mapGrid;
  const GridLevel& g = grid.level[level];
  const int64_t offset = p.which == Grid::atlas ? shard.atlasGrid : shard.mapGrid;
  return {n, slot, &g, p.step.theta + offset + 2 * (int64_t)g.offset, locate(g, shard.grid, p.px[n], p.py[n])};
}

struct Pair {
  float a, b;
};
IC_DEVICE Pair node(const float* table, int64_t at) { return {table[2 * at], table[2 * at + 1]}; }

struct Encode {
  GridPass pass;
  IC_DEVICE void item(int64_t i) const {
    const int level = (int)(i / pass.samples);
    const Where w = whereOf(pass, level, i % pass.samples);
    const Pair p = node(w.table, w.cell.node[0]), q = node(w.table, w.cell.node[1]);
    const Pair r = node(w.table, w.cell.node[2]), s = node(w.table, w.cell.node[3]);
    const float fx = w.cell.fx, low = w.cell.fy, up = 1 - low;
    const float a0 = p.a * up + r.a * low, a1 = q.a * up + s.a * low;
    const float b0 = p.b * up + r.b * low, b1 = q.b * up + s.b * low;
    float* e = pass.features + 2 * level * pass.samples + w.n;
    e[0] = a0 + (a1 - a0) * fx;
    e[pass.samples] = b0 + (b1 - b0) * fx;
  }
};

struct Scatter {
  GridPass pass;
  GridGradient gradient;
  IC_DEVICE void item(int64_t i) const {
    const int level = (int)(i / pass.samples);
    const float* d = pass.features + 2 * level * pass.samples + i % pass.samples;
    const float da = d[0], db = d[pass.samples];
    if (da == 0 && db == 0) return;
    const Where w = whereOf(pass, level, i % pass.samples);
    const int64_t first = w.level->offset;
    int64_t* sum = gradient.sum + 2 * (w.slot * gradient.nodes + first);
    uint8_t* touched = gradient.touched + (w.slot * gradient.nodes + first) / 8;
    const float fx = w.cell.fx, fy = w.cell.fy;
    IC_PRAGMA_UNROLL
    for (int k = 0; k < 4; k++) {
      const float weight = (k & 1 ? fx : 1 - fx) * (k & 2 ? fy : 1 - fy);
      const int64_t at = w.cell.node[k];
      const bool a = pass.step.fixed.add(sum + 2 * at, weight * da);
      const bool b = pass.step.fixed.add(sum + 2 * at + 1, weight * db);
      if (a || b) touched[at / 8] = 1;
    }
  }
};

struct Positions {
  GridPass pass;
  float *dx, *dy;
  IC_DEVICE void item(int64_t n) const {
    float sx = 0, sy = 0;
    for (int level = 0; level < pass.levels; level++) {
      const float* d = pass.features + 2 * level * pass.samples + n;
      const float da = d[0], db = d[pass.samples];
      const Where w = whereOf(pass, level, n);
      const Pair p = node(w.table, w.cell.node[0]), q = node(w.table, w.cell.node[1]);
      const Pair r = node(w.table, w.cell.node[2]), s = node(w.table, w.cell.node[3]);
      const float fx = w.cell.fx, fy = w.cell.fy, scale = w.level->scale;
      const float across = da * ((q.a - p.a) * (1 - fy) + (s.a - r.a) * fy) + db * ((q.b - p.b) * (1 - fy) + (s.b - r.b) * fy);
      const float down = da * ((r.a - p.a) * (1 - fx) + (s.a - q.a) * fx) + db * ((r.b - p.b) * (1 - fx) + (s.b - q.b) * fx);
      sx += scale * across;
      sy += scale * down;
    }
    dx[n] += sx;
    dy[n] += sy;
  }
};

}  // namespace

void GridPass::encode(Stream& stream) const { stream.items(levels * samples, Encode{*this}); }
void GridPass::scatter(Stream& stream, const GridGradient& gradient) const {
  stream.items(levels * samples, Scatter{*this, gradient});
}
void GridPass::positions(Stream& stream, float* dx, float* dy) const {
  stream.items(samples, Positions{*this, dx, dy});
}

}  // namespace implicam::device
