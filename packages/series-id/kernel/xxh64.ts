/**
 * xxh64 of keys where they lie: what src/internal/xxh64-hasher.ts does, in words of 64 bits. No byte is read that is not the
 * key's own.
 */

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

/** Fills the hashes of rows from … until-1: row i's key is keys[keyAt[i] … keyAt[i+1]). */
export function hash(
  keys: usize,
  keyAt: usize,
  hashes: usize,
  from: u32,
  until: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  const seed = (<u64>seedHigh << 32) | seedLow;
  for (let row = from; row < until; row += 1) {
    const ends = keyAt + (<usize>row << 2);
    const start = keys + load<u32>(ends);
    const end = keys + load<u32>(ends, 4);
    store<u64>(hashes + (<usize>row << 3), hashKey(start, end, seed));
  }
}

// @inline
function hashKey(start: usize, end: usize, seed: u64): u64 {
  let at = start;
  let h = seed + P5;
  if (at + 32 <= end) {
    let one = seed + P1 + P2;
    let two = seed + P2;
    let three = seed;
    let four = seed - P1;
    for (; at + 32 <= end; at += 32) {
      one = round(one, load<u64>(at));
      two = round(two, load<u64>(at, 8));
      three = round(three, load<u64>(at, 16));
      four = round(four, load<u64>(at, 24));
    }
    h = rotl<u64>(one, 1) + rotl<u64>(two, 7) + rotl<u64>(three, 12) + rotl<u64>(four, 18);
    h = join(join(join(join(h, one), two), three), four);
  }
  h += <u64>(end - start);
  for (; at + 8 <= end; at += 8) h = rotl<u64>(h ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    h = rotl<u64>(h ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at += 1) h = rotl<u64>(h ^ (<u64>load<u8>(at) * P5), 11) * P1;
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

/** A word into a lane. */
// @inline
function round(lane: u64, word: u64): u64 {
  return rotl<u64>(lane + word * P2, 31) * P1;
}

/** A lane into the hash. */
// @inline
function join(h: u64, lane: u64): u64 {
  return (h ^ round(0, lane)) * P1 + P4;
}
