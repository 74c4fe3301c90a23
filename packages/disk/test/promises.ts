import { isStorageError, type Disk, type StorageErrorCode } from "@varve/contracts";
import { expect, test } from "vitest";
import { readAll, readFully, removeTree, writeAll, writeFileDurably } from "../src/transfer.ts";

/** A disk and an empty directory on it. */
export interface Place {
  readonly disk: Disk;
  readonly dir: string;
}

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

export function expectFailure(action: () => unknown, code: StorageErrorCode, facts: object): void {
  let failure: unknown;
  try {
    action();
  } catch (error) {
    failure = error;
  }
  if (!isStorageError(failure, code)) throw failure ?? new Error(`expected ${code}`);
  expect(failure.facts).toMatchObject(facts);
}

function create({ disk, dir }: Place, name: string, content: Uint8Array): string {
  const path = `${dir}/${name}`;
  const fd = disk.open(path, "create");
  writeAll(disk, fd, content, 0, content.length, 0);
  disk.close(fd);
  return path;
}

/** What every disk promises. */
export function diskPromises(open: () => Place): void {
  test("writes and reads at positions, and has zeros where nothing was written", () => {
    const { disk, dir } = open();
    const fd = disk.open(`${dir}/f`, "create");
    expect(disk.write(fd, bytesOf(9, 1, 2, 3, 9), 1, 3, 4)).toBe(3);
    expect(disk.size(fd)).toBe(7);
    disk.write(fd, bytesOf(7), 0, 1, 0);
    const into = new Uint8Array(10).fill(0xee);
    expect(disk.read(fd, into, 1, 8, 0)).toBe(7);
    expect([...into]).toEqual([0xee, 7, 0, 0, 0, 1, 2, 3, 0xee, 0xee]);
    expect(disk.read(fd, into, 0, 8, 7)).toBe(0);
    expect(disk.read(fd, into, 0, 8, 1000)).toBe(0);
    expect(disk.write(fd, into, 0, 0, 50)).toBe(0);
    expect(disk.size(fd)).toBe(7);
    disk.close(fd);
  });

  test("creates only what is not there, and opens only what is", () => {
    const place = open();
    const { disk } = place;
    const path = create(place, "f", bytesOf(1));
    expectFailure(() => disk.open(path, "create"), "DISK", {
      errno: "EEXIST",
      path,
      operation: "open",
    });
    const none = `${place.dir}/none`;
    expectFailure(() => disk.open(none, "read"), "DISK", { errno: "ENOENT", path: none });
    expectFailure(() => disk.open(none, "update"), "DISK", { errno: "ENOENT" });
    expect([...readAll(disk, path)]).toEqual([1]);
  });

  test("does not write through a descriptor for reading, and knows no closed one", () => {
    const place = open();
    const { disk } = place;
    const fd = disk.open(create(place, "f", bytesOf(1)), "read");
    expectFailure(() => disk.write(fd, bytesOf(1), 0, 1, 0), "DISK", { errno: "EBADF" });
    disk.close(fd);
    expectFailure(() => disk.close(fd), "DISK", { errno: "EBADF", operation: "close" });
  });

  test("cuts and grows files", () => {
    const place = open();
    const { disk } = place;
    const fd = disk.open(create(place, "f", bytesOf(1, 2, 3, 4)), "update");
    disk.truncate(fd, 2);
    expect(disk.size(fd)).toBe(2);
    disk.truncate(fd, 4);
    const into = new Uint8Array(4);
    disk.read(fd, into, 0, 4, 0);
    expect([...into]).toEqual([1, 2, 0, 0]);
    disk.close(fd);
  });

  test("renames over a file, and keeps an open descriptor on the file that it replaced", () => {
    const place = open();
    const { disk, dir } = place;
    const old = disk.open(create(place, "old", bytesOf(1)), "read");
    create(place, "new", bytesOf(2));
    disk.rename(`${dir}/new`, `${dir}/old`);
    expect(disk.list(dir)).toEqual(["old"]);
    expect([...readAll(disk, `${dir}/old`)]).toEqual([2]);
    const into = new Uint8Array(1);
    disk.read(old, into, 0, 1, 0);
    expect([...into]).toEqual([1]);
    disk.close(old);
    expectFailure(() => disk.rename(`${dir}/none`, `${dir}/x`), "DISK", {
      errno: "ENOENT",
      operation: "rename",
    });
  });

  test("gives a file a second name, through which the same bytes are read and written", () => {
    const place = open();
    const { disk, dir } = place;
    const first = create(place, "first", bytesOf(1, 2));
    disk.makeDirectory(`${dir}/d`);
    disk.link(first, `${dir}/d/second`);
    const fd = disk.open(`${dir}/d/second`, "update");
    disk.write(fd, bytesOf(7, 8, 9), 0, 3, 1);
    expect([...readAll(disk, first)]).toEqual([1, 7, 8, 9]);
    disk.unlink(first);
    disk.write(fd, bytesOf(6), 0, 1, 0);
    disk.close(fd);
    expect(disk.list(dir)).toEqual(["d"]);
    expect([...readAll(disk, `${dir}/d/second`)]).toEqual([6, 7, 8, 9]);
  });

  test("links neither over a name, nor a directory, nor what is not there", () => {
    const place = open();
    const { disk, dir } = place;
    const first = create(place, "first", bytesOf(1));
    const second = create(place, "second", bytesOf(2));
    disk.makeDirectory(`${dir}/d`);
    for (const taken of [second, `${dir}/d`, first]) {
      const facts = { errno: "EEXIST", path: taken, operation: "link" };
      expectFailure(() => disk.link(first, taken), "DISK", facts);
    }
    expectFailure(() => disk.link(first, `${dir}/x/y`), "DISK", { errno: "ENOENT" });
    const none = `${dir}/none`;
    expectFailure(() => disk.link(none, `${dir}/x`), "DISK", { errno: "ENOENT", path: none });
    expectFailure(() => disk.link(`${dir}/d`, `${dir}/x`), "DISK", { errno: "EPERM" });
    expect([...readAll(disk, second)]).toEqual([2]);
    expect(disk.list(dir)).toEqual(["d", "first", "second"]);
  });

  test("renames a name over another of the same file without losing the file", () => {
    const place = open();
    const { disk, dir } = place;
    disk.link(create(place, "a", bytesOf(1)), `${dir}/b`);
    disk.rename(`${dir}/a`, `${dir}/b`);
    expect([...readAll(disk, `${dir}/b`)]).toEqual([1]);
  });

  test("makes directories once, lists names in the order of their bytes, and removes empty ones", () => {
    const place = open();
    const { disk, dir } = place;
    disk.makeDirectory(`${dir}/d`);
    disk.makeDirectory(`${dir}/d`);
    for (const name of ["\uffff", "b", "\u{1f600}", "a"]) create(place, name, bytesOf());
    expect(disk.list(dir)).toEqual(["a", "b", "d", "\uffff", "\u{1f600}"]);
    expect(disk.list(`${dir}/none`)).toEqual([]);
    expectFailure(() => disk.list(`${dir}/a`), "DISK", { errno: "ENOTDIR" });
    expectFailure(() => disk.makeDirectory(`${dir}/a`), "DISK", { errno: "EEXIST" });
    expectFailure(() => disk.makeDirectory(`${dir}/x/y`), "DISK", { errno: "ENOENT" });
    create({ disk, dir: `${dir}/d` }, "inner", bytesOf());
    expectFailure(() => disk.removeDirectory(`${dir}/d`), "DISK", { errno: "ENOTEMPTY" });
    disk.unlink(`${dir}/d/inner`);
    disk.removeDirectory(`${dir}/d`);
    expect(disk.kind(`${dir}/d`)).toBe("none");
  });

  test("removes a file beside the caller", async () => {
    const place = open();
    const { disk, dir } = place;
    const path = create(place, "f", bytesOf(1));
    await disk.unlinkAsync(path);
    expect(disk.list(dir)).toEqual([]);
    const facts = { errno: "ENOENT", operation: "unlink", path };
    await expect(disk.unlinkAsync(path)).rejects.toMatchObject({ code: "DISK", facts });
    disk.makeDirectory(`${dir}/d`);
    await expect(disk.unlinkAsync(`${dir}/d`)).rejects.toMatchObject({ code: "DISK" });
  });

  test("says what lies at a path", () => {
    const place = open();
    const { disk, dir } = place;
    create(place, "f", bytesOf());
    expect(disk.kind(dir)).toBe("directory");
    expect(disk.kind(`${dir}/f`)).toBe("file");
    expect(disk.kind(`${dir}/none`)).toBe("none");
    expect(disk.kind(`${dir}/none/deeper`)).toBe("none");
    expect(disk.kind(`${dir}/f/deeper`)).toBe("none");
    expectFailure(() => disk.unlink(`${dir}/none`), "DISK", {
      errno: "ENOENT",
      operation: "unlink",
    });
  });

  test("syncs files and directories, and says how much is free", async () => {
    const { disk, dir } = open();
    const fd = disk.open(`${dir}/f`, "create");
    disk.datasync(fd);
    await disk.datasyncAsync(fd);
    disk.close(fd);
    disk.syncDirectory(dir);
    await disk.syncDirectoryAsync(dir);
    expect(disk.free(dir)).toBeGreaterThan(0);
    await expect(disk.datasyncAsync(fd)).rejects.toMatchObject({
      code: "DISK",
      facts: { errno: "EBADF" },
    });
    expectFailure(() => disk.syncDirectory(`${dir}/none`), "DISK", { errno: "ENOENT" });
    await expect(disk.syncDirectoryAsync(`${dir}/none`)).rejects.toMatchObject({
      code: "DISK",
      facts: { errno: "ENOENT", operation: "syncDirectory", path: `${dir}/none` },
    });
    await expect(disk.syncDirectoryAsync(`${dir}/f`)).rejects.toMatchObject({
      facts: { errno: "ENOTDIR" },
    });
  });

  test("says in a message what failed, where, and what to do", () => {
    const { disk, dir } = open();
    expect(() => disk.open(`${dir}/none`, "read")).toThrow(
      `cannot open ${dir}/none: ENOENT; it does not exist; check the path`,
    );
  });

  test("locks once: a second opener is told who holds it, until it is released", () => {
    const { disk, dir } = open();
    const path = `${dir}/LOCK`;
    const lock = disk.lock(path);
    expectFailure(() => disk.lock(path), "LOCKED", { path, pid: process.pid });
    lock.release();
    lock.release();
    const again = disk.lock(path);
    lock.release(); // The first holder's: it must not free the second's.
    expectFailure(() => disk.lock(path), "LOCKED", { path });
    again.release();
  });

  test("does not lock a directory", () => {
    const { disk, dir } = open();
    expectFailure(() => disk.lock(dir), "DISK", { operation: "lock" });
  });

  test("replaces files durably, and clears away what an earlier attempt left", () => {
    const place = open();
    const { disk, dir } = place;
    create(place, "f.tmp", bytesOf(9));
    writeFileDurably(disk, `${dir}/f`, bytesOf(1, 2));
    writeFileDurably(disk, `${dir}/f`, bytesOf(3));
    expect([...readAll(disk, `${dir}/f`)]).toEqual([3]);
    expect(disk.list(dir)).toEqual(["f"]);
  });

  test("reads whole files, refuses those too large, and reads up to the end of short ones", () => {
    const place = open();
    const { disk } = place;
    const path = create(place, "f", bytesOf(1, 2, 3));
    expectFailure(() => readAll(disk, path, { bytesMax: 2 }), "DISK", { errno: "EOVERFLOW" });
    const fd = disk.open(path, "read");
    const into = new Uint8Array(5);
    expect(readFully(disk, fd, into, 0, 5, 1)).toBe(2);
    expect([...into]).toEqual([2, 3, 0, 0, 0]);
    disk.close(fd);
  });

  test("removes trees, and files, and nothing", () => {
    const place = open();
    const { disk, dir } = place;
    disk.makeDirectory(`${dir}/a`);
    disk.makeDirectory(`${dir}/a/b`);
    create(place, "a/b/f", bytesOf(1));
    create(place, "a/g", bytesOf(1));
    removeTree(disk, `${dir}/a`);
    removeTree(disk, `${dir}/a`);
    removeTree(disk, create(place, "h", bytesOf(1)));
    expect(disk.list(dir)).toEqual([]);
  });
}
