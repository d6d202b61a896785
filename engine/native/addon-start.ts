/** The start's kernels on a team of threads: see engine/native/addon/start.cpp. Calls block; `out` and the like are filled. */
export interface AddonStartKernels {
  boxMean(source: Float32Array, width: number, height: number, radius: number, out: Float32Array): void;
  convolve(
    source: Float32Array,
    width: number,
    height: number,
    kernel: Float64Array,
    out: Float32Array,
  ): void;
  mergeChannel(
    codes: readonly Uint8Array[],
    masks: readonly (Uint8Array | undefined)[],
    channel: number,
    shifts: Float64Array,
    /** ln exposure of each code. */
    table: Float64Array,
    knots: Float64Array,
    pull: Float64Array,
    curvature: Float64Array,
    blackest: number,
    radiance: Float32Array,
  ): void;
  channelLight(
    data: Float32Array,
    width: number,
    height: number,
    channel: number,
    gain: number,
    toWidth: number,
    toHeight: number,
    columnFirst: Int32Array,
    columnWeights: Float64Array,
    rowFirst: Int32Array,
    rowWeights: Float64Array,
    out: Float32Array,
  ): void;
  medianFilter(source: Float32Array, width: number, height: number, size: 3 | 5, out: Float32Array): void;
  shrinkDetail(
    plane: Float32Array,
    width: number,
    height: number,
    variance: Float32Array,
    out: Float32Array,
  ): void;
  blurDisk(
    source: Float32Array,
    width: number,
    height: number,
    reach: number,
    runs: Int32Array,
    taps: Int32Array,
    full: Float64Array,
    weights: Float64Array,
    out: Float32Array,
  ): void;
  quantisedLog(
    plane: Float32Array,
    floor: number,
    exponents: Float64Array,
    mantissas: Float64Array,
    out: Int16Array,
  ): void;
  scoreShifts(
    value: Float32Array,
    trust: Float32Array,
    otherValue: Float32Array,
    otherTrust: Float32Array,
    width: number,
    height: number,
    reachX: number,
    reachY: number,
    correlation: Float64Array,
    seen: Float64Array,
  ): void;
  compare(
    value: Float32Array,
    trust: Float32Array,
    otherValue: Float32Array,
    otherTrust: Float32Array,
    width: number,
    height: number,
    geometry: Float64Array,
    hessians: Float64Array,
    gradients: Float64Array,
    agreement: Float64Array,
  ): void;
  addDifferences(
    view: readonly [Int16Array, Int16Array],
    planes: readonly (readonly [Int16Array, Int16Array, Int16Array, Int16Array])[],
    fractions: Int32Array,
    priors: Int32Array,
    starts: Int32Array,
    ends: Int32Array,
    sources: Uint8Array,
    sum: Int32Array,
  ): void;
  storeCosts(
    sum: Int32Array,
    trust: Float32Array,
    width: number,
    height: number,
    window: number,
    cost: Uint16Array,
    label: number,
    labels: number,
  ): void;
  blockDifferences(
    view: readonly [Int16Array, Int16Array],
    valid: Uint8Array | undefined,
    ladder: readonly (readonly [Int16Array, Int16Array])[],
    pixels: Int32Array,
    places: number,
    out: Float32Array,
  ): void;
  sumLowest(
    differences: readonly Float32Array[],
    sources: Uint8Array,
    priors: Float64Array,
    offsets: Int32Array,
  ): number;
  spread(
    width: number,
    height: number,
    radii: Float32Array,
    density: Float64Array,
    light: Float64Array,
    border: number,
    distance: Float32Array,
    targetX: number,
    targetY: number,
    targetWidth: number,
    targetHeight: number,
    sums: Float32Array,
  ): void;
  edgePart(
    network: Float32Array,
    views: readonly Float32Array[],
    width: number,
    height: number,
    gains: Float64Array,
    nearSpan: number,
    farSpan: number,
    levels: number,
    x: number,
    y: number,
    partWidth: number,
    partHeight: number,
    out: Float32Array,
  ): void;
  aggregatePaths(
    width: number,
    height: number,
    labels: number,
    cost: Uint16Array,
    p1: number,
    p2: Uint16Array,
    sum: Uint16Array,
  ): void;
  bandEnergy(
    codes: Float32Array,
    width: number,
    height: number,
    energies: readonly Float32Array[],
    brightness: readonly Uint8Array[],
  ): void;
  /** `sums` and `terms` are FusionSums and FusionTerms of develop/start/fusion/sums.ts. */
  addToFusion(
    sums: object,
    codes: Float32Array,
    mask: Uint8Array | undefined,
    index: number,
    terms: object,
    missing: number,
  ): void;
  fusedCodes(sums: object, slack: number, out: Float32Array): void;
}
