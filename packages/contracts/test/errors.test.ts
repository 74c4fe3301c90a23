import { assert, AssertionError, isStorageError, StorageError } from "@varve/contracts";
import { describe, expect, test } from "vitest";

describe("a StorageError", () => {
  test("carries its code, its facts and its cause", () => {
    const cause = new Error("sand");
    const error = new StorageError("DISK", "cannot write", { cause, facts: { errno: 5 } });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "StorageError", code: "DISK", message: "cannot write" });
    expect([error.cause, error.facts]).toEqual([cause, { errno: 5 }]);
  });

  test("has no facts and no cause unless it was given some", () => {
    const error = new StorageError("CLOSED", "the store is closed");
    expect(error.facts).toEqual({});
    expect("cause" in error).toBe(false);
  });
});

describe("isStorageError", () => {
  test("matches on the code, when one is given", () => {
    const error = new StorageError("LIMIT", "full");
    expect([isStorageError(error), isStorageError(error, "LIMIT")]).toEqual([true, true]);
    expect(isStorageError(error, "DISK")).toBe(false);
  });

  test("knows an error of another copy of the package", () => {
    const foreign = Object.assign(new Error("full"), { code: "LIMIT", facts: {} });
    expect(isStorageError(foreign, "LIMIT")).toBe(true);
  });

  test.each([
    ["an error of the system", Object.assign(new Error("no entry"), { code: "ENOENT" })],
    ["an object that only looks like one", { code: "LIMIT", facts: {}, message: "full" }],
    ["an assertion", new AssertionError("a fact")],
    ["nothing", undefined],
    ["null", null],
  ])("does not take %s for one", (_, value) => {
    expect(isStorageError(value)).toBe(false);
  });
});

describe("assert", () => {
  test("lets a fact that holds pass", () => {
    expect(() => assert(true, "true is true")).not.toThrow();
  });

  test("throws an AssertionError with the fact that should hold", () => {
    expect(() => assert(false, "slots is positive, got 0")).toThrow(
      new AssertionError("slots is positive, got 0"),
    );
    expect(isStorageError(new AssertionError("x"))).toBe(false);
  });
});
