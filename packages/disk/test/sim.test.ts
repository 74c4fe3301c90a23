import { makeRandom } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { Crash, simDisk, type SimDisk, type Survival } from "../src/sim.ts";
import { readAll, writeAll, writeFileDurably } from "../src/transfer.ts";
import { diskPromises, expectFailure } from "./promises.ts";

const SECTOR = 512;

/** A file whose name is durable and whose content is `value` in every byte, synced. */
function durableFile(disk: SimDisk, path: string, length: number, value: number): number {
  const fd = disk.open(path, "create");
  disk.write(fd, new Uint8Array(length).fill(value), 0, length, 0);
  disk.datasync(fd);
  disk.syncDirectory("/");
  return fd;
}

function overwrite(disk: SimDisk, fd: number, length: number, value: number, position = 0): void {
  disk.write(fd, new Uint8Array(length).fill(value), 0, length, position);
}

const contentOf = (disk: SimDisk, path: string): string =>
  disk.kind(path) === "none" ? "none" : [...readAll(disk, path)].join(" ");

/** Every content that images of a policy have, over many seeds. */
function outcomes(
  disk: SimDisk,
  survival: Survival,
  look: (image: SimDisk) => string,
): Set<string> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 300; seed += 1) seen.add(look(disk.image(survival, seed)));
  return seen;
}

describe("the simulated disk", () => {
  diskPromises(() => {
    const disk = simDisk();
    disk.makeDirectory("/dir");
    return { disk, dir: "/dir" };
  });

  test("says STORAGE_FULL at its capacity, after a short write, and takes more once there is room", () => {
    const disk = simDisk({ bytesMax: 100 });
    const fd = disk.open("/a", "create");
    expect(disk.write(fd, new Uint8Array(150), 0, 150, 0)).toBe(100);
    expectFailure(() => disk.write(fd, new Uint8Array(50), 0, 50, 100), "STORAGE_FULL", {
      errno: "ENOSPC",
    });
    expect(disk.free("/")).toBe(0);
    expect(disk.write(fd, new Uint8Array(10), 0, 10, 0)).toBe(10); // Over what is there.
    disk.unlink("/a");
    expect(disk.free("/")).toBe(0); // Still open.
    disk.close(fd);
    expect(disk.free("/")).toBe(100);
  });
});

