import { crc32c, reserveMemory, writeU32 } from "@varve/bytes";
import { nodeDisk } from "@varve/disk/node";
import { syncWal } from "@varve/wal/sync";
import { FORMAT_VERSION, open, recommended } from "varve";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectSame } from "./expect-same.ts";
import { copyOf, filesIn } from "./golden/directory.ts";
import { contentOf, openStore } from "./helpers.ts";

/** A golden directory, the file of it that a newer release has written, and how. */
interface Newer {
  readonly what: string;
  readonly golden: string;
  /** Names the file, below the directory. */
  readonly file: RegExp;
  readonly change: (bytes: Buffer) => Uint8Array;
}

const NEWER: readonly Newer[] = [
  {
    what: "FORMAT",
    golden: "v1-blocks",
    file: /^FORMAT$/,
    change: (bytes) =>
      Buffer.from(bytes.toString().replace(/^varve \d+/, `varve ${FORMAT_VERSION + 1}`)),
  },
  newRecord("a segment record", "v1-blocks", /^wal\/00000001$/, 129),
  newRecord("a commit record", "v1-blocks", /^wal\/00000001$/, 128),
  newRecord("a longer commit record", "v1-blocks", /^wal\/00000001$/, 128, longer),
  newRecord("a longer segment record", "v1-blocks", /^wal\/00000001$/, 129, longer),
  newRecord("a commit record of a log that was killed", "v1-killed", /^wal\/00000001$/, 128),
  // Taken for a torn tail, it would be cut off.
  newRecord("a longer commit record of such a log", "v1-killed", /^wal\/00000001$/, 128, longer),
  newRecord("a commit record of a log with an index on disk", "v1-lmdb", /^wal\/\d+$/, 128),
  newRecord("a commit record of a checkpoint", "v1-blocks", /^wal\/checkpoint.*\/\d+$/, 128),
  version("a file of sealed/", /^sealed\/\d+$/, 4),
  version("a block's index", /\/index$/, 4),
  version("a block's chunks", /\/chunks\/000001$/, 4),
  version("a block's tombstones", /\/tombstones$/, 4),
  {
    what: "a block's meta.json",
    golden: "v1-blocks",
    file: /\/meta\.json$/,
    change: (bytes) => Buffer.from(bytes.toString().replace(/("version"): ?1/, "$1: 2")),
  },
];

for (const { what, golden, file, change } of NEWER) {
  test(`${what} of a newer version is refused, and not a byte is changed`, async () => {
    const { dir, plan } = copyOf(golden);
    const path = join(dir, nameOfFile(dir, file));
    const old = readFileSync(path);
    const bytes = change(old);
    expect(old.equals(bytes), "the change changes something").toBe(false);
    writeFileSync(path, bytes);
    const before = filesIn(dir);
    for (const options of [
      { plan },
      { plan: recommended() },
      { plan: recommended(), readOnly: true },
    ]) {
      const opening = open({ dir, memoryBytesMax: 64 * 2 ** 20, maintainEveryMs: 0, ...options });
      await expect(opening).rejects.toMatchObject({
        code: "UNSUPPORTED_VERSION",
        message: expect.stringContaining(path) as string,
      });
      expect(filesIn(dir)).toEqual(before);
    }
    // What it was before is there again with the old bytes: the refusals have cost nothing.
    writeFileSync(path, old);
    const { expected } = copyOf(golden);
    const store = await openStore({ dir, plan });
    expectSame(await contentOf(store), expected, golden);
  });
}

test("an index on disk of another layout is built anew from the log: it is a cache", async () => {
  const { dir, plan, expected } = copyOf("v1-lmdb");
  writeFileSync(join(dir, "index.lmdb", "STATE"), '{"version":2}\n');
  const store = await openStore({ dir, plan });
  expect(store.recovery.index).toMatchObject({ persistent: true, rebuilt: true });
  expectSame(await contentOf(store), expected, "the store");
});

