import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../context.js';

/** Counters for Prometheus, of this process. Labels are route patterns, never ids: their number is bounded. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: 'implicam_' });
  const requests = new Histogram({
    name: 'implicam_http_request_seconds',
    help: 'time from request to the head of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.15, 0.5, 2, 10],
    registers,
  });
  const renders = new Counter({
    name: 'implicam_renders_total',
    help: 'renders by how they came about',
    labelNames: ['outcome'],
    registers,
  });
  const uploaded = new Counter({
    name: 'implicam_uploaded_bytes_total',
    help: 'bytes of photographs received',
    registers,
  });
  const streams = new Gauge({ name: 'implicam_event_streams', help: 'open event streams', registers });
  return {
    request: (route, method, status, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    render: (outcome) => renders.inc({ outcome }),
    uploaded: (bytes) => uploaded.inc(bytes),
    streams: (change) => streams.inc(change),
    async expose() {
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
