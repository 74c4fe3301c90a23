import { simDisk } from "@varve/disk/sim";
import { writeAll } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { pageCache } from "../src/index.ts";
import { randomOf } from "./support/blocks.ts";

const PAGE = 16;
const SLOTS = 5;

function makeFiles(count: number) {
  const disk = simDisk();
  const cache = pageCache({ bytesMax: PAGE * SLOTS + 1, pageBytes: PAGE });
  const files = Array.from({ length: count }, (_, i) => {
    const bytes = Uint8Array.from({ length: 100 + i * 7 }, (_value, at) => at * 3 + i);
    const fd = disk.open(`/${i}`, "create");
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    return { bytes, fd, number: cache.add(disk, fd) };
  });
  return { disk, cache, files };
}

test("holds what a list of the most recently used pages holds, over thousands of seeded steps", () => {
  const seed = 20_261_125;
  const random = randomOf(seed);
  const { disk, cache, files } = makeFiles(4);
  /** Pages by use, the newest last. */
  let recent: string[] = [];
  let misses = 0;
  for (let step = 0; step < 5000; step += 1) {
    const file = files[random(files.length)]!;
    if (random(100) === 0) {
      cache.remove(file.number);
      recent = recent.filter((each) => !each.startsWith(`${file.number}:`));
      file.number = cache.add(disk, file.fd);
    }
    const page = random(9);
    const name = `${file.number}:${page}`;
    if (!recent.includes(name)) misses += 1;
    recent = [...recent.filter((each) => each !== name), name].slice(-SLOTS);
    const slot = cache.slot(file.number, page);
    const expected = file.bytes.slice(page * PAGE, (page + 1) * PAGE);
    expect(cache.lengthOf(slot), `seed ${seed}, step ${step}`).toBe(expected.length);
    const found = cache.bytesOf(slot).slice(0, expected.length);
    expect(found, `seed ${seed}, step ${step}`).toEqual(expected);
    expect(cache.misses, `seed ${seed}, step ${step}`).toBe(misses);
  }
  expect(cache.hits + cache.misses).toBe(5000);
  expect(cache.bytes).toBe(SLOTS * PAGE);
});

test("keeps a page's stamp while it is there, and changes it when the page goes", () => {
  const { cache, files } = makeFiles(1);
  const { number } = files[0]!;
  const slot = cache.slot(number, 0);
  const stamp = cache.stamp(slot);
  cache.slot(number, 1);
  cache.slot(number, 0);
  expect(cache.stamp(slot)).toBe(stamp);
  for (let page = 1; page <= SLOTS; page += 1) cache.slot(number, page);
  expect(cache.stamp(slot)).not.toBe(stamp);
});

test("forgets the pages of a file that is removed", () => {
  const { cache, files } = makeFiles(1);
  const slot = cache.slot(files[0]!.number, 0);
  const stamp = cache.stamp(slot);
  cache.remove(files[0]!.number);
  expect(cache.stamp(slot)).not.toBe(stamp);
});

test("holds nothing of a page that could not be read", () => {
  const { disk, cache, files } = makeFiles(1);
  const { fd, number, bytes } = files[0]!;
  for (let page = 0; page < SLOTS; page += 1) cache.slot(number, page);
  disk.close(fd);
  expect(() => cache.slot(number, 6)).toThrow();
  const slot = cache.slot(number, SLOTS - 1);
  const from = (SLOTS - 1) * PAGE;
  expect(cache.bytesOf(slot)).toEqual(bytes.slice(from, from + PAGE));
});
