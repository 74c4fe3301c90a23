import { type Disk, noPause } from "@varve/contracts";
import { Crash, type SimDisk, type Survival } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { createBlock } from "../src/index.ts";
import { dataDisk, filesBelow } from "./support/files.ts";
import { randomSeries } from "./support/samples.ts";
import { fill } from "./support/write.ts";

const SEED = Number(process.env["VARVE_SEED"] ?? 4711);
const ULID = "01ARYZ6S41TSV4RRFFQ69G5FAV";
const DIR = `/data/${ULID}`;
const BUILD_DIR = `${DIR}.tmp-for-creation`;
const FIELDS = { minTime: -2000, maxTime: 5000, level: 1 };
const SERIES = randomSeries(SEED, 12);
const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset"];

/** Writes the series as one block of several segments and passes. */
async function write(disk: Disk): Promise<void> {
  const options = { disk, parent: "/data", ulid: ULID, segmentBytesMax: 200, postingsMax: 20 };
  const writer = createBlock(options);
  try {
    await fill(writer, SERIES);
    await writer.finish(FIELDS, noPause);
    await writer.publish();
  } catch (error) {
    if (!(error instanceof Crash)) await writer.abort();
    throw error;
  }
}

async function wholeBlock(): Promise<{ files: Map<string, Buffer>; operations: number }> {
  const disk = dataDisk();
  const before = disk.operations;
  await write(disk);
  return { operations: disk.operations - before, files: filesBelow(disk, DIR) };
}

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

describe("a crash", () => {
  test("leaves no block or the whole block, wherever it comes", async () => {
    const { files, operations } = await wholeBlock();
    let blocks = 0;
    for (let crashAt = 1; crashAt <= operations + 1; crashAt += 1) {
      const disk = dataDisk({ seed: SEED + crashAt });
      disk.crashAt = disk.operations + crashAt;
      await write(disk).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      for (const survival of SURVIVALS) {
        for (let seed = 0; seed < 4; seed += 1) {
          const after = disk.image(survival, SEED + seed);
          const hint = `seed ${SEED}, crash at ${crashAt}, ${survival}, image ${seed}`;
          const names = after.list("/data");
          expect([[], [ULID], [`${ULID}.tmp-for-creation`]], hint).toContainEqual(names);
          if (!names.includes(ULID)) continue;
          blocks += 1;
          expect(filesBelow(after, DIR), hint).toEqual(files);
        }
      }
    }
    expect(blocks).toBeGreaterThan(SURVIVALS.length);
  });

  test("after publishing loses nothing", async () => {
    const { files } = await wholeBlock();
    const disk = dataDisk();
    await write(disk);
    expect(filesBelow(disk.image("nothing"), DIR)).toEqual(files);
  });
});