describe("a sync", () => {
  test("makes durable what was written before it, and nothing else", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 2, 1);
    overwrite(disk, fd, 1, 2);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1 1");
    disk.datasync(fd);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("2 1");
  });

  test("that fails drops the writes for good: readers see them, a second sync succeeds, the device lacks them", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 2, 1);
    overwrite(disk, fd, 2, 2);
    disk.fault = (_number, operation) => (operation === "datasync" ? "EIO" : undefined);
    expectFailure(() => disk.datasync(fd), "DISK", {
      errno: "EIO",
      path: "/f",
      operation: "datasync",
    });
    disk.fault = undefined;
    disk.datasync(fd);
    expect(contentOf(disk, "/f")).toBe("2 2");
    for (const survival of ["nothing", "prefix", "subset"] as const) {
      expect(contentOf(disk.image(survival), "/f")).toBe("1 1");
    }
    overwrite(disk, fd, 1, 3, 1);
    disk.datasync(fd);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1 3");
  });

  test("beside the caller covers what was written before the call", async () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 2, 1);
    overwrite(disk, fd, 1, 2);
    const synced = disk.datasyncAsync(fd);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1 1");
    overwrite(disk, fd, 1, 3, 1);
    await synced;
    expect(contentOf(disk.image("nothing"), "/f")).toBe("2 1");
  });

  test("beside the caller that a crash interrupts makes nothing durable", async () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 1, 1);
    overwrite(disk, fd, 1, 2);
    const synced = disk.datasyncAsync(fd);
    disk.crash();
    await expect(synced).rejects.toBeInstanceOf(Crash);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1");
  });

  test("of a file does not make its name durable, and one of the directory not its content", () => {
    const disk = simDisk();
    const fd = disk.open("/f", "create");
    overwrite(disk, fd, 1, 1);
    disk.datasync(fd);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("none");
    disk.syncDirectory("/");
    overwrite(disk, fd, 2, 2);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1");
    disk.close(disk.open("/g", "create"));
    disk.syncDirectory("/");
    expect(contentOf(disk.image("nothing"), "/g")).toBe("");
  });

  test("of a directory that fails drops its changes for good", () => {
    const disk = simDisk();
    disk.close(disk.open("/f", "create"));
    disk.fault = (_number, operation) => (operation === "syncDirectory" ? "EIO" : undefined);
    expectFailure(() => disk.syncDirectory("/"), "DISK", { errno: "EIO" });
    disk.fault = undefined;
    disk.syncDirectory("/");
    expect(disk.list("/")).toEqual(["f"]);
    expect(disk.image("nothing").list("/")).toEqual([]);
  });

  test("of a directory beside the caller covers the changes made before the call", async () => {
    const disk = simDisk();
    disk.close(disk.open("/f", "create"));
    const synced = disk.syncDirectoryAsync("/");
    expect(disk.image("nothing").list("/")).toEqual([]);
    disk.close(disk.open("/g", "create"));
    await synced;
    expect(disk.image("nothing").list("/")).toEqual(["f"]);
    disk.syncDirectory("/");
    expect(disk.image("nothing").list("/")).toEqual(["f", "g"]);
  });

  test("of a directory beside the caller that fails drops those changes, and no later ones", async () => {
    const disk = simDisk();
    disk.close(disk.open("/f", "create"));
    disk.fault = (_number, operation) => (operation === "syncDirectory" ? "EIO" : undefined);
    const synced = disk.syncDirectoryAsync("/");
    disk.fault = undefined;
    disk.close(disk.open("/g", "create"));
    await expect(synced).rejects.toMatchObject({ code: "DISK", facts: { errno: "EIO" } });
    disk.syncDirectory("/");
    expect(disk.image("nothing").list("/")).toEqual(["g"]);
  });

  test("of a directory beside the caller that a crash interrupts makes nothing durable", async () => {
    const disk = simDisk();
    disk.close(disk.open("/f", "create"));
    const synced = disk.syncDirectoryAsync("/");
    disk.crash();
    await expect(synced).rejects.toBeInstanceOf(Crash);
    expect(disk.image("nothing").list("/")).toEqual([]);
  });
});

