import * as contracts from "@varve/contracts";
import { expect, test } from "vitest";

test("every row status has its own number and its name at that number", () => {
  const statuses = {
    OPEN: contracts.OPEN,
    ACCEPTED: contracts.ACCEPTED,
    REPEATED: contracts.REPEATED,
    OUT_OF_ORDER: contracts.OUT_OF_ORDER,
    CONFLICT: contracts.CONFLICT,
    LIMIT: contracts.LIMIT,
    BAD_TIME: contracts.BAD_TIME,
    LATE: contracts.LATE,
  };
  for (const [name, status] of Object.entries(statuses)) {
    expect(contracts.STATUS_NAMES[status]).toBe(name);
  }
  expect(contracts.STATUS_NAMES.length).toBe(Object.keys(statuses).length);
});

test("what means none is 0, as zeroed memory has it", () => {
  const { NO_OFFSET, NO_REGION, NO_SERIES, OPEN } = contracts;
  expect([NO_OFFSET, NO_REGION, NO_SERIES, OPEN]).toEqual([0, 0, 0, 0]);
});

test("slots are ten, each once, and parts that others need are opened before them", () => {
  const at = (slot: contracts.Slot): number => contracts.SLOTS.indexOf(slot);
  expect(new Set(contracts.SLOTS).size).toBe(10);
  expect(contracts.SLOTS.length).toBe(10);
  for (const needed of ["allocator", "chunk"] as const) {
    expect(at(needed)).toBeLessThan(at("block-manager"));
  }
});

test("default limits of labels are what the architecture says", () => {
  const { KEY_SEPARATOR, LABEL_LIMITS } = contracts;
  expect(LABEL_LIMITS).toEqual({ labelsMax: 64, nameBytesMax: 256, valueBytesMax: 4096 });
  expect(KEY_SEPARATOR).toBe(0xff);
});