describe("a failure", () => {
  test("of any operation leaves nothing behind once the block is aborted", async () => {
    const { operations } = await wholeBlock();
    const seen = new Set<string>();
    for (let failAt = 1; failAt <= operations; failAt += 1) {
      const disk = dataDisk();
      const number = disk.operations + failAt;
      let failed = "";
      disk.fault = (at, operation) => {
        if (at !== number) return undefined;
        failed = operation;
        return "EIO";
      };
      await expect(write(disk), `operation ${failAt}, ${failed}`).rejects.toThrow(withCode("DISK"));
      seen.add(failed);
      expect(disk.list("/data"), `operation ${failAt}, ${failed}`).toEqual([]);
    }
    expect([...seen]).toEqual(
      expect.arrayContaining(["write", "datasync", "syncDirectory", "rename"]),
    );
  });

  test("of a full disk is STORAGE_FULL, and gives the space back once the block is aborted", async () => {
    const { files } = await wholeBlock();
    const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0);
    for (let bytesMax = 0; bytesMax < bytes; bytesMax += 97) {
      const disk = dataDisk({ bytesMax });
      await expect(write(disk)).rejects.toThrow(withCode("STORAGE_FULL"));
      expect(disk.list("/data")).toEqual([]);
      expect(disk.free("/data")).toBe(bytesMax);
    }
    await write(dataDisk({ bytesMax: bytes }));
  });

  test("makes every later call fail, also one that would have succeeded", async () => {
    const disk = dataDisk();
    const writer = createBlock({ disk, parent: "/data" });
    await fill(writer, SERIES);
    let isFailing = true;
    disk.fault = (_, operation) => (isFailing && operation === "write" ? "EIO" : undefined);
    await expect(writer.finish(FIELDS, noPause)).rejects.toThrow(withCode("DISK"));
    isFailing = false;
    await expect(writer.finish(FIELDS, noPause)).rejects.toThrow(withCode("POISONED"));
    await expect(writer.publish()).rejects.toThrow(withCode("POISONED"));
    expect(() => writer.addSymbol(new Uint8Array(1), 0, 1)).toThrow(withCode("POISONED"));
    await writer.abort();
    expect(disk.list("/data")).toEqual([]);
  });

  test("to read back what was written is found by its checksum, and is BLOCK_CORRUPT", async () => {
    for (let at = 0; at < 400; at += 7) {
      const disk = dataDisk();
      const writer = createBlock({ disk: forgetting(disk, at), parent: "/data" });
      await fill(writer, SERIES);
      await expect(writer.finish(FIELDS, noPause), `byte ${at}`).rejects.toThrow(
        withCode("BLOCK_CORRUPT"),
      );
      await writer.abort();
    }
  });

  test("to read back all that was written is BLOCK_CORRUPT", async () => {
    const target = dataDisk();
    const disk = new Proxy<Disk>(target, {
      get(_, name) {
        if (name === "read") return () => 0; // As at the end of a file.
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const writer = createBlock({ disk, parent: "/data" });
    await fill(writer, SERIES);
    await expect(writer.finish(FIELDS, noPause)).rejects.toThrow(withCode("BLOCK_CORRUPT"));
    await writer.abort();
  });

  /** A disk that reads one byte of each piece, counted over those that are not padding, with a bit changed. */
  function forgetting(disk: SimDisk, wanted: number): Disk {
    return new Proxy<Disk>(disk, {
      get(target, name) {
        if (name !== "read") {
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        }
        const read: Disk["read"] = (fd, bytes, from, length, position) => {
          const count = target.read(fd, bytes, from, length, position);
          let at = from;
          for (let i = 0; i < wanted || bytes[at] === 0; i += 1)
            at = from + ((at - from + 1) % count);
          bytes[at]! ^= 1;
          return count;
        };
        return read;
      },
    });
  }
});

describe("aborting", () => {
  test("stops finishing at its next pause, and leaves nothing", async () => {
    for (let stopAt = 1; stopAt < 8; stopAt += 1) {
      const disk = dataDisk();
      const writer = createBlock({ disk, parent: "/data", postingsMax: 5 });
      await fill(writer, SERIES);
      let pauses = 0;
      let aborting: Promise<void> | undefined;
      const finishing = writer.finish(FIELDS, () => {
        pauses += 1;
        if (pauses === stopAt) aborting = writer.abort();
        return Promise.resolve();
      });
      await expect(finishing).rejects.toThrow(withCode("ABORTED"));
      await aborting;
      expect(disk.list("/data")).toEqual([]);
      await expect(writer.publish()).rejects.toThrow(withCode("ABORTED"));
    }
  });

  test("is possible at every stage, more than once, and does nothing to a published block", async () => {
    for (let stage = 0; stage < 6; stage += 1) {
      const disk = dataDisk();
      const writer = createBlock({ disk, parent: "/data" });
      if (stage === 1) writer.addKey(SERIES[0]!.key, 0, SERIES[0]!.key.length);
      if (stage === 2) await writer.sortSymbols(noPause);
      if (stage >= 3) await fill(writer, SERIES);
      if (stage >= 4) await writer.finish(FIELDS, noPause);
      if (stage === 5) await writer.publish();
      await Promise.all([writer.abort(), writer.abort()]);
      await writer.abort();
      expect(disk.list("/data"), `stage ${stage}`).toEqual(stage === 5 ? [writer.ulid] : []);
    }
  });

  test("a pause that is rejected ends the work with its reason", async () => {
    const disk = dataDisk();
    const writer = createBlock({ disk, parent: "/data" });
    await fill(writer, SERIES);
    const reason = new Error("stopped");
    await expect(writer.finish(FIELDS, () => Promise.reject(reason))).rejects.toThrow(reason);
    await writer.abort();
    expect(disk.kind(BUILD_DIR)).toBe("none");
  });
});
