/**
 * Ctrl-C (and SIGTERM): the first asks the work in progress to end well, the second ends the program at once.
 *
 * @param onFirst told once, so that a person sees that it was heard.
 * @returns the signal to hand to the work, and what takes the handlers away again.
 */
export function interruptible(onFirst: () => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const heard = () => {
    // 130 is what shells expect of a program that Ctrl-C ended.
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    onFirst();
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', heard);
      process.off('SIGTERM', heard);
    },
  };
}
