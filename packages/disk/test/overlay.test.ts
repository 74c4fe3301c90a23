import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { makeRandom, type Random } from "@varve/bytes";
import { isStorageError, type Disk } from "@varve/contracts";
import { afterAll, describe, expect, test } from "vitest";
import { nodeDisk } from "../src/node.ts";
import { overlayDisk } from "../src/overlay.ts";
import { simDisk, type SimDisk } from "../src/sim.ts";
import { readAll, removeTree, writeAll } from "../src/transfer.ts";
import { diskPromises, expectFailure } from "./promises.ts";

const temporary = fs.mkdtempSync(join(os.tmpdir(), "varve-overlay-"));

afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }));

/** A base with a tree: "/d/f" of 1000 ones, "/d/e/g" of 10 twos, an empty "/x". */
function makeBase(): SimDisk {
  const disk = simDisk();
  for (const dir of ["/d", "/d/e", "/x"]) disk.makeDirectory(dir);
  put(disk, "/d/f", new Uint8Array(1000).fill(1));
  put(disk, "/d/e/g", new Uint8Array(10).fill(2));
  return disk;
}

function put(disk: Disk, path: string, content: Uint8Array): void {
  const fd = disk.open(path, "create");
  writeAll(disk, fd, content, 0, content.length, 0);
  disk.close(fd);
}

/** Everything below a directory, as text: equal trees have equal text. */
function treeOf(disk: Disk, dir: string): string {
  const lines = disk.list(dir).map((name) => {
    const path = dir === "/" ? `/${name}` : `${dir}/${name}`;
    const kind = disk.kind(path);
    return kind === "directory"
      ? `${path}/\n${treeOf(disk, path)}`
      : `${path} ${readAll(disk, path).join()}`;
  });
  return lines.join("\n");
}

describe("an overlay over a simulated disk", () => {
  diskPromises(() => {
    const base = simDisk();
    base.makeDirectory("/dir");
    return { disk: overlayDisk(base), dir: "/dir" };
  });
});

describe("an overlay in a directory of its own", () => {
  diskPromises(() => {
    const disk = overlayDisk(simDisk());
    disk.makeDirectory("/dir");
    return { disk, dir: "/dir" };
  });
});

describe("an overlay over the real disk", () => {
  diskPromises(() => ({
    disk: overlayDisk(nodeDisk()),
    dir: fs.mkdtempSync(join(temporary, "dir-")),
  }));

  test("reaches what lies behind symbolic links on the way, and refuses one at the end", () => {
    const dir = fs.mkdtempSync(join(temporary, "dir-"));
    fs.mkdirSync(`${dir}/real`);
    fs.writeFileSync(`${dir}/real/f`, "x");
    fs.symlinkSync(`${dir}/real`, `${dir}/linked`);
    fs.symlinkSync(`${dir}/real/f`, `${dir}/link`);
    const disk = overlayDisk(nodeDisk());
    expectFailure(() => disk.list(`${dir}/linked`), "DISK", { errno: "ELOOP" });
    expect([...readAll(disk, `${dir}/linked/f`)]).toEqual([120]);
    expect(disk.kind(`${dir}/link`)).toBe("other");
    expectFailure(() => disk.open(`${dir}/link`, "read"), "DISK", { errno: "ELOOP" });
    expectFailure(() => disk.open(`${dir}/link`, "create"), "DISK", { errno: "EEXIST" });
    expectFailure(() => disk.link(`${dir}/link`, `${dir}/y`), "DISK", { errno: "ELOOP" });
  });

  test("leaves no file behind, and locks what another opener holds", () => {
    const dir = fs.mkdtempSync(join(temporary, "dir-"));
    const writer = nodeDisk().lock(`${dir}/LOCK`);
    const disk = overlayDisk(nodeDisk());
    disk.lock(`${dir}/LOCK`).release();
    put(disk, `${dir}/f`, Uint8Array.of(1));
    expect(disk.list(dir)).toContain("f");
    expect(fs.readdirSync(dir)).not.toContain("f");
    expectFailure(() => nodeDisk().lock(`${dir}/LOCK`), "LOCKED", { pid: process.pid });
    writer.release();
  });

  test("works with relative paths", () => {
    const disk = overlayDisk(nodeDisk());
    expect(disk.list("packages/disk/src")).toContain("overlay.ts");
    put(disk, "packages/disk/src/none.txt", Uint8Array.of(1));
    expect(disk.list("./packages//disk/src")).toContain("none.txt");
    expect(fs.existsSync("packages/disk/src/none.txt")).toBe(false);
  });
});

