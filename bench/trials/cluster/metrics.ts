import { ImplicamError } from '../../../model/errors.js';

const DEADLINE = 5000;

/** Reads a process' Prometheus metrics: values by name, with labels as they are written; samples of one name are summed. */
export async function readMetrics(address: string): Promise<Map<string, number>> {
  const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(DEADLINE) });
  if (!response.ok) {
    throw new ImplicamError('metrics-unreadable', `${address}/metrics answered ${response.status}`);
  }
  const values = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (\S+)$/.exec(line);
    if (match) values.set(match[1], (values.get(match[1]) ?? 0) + Number(match[2]));
  }
  return values;
}
