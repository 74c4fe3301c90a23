/** Memory page of the operating system, in bytes. */
const PAGE_BYTES = 4096;
/** Pages touched between two turns of the event loop: about 5 ms, at 2.6 µs a page. */
const SLICE_PAGES = 2048;

/**
 * Touches every page of the spans given as byte offset and size, one after the other, so that the first real
 * write to them is not the one that waits for the system. Lets other work run between slices.
 */
export async function prefault(words: Int32Array, spans: readonly number[]): Promise<void> {
  let left = SLICE_PAGES;
  for (let i = 0; i < spans.length; i += 2) {
    const until = spans[i]! + spans[i + 1]!;
    for (let at = spans[i]!; at < until; at += PAGE_BYTES) {
      // A write of what is there: reading alone would map the shared page of zeros.
      words[at >>> 2] = words[at >>> 2]!;
      left -= 1;
      if (left > 0) continue;
      left = SLICE_PAGES;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
