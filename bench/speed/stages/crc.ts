import { crc32c, makeRandom, plainCrc32c } from "@varve/bytes";
import type { Stage } from "./stage.ts";

/** Bytes that are summed up over and over: they fit a cache. */
const BYTES = 256 * 1024;
/** Calls of a pass. */
const CALLS = 64;

/** Sums of bytes. A size is the bytes of a call, and what is counted are calls. */
export const crc: Stage = {
  missing: () => null,
  open: (variant, { sizes }) => {
    const random = makeRandom(sizes.seed);
    const bytes = Uint8Array.from({ length: BYTES }, () => random.below(256));
    const sum = variant === "kernel" ? crc32c : plainCrc32c;
    let last = 0;
    const pass = (size: number): void => {
      for (let call = 0, at = 0; call < CALLS; call += 1, at += size) {
        if (at + size > BYTES) at = 0;
        last = sum(bytes, at, at + size, last);
      }
    };
    const checks = { "check-crc": sum(bytes, 0, BYTES, 0) };
    const stage = { count: CALLS, begin: () => undefined, pass, checks };
    return Promise.resolve({ ...stage, close: () => Promise.resolve() });
  },
};
