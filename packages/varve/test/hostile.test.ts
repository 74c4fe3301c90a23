import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isStorageError, open, type recommended } from "varve";
import { describe, expect, test } from "vitest";
import { expectSame } from "./expect-same.ts";
import { copyOf, filesIn } from "./golden/directory.ts";
import { contentOf, freshDir, openStore } from "./helpers.ts";

const BLOCK = readdirSync(copyOfBlocks()).find((name) => name.length === 26)!;
const INDEX = import.meta.resolve("varve");

function copyOfBlocks(): string {
  return join(import.meta.dirname, "golden", "v1-blocks", "data");
}

/** Every sort of thing in a data directory. */
const FILES = [
  "FORMAT",
  "wal/00000001",
  "wal/checkpoint.00000000/00000000",
  "sealed/000004",
  `${BLOCK}/meta.json`,
  `${BLOCK}/index`,
  `${BLOCK}/chunks/000001`,
  `${BLOCK}/tombstones`,
];
const DIRECTORIES = ["wal", "wal/checkpoint.00000000", "sealed", BLOCK, `${BLOCK}/chunks`];

describe("a symbolic link", () => {
  test.each([...FILES, ...DIRECTORIES])("in place of %s is not followed", async (name) => {
    const { dir, plan } = copyOf("v1-blocks");
    const outside = freshDir();
    mkdirSync(outside);
    const path = join(dir, name);
    const moved = join(outside, "moved");
    renameSync(path, moved);
    symlinkSync(moved, path);
    const before = filesIn(outside);
    await expectRefused(dir, plan);
    expect(filesIn(outside)).toEqual(before);
  });

  test("in place of the data directory is not followed", async () => {
    const { dir, plan } = copyOf("v1-blocks");
    const link = join(dirname(dir), "link");
    symlinkSync(dir, link);
    await expectRefused(link, plan);
  });

  test("in place of the lock is not followed", async () => {
    const { dir, plan } = copyOf("v1-blocks");
    writeFileSync(join(dirname(dir), "elsewhere"), "mine");
    symlinkSync(join(dirname(dir), "elsewhere"), join(dir, "LOCK"));
    await expectRefused(dir, plan, [false]); // Read-only takes no lock.
    expect(readFileSync(join(dirname(dir), "elsewhere"), "utf8")).toBe("mine");
  });
});

test.each(FILES)(
  "a directory in place of %s is a typed failure or puts its block into quarantine, and costs no other file",
  async (name) => {
    const { dir, plan, expected } = copyOf("v1-blocks");
    const path = join(dir, name);
    const bytes = readFileSync(path);
    rmSync(path);
    mkdirSync(path);
    const before = filesIn(dir);
    await expectRefused(dir, plan);
    const moved = quarantineIn(dir);
    expect(moved.length > 0).toBe(name === `${BLOCK}/meta.json` || name === `${BLOCK}/index`);
    for (const block of moved) renameSync(block, join(dir, BLOCK));
    const after = filesIn(dir);
    for (const [file, hash] of before) expect([file, after.get(file)]).toEqual([file, hash]);
    rmSync(path, { recursive: true });
    writeFileSync(path, bytes);
    const store = await openStore({ dir, plan });
    expectSame(await contentOf(store), expected, "the store, with its file back");
  },
);

test.each(["wal", "sealed"])("a file in place of %s is a typed failure", async (name) => {
  const { dir, plan } = copyOf("v1-blocks");
  rmSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name), "x");
  await expectRefused(dir, plan);
  expect(readFileSync(join(dir, name), "utf8")).toBe("x");
});

test("files of strangers in a data directory are left alone, and change nothing", async () => {
  const { dir, plan, expected } = copyOf("v1-blocks");
  const strangers = [
    "notes.txt",
    "wal/notes",
    "wal/1",
    "wal/checkpoint.x",
    "sealed/readme",
    "01ABC",
  ];
  for (const name of strangers) writeFileSync(join(dir, name), name);
  mkdirSync(join(dir, "lost+found"));
  const store = await openStore({ dir, plan });
  expectSame(await contentOf(store), expected, "the store");
  await store.cutBlocks();
  await store.compactLog();
  await store.close();
  for (const name of strangers) expect(readFileSync(join(dir, name), "utf8")).toBe(name);
});

test("everything that a store makes belongs to its owner alone", async () => {
  const { dir, plan } = copyOf("v1-blocks");
  const made = join(dirname(dir), "made");
  const store = await openStore({ dir: made, plan, maintainEveryMs: 0 });
  for (let time = 0; time < 300; time += 1) store.write({ a: "1" }, time, time);
  await store.compactLog();
  await store.cutBlocks();
  store.write({ a: "1" }, 3 * 3_600_000, 1);
  await store.compactLog();
  const entries = readdirSync(made, { recursive: true, withFileTypes: true });
  expect(entries.length).toBeGreaterThan(10);
  for (const entry of entries) {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
    expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
  }
  expect(statSync(made).mode & 0o777).toBe(0o700);
});

