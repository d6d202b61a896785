import { availableParallelism } from 'node:os';
import { loadAddon } from '../../engine/native/addon.js';
import type { AddonStartKernels } from '../../engine/native/addon-start.js';
import { distanceTable } from '../../model/camera/spread.js';
import { type Comparison, FIELDS, geometryOf, TILE_COUNT } from './align/compare.js';
import { type DiskKernel, diskBlurPlane, diskKernel } from './depth/disk-blur.js';
import { BLOCK } from './depth/sweep-loops.js';
import { PLANES } from './edges/levels.js';
import { bandSizes } from './fusion/bands.js';
import { missingEvidence, SLACK } from './fusion/sums.js';
import { portableKernels, type StartKernels } from './kernels.js';
import { darkestRadiance, mergeChannel } from './merge/merge.js';
import { pixelSolver } from './merge/pixel-radiance.js';
import { SIDE } from './merge/shrink.js';
import { gaussian, gaussianKernel } from './pixels/filters.js';
import { EXPONENT_LOG, MANTISSA_LOG } from './pixels/log-steps.js';
import { coverage } from './pixels/resize.js';
import { inverseTable } from './response/response.js';

/** Frames that the compiled merge takes. */
export const MOST_MERGED = 7;

/**
 * The inner loops of the classical start, compiled where the core was built: the same bits in a fraction of the time.
 *
 * @param threads of the team that works on them, which sleeps between calls
 * @param isa instruction set of the convolutions, which give the same bits on all; by default the widest
 */
export function startKernels(threads: number = availableParallelism(), isa?: string): StartKernels {
  const addon = loadAddon();
  return addon ? startKernelsOn(new addon.StartKernels(threads, isa)) : portableKernels;
}

