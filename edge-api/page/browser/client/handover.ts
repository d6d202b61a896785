/** Photographs chosen in one view for the session that the next one shows. */
const chosen = new Map<string, readonly File[]>();

export function handOver(session: string, files: readonly File[]): void {
  chosen.set(session, files);
}

/** Gives them, once. */
export function takeOver(session: string): readonly File[] {
  const files = chosen.get(session) ?? [];
  chosen.delete(session);
  return files;
}
