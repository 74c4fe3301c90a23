import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { makeRandom } from "@varve/bytes";
import { describe, expect, test } from "vitest";
import { numbered, World } from "./world.ts";

const CLEAN = { rebuilt: false, reason: "", dropped: 0 };

/** A store of 500 series, closed cleanly. */
async function closedWorld(): Promise<World> {
  const world = new World();
  const { index, settlement } = await world.reopen();
  expect(settlement).toEqual(CLEAN); // Nothing was there, and nothing is missing.
  world.insert(index, numbered("series", 0, 500));
  await index.commit(7);
  await index[Symbol.asyncDispose]();
  return world;
}

describe("an index that was closed", () => {
  test("is used as it is: adopting the same series writes nothing", async () => {
    using world = await closedWorld();
    const before = readFileSync(world.data);
    const sidecar = readFileSync(`${world.needs.dir}/STATE`);
    const { index, settlement } = await world.reopen();
    expect(settlement).toEqual(CLEAN);
    expect(world.differences(index)).toEqual([]);
    await index.commit(7);
    expect(index.stats.transactions).toBe(0);
    await index[Symbol.asyncDispose]();
    expect(readFileSync(world.data).equals(before)).toBe(true);
    expect(readFileSync(`${world.needs.dir}/STATE`).equals(sidecar)).toBe(true);
  });

  test("is used as it is after a walk of all entries, too", async () => {
    using world = await closedWorld();
    const { index, settlement } = await world.reopen({ verify: "always" });
    expect(settlement).toEqual(CLEAN);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
    const again = await world.reopen();
    expect(again.settlement).toEqual(CLEAN);
    await again.index[Symbol.asyncDispose]();
  });

  test("loses the series that the log does not know, and counts them", async () => {
    using world = await closedWorld();
    for (const key of numbered("series", 100, 20)) world.refs.delete(key);
    for (const key of numbered("series", 490, 10)) world.refs.delete(key);
    world.nextRef = 491;
    const { index, settlement } = await world.reopen();
    expect(settlement).toEqual({ ...CLEAN, dropped: 30 });
    expect(index.nextRef).toBe(491);
    expect(world.differences(index)).toEqual([]);
    world.insert(index, numbered("series", 490, 10)); // The log never issued those refs: they are free.
    expect(index.nextRef).toBe(501);
    await index[Symbol.asyncDispose]();
    const again = await world.reopen();
    expect(again.settlement).toEqual(CLEAN);
    expect(world.differences(again.index)).toEqual([]);
    await again.index[Symbol.asyncDispose]();
  });

  test("loses what the log does not know also where the log told of a series twice", async () => {
    using world = await closedWorld();
    const [first, second] = numbered("series", 0, 2) as [string, string];
    const index = await world.open();
    world.refs.clear();
    world.refs.set(first, 1);
    world.refs.set(second, 501);
    world.fill([first, second, second]);
    world.batch.refs.set([1, 2, 501]);
    index.adopt(world.batch, 0, 3); // Three refs, of which 2 lost its key again.
    expect(index.settle(502).dropped).toBe(498);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("keeps exactly the log's series when it knew one that the log did not, and the log one more", async () => {
    using world = new World();
    const { index: before } = await world.reopen();
    world.insert(before, ["a", "b", "c"]);
    await before[Symbol.asyncDispose]();
    world.refs.delete("c");
    world.refs.set("b", 4);
    world.nextRef = 5;
    const index = await world.open();
    world.fill(["a", "b", "b"]);
    world.batch.refs.set([1, 2, 4]);
    index.adopt(world.batch, 0, 3); // As many refs were told of as entries are there.
    expect(index.settle(5).dropped).toBe(1);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("is walked, not thrown away, when its process dies after it wrote again", async () => {
    using world = await closedWorld();
    const { index } = await world.reopen();
    world.insert(index, numbered("more", 0, 10));
    await index.commit(8);
    using crashed = world.crashed();
    await index[Symbol.asyncDispose]();
    const { index: again, settlement } = await crashed.reopen();
    expect(settlement).toEqual(CLEAN);
    expect(crashed.differences(again)).toEqual([]);
    await again[Symbol.asyncDispose]();
  });

  test("believes the log where both know a series under another ref", async () => {
    using world = await closedWorld();
    const [first, second] = numbered("series", 0, 2) as [string, string];
    world.refs.set(first, 2);
    world.refs.set(second, 1);
    world.refs.delete(numbered("series", 7, 1)[0]!);
    world.refs.set("another", 8);
    const { index, settlement } = await world.reopen();
    expect(settlement).toEqual(CLEAN);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test.each([
    ["another store's", { storeId: "f".repeat(32) }, "another store"],
    ["of another hash seed", { seed: { low: 1, high: 1 } }, "another seed"],
  ])("is built anew when it is %s", async (_, changes, why) => {
    using world = await closedWorld();
    const { index, settlement } = await world.reopen(changes);
    expect(settlement).toMatchObject({ rebuilt: true, dropped: 0 });
    expect(settlement.reason).toContain(why);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
    const again = await world.reopen(changes);
    expect(again.settlement).toEqual(CLEAN);
    await again.index[Symbol.asyncDispose]();
  });

  test.each([
    ["its data file is gone", (w: World) => rmSync(w.data)],
    ["its data file is empty", (w: World) => truncateSync(w.data, 0)],
    ["its data file is cut at a page", (w: World) => truncateSync(w.data, 8192)],
    [
      "its data file is cut in a page",
      (w: World) => truncateSync(w.data, statSync(w.data).size - 7),
    ],
    ["its data file is garbage", (w: World) => writeFileSync(w.data, garbage(w.data))],
    ["its sidecar is gone", (w: World) => rmSync(`${w.needs.dir}/STATE`)],
    [
      "its sidecar is garbage",
      (w: World) => writeFileSync(`${w.needs.dir}/STATE`, "12345678 {}\n"),
    ],
    ["the directory is gone", (w: World) => rmSync(w.needs.dir, { recursive: true })],
  ])("is built anew when %s", async (_, damage) => {
    using world = await closedWorld();
    damage(world);
    const { index, settlement } = await world.reopen();
    expect(settlement.rebuilt).toBe(true);
    expect(settlement.reason).not.toBe("");
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("is built anew when its data file is another store's, closed as cleanly", async () => {
    using world = await closedWorld();
    using other = new World();
    const { index: foreign } = await other.reopen({ storeId: "a".repeat(32) });
    other.insert(foreign, numbered("foreign", 0, 300));
    await foreign[Symbol.asyncDispose]();
    writeFileSync(world.data, readFileSync(other.data));
    const { index, settlement } = await world.reopen();
    expect(settlement.rebuilt).toBe(true);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("is built anew after any of 60 bit flips", async () => {
    using world = await closedWorld();
    const sound = readFileSync(world.data);
    const sidecar = readFileSync(`${world.needs.dir}/STATE`);
    const random = makeRandom(21);
    for (let flip = 0; flip < 60; flip += 1) {
      const bytes = Buffer.from(sound);
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
      writeFileSync(world.data, bytes);
      writeFileSync(`${world.needs.dir}/STATE`, sidecar);
      const { index, settlement } = await world.reopen();
      expect(settlement.rebuilt).toBe(true);
      if (flip % 10 === 0) expect(world.differences(index)).toEqual([]);
      await index[Symbol.asyncDispose]();
    }
  });
});

describe("an index that was not closed", () => {
  /** As a crash leaves it: the last transactions may not be told to anyone. */
  async function crashedWorld(): Promise<World> {
    using world = new World();
    const { index } = await world.reopen({ batchRowsMax: 64 });
    world.insert(index, numbered("series", 0, 400));
    index.drop(Uint32Array.of(5, 6, 7), 3);
    for (const key of numbered("series", 4, 3)) world.refs.delete(key);
    await index.commit(3);
    const crashed = world.crashed();
    await index[Symbol.asyncDispose]();
    return crashed;
  }

  test("is used once every entry was walked", async () => {
    using world = await crashedWorld();
    const { index, settlement } = await world.reopen();
    expect(settlement).toEqual(CLEAN);
    expect(index.stats.transactions).toBe(0);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("is built anew when the walk takes too long", async () => {
    using world = await crashedWorld();
    const { index, settlement } = await world.reopen({ verifyMsMax: 1 });
    expect(settlement.rebuilt).toBe(true);
    expect(settlement.reason).toContain("SIGKILL");
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("is right or built anew, and never ends this process, after flips, cuts and garbage", async () => {
    using world = await crashedWorld();
    const sound = readFileSync(world.data);
    const sidecar = readFileSync(`${world.needs.dir}/STATE`);
    const seed = 33;
    const random = makeRandom(seed);
    let rebuilt = 0;
    for (let round = 0; round < 16; round += 1) {
      let bytes = Buffer.from(sound);
      if (round % 4 === 3) bytes = bytes.subarray(0, random.below(bytes.length));
      else bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
      writeFileSync(world.data, bytes);
      writeFileSync(`${world.needs.dir}/STATE`, sidecar);
      const { index, settlement } = await world.reopen();
      if (settlement.rebuilt) rebuilt += 1;
      expect(world.differences(index), `seed ${seed}, round ${round}`).toEqual([]);
      world.insert(index, [`after ${round}`]);
      await index.commit(9);
      expect(world.differences(index), `seed ${seed}, round ${round}`).toEqual([]);
      world.refs.delete(`after ${round}`);
      world.nextRef = 401;
      await index[Symbol.asyncDispose]();
    }
    expect(rebuilt).toBeGreaterThanOrEqual(4); // Every cut, and some flips.
  }, 60_000);

  test("is right or built anew when the keys that lead to its entries are damaged", async () => {
    using world = await crashedWorld();
    const sound = readFileSync(world.data);
    const sidecar = readFileSync(`${world.needs.dir}/STATE`);
    const places = branchKeys(sound);
    expect(places.length).toBeGreaterThan(8);
    let rebuilt = 0;
    const random = makeRandom(44);
    for (let round = 0; round < 10; round += 1) {
      const at = random.pick(places);
      const bytes = Buffer.from(sound);
      bytes[at]! ^= 0x55;
      writeFileSync(world.data, bytes);
      writeFileSync(`${world.needs.dir}/STATE`, sidecar);
      const { index, settlement } = await world.reopen();
      if (settlement.rebuilt) rebuilt += 1;
      expect(world.differences(index), `byte ${at}`).toEqual([]);
      await index.commit(3);
      if (!settlement.rebuilt) expect(index.stats.transactions, `byte ${at}`).toBe(0);
      await index[Symbol.asyncDispose]();
    }
    expect(rebuilt).toBeGreaterThan(0); // The others lay in pages that are free.
  });

  test("is right or built anew after its process was killed while it wrote", async () => {
    using world = new World();
    const script = new URL("./writer.ts", import.meta.url).pathname;
    for (const lines of [1, 2, 5]) {
      const writer = spawn(
        process.execPath,
        ["--conditions=@varve/source", script, world.needs.dir, String(lines)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      let said = 0;
      for await (const _line of createInterface({ input: writer.stdout })) {
        said += 1;
        if (said === lines) writer.kill("SIGKILL"); // It goes on writing until it dies.
      }
      expect(said).toBeGreaterThanOrEqual(lines);
      expect(existsSync(world.data)).toBe(true);
      world.refs.clear();
      for (const [i, key] of numbered("killed", 0, lines * 100).entries())
        world.refs.set(key, i + 1);
      world.nextRef = lines * 100 + 1;
      const { index, settlement } = await world.reopen();
      expect(settlement).toMatchObject({ rebuilt: false });
      expect(world.differences(index)).toEqual([]);
      await index[Symbol.asyncDispose]();
      rmSync(world.needs.dir, { recursive: true });
    }
  });
});

/** Bytes that begin as LMDB's files do and go on as nothing does. */
function garbage(path: string): Buffer {
  const bytes = readFileSync(path);
  const random = makeRandom(3);
  for (let i = 64; i < bytes.length; i += 1) bytes[i] = random.word();
  return bytes;
}

/** Where keys start in LMDB's branch pages: their flags are 1, and node offsets count from behind the header. */
function branchKeys(file: Buffer): number[] {
  const places: number[] = [];
  for (let page = 2 * 4096; page < file.length; page += 4096) {
    if (file.readUInt16LE(page + 18) !== 1) continue;
    const nodes = file.readUInt16LE(page + 20) / 2;
    for (let node = 1; node < nodes; node += 1) {
      places.push(page + 24 + file.readUInt16LE(page + 24 + 2 * node) + 8);
    }
  }
  return places;
}
