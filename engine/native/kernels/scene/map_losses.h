// The loss on the map of a patch: smoothness of the defocus map. docs/reference/MODEL.md, "Losses".
#pragma once
#include "kernels/scene/scene.h"

namespace implicam::IMPLICAM_ISA {

// Σ q·√((k Δ)² + 10⁻³) over horizontal and vertical neighbours of n × n pixels, times `weight`; the gradient goes to `d`.
// `luminance`, or null: smooth less across its edges.
static inline double variation(const R* a, R* d, int n, R weight, R k, const R* luminance) {
  double total = 0;
  for (int direction = 0; direction < 2; direction++) {
    int step = direction ? n : 1, columns = direction ? n : n - 1, rows = direction ? n - 1 : n;
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x += NL) {
        int i = y * n + x;
        V delta = k * (load(a + i + step) - load(a + i));
        V root = vsqrt(delta * delta + (R)1e-3);
        V q = splat(weight);
        if (luminance) q *= (R)0.15 + (R)0.85 * vexp(vabs(load(luminance + i + step) - load(luminance + i)) * (R)-4);
        for (int z = columns - x; z < NL; z++) q[z] = 0;
        total += laneSum(q * root);
        V g = q * delta / root * k;
        store(d + i + step, load(d + i + step) + g);
        store(d + i, load(d + i) - g);
      }
    }
  }
  return total;
}

// Of a whole patch of n × n samples that counts `share`; adds the gradient of the defocus map.
static inline double mapLoss(const Scene& scene, const Shard& shard, int n, R share, R* ds) {
  const Model& m = *scene.model;
  if (m.loss.smoothDefocus <= 0) return 0;
  // Tiles share the loss: every shard's patches count as a part of the whole step's.
  if (shard.tiled) share /= m.shards;
  const R pairs = share / (R)((double)n * (n - 1));
  return variation(scene.defocus(), ds, n, (R)m.loss.smoothDefocus * pairs, (R)m.kappaStart, scene.edgePlane());
}

}  // namespace implicam::IMPLICAM_ISA