describe("what is written above the base", () => {
  test("never reaches it, whatever is done", () => {
    const base = makeBase();
    const before = treeOf(base, "/");
    const operations = base.operations;
    const disk = overlayDisk(base);
    const fd = disk.open("/d/f", "update");
    disk.write(fd, Uint8Array.of(9), 0, 1, 5);
    disk.truncate(fd, 8);
    disk.datasync(fd);
    disk.close(fd);
    disk.rename("/d/e", "/x/e");
    disk.link("/x/e/g", "/x/h");
    disk.unlink("/x/e/g");
    removeTree(disk, "/d");
    disk.makeDirectory("/d");
    disk.syncDirectory("/d");
    put(disk, "/d/f", Uint8Array.of(7));
    expect(treeOf(disk, "/")).toBe("/d/\n/d/f 7\n/x/\n/x/e/\n\n/x/h 2,2,2,2,2,2,2,2,2,2");
    expect(treeOf(base, "/")).toBe(before);
    expect(base.operations).toBeGreaterThan(operations);
    for (const operation of [
      "write",
      "truncate",
      "datasync",
      "rename",
      "link",
      "unlink",
    ] as const) {
      expect(base.count(operation), operation).toBe(operation === "write" ? 2 : 0);
    }
    for (const operation of [
      "makeDirectory",
      "removeDirectory",
      "syncDirectory",
      "lock",
    ] as const) {
      expect(base.count(operation), operation).toBe(operation === "makeDirectory" ? 3 : 0);
    }
  });

  test("shows in every descriptor of the file, those opened before it included", () => {
    const disk = overlayDisk(makeBase());
    const reader = disk.open("/d/e/g", "read");
    const writer = disk.open("/d/e/g", "update");
    disk.write(writer, Uint8Array.of(9), 0, 1, 9);
    const into = new Uint8Array(12);
    expect(disk.read(reader, into, 0, 12, 8)).toBe(2);
    expect([...into.subarray(0, 3)]).toEqual([2, 9, 0]);
    disk.rename("/d/e/g", "/d/moved");
    disk.write(writer, Uint8Array.of(8), 0, 1, 0);
    expect(readAll(disk, "/d/moved")[0]).toBe(8);
    disk.close(reader);
    disk.close(writer);
  });

  test("copies of a file what is overwritten and behind it, and nothing for what is cut off or appended", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    let bytesRead = 0;
    const read = base.read.bind(base);
    base.read = (fd, bytes, from, length, position) => {
      const count = read(fd, bytes, from, length, position);
      bytesRead += count;
      return count;
    };
    const fd = disk.open("/d/f", "update");
    disk.truncate(fd, 600);
    disk.truncate(fd, 602);
    disk.write(fd, Uint8Array.of(7, 8), 0, 2, 603);
    expect(bytesRead).toBe(0);
    expect([...readAll(disk, "/d/f").subarray(598)]).toEqual([1, 1, 0, 0, 0, 7, 8]);
    bytesRead = 0;
    disk.write(fd, Uint8Array.of(9), 0, 1, 597);
    expect(bytesRead).toBe(3);
    disk.close(fd);
    expect([...readAll(disk, "/d/f").subarray(596)]).toEqual([1, 9, 1, 1, 0, 0, 0, 7, 8]);
  });
});

