/**
 * True when Prometheus before 3.0 leaves a zero byte behind these samples' chunk.
 *
 * Its bit stream writes whole bytes with a function that always appends the byte to come. So a chunk has a spare byte
 * exactly when its last write was one of whole bytes that ended on a byte's edge: the only sample of a
 * chunk, whose value is 64 bits, or a changed value of 8, 16 … 64 bits after which the stream is even.
 */
export function hasSpareByte(times: readonly number[], values: Float64Array): boolean {
  if (times.length === 1) return true;
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  const all = new BitCounter();
  for (let i = 1; i < times.length; i += 1) {
    if (i > 1) all.addTime(times[i]! - 2 * times[i - 1]! + times[i - 2]!);
    all.addValue(bits[i]! ^ bits[i - 1]!);
  }
  return all.endsWithBytes && all.bits % 8 === 0;
}

/** Counts the bits behind the second sample's time, which ends on a byte's edge. */
class BitCounter {
  bits = 0;
  endsWithBytes = false;
  #leading = -1;
  #trailing = 0;

  addTime(dod: number): void {
    if (dod === 0) this.bits += 1;
    else if (dod > -8192 && dod <= 8192) this.bits += 2 + 14;
    else if (dod > -65536 && dod <= 65536) this.bits += 3 + 17;
    else if (dod > -524288 && dod <= 524288) this.bits += 4 + 20;
    else this.bits += 4 + 64;
  }

  addValue(change: bigint): void {
    this.endsWithBytes = false;
    this.bits += 1;
    if (change === 0n) return;
    const text = change.toString(2).padStart(64, "0");
    const leading = Math.min(text.indexOf("1"), 31);
    const trailing = 63 - text.lastIndexOf("1");
    const isReused = this.#leading >= 0 && leading >= this.#leading && trailing >= this.#trailing;
    if (!isReused) {
      this.#leading = leading;
      this.#trailing = trailing;
      this.bits += 5 + 6;
    }
    const significant = 64 - this.#leading - this.#trailing;
    this.bits += 1 + significant;
    this.endsWithBytes = significant % 8 === 0;
  }
}
