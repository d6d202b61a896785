/**
 * Makes the one file of the API that a Workers runtime takes.
 *
 * @param file where it goes; left out, it is only given back
 * @returns the file (where it was not written), and the sources that are in it
 */
export function bundleWorker(
  file?: string,
): Promise<{ readonly code: string; readonly inputs: readonly string[] }>;