test("without room for another series known ones go on, and a reopen finds them all", async () => {
  const dir = freshDir();
  const options = { dir, memoryBytesMax: 4 * 2 ** 20, prefaultBytes: 0, maintainEveryMs: 0 };
  const store = await openStore(options);
  let made = 0;
  let code = "";
  while (code === "") {
    try {
      store.write({ series: String(made), text: "x".repeat(500) }, 1, made);
      made += 1;
    } catch (error) {
      code = isStorageError(error) ? error.code : String(error);
    }
  }
  expect(code).toBe("LIMIT");
  expect(made).toBeGreaterThan(100);
  expect(() => store.write({ another: "x".repeat(500) }, 1, 1)).toThrow(
    expect.objectContaining({ code: "LIMIT" }) as Error,
  );
  store.write({ series: "7", text: "x".repeat(500) }, 2, 2);
  await store.close();
  const again = await openStore({ ...options, memoryBytesMax: 64 * 2 ** 20 });
  expect(again.stats().series).toBe(made);
  expect((await contentOf(again, { series: "7" })).values().next().value).toHaveLength(2);
});

test("under the Permission Model a store says SYNC_UNSUPPORTED when it is opened, and makes nothing", () => {
  const { dir } = copyOf("v1-sync-ref");
  const before = filesIn(dir);
  const args = ["--permission", "--allow-fs-read=*", `--allow-fs-write=${dirname(dir)}`];
  expect(openIn("", dir, args)).toMatch(/^SYNC_UNSUPPORTED .*run without --permission/);
  expect(filesIn(dir)).toEqual(before);
  const fresh = join(dirname(dir), "fresh");
  expect(openIn("", fresh, args)).toMatch(/^SYNC_UNSUPPORTED /);
  expect([...filesIn(fresh).keys()].filter((name) => name === "FORMAT")).toEqual([]);
});

test("without descriptors a store fails to open by a code, and opens once there are some", () => {
  const { dir } = copyOf("v1-blocks");
  const starve = `
    const { openSync, closeSync } = await import("node:fs");
    const taken = [];
    try { for (;;) taken.push(openSync("/dev/null")); } catch {}
    const left = Number(process.argv.at(-1));
    for (let i = 0; i < left; i += 1) closeSync(taken.pop());
  `;
  for (const left of [0, 1, 2, 4]) {
    const said = openIn(starve, dir, [], ["bash", "-c", 'ulimit -n 64; exec "$@"', "bash"], left);
    expect(said, `${left} descriptors`).toMatch(/^(DISK .*|LOCKED .*)|^opened/);
  }
  expect(openIn("", dir, [])).toBe("opened");
});

/** Where a block lies that was put into quarantine. */
function quarantineIn(dir: string): string[] {
  const quarantine = join(dir, "quarantine");
  if (!existsSync(quarantine)) return [];
  return readdirSync(quarantine).map((name) => join(quarantine, name));
}

/** Opens a store in a process of its own, after `program`, and answers `opened` or the code and the message. */
function openIn(
  program: string,
  dir: string,
  flags: readonly string[],
  before: readonly string[] = [],
  argument = 0,
): string {
  const text = `
    const { open, recommended } = await import(${JSON.stringify(INDEX)});
    ${program}
    try {
      const store = await open({ dir: ${JSON.stringify(dir)}, plan: recommended() });
      await store.close();
      console.log("opened");
    } catch (error) {
      console.log(error.code, error.message);
    }
    process.exit(0);
  `;
  const node = [process.execPath, "--conditions=@varve/source", ...flags];
  const [command, ...args] = [
    ...before,
    ...node,
    "--input-type=module",
    "-e",
    text,
    String(argument),
  ];
  const run = spawnSync(command!, args, { encoding: "utf8" });
  return run.stdout.trim() || run.stderr;
}

/**
 * Opening fails by a code, writable and read-only, not with what a bug throws; or the block is put into quarantine, and
 * told of.
 */
async function expectRefused(
  dir: string,
  plan: ReturnType<typeof recommended>,
  ways: readonly boolean[] = [true, false],
): Promise<void> {
  for (const readOnly of ways) {
    const opening = open({ dir, plan, readOnly, memoryBytesMax: 64 * 2 ** 20, maintainEveryMs: 0 });
    const outcome = await opening.then(
      async (store) => {
        const { quarantined } = store.stats().blocks;
        await store.close();
        return quarantined?.length === 1 ? "refused" : "opened";
      },
      (error: unknown) => (isStorageError(error) ? "refused" : error),
    );
    expect(outcome, readOnly ? "read-only" : "writable").toBe("refused");
  }
}
