import { describe, expect, test } from "vitest";
import { type DiskModel, simDisk, type SimDisk } from "../src/sim.ts";
import { readAll } from "../src/transfer.ts";
import { expectFailure } from "./promises.ts";

const MODELS = ["strictPosix", "ext4", "xfs"] as const;

/** A file with one byte, open, with neither its content nor its name synced. */
function create(disk: SimDisk, path: string, value: number): number {
  const fd = disk.open(path, "create");
  disk.write(fd, Uint8Array.of(value), 0, 1, 0);
  return fd;
}

/** The same, durable by content and name. */
function settled(disk: SimDisk, path: string, value: number): number {
  const fd = create(disk, path, value);
  disk.datasync(fd);
  disk.syncDirectory("/");
  return fd;
}

function look(disk: SimDisk, path: string): string {
  const kind = disk.kind(path);
  if (kind !== "file") return kind;
  return `[${[...readAll(disk, path)].join(" ")}]`;
}

/** One line of the table: what is done, which paths are looked at, and what a power cut leaves there. */
interface Line {
  readonly title: string;
  readonly paths: readonly string[];
  readonly left: Readonly<Record<DiskModel, string>>;
  readonly act: (disk: SimDisk) => void;
}

/** As ext4 and XFS have done on a real kernel whose power was cut. */
const TABLE: readonly Line[] = [
  {
    title: "a new file, written and synced, its directory not",
    paths: ["/f"],
    left: { strictPosix: "none", ext4: "[1]", xfs: "[1]" },
    act: (disk) => disk.datasync(create(disk, "/f", 1)),
  },
  {
    title: "a new file, written and not synced",
    paths: ["/f"],
    left: { strictPosix: "none", ext4: "none", xfs: "none" },
    act: (disk) => void create(disk, "/f", 1),
  },
  {
    title: "a synced file renamed over another, the directory not synced",
    paths: ["/f", "/f.tmp"],
    left: { strictPosix: "[1] none", ext4: "[1] [2]", xfs: "[1] [2]" },
    act(disk) {
      settled(disk, "/f", 1);
      disk.datasync(create(disk, "/f.tmp", 2));
      disk.rename("/f.tmp", "/f");
    },
  },
  {
    title: "a synced file renamed over another, and the directory synced",
    paths: ["/f", "/f.tmp"],
    left: { strictPosix: "[2] none", ext4: "[2] none", xfs: "[2] none" },
    act(disk) {
      settled(disk, "/f", 1);
      disk.datasync(create(disk, "/f.tmp", 2));
      disk.rename("/f.tmp", "/f");
      disk.syncDirectory("/");
    },
  },
  {
    title: "a file that was not synced renamed over another, and the directory synced",
    paths: ["/f", "/f.tmp"],
    left: { strictPosix: "[] none", ext4: "[2] none", xfs: "[] none" },
    act(disk) {
      settled(disk, "/f", 1);
      create(disk, "/f.tmp", 2);
      disk.rename("/f.tmp", "/f");
      disk.syncDirectory("/");
    },
  },
  {
    title: "a new directory with a synced file, its parent not synced",
    paths: ["/d/f"],
    left: { strictPosix: "none", ext4: "[1]", xfs: "[1]" },
    act(disk) {
      disk.makeDirectory("/d");
      disk.datasync(create(disk, "/d/f", 1));
    },
  },
  {
    title: "a directory with a synced file, renamed, and its parent synced",
    paths: ["/d", "/d/f"],
    left: { strictPosix: "directory none", ext4: "directory [1]", xfs: "directory [1]" },
    act(disk) {
      disk.makeDirectory("/d.tmp");
      disk.datasync(create(disk, "/d.tmp/f", 1));
      disk.rename("/d.tmp", "/d");
      disk.syncDirectory("/");
    },
  },
  {
    title: "a file removed, its directory not synced",
    paths: ["/f"],
    left: { strictPosix: "[1]", ext4: "[1]", xfs: "[1]" },
    act(disk) {
      settled(disk, "/f", 1);
      disk.unlink("/f");
    },
  },
  {
    title: "a file cut short and not synced",
    paths: ["/f"],
    left: { strictPosix: "[1]", ext4: "[1]", xfs: "[1]" },
    act: (disk) => disk.truncate(settled(disk, "/f", 1), 0),
  },
  {
    title: "a file overwritten in place and synced, beside another that is new",
    paths: ["/f", "/g"],
    left: { strictPosix: "[2] none", ext4: "[2] none", xfs: "[2] none" },
    act(disk) {
      const fd = settled(disk, "/f", 1);
      create(disk, "/g", 1);
      disk.write(fd, Uint8Array.of(2), 0, 1, 0);
      disk.datasync(fd);
    },
  },
  {
    title: "a directory synced, beside another with a new file",
    paths: ["/f", "/d/g"],
    left: { strictPosix: "[] none", ext4: "[] []", xfs: "[] []" },
    act(disk) {
      disk.makeDirectory("/d");
      disk.syncDirectory("/");
      create(disk, "/d/g", 1);
      create(disk, "/f", 1);
      disk.syncDirectory("/");
    },
  },
];

