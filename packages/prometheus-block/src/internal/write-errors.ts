import { StorageError } from "@varve/contracts";

interface TimeRange {
  readonly minTime: number;
  readonly maxTime: number;
}

/** A block of that name, or what is left of one, is there. */
export function existing(path: string): StorageError {
  return new StorageError(
    "INPUT",
    `${path} is there already; it was left alone; remove it if a crash left it, or take another ULID`,
    { facts: { path } },
  );
}

export function badChunk(
  series: string,
  minTime: number,
  maxTime: number,
  count: number,
): StorageError {
  return new StorageError(
    "INPUT",
    `a chunk of ${series} with ${count} samples from ${minTime} to ${maxTime} is empty, ` +
      "or does not begin after the one before it; nothing was published; merge chunks that overlap",
    { facts: { value: series, minTime, maxTime, count } },
  );
}

export function emptyBlock(path: string): StorageError {
  return new StorageError(
    "INPUT",
    `${path}: a block without samples is not written; nothing was published; abort it`,
    { facts: { path } },
  );
}

/** What a block's meta would say of its times is not so, so that readers would skip samples. */
export function badRange(path: string, said: TimeRange, samples: TimeRange): StorageError {
  return new StorageError(
    "INPUT",
    `${path} would say ${said.minTime} <= time < ${said.maxTime}, and its samples go from ${samples.minTime} ` +
      `to ${samples.maxTime}; nothing was published; pass safe integers that hold all samples`,
    { facts: { path, minTime: samples.minTime, maxTime: samples.maxTime } },
  );
}

export function poisoned(path: string): StorageError {
  return new StorageError(
    "POISONED",
    `${path}: the block failed before, and its end is unknown; nothing was published; abort it`,
    { facts: { path } },
  );
}

export function aborted(path: string): StorageError {
  return new StorageError("ABORTED", `${path}: the block was aborted; nothing was published`, {
    facts: { path },
  });
}
