import { makeBatch, makeRandom, reserveMemory, type Random, type RowBatch } from "@varve/bytes";
import type { Variant } from "@varve/contracts";
import { describe, expect, test, vi } from "vitest";
import type { KernelExports } from "../src/index-kernel.ts";
import { OpenAddressedIndex } from "../src/open-addressed-index.ts";
import { openAddressedWasmIndex } from "../src/open-addressed-wasm.ts";
import { openAddressedIndex } from "../src/open-addressed.ts";
import {
  fill,
  goodHash,
  keyOfRef,
  openWorld,
  poorHash,
  zeroHash,
  type TestHash,
  type World,
} from "./world.ts";

// Both tables mix their hashes with one secret, so that they part, join and overflow at the same rows.
vi.mock("node:crypto", async (original) => ({
  ...(await original<object>()),
  randomBytes: (count: number) => Buffer.alloc(count, 0x5c),
}));

const ROWS = 300;

/** A kernel that does no row. */
const LEAVES_ALL: KernelExports = {
  findRows: (_state, _refs, _hashes, _keyAt, _keys, from) => from,
  insertRows: (_state, _refs, _hashes, _keyAt, _keys, _status, from) => from,
};

/** Good hashes, but that one key in ten shares its own with nine others, and one in fifty with all such. */
const mixedHash: TestHash = (key) => {
  const [low, high] = goodHash(key);
  if (low % 50 === 0) return [7, 7];
  return low % 10 === 0 ? [low % 100, 0xffffffff] : [low, high];
};

describe("open-addressed and open-addressed-wasm", () => {
  test.each([
    ["good", goodHash],
    ["mixed", mixedHash],
    ["poor", poorHash],
    ["constant", zeroHash],
  ])("stay alike through random operations, hashes %s", async (_, hash) => {
    for (const seed of [1, 2, 3]) {
      await using twins = await openTwins(2 ** 25);
      const names = hash === goodHash || hash === mixedHash ? 12_000 : 1500;
      operate(twins, { seed, hash, names, operations: 250 });
      const { stats } = twins.kernel.index;
      if (hash === goodHash) expect(stats.growths).toBeGreaterThan(10);
      else expect(stats.overflowed).toBeGreaterThan(0);
      if (hash !== goodHash) expect(stats.collisions).toBeGreaterThan(20);
    }
  });

  test("stay alike at seriesMax", async () => {
    await using twins = await openTwins(2 ** 24, { seriesMax: 500 });
    const limits = operate(twins, { seed: 5, hash: mixedHash, names: 3000, operations: 300 });
    expect(limits).toBeGreaterThan(100);
  });

  test("stay alike when the memory is full: the sibling's directory takes as much of it", async () => {
    const plain: Variant<"series-index"> = {
      ...openAddressedIndex(),
      open: (needs) => new OpenAddressedIndex(needs, LEAVES_ALL),
    };
    for (const seed of [6, 7, 8]) {
      await using twins = await openTwins(10 * 2 ** 16, {}, plain);
      const limits = operate(twins, { seed, hash: mixedHash, names: 20_000, operations: 300 });
      expect(limits).toBeGreaterThan(100);
      expect(twins.kernel.memory.bytesTaken).toBe(twins.plain.memory.bytesTaken);
    }
  });

  test("read each other's keys: those of all lengths that one stored, the other compares", async () => {
    await using world = await openWorld(openAddressedWasmIndex(), { rows: 128 });
    const far = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 128); // Its rows are not for the kernel.
    const { batch, index, memory } = world;
    const used = memory.take(2 ** 18, true); // Pages of keys come from it, full of what was there.
    memory.bytes(used, 2 ** 18).fill(0xa5);
    memory.give(used, 2 ** 18);
    const keyOf = (first: number, i: number): string => String(first + i).padEnd(i + 4, "\u00fe");
    const keys = Array.from({ length: 100 }, (_, i) => keyOf(1000, i));
    const others = Array.from({ length: 100 }, (_, i) => keyOf(2000, i));
    for (let shift = 0; shift < 8; shift += 1) {
      fill(batch, ["#".repeat(shift), ...keys]);
      index.insert(batch, 1, 101);
      fill(far, ["#".repeat(shift), ...others]);
      index.insert(far, 1, 101);
      fill(far, ["#".repeat(shift), ...keys]);
      index.find(far, 1, 101);
      fill(batch, ["#".repeat(shift), ...others]);
      index.find(batch, 1, 101);
      for (let i = 1; i <= 100; i += 1) {
        expect(far.refs[i]).toBe(i);
        expect(batch.refs[i]).toBe(100 + i);
      }
    }
    expect(index.size).toBe(200);
  });
});

/** One index of each variant, in memories alike. */
interface Twins extends AsyncDisposable {
  readonly plain: World;
  readonly kernel: World;
}

async function openTwins(
  bytesMax: number,
  bounds: { readonly seriesMax?: number } = {},
  sibling = openAddressedIndex(),
): Promise<Twins> {
  const options = { bytesMax, rows: ROWS, ...bounds };
  const plain = await openWorld(sibling, options);
  const kernel = await openWorld(openAddressedWasmIndex(), options);
  for (const { batch } of [plain, kernel]) batch.reserveKey(0, 2 ** 18); // For whatever comes: the memory may be full then.
  const dispose = async (): Promise<void> => {
    await plain[Symbol.asyncDispose]();
    await kernel[Symbol.asyncDispose]();
  };
  return { plain, kernel, [Symbol.asyncDispose]: dispose };
}