describe("a crash", () => {
  test("cannot be swallowed: every later operation throws, whatever the code under test catches", async () => {
    const disk = simDisk({ crashAt: 3 });
    const fd = disk.open("/f", "create");
    overwrite(disk, fd, 1, 1);
    const operations: (() => unknown)[] = [
      () => overwrite(disk, fd, 1, 2),
      () => disk.read(fd, new Uint8Array(1), 0, 1, 0),
      () => disk.open("/f", "read"),
      () => disk.datasync(fd),
      () => disk.truncate(fd, 0),
      () => disk.size(fd),
      () => disk.rename("/f", "/g"),
      () => disk.link("/f", "/g"),
      () => disk.unlink("/f"),
      () => disk.makeDirectory("/d"),
      () => disk.removeDirectory("/d"),
      () => disk.list("/"),
      () => disk.kind("/f"),
      () => disk.free("/"),
      () => disk.lock("/LOCK"),
      () => disk.syncDirectory("/"),
      () => disk.close(fd),
      () => disk.close(fd),
    ];
    for (const operation of operations) expect(operation).toThrow(Crash);
    await expect(disk.datasyncAsync(fd)).rejects.toBeInstanceOf(Crash);
    await expect(disk.syncDirectoryAsync("/")).rejects.toBeInstanceOf(Crash);
    await expect(disk.unlinkAsync("/f")).rejects.toBeInstanceOf(Crash);
    expect(disk.crashed).toBe(true);
    expect(isStorageError(new Crash("x"))).toBe(false);
    expect(contentOf(disk.image("everything"), "/f")).toBe("1"); // The third operation had no effect.
  });

  test("comes before the operation named, which is counted from 1", () => {
    for (let crashAt = 1; crashAt <= 6; crashAt += 1) {
      const disk = simDisk({ crashAt });
      let done = 0;
      try {
        for (; done < 5; done += 1) disk.makeDirectory(`/d${done}`);
      } catch (error) {
        expect(error).toBeInstanceOf(Crash);
      }
      expect(done).toBe(Math.min(5, crashAt - 1));
      expect(disk.image("everything").list("/")).toHaveLength(done);
    }
  });

  test("leaves a lock to nobody", () => {
    const disk = simDisk();
    disk.lock("/LOCK");
    disk.crash();
    disk.image("everything").lock("/LOCK").release();
  });

  test("in an ordered device leaves a prefix of what was done, its last write torn at a sector", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 3 * SECTOR, 0);
    const other = durableFile(disk, "/g", 1, 0);
    overwrite(disk, fd, 3 * SECTOR, 1);
    overwrite(disk, other, 1, 1);
    disk.rename("/g", "/h");
    const look = (image: SimDisk): string => {
      const sectors = [0, 1, 2].map((i) => readAll(image, "/f")[i * SECTOR]);
      return `${sectors.join("")} ${contentOf(image, "/g")} ${contentOf(image, "/h")}`;
    };
    const seen = outcomes(disk, "prefix", look);
    const possible = [
      "000 0 none",
      "100 0 none",
      "110 0 none",
      "111 0 none",
      "111 1 none",
      "111 none 1",
    ];
    expect([...seen].toSorted()).toEqual(possible.toSorted());
  });

  test("in a device without order leaves any subset: each write whole, torn, grown or lost", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", SECTOR, 7);
    overwrite(disk, fd, 2 * SECTOR, 1);
    const look = (image: SimDisk): string => {
      const bytes = readAll(image, "/f");
      const kinds = Array.from({ length: bytes.length / SECTOR }, (_, i) => {
        const sector = bytes.subarray(i * SECTOR, (i + 1) * SECTOR);
        const isWhole = sector.every((byte) => byte === sector[0]);
        return isWhole ? String(sector[0]) : "garbage";
      });
      return kinds.join(" ");
    };
    const seen = outcomes(disk, "subset", look);
    for (const wanted of [
      "7",
      "7 0",
      "1 1",
      "1 0",
      "7 1",
      "garbage 1",
      "7 garbage",
      "garbage garbage",
    ]) {
      expect(seen, wanted).toContain(wanted);
    }
  });

  test("in a device without order loses an earlier write and keeps a later one", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 2, 0);
    overwrite(disk, fd, 1, 1, 0);
    overwrite(disk, fd, 1, 2, 1);
    expect(outcomes(disk, "subset", (image) => contentOf(image, "/f"))).toContain("0 2");
    const grown = simDisk();
    const empty = durableFile(grown, "/f", 0, 0);
    overwrite(grown, empty, 1, 1, 5);
    overwrite(grown, empty, 1, 2, 0);
    expect(outcomes(grown, "subset", (image) => contentOf(image, "/f"))).toContain("2");
    const names = simDisk();
    for (const name of ["/a", "/b"]) names.close(names.open(name, "create"));
    const lists = outcomes(names, "subset", (image) => image.list("/").join(" "));
    expect([...lists].toSorted()).toEqual(["", "a", "a b", "b"]);
  });

  test("in a device without order leaves a file that has its new size, and zeros for all of the new bytes", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 0, 0);
    overwrite(disk, fd, 40 * SECTOR, 1);
    const look = (image: SimDisk): string => {
      const bytes = readAll(image, "/f");
      return `${bytes.length} ${bytes.some((byte) => byte !== 0)}`;
    };
    expect(outcomes(disk, "subset", look)).toContain(`${40 * SECTOR} false`);
  });

  test("undoes a truncation that was not synced", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 3, 1);
    disk.truncate(fd, 1);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1 1 1");
    expect([...outcomes(disk, "subset", (image) => contentOf(image, "/f"))].toSorted()).toEqual([
      "1",
      "1 1 1",
    ]);
    disk.datasync(fd);
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1");
  });

  test("brings back a removed name whose directory was not synced", () => {
    const disk = simDisk();
    disk.close(durableFile(disk, "/f", 1, 1));
    disk.unlink("/f");
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1");
    disk.syncDirectory("/");
    expect(contentOf(disk.image("nothing"), "/f")).toBe("none");
  });

  test("leaves a rename whole or undone, never both names and never none", () => {
    const disk = simDisk();
    disk.close(durableFile(disk, "/f", 1, 1));
    disk.close(durableFile(disk, "/g", 1, 2));
    disk.rename("/f", "/g");
    const look = (image: SimDisk): string => `${contentOf(image, "/f")},${contentOf(image, "/g")}`;
    for (const survival of ["prefix", "subset"] as const) {
      expect([...outcomes(disk, survival, look)].toSorted()).toEqual(["1,2", "none,1"]);
    }
  });

  test("leaves a link that was not synced or not, and both names on one file if it does", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 1, 1);
    disk.link("/f", "/g");
    overwrite(disk, fd, 1, 2);
    const look = (image: SimDisk): string => {
      const seen = `${contentOf(image, "/f")},${contentOf(image, "/g")}`;
      if (image.kind("/g") === "none") return seen;
      overwrite(image, image.open("/g", "update"), 1, 3);
      return `${seen} then ${contentOf(image, "/f")}`;
    };
    const prefixes = outcomes(disk, "prefix", look);
    expect([...prefixes].toSorted()).toEqual(["1,1 then 3", "1,none", "2,2 then 3"]);
    const subsets = outcomes(disk, "subset", look);
    for (const wanted of ["1,none", "2,none", "1,1 then 3", "2,2 then 3"]) {
      expect(subsets, wanted).toContain(wanted);
    }
    for (const seen of subsets) expect(seen).toMatch(/^\d+,none$|^(\d+),\1 then 3$/);
    disk.syncDirectory("/");
    expect(look(disk.image("nothing"))).toBe("1,1 then 3");
    expect(disk.image("everything").free("/")).toBe(disk.free("/")); // The bytes count once.
    disk.unlink("/f");
    expect(contentOf(disk, "/g")).toBe("2");
  });

  test("never loses a file that was renamed to another directory, whichever of the two was synced", () => {
    for (const synced of ["/", "/d", ""]) {
      const disk = simDisk();
      disk.makeDirectory("/d");
      disk.close(durableFile(disk, "/f", 1, 1));
      disk.rename("/f", "/d/f");
      if (synced !== "") disk.syncDirectory(synced);
      for (const survival of ["nothing", "prefix", "subset"] as const) {
        const look = (image: SimDisk): string => contentOf(image, "/f") + contentOf(image, "/d/f");
        for (const seen of outcomes(disk, survival, look)) expect(seen).toContain("1");
      }
    }
  });

  test("leaves the old content or the new of a file that is replaced durably, at whatever operation it comes", () => {
    const start = simDisk();
    writeFileDurably(start, "/f", Uint8Array.of(1, 1, 1));
    for (let crashAt = 1; crashAt < 20; crashAt += 1) {
      const disk = start.image("everything");
      disk.crashAt = crashAt;
      try {
        writeFileDurably(disk, "/f", new Uint8Array(2000).fill(2));
      } catch (error) {
        expect(error).toBeInstanceOf(Crash);
      }
      for (const survival of ["nothing", "prefix", "subset", "everything"] as const) {
        const bytes = readAll(disk.image(survival, crashAt), "/f");
        const isOld = bytes.length === 3 && bytes.every((byte) => byte === 1);
        const isNew = bytes.length === 2000 && bytes.every((byte) => byte === 2);
        expect(isOld || isNew, `${survival} at ${crashAt}`).toBe(true);
        if (!disk.crashed) expect(isNew).toBe(true);
      }
    }
  });

  test("can happen again and again: an image is a disk of its own, and the one it came from stays as it is", () => {
    const disk = simDisk();
    const fd = durableFile(disk, "/f", 2, 1);
    const untouched = [disk.image("nothing"), disk.image("everything")];
    const image = disk.image("nothing");
    const again = image.open("/f", "update");
    overwrite(image, again, 2, 2);
    overwrite(disk, fd, 1, 3);
    expect(contentOf(disk, "/f")).toBe("3 1");
    expect(contentOf(image, "/f")).toBe("2 2");
    expect(contentOf(image.image("nothing"), "/f")).toBe("1 1");
    image.datasync(again);
    expect(contentOf(image.image("nothing"), "/f")).toBe("2 2");
    expect(contentOf(disk.image("nothing"), "/f")).toBe("1 1");
    disk.datasync(fd);
    for (const other of untouched) expect(contentOf(other, "/f")).toBe("1 1");
  });
});

