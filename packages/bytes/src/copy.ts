/** From here on, a manual loop costs more than the view that a native copy needs. */
const NATIVE_COPY_BYTES = 256;

/** Copies bytes[from … until) to `into` at `at` and returns the position after them. */
export function copyBytes(
  bytes: Uint8Array,
  from: number,
  until: number,
  into: Uint8Array,
  at: number,
): number {
  if (until - from >= NATIVE_COPY_BYTES) {
    into.set(bytes.subarray(from, until), at);
    return at + until - from;
  }
  let to = at;
  for (let i = from; i < until; i += 1) into[to++] = bytes[i]!;
  return to;
}
