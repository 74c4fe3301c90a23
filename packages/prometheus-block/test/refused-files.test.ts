import type { Descriptor, Disk } from "@varve/contracts";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { makeUlid } from "../src/ulid.ts";
import { makeBlock, newDisk, seriesOf } from "./support/blocks.ts";
import { open } from "./support/read.ts";

/** The same disk, and the descriptors that are open on it. */
function counted(disk: Disk) {
  const opened = new Set<Descriptor>();
  const watched = new Proxy(disk, {
    get(target, name) {
      if (name === "open") {
        return (...args: Parameters<Disk["open"]>) => {
          const fd = target.open(...args);
          opened.add(fd);
          return fd;
        };
      }
      if (name === "close") {
        return (fd: Descriptor) => {
          opened.delete(fd);
          target.close(fd);
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { opened, watched };
}

test("leaves no file open when any byte of the index makes it refuse the block", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [
    seriesOf({ __name__: "a" }, [1, 2]),
    seriesOf({ b: "c" }, [3]),
  ]);
  const { dir } = block;
  block.close();
  const path = `${dir}/index`;
  const sound = readAll(disk, path).slice();
  const { opened, watched } = counted(disk);
  let refused = 0;
  for (let at = 0; at < sound.length; at += 1) {
    const bytes = sound.slice();
    bytes[at]! ^= 0x41;
    disk.unlink(path);
    writeFileDurably(disk, path, bytes);
    try {
      (await open(watched, dir)).close();
    } catch {
      refused += 1;
    }
    expect(opened.size, `byte ${at}`).toBe(0);
  }
  expect(refused).toBeGreaterThan(100);
});

test("opens a copy under any name but another block's", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [seriesOf({ a: "b" }, [1])]);
  const { dir } = block;
  const { ulid } = block.meta;
  block.close();
  disk.rename(dir, "/data/copy");
  const copy = await open(disk, "/data/copy");
  expect(copy.meta.ulid).toBe(ulid);
  copy.close();
  const other = `/data/${makeUlid()}`;
  disk.rename("/data/copy", other);
  await expect(open(disk, other)).rejects.toThrow(/BLOCK_CORRUPT|names/);
});