describe("a fault script", () => {
  test("sees every operation with its number and path, and decides its fate", () => {
    const disk = simDisk();
    const seen: string[] = [];
    disk.fault = (number, operation, path) => {
      seen.push(`${number} ${operation} ${path}`);
      return undefined;
    };
    const fd = disk.open("/f", "create");
    overwrite(disk, fd, 1, 1);
    disk.close(fd);
    expect(seen).toEqual(["1 open /f", "2 write /f", "3 close /f"]);
    expect([disk.operations, disk.count("write"), disk.count("read")]).toEqual([3, 1, 0]);
  });

  test("shortens writes and reads, which the transfer helpers complete", () => {
    const disk = simDisk({ fault: (_number, operation) => (operation === "open" ? undefined : 2) });
    const fd = disk.open("/f", "create");
    expect(disk.write(fd, new Uint8Array(5), 0, 5, 0)).toBe(2);
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    writeAll(disk, fd, bytes, 0, 5, 0);
    expect(disk.read(fd, new Uint8Array(5), 0, 5, 0)).toBe(2);
    expect([...readAll(disk, "/f")]).toEqual([1, 2, 3, 4, 5]);
    disk.close(fd);
  });
});

describe("a seed", () => {
  test("gives the same images again, and another seed other ones", () => {
    const run = (seed: number): string => {
      const disk = simDisk({ seed });
      const random = makeRandom(9);
      const fd = durableFile(disk, "/f", 8 * SECTOR, 0);
      for (let i = 0; i < 20; i += 1) overwrite(disk, fd, SECTOR, i, random.below(8 * SECTOR));
      return [0, 1, 2, 3].map(() => contentOf(disk.image("subset"), "/f")).join("|");
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});

describe("content", () => {
  test("is as a plain array's over thousands of random operations, synced or not", () => {
    const random = makeRandom(31);
    const disk = simDisk();
    const fd = disk.open("/f", "create");
    disk.syncDirectory("/");
    let seen: number[] = [];
    let durable: number[] = [];
    for (let i = 0; i < 5000; i += 1) {
      const choice = random.below(20);
      if (choice < 14) {
        const position = random.below(300);
        const bytes = Array.from({ length: random.below(90) }, () => random.below(256));
        disk.write(fd, Uint8Array.from(bytes), 0, bytes.length, position);
        if (bytes.length > 0) {
          while (seen.length < position) seen.push(0);
          seen = [...seen.slice(0, position), ...bytes, ...seen.slice(position + bytes.length)];
        }
      } else if (choice < 16) {
        const size = random.below(300);
        disk.truncate(fd, size);
        seen = Array.from({ length: size }, (_, at) => seen[at] ?? 0);
      } else if (choice < 18) {
        disk.datasync(fd);
        durable = [...seen];
      } else {
        expect([...readAll(disk, "/f")], `operation ${i}`).toEqual(seen);
        expect([...readAll(disk.image("nothing"), "/f")], `operation ${i}`).toEqual(durable);
      }
    }
  });
});