interface Course {
  readonly seed: number;
  readonly hash: TestHash;
  readonly names: number;
  readonly operations: number;
}

/** Does the same to both, and compares all that can be seen after each operation. Returns how many rows met a limit. */
function operate(twins: Twins, { seed, hash, names, operations }: Course): number {
  const random = makeRandom(seed);
  const worlds = [twins.plain, twins.kernel];
  const [plain, kernel] = [twins.plain.index, twins.kernel.index];
  let limits = 0;
  for (let step = 0; step < operations; step += 1) {
    const why = `seed ${seed}, step ${step}`;
    const isGrowing = step % 100 < 70; // Then most go, and segments join.
    const first = random.below(2 * names);
    const keys = Array.from({ length: 1 + random.below(ROWS) }, () =>
      keyOf(random.chance(0.5) ? first + random.below(ROWS) : random.below(names)),
    );
    const prepared = prepare(keys.length, random, plain.nextRef);
    for (const { batch } of worlds) {
      fill(batch, keys, hash);
      batch.refs.set(prepared.refs);
      batch.status.set(prepared.status);
    }
    const from = random.chance(0.5) ? 0 : random.below(keys.length);
    const until = random.chance(0.1) ? Math.min(from + 1, keys.length) : keys.length;
    const action = random.below(10);
    if (action < 3) {
      for (const { batch, index } of worlds) index.find(batch, from, until);
    } else if (action < 7 && isGrowing) {
      const inserted = worlds.map(({ batch, index }) => index.insert(batch, from, until));
      expect(inserted[1], why).toBe(inserted[0]);
    } else if (action < 8 && isGrowing) {
      const ref = 1 + random.below(plain.nextRef + 5);
      const adopted = worlds.map(({ batch, index }) => {
        batch.refs[0] = ref;
        return outcome(() => index.adopt(batch, 0, 1));
      });
      expect(adopted[1], why).toBe(adopted[0]);
    } else {
      const count = isGrowing ? 20 : 1500;
      const going = Uint32Array.from({ length: count }, () => random.below(plain.nextRef + 3));
      for (const { index } of worlds) index.drop(going, count);
    }
    expectSame(twins.kernel.batch, twins.plain.batch, why);
    for (let row = 0; row < keys.length; row += 1) {
      if (twins.kernel.batch.status[row] === 5) limits += 1;
    }
    expect([kernel.size, kernel.nextRef], why).toEqual([plain.size, plain.nextRef]);
    expect(kernel.stats, why).toEqual(plain.stats);
    for (let i = 0; i < 5; i += 1) {
      const ref = random.below(plain.nextRef + 2);
      expect(keyOfRef(kernel, ref), why).toBe(keyOfRef(plain, ref));
    }
  }
  for (let ref = 0; ref < plain.nextRef; ref += 1) {
    const key = keyOfRef(plain, ref);
    if (keyOfRef(kernel, ref) !== key) throw new Error(`seed ${seed}: ref ${ref} has another key`);
  }
  return limits;
}

/** Some rows have a ref already, some are decided. */
function prepare(
  rows: number,
  random: Random,
  nextRef: number,
): { readonly refs: Uint32Array; readonly status: Uint8Array } {
  const refs = new Uint32Array(rows);
  const status = new Uint8Array(rows);
  if (random.chance(0.5)) return { refs, status };
  for (let row = 0; row < rows; row += 1) {
    if (random.chance(0.1)) refs[row] = 1 + random.below(nextRef);
    if (random.chance(0.1)) status[row] = 2;
  }
  return { refs, status };
}

/** Keys of 1 to 200 bytes, some of 20,000: longer than what the arena carves from a page. */
function keyOf(number: number): string {
  const length = number % 997 === 0 ? 20_000 : 1 + (Math.imul(number, 2_654_435_761) >>> 24);
  return `k${number}`.padEnd(length, String.fromCharCode(number & 255));
}

function outcome(run: () => void): string {
  try {
    run();
    return "done";
  } catch (error) {
    return String(error);
  }
}

function expectSame(actual: RowBatch, expected: RowBatch, why: string): void {
  const { length } = expected;
  const seen = ({ refs, status, isNew, hashes, keyAt, keys }: RowBatch): Buffer[] => [
    bytesOf(refs.subarray(0, length)),
    bytesOf(status.subarray(0, length)),
    bytesOf(isNew.subarray(0, length)),
    bytesOf(hashes.subarray(0, 2 * length)),
    bytesOf(keyAt.subarray(0, length + 1)),
    bytesOf(keys.subarray(0, keyAt[length])),
  ];
  const columns = seen(expected);
  const names = ["refs", "status", "isNew", "hashes", "keyAt", "keys"];
  for (const [i, column] of seen(actual).entries()) {
    if (!column.equals(columns[i]!)) throw new Error(`${why}: ${names[i]} differ`);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
