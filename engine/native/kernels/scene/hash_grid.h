// Multiresolution hash grid (model/hash-grid.ts), two features a node, on a tile of positions. The two nodes of a cell's row
// are neighbours in a dense level, so a row is one load of four numbers: blend the two rows, then transpose the lanes.
#pragma once
#include "shared/plan.h"
#include "kernels/simd.h"

namespace implicam::IMPLICAM_ISA {

struct Cell {
  alignas(64) int32_t row0[NL];   // first node of the upper row; the lower row and hashed nodes follow from these
  alignas(64) int32_t row1[NL];
  alignas(64) int32_t right0[NL]; // second node of each row, where hashed
  alignas(64) int32_t right1[NL];
  alignas(64) R upper[NL], lower[NL];  // weights of the two rows
  V fx;
};

template <bool HASHED>
IC_INLINE void locate(const GridLevel& g, R originX, R originY, V px, V py, Cell& cell) {
  R scale = g.scale;
  V x = (px - originX) * scale, y = (py - originY) * scale;
  VI ix = truncate(x), iy = truncate(y);
  VI maxX = splati(g.nx - 2), maxY = splati(g.ny - 2);
  ix = ix > maxX ? maxX : ix;
  ix = ix < 0 ? VI{} : ix;
  iy = iy > maxY ? maxY : iy;
  iy = iy < 0 ? VI{} : iy;
  cell.fx = x - tofloat(ix);
  V fy = y - tofloat(iy);
  for (int k = 0; k < NL; k++) {
    cell.lower[k] = fy[k];
    cell.upper[k] = 1 - fy[k];
  }
  if (!HASHED) {
    VI node = iy * (I)g.nx + ix;
    for (int k = 0; k < NL; k++) {
      cell.row0[k] = (int32_t)node[k];
      cell.row1[k] = (int32_t)node[k] + g.nx;
    }
    return;
  }
  uint32_t mask = (uint32_t)g.nodes - 1;
  for (int k = 0; k < NL; k++) {
    uint32_t x0 = (uint32_t)ix[k], y0 = (uint32_t)iy[k];
    uint32_t h0 = y0 * 2654435761u, h1 = (y0 + 1) * 2654435761u;
    cell.row0[k] = (int32_t)((x0 ^ h0) & mask);
    cell.right0[k] = (int32_t)(((x0 + 1) ^ h0) & mask);
    cell.row1[k] = (int32_t)((x0 ^ h1) & mask);
    cell.right1[k] = (int32_t)(((x0 + 1) ^ h1) & mask);
  }
}

IC_INLINE R4 pairOf(const R* t, int32_t a, int32_t b) {
  R2 p = *(const R2*)(t + 2 * (size_t)a), q = *(const R2*)(t + 2 * (size_t)b);
  return R4{p[0], p[1], q[0], q[1]};
}

template <bool HASHED>
IC_INLINE void rows(const R* t, const Cell& cell, int k, R4& r0, R4& r1) {
  if (HASHED) {
    r0 = pairOf(t, cell.row0[k], cell.right0[k]);
    r1 = pairOf(t, cell.row1[k], cell.right1[k]);
  } else {
    r0 = *(const R4*)(t + 2 * (size_t)cell.row0[k]);
    r1 = *(const R4*)(t + 2 * (size_t)cell.row1[k]);
  }
}

template <bool HASHED>
IC_INLINE void encodeLevel(const GridLevel& g, const R* t, R ox, R oy, const V* px, const V* py, V* E, int nv, int ld) {
  Cell cell;
  alignas(64) R buf[4 * NL];
  IC_NOUNROLL
  for (int v = 0; v < nv; v++) {
    locate<HASHED>(g, ox, oy, px[v], py[v], cell);
    IC_UNROLL
    for (int k = 0; k < NL; k++) {
      R4 r0, r1;
      rows<HASHED>(t, cell, k, r0, r1);
      *(R4*)(buf + 4 * k) = r0 * cell.upper[k] + r1 * cell.lower[k];
    }
    V a0, b0, a1, b1;
    unzip4(buf, a0, b0, a1, b1);
    E[v] = a0 + (a1 - a0) * cell.fx;
    E[ld + v] = b0 + (b1 - b0) * cell.fx;
  }
}

// E[2l + f][v] = feature f of level l at (px, py)[v].
static __attribute__((noinline)) void encode(const GridSpec& grid, const R* table, R ox, R oy, const V* px, const V* py,
                                             V* E, int nv, int ld) {
  for (int l = 0; l < grid.levels; l++) {
    const GridLevel& g = grid.level[l];
    const R* t = table + 2 * (size_t)g.offset;
    V* e = E + (size_t)2 * l * ld;
    if (g.hashed) encodeLevel<true>(g, t, ox, oy, px, py, e, nv, ld);
    else encodeLevel<false>(g, t, ox, oy, px, py, e, nv, ld);
  }
}

// Levels up to this many nodes are always visited whole by the update; larger ones mark what they touch.
constexpr int MARKED_NODES = 8192;

template <bool HASHED, bool POSITION>
IC_INLINE void scatterLevel(const GridLevel& g, const R* t, R* grad, uint8_t* touched, R ox, R oy, const V* px,
                            const V* py, const V* dE, V* dpx, V* dpy, int nv, int ld) {
  Cell cell;
  alignas(64) R buf[4 * NL], values[4 * NL], drop[4 * NL];
  const bool mark = g.nodes > MARKED_NODES;
  IC_NOUNROLL
  for (int v = 0; v < nv; v++) {
    locate<HASHED>(g, ox, oy, px[v], py[v], cell);
    V da = dE[v], db = dE[ld + v], gx = 1 - cell.fx;
    zip4(buf, gx * da, gx * db, cell.fx * da, cell.fx * db);
    IC_UNROLL
    for (int k = 0; k < NL; k++) {
      if (POSITION) {
        R4 r0, r1;
        rows<HASHED>(t, cell, k, r0, r1);
        *(R4*)(values + 4 * k) = r0 * cell.upper[k] + r1 * cell.lower[k];
        *(R4*)(drop + 4 * k) = r1 - r0;
      }
      R4 w = *(const R4*)(buf + 4 * k);
      R4 up = w * cell.upper[k], low = w * cell.lower[k];
      if (HASHED) {
        *(R2*)(grad + 2 * (size_t)cell.row0[k]) += R2{up[0], up[1]};
        *(R2*)(grad + 2 * (size_t)cell.right0[k]) += R2{up[2], up[3]};
        *(R2*)(grad + 2 * (size_t)cell.row1[k]) += R2{low[0], low[1]};
        *(R2*)(grad + 2 * (size_t)cell.right1[k]) += R2{low[2], low[3]};
      } else {
        *(R4*)(grad + 2 * (size_t)cell.row0[k]) += up;
        *(R4*)(grad + 2 * (size_t)cell.row1[k]) += low;
      }
    }
    if (mark) {
      for (int k = 0; k < NL; k++) {
        touched[cell.row0[k] >> 3] = 1;
        touched[cell.row1[k] >> 3] = 1;
        touched[HASHED ? cell.right0[k] >> 3 : (cell.row0[k] + 1) >> 3] = 1;
        touched[HASHED ? cell.right1[k] >> 3 : (cell.row1[k] + 1) >> 3] = 1;
      }
    }
    if (POSITION) {
      V a0, b0, a1, b1, c0, d0, c1, d1;
      unzip4(values, a0, b0, a1, b1);
      unzip4(drop, c0, d0, c1, d1);
      R scale = g.scale;
      dpx[v] += scale * (da * (a1 - a0) + db * (b1 - b0));
      dpy[v] += scale * (da * (gx * c0 + cell.fx * c1) + db * (gx * d0 + cell.fx * d1));
    }
  }
}

// Adds dL/dE to the table's gradient, marks the cache lines it touches (8 nodes each), and with POSITION adds
// dL/d(position) to dpx, dpy.
template <bool POSITION>
static __attribute__((noinline)) void scatter(const GridSpec& grid, const R* table, R* grad, uint8_t* touched, R ox,
                                              R oy, const V* px, const V* py, const V* dE, V* dpx, V* dpy, int nv,
                                              int ld) {
  for (int l = 0; l < grid.levels; l++) {
    const GridLevel& g = grid.level[l];
    const R* t = table + 2 * (size_t)g.offset;
    R* gr = grad + 2 * (size_t)g.offset;
    uint8_t* mark = touched + g.offset / 8;
    const V* d = dE + (size_t)2 * l * ld;
    if (g.hashed) scatterLevel<true, POSITION>(g, t, gr, mark, ox, oy, px, py, d, dpx, dpy, nv, ld);
    else scatterLevel<false, POSITION>(g, t, gr, mark, ox, oy, px, py, d, dpx, dpy, nv, ld);
  }
}

}  // namespace implicam::IMPLICAM_ISA