/** Records of the engine that this release does not read, in batches that the log takes. */
const RECORDS: Readonly<Record<string, readonly number[]>> = {
  "the next ref, version 2": [132, 2, 0, 0, 0, 0, 0, 0, 0, 99],
  "the next ref, longer": [132, 2, 0, 0, 0, 0, 0, 0, 0, 99, 1],
  "late samples, version 2": [133, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
  "a private type that comes later": [200, 1, 2, 3],
};

for (const [what, record] of Object.entries(RECORDS)) {
  test(`a log with a record of ${what} is refused, and not a byte is changed`, async () => {
    const { dir, plan } = copyOf("v1-killed");
    await appendRecord(dir, record);
    const before = filesIn(dir);
    for (const readOnly of [false, true]) {
      const opening = open({
        dir,
        plan,
        memoryBytesMax: 64 * 2 ** 20,
        maintainEveryMs: 0,
        readOnly,
      });
      await expect(opening).rejects.toMatchObject({
        code: "UNSUPPORTED_VERSION",
        message: expect.stringMatching(/record type \d+.*nothing was changed/) as string,
      });
      expect(filesIn(dir)).toEqual(before);
    }
  });
}

test("a log with records that Prometheus alone knows is opened", async () => {
  const { dir, plan, expected } = copyOf("v1-killed");
  await appendRecord(dir, [4, 1, 2, 3]);
  const store = await openStore({ dir, plan });
  expectSame(await contentOf(store), expected, "the store");
});

/** Appends a batch of one record to a store's log, and leaves the log closed. */
async function appendRecord(dir: string, record: readonly number[]): Promise<void> {
  const storeId = /store ([0-9a-f]+)/.exec(readFileSync(join(dir, "FORMAT"), "utf8"))![1]!;
  const wal = await syncWal().open({
    memory: reserveMemory({ bytesMax: 2 ** 20 }),
    disk: nodeDisk(),
    dir: join(dir, "wal"),
    quarantineDir: join(dir, "quarantine"),
    storeId,
    recovery: "tail",
  });
  wal.replay(() => undefined);
  wal.buffer.reserve(record.length);
  wal.buffer.bytes.set(record, 0);
  wal.buffer.length = record.length;
  wal.buffer.endRecord();
  wal.append();
  await wal[Symbol.asyncDispose]();
}

/** Newer records may say more. */
function longer(record: Buffer): Buffer {
  return Buffer.concat([record, Buffer.alloc(4)]);
}

function nameOfFile(dir: string, file: RegExp): string {
  const names = (readdirSync(dir, { recursive: true }) as string[]).filter((name) =>
    file.test(name),
  );
  const name = names.toSorted()[0];
  if (name === undefined) throw new Error(`a file like ${file} is in ${dir}`);
  return name;
}

/** A file whose version is one byte that no checksum covers. */
function version(what: string, file: RegExp, at: number): Newer {
  return {
    what,
    golden: "v1-blocks",
    file,
    change: (bytes) => {
      const changed = Buffer.from(bytes);
      changed[at]! += 1;
      return changed;
    },
  };
}

/** A log whose last record of a type has the next version, under a checksum that fits. */
function newRecord(
  what: string,
  golden: string,
  file: RegExp,
  type: number,
  change = (record: Buffer): Buffer => record,
): Newer {
  return {
    what,
    golden,
    file,
    change: (bytes) => {
      let found = -1;
      for (let at = 0; bytes[at] === 1; at += 7 + bytes.readUInt16BE(at + 1)) {
        if (bytes[at + 7] === type) found = at;
      }
      if (found < 0) throw new Error(`a record of type ${type} is in the first page`);
      const until = found + 7 + bytes.readUInt16BE(found + 1);
      const record = change(Buffer.from(bytes.subarray(found + 7, until)));
      record[1]! += 1;
      const header = Buffer.from([1, record.length >> 8, record.length, 0, 0, 0, 0]);
      writeU32(header, 3, crc32c(record, 0, record.length));
      return Buffer.concat([bytes.subarray(0, found), header, record, bytes.subarray(until)]);
    },
  };
}
