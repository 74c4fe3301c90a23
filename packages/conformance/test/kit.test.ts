import { casesOf, certify, checked } from "@varve/conformance";
import { SLOTS, type Slot, type Variant } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import {
  dullAllocator,
  dullBlocks,
  dullChunk,
  dullId,
  dullIndex,
  dullKey,
  dullLocks,
  dullPostings,
  dullRecord,
  dullWal,
  spinLocks,
} from "./dull/index.ts";

const ENTRY = { url: new URL("dull/small.ts", import.meta.url).href, export: "spinLocks" };

/** Registers the cases of a variant, bare and checked. */
function certifyBoth<S extends Slot>(variant: Variant<S>, entry?: typeof ENTRY): void {
  const options = entry === undefined ? {} : { entry };
  describe("bare", () => certify(variant, { test, options }));
  describe("checked", () => certify(checked(variant), { test, options }));
}

describe("dull variants keep every promise", () => {
  certifyBoth(dullKey());
  certifyBoth(dullId());
  certifyBoth(dullIndex());
  certifyBoth(dullPostings());
  certifyBoth(dullRecord());
  certifyBoth(dullWal());
  certifyBoth(dullAllocator());
  certifyBoth(dullChunk());
  certifyBoth(dullBlocks());
  certifyBoth(dullLocks());
  certifyBoth(spinLocks(), ENTRY);
});

describe("cases", () => {
  test("exist for every slot, each with an id of its own that begins with the slot", () => {
    const ids = SLOTS.flatMap((slot) => casesOf(slot).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (const slot of SLOTS) {
      expect(casesOf(slot).length).toBeGreaterThan(2);
      for (const { id } of casesOf(slot)) expect(id.startsWith(`${slot}/`)).toBe(true);
    }
  });
});