/** The start's kernels on what the addon does; what is too rare to be worth it stays TypeScript's. */
function startKernelsOn(addon: AddonStartKernels): StartKernels {
  return {
    boxMean(source, width, height, radius, out = new Float32Array(source.length)) {
      if (radius >= 1) addon.boxMean(source, width, height, radius, out);
      else if (out !== source) out.set(source);
      return out;
    },
    gaussian(source, width, height, sigma, out = new Float32Array(source.length)) {
      const kernel = gaussianKernel(sigma);
      if (!kernel) return gaussian(source, width, height, sigma, out);
      addon.convolve(source, width, height, kernel, out);
      return out;
    },
    channelLight({ data, width, height }, channel, gain, toWidth, toHeight) {
      const out = new Float32Array(toWidth * toHeight);
      const [columns, rows] = [flatCoverage(width, toWidth), flatCoverage(height, toHeight)];
      addon.channelLight(
        data,
        width,
        height,
        channel,
        gain,
        toWidth,
        toHeight,
        columns.first,
        columns.weights,
        rows.first,
        rows.weights,
        out,
      );
      return out;
    },
    mergeChannel(frames, response, ev, channel, masks, radiance, information) {
      const codes = frames.map((frame) => frame.data).filter((data) => data instanceof Uint8Array);
      if (information || codes.length < frames.length || frames.length > MOST_MERGED) {
        return mergeChannel(frames, response, ev, channel, masks, radiance, information);
      }
      const { knots, pull, curvature } = pixelSolver(response, channel);
      addon.mergeChannel(
        codes,
        frames.map((_, e) => masks?.[e]),
        channel,
        Float64Array.from(ev, (stops) => Math.LN2 * stops),
        inverseTable(response, channel),
        knots,
        pull,
        curvature,
        darkestRadiance(response, channel, ev),
        radiance.data,
      );
    },
    medianFilter(source, width, height, size, out = new Float32Array(source.length)) {
      addon.medianFilter(source, width, height, size, out);
      return out;
    },
    shrinkDetail(plane, width, height, variance) {
      if (width < SIDE || height < SIDE) return plane.slice();
      const out = new Float32Array(plane.length);
      addon.shrinkDetail(plane, width, height, variance, out);
      return out;
    },
    diskBlur(source, width, height, circle, out = new Float32Array(source.length), exactUpTo = 16) {
      const kernel = diskKernel(circle);
      if (circle > exactUpTo || kernel.reach === 0) {
        return diskBlurPlane(source, width, height, circle, out, exactUpTo);
      }
      const { runs, taps, full, weights } = flatDisk(kernel);
      addon.blurDisk(source, width, height, kernel.reach, runs, taps, full, weights, out);
      return out;
    },
    quantisedLog(plane, floor) {
      const out = new Int16Array(plane.length);
      addon.quantisedLog(plane, floor, EXPONENT_LOG, MANTISSA_LOG, out);
      return out;
    },
    scoreShifts(a, b, reachX, reachY) {
      const shifts = (2 * reachX + 1) * (2 * reachY + 1);
      const scores = { correlation: new Float64Array(shifts), seen: new Float64Array(shifts) };
      const { correlation, seen } = scores;
      const { width, height } = a;
      addon.scoreShifts(a.value, a.trust, b.value, b.trust, width, height, reachX, reachY, correlation, seen);
      return scores;
    },
    compare(template, other, toOther, extent): Comparison {
      const { width, height, value, trust } = template;
      const hessians = new Float64Array(TILE_COUNT * FIELDS * FIELDS);
      const gradients = new Float64Array(TILE_COUNT * FIELDS);
      const agreement = new Float64Array(2);
      const { homography, step, left, top } = geometryOf(template, toOther, extent);
      const geometry = Float64Array.of(...homography, step, left, top);
      addon.compare(
        value,
        trust,
        other.value,
        other.trust,
        width,
        height,
        geometry,
        hessians,
        gradients,
        agreement,
      );
      const [correlation, trusted] = agreement as unknown as [number, number];
      return { hessians, gradients, agreement: { correlation, trusted } };
    },
    addDifferences(view, planes, fractions, priors, runs, sum) {
      addon.addDifferences(view, planes, fractions, priors, runs.start, runs.end, runs.source, sum);
    },
    storeCosts: (...cost) => addon.storeCosts(...cost),
    blockDifferences(view, valid, ladder, pixels, places) {
      const out = new Float32Array((places * pixels.length) / (BLOCK * BLOCK));
      addon.blockDifferences(view, valid, ladder, pixels, places, out);
      return out;
    },
    sumLowest: (...sums) => addon.sumLowest(...sums),
    spreadSources(sources, border, target) {
      const { radii, density, light } = sources;
      const { x, y, width, height } = target;
      const sums = new Float32Array(4 * width * height);
      const distance = distanceTable(border);
      addon.spread(
        sources.width,
        sources.height,
        radii,
        density,
        light,
        border,
        distance,
        x,
        y,
        width,
        height,
        sums,
      );
      return sums;
    },
    bandEnergy(codes, width, height) {
      const bands = bandSizes(width, height).map((size) => ({
        ...size,
        energy: new Float32Array(size.width * size.height),
        brightness: new Uint8Array(size.width * size.height),
      }));
      const [energies, brightness] = [bands.map((b) => b.energy), bands.map((b) => b.brightness)];
      addon.bandEnergy(codes, width, height, energies, brightness);
      return bands;
    },
    addToFusion(sums, codes, mask, index, terms) {
      addon.addToFusion(sums, codes, mask, index, terms, missingEvidence(terms));
    },
    fusedCodes(sums) {
      const out = new Float32Array(3 * sums.width * sums.height);
      addon.fusedCodes(sums, SLACK, out);
      return out;
    },
    edgePart(network, { width, height, views, gains, spans, levels }, part) {
      const out = new Float32Array(PLANES * part.width * part.height);
      const [near, far] = spans;
      addon.edgePart(
        network,
        views,
        width,
        height,
        gains,
        near,
        far,
        levels,
        part.x,
        part.y,
        part.width,
        part.height,
        out,
      );
      return out;
    },
    aggregatePaths({ width, height, labels, cost }, p1, p2) {
      const sum = new Uint16Array(cost.length);
      addon.aggregatePaths(width, height, labels, cost, p1, p2, sum);
      return sum;
    },
  };
}

/** Weights side by side, as many for each: those of fewer end in zeros. */
function flatCoverage(from: number, to: number) {
  const { first, weights } = coverage(from, to);
  const most = Math.max(...weights.map((w) => w.length));
  const flat = new Float64Array(most * to);
  weights.forEach((w, i) => {
    flat.set(w, i * most);
  });
  return { first, weights: flat };
}

/** The rows of a disk side by side. */
function flatDisk({ reach, rows }: DiskKernel) {
  const weights = new Float64Array((reach + 1) ** 2);
  rows.forEach((row, j) => {
    weights.set(row.weights, j * (reach + 1));
  });
  return {
    runs: Int32Array.from(rows, (row) => row.run),
    taps: Int32Array.from(rows, (row) => row.weights.length),
    full: Float64Array.from(rows, (row) => row.full),
    weights,
  };
}