describe.each(MODELS)("the model %s", (model) => {
  test.each(TABLE)("$title", ({ act, paths, left }) => {
    const disk = simDisk({ model });
    act(disk);
    const image = disk.image("nothing");
    expect(paths.map((path) => look(image, path)).join(" ")).toBe(left[model]);
    expect(image.model).toBe(model);
  });

  test("drops what a failed sync was for", () => {
    const disk = simDisk({ model });
    const fd = settled(disk, "/f", 1);
    disk.write(fd, Uint8Array.of(2, 2), 0, 2, 0);
    disk.fault = (_number, operation) => (operation === "datasync" ? "EIO" : undefined);
    expectFailure(() => disk.datasync(fd), "DISK", { errno: "EIO" });
    disk.fault = undefined;
    disk.datasync(fd);
    expect(look(disk, "/f")).toBe("[2 2]");
    expect(look(disk.image("subset", 1), "/f")).toBe("[1]");
  });
});

test.each(["ext4", "xfs"] as const)("the journal of %s keeps the order of names", (model) => {
  const disk = simDisk({ model });
  disk.makeDirectory("/d");
  for (const path of ["/a", "/d/b", "/c"]) disk.close(disk.open(path, "create"));
  const seen = new Set<string>();
  for (let seed = 1; seed <= 200; seed += 1) {
    const image = disk.image("subset", seed);
    seen.add(["/d", "/a", "/d/b", "/c"].filter((path) => image.kind(path) !== "none").join(" "));
  }
  expect([...seen].toSorted()).toEqual(["", "/d", "/d /a", "/d /a /d/b", "/d /a /d/b /c"]);
});

test.each(["ext4", "xfs"] as const)("a file of %s never grows without its bytes", (model) => {
  const disk = simDisk({ model });
  const fd = settled(disk, "/f", 1);
  disk.write(fd, Uint8Array.of(2, 2), 0, 2, 1);
  disk.write(create(disk, "/g", 3), Uint8Array.of(3), 0, 1, 1);
  disk.syncDirectory("/");
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const image = disk.image("subset", seed);
    seen.add(look(image, "/f"));
    if (look(image, "/g") === "[]") seen.add("empty");
  }
  expect([...seen].toSorted()).toEqual(["[1 2 2]", "[1]", "empty"]);
});

describe("an image of a subset", () => {
  test("holds the pending operations whose bits are set, and no others", () => {
    const disk = simDisk();
    const fd = settled(disk, "/f", 0);
    expect(disk.pending).toBe(0);
    disk.write(fd, Uint8Array.of(1), 0, 1, 0);
    disk.write(fd, Uint8Array.of(2), 0, 1, 1);
    disk.link("/f", "/g");
    disk.truncate(fd, 1);
    expect(disk.pending).toBe(4);
    const seen = Array.from({ length: 16 }, (_, kept) => {
      const image = disk.imageOfSubset(kept);
      expect(image.pending).toBe(0);
      return `${look(image, "/f")}${image.kind("/g") === "file" ? "+" : ""}`;
    });
    const names = ["[0]", "[1]", "[0 2]", "[1 2]"];
    const linked = names.map((name) => `${name}+`);
    const cut = ["[0]", "[1]", "[0]", "[1]"];
    expect(seen).toEqual([...names, ...linked, ...cut, ...cut.map((name) => `${name}+`)]);
  });

  test("leaves a rename to another directory whole or undone", () => {
    const disk = simDisk();
    disk.makeDirectory("/d");
    settled(disk, "/f", 1);
    disk.rename("/f", "/d/f");
    expect(disk.pending).toBe(1);
    for (const [kept, left] of [
      [0, "[1] none"],
      [1, "none [1]"],
    ] as const) {
      const image = disk.imageOfSubset(kept);
      expect(`${look(image, "/f")} ${look(image, "/d/f")}`).toBe(left);
    }
  });
});

test("a sync of a file of which one has failed is told, whoever asks for it and by whatever name", async () => {
  const disk = simDisk();
  const fd = settled(disk, "/f", 1);
  const other = settled(disk, "/g", 1);
  disk.fault = (_number, _operation, path) => (path === "/f" ? "EIO" : undefined);
  await expect(disk.datasyncAsync(fd)).rejects.toMatchObject({ code: "DISK" });
  const failedAt = disk.operations;
  disk.fault = undefined;
  disk.datasync(other);
  disk.rename("/f", "/h");
  expect(disk.repeatedSyncs).toEqual([]);
  const again = disk.open("/h", "update");
  disk.datasync(again);
  expect(disk.repeatedSyncs).toEqual([{ path: "/h", failedAt, at: disk.operations }]);
  await disk.datasyncAsync(fd);
  expect(disk.repeatedSyncs.length).toBe(2);
});
