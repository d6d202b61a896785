import { ImplicamError } from './errors.js';

/**
 * The p-th percentile, 0…100, with linear interpolation between order statistics (NumPy's default). Selection, not
 * sorting: O(n). `values` is left alone.
 *
 * @throws ImplicamError `empty` without values.
 */
export function percentile(values: Float32Array, p: number): number {
  if (values.length === 0) throw new ImplicamError('empty', 'a percentile of no values was asked for');
  const copy = values.slice();
  const at = (Math.min(Math.max(p, 0), 100) / 100) * (copy.length - 1);
  const k = Math.floor(at);
  const low = select(copy, k);
  if (at === k) return low;
  let next = Infinity;
  for (let i = k + 1; i < copy.length; i++) if (copy[i] < next) next = copy[i];
  return low + (next - low) * (at - k);
}

/** Hoare's quickselect, median of three: afterwards `a[k]` is the k-th smallest and nothing before it is larger. */
function select(a: Float32Array, k: number): number {
  let left = 0;
  let right = a.length - 1;
  while (left < right) {
    const middle = (left + right) >>> 1;
    const x = a[left];
    const y = a[middle];
    const z = a[right];
    const pivot = Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
    let i = left;
    let j = right;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i > j) break;
      const t = a[i];
      a[i++] = a[j];
      a[j--] = t;
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return a[k];
}
