/** What one process of the API takes in. Quotas of a tenant are with its keys. */
export interface Limits {
  /** Bytes of one photograph. */
  readonly frameBytes: number;
  /** Pixels of one photograph. */
  readonly framePixels: number;
  /** Photographs of one session. */
  readonly frames: number;
  /** Bytes of a JSON body. */
  readonly jsonBytes: number;
  /** Bytes of an upload that are held in memory before they are stored. */
  readonly pieceBytes: number;
  /** Uploads that one tenant may send at a time. */
  readonly uploadsPerTenant: number;
  /** Seconds that a body may pause. */
  readonly bodyIdleSeconds: number;
  /** Least bytes a second of a body, over all of it after the first pause it may make. */
  readonly bodyBytesPerSecond: number;
  /** Photographs decoded for their check at a time. */
  readonly inspections: number;
  /** Seconds that an upload may lie unfinished. */
  readonly uploadSeconds: number;
  /** Renders asked of the gateway at a time, those that wait, and those of one tenant that wait. */
  readonly renders: number;
  readonly rendersWaiting: number;
  readonly rendersWaitingPerTenant: number;
  /** Seconds that a render may take, waiting included. */
  readonly renderSeconds: number;
  /** Bytes of all cached renders. */
  readonly renderCacheBytes: number;
  /** Event streams open at a time: of one tenant, and of all. */
  readonly streamsPerTenant: number;
  readonly streams: number;
  /** Seconds between signs of life on a quiet event stream. */
  readonly heartbeatSeconds: number;
  /** Seconds after which an event stream ends; its client comes back with the number of its last event. */
  readonly streamSeconds: number;
  /** Webhooks of one tenant. */
  readonly webhooks: number;
}

export const defaultLimits: Limits = {
  frameBytes: 128 * 2 ** 20,
  framePixels: 120e6,
  frames: 512,
  jsonBytes: 64 * 1024,
  pieceBytes: 2 * 2 ** 20,
  uploadsPerTenant: 16,
  bodyIdleSeconds: 30,
  bodyBytesPerSecond: 512,
  inspections: 2,
  uploadSeconds: 24 * 3600,
  renders: 2,
  rendersWaiting: 128,
  rendersWaitingPerTenant: 32,
  renderSeconds: 60,
  renderCacheBytes: 10 * 2 ** 30,
  streamsPerTenant: 64,
  streams: 1000,
  heartbeatSeconds: 15,
  streamSeconds: 1800,
  webhooks: 20,
};
