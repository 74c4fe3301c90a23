/** Bytes read or written before the event loop gets a turn: below a millisecond of copying and checksums. */
export const SLICE_BYTES = 1024 * 1024;

/** Lets the event loop turn once: what came in meanwhile is served first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