describe("a base that changes", () => {
  test("shows what is appended and created, until the file is written above it", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    const grown = disk.open("/d/e/g", "read");
    const live = base.open("/d/e/g", "update");
    base.write(live, Uint8Array.of(3), 0, 1, 10);
    put(base, "/d/new", Uint8Array.of(4));
    expect(disk.size(grown)).toBe(11);
    expect(disk.list("/d")).toEqual(["e", "f", "new"]);
    const fd = disk.open("/d/e/g", "update");
    disk.truncate(fd, 11);
    base.write(live, Uint8Array.of(5), 0, 1, 11);
    expect(disk.size(grown)).toBe(11);
    for (const each of [grown, fd]) disk.close(each);
    base.close(live);
  });

  test("loses a file: what was open stays readable, a new open says ENOENT, no list names it", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    const fd = disk.open("/d/f", "read");
    expect(disk.list("/d")).toContain("f");
    base.unlink("/d/f");
    expectFailure(() => disk.open("/d/f", "read"), "DISK", { errno: "ENOENT", path: "/d/f" });
    expect(disk.list("/d")).toEqual(["e"]);
    expect(disk.kind("/d/f")).toBe("none");
    expect(disk.size(fd)).toBe(1000);
    disk.close(fd);
    removeTree(base, "/d");
    expect(disk.kind("/d")).toBe("none");
  });

  test("loses a file of which it kept a part: the same; what is in memory whole stays", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    const cut = disk.open("/d/f", "update");
    disk.truncate(cut, 3);
    const rewritten = disk.open("/d/e/g", "update");
    disk.write(rewritten, Uint8Array.of(9), 0, 1, 0);
    base.unlink("/d/f");
    base.unlink("/d/e/g");
    expect(disk.kind("/d/f")).toBe("none");
    expectFailure(() => disk.open("/d/f", "read"), "DISK", { errno: "ENOENT", path: "/d/f" });
    const into = new Uint8Array(4);
    expect(disk.read(cut, into, 0, 4, 0)).toBe(3);
    expect([...into]).toEqual([1, 1, 1, 0]);
    expect([...readAll(disk, "/d/e/g")]).toEqual([9, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    for (const each of [cut, rewritten]) disk.close(each);
  });

  test("loses a file between the look at it and its open: ENOENT", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    base.fault = (_number, operation) => (operation === "open" ? "ENOENT" : undefined);
    expectFailure(() => disk.open("/d/f", "read"), "DISK", { errno: "ENOENT", operation: "open" });
    base.fault = undefined;
    expect(readAll(disk, "/d/f")).toHaveLength(1000);
  });

  test("leaves files above it alone when their directory goes", () => {
    const base = makeBase();
    const disk = overlayDisk(base);
    put(disk, "/x/mine", Uint8Array.of(1));
    base.removeDirectory("/x");
    expect(disk.kind("/x")).toBe("directory");
    expect(disk.list("/x")).toEqual(["mine"]);
    expect(disk.free("/x")).toBe(base.free("/"));
  });
});

describe("thousands of random operations", () => {
  const seed = Number(process.env["VARVE_SEED"] ?? 4711);

  test(`leave the tree that a disk without a base has, and the base as it was (seed ${seed})`, () => {
    for (let round = 0; round < 40; round += 1) {
      const random = makeRandom(seed + round);
      const base = makeBase();
      const before = treeOf(base, "/");
      const disk = overlayDisk(base);
      const model = makeBase();
      for (let i = 0; i < 120; i += 1) {
        const operation = randomOperation(random);
        const wanted = outcome(operation, model);
        expect(outcome(operation, disk), `operation ${round}.${i}: ${operation.text}`).toBe(wanted);
      }
      expect(treeOf(disk, "/"), `round ${round}`).toBe(treeOf(model, "/"));
      expect(treeOf(base, "/")).toBe(before);
    }
  });
});

interface Operation {
  readonly run: (disk: Disk) => unknown;
  readonly text: string;
}

const PATHS = ["/d", "/d/e", "/x", "/d/f", "/d/e/g", "/d/e/f", "/x/f", "/x/e", "/x/e/g", "/new"];

function randomOperation(random: Random): Operation {
  const path = random.pick(PATHS);
  const other = random.pick(PATHS);
  const size = random.below(40);
  const at = random.below(40);
  const operations: Operation["run"][] = [
    (disk) => put(disk, path, new Uint8Array(size).fill(at)),
    (disk) => {
      const fd = disk.open(path, "update");
      try {
        disk.write(fd, new Uint8Array(size).fill(at), 0, size, at);
        return disk.size(fd);
      } finally {
        disk.close(fd);
      }
    },
    (disk) => {
      const fd = disk.open(path, "update");
      disk.truncate(fd, at);
      disk.close(fd);
    },
    (disk) => isBelow(other, path) || disk.rename(path, other),
    (disk) => isBelow(other, path) || disk.rename(path, other),
    (disk) => disk.link(path, other),
    (disk) => disk.unlink(path),
    (disk) => disk.makeDirectory(path),
    (disk) => disk.removeDirectory(path),
    (disk) => disk.list(path).join(),
    (disk) => disk.kind(path),
    (disk) => disk.syncDirectory(path),
    (disk) => (disk.kind(path) === "file" ? readAll(disk, path).join() : ""),
  ];
  const run = random.pick(operations);
  return { run, text: `${run.toString()} with ${path}, ${other}, ${size}, ${at}` };
}

const isBelow = (path: string, dir: string): boolean => path.startsWith(`${dir}/`);

/** What an operation answers, or its errno. */
function outcome(operation: Operation, disk: Disk): string {
  try {
    return String(operation.run(disk));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return `${String(error.facts["errno"])} at ${String(error.facts["path"])}`;
  }
}
