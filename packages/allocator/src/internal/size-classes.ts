/**
 * Size classes, in lines of 64 bytes: every number of lines up to 16 (1 KiB), then powers of two and the halves
 * between them. At most a third of a region is left over, and above 1 KiB they are classes of the linear memory, too.
 */

/** A cache line, in bytes: where regions start, and the unit of sizes here. */
export const LINE_BYTES = 64;

/** The largest region, in bytes. */
export const REGION_BYTES_MAX = 2 ** 30;

/** Classes are 1 … CLASS_COUNT-1. */
export const CLASS_COUNT = 57;

/** The class that serves a request of 1 … REGION_BYTES_MAX bytes. */
export function classOf(bytes: number): number {
  // Literals, because this is called for each region and V8 does not fold a module's constants.
  const lines = (bytes + 63) >>> 6;
  if (lines <= 16) return lines;
  const power = 32 - Math.clz32(lines - 1); // The smallest with 2^power >= lines: 5 at least.
  return 2 * power + (lines <= 3 << (power - 2) ? 7 : 8);
}

/** How many lines a region of the class has. */
export function linesOf(sizeClass: number): number {
  if (sizeClass <= 16) return sizeClass;
  const power = (sizeClass - 7) >>> 1;
  return (sizeClass & 1) === 1 ? 3 << (power - 2) : 1 << power;
}
