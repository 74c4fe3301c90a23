/** The dullest correct XOR encoder: a string of bits, and BigInt everywhere. */

export interface Sample {
  readonly time: bigint;
  readonly bits: bigint;
}

/** Encodes as FORMATS and Prometheus' sources say, in the order in which they say it. */
export function encodeReference(samples: readonly Sample[]): Uint8Array {
  let out = samples.length.toString(2).padStart(16, "0");
  let leading = -1;
  let trailing = 0;
  samples.forEach(({ time, bits }, i) => {
    if (i === 0) {
      out += varint(time >= 0n ? time * 2n : -time * 2n - 1n) + binary(bits, 64);
      return;
    }
    const delta = time - samples[i - 1]!.time;
    if (i === 1) {
      out += varint(delta);
    } else {
      const dod = delta - (samples[i - 1]!.time - samples[i - 2]!.time);
      if (dod === 0n) out += "0";
      else if (fits(dod, 14n)) out += "10" + binary(dod, 14);
      else if (fits(dod, 17n)) out += "110" + binary(dod, 17);
      else if (fits(dod, 20n)) out += "1110" + binary(dod, 20);
      else out += "1111" + binary(dod, 64);
    }
    const x = binary(bits ^ samples[i - 1]!.bits, 64);
    if (!x.includes("1")) {
      out += "0";
      return;
    }
    const lz = Math.min(x.indexOf("1"), 31);
    const tz = 63 - x.lastIndexOf("1");
    if (leading >= 0 && lz >= leading && tz >= trailing) {
      out += "10" + x.slice(leading, 64 - trailing);
    } else {
      leading = lz;
      trailing = tz;
      const length = 64 - lz - tz;
      out += "11" + binary(BigInt(lz), 5) + binary(BigInt(length), 6) + x.slice(lz, 64 - tz);
    }
  });
  out = out.padEnd(Math.ceil(out.length / 8) * 8, "0");
  return Uint8Array.from(out.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
}

/** Bits that a sample's words stand for. */
export function bitsOf(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** The bits of a plain number. Not for signalling NaNs: they lose theirs on the way. */
export function bitsOfNumber(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!;
}

function fits(dod: bigint, width: bigint): boolean {
  const half = 1n << (width - 1n);
  return -(half - 1n) <= dod && dod <= half;
}

function binary(value: bigint, width: number): string {
  return BigInt.asUintN(width, value).toString(2).padStart(width, "0");
}

function varint(value: bigint): string {
  let out = "";
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) out += binary((rest & 127n) | 128n, 8);
  return out + binary(rest, 8);
}
