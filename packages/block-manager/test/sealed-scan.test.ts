import { expect, test } from "vitest";
import { HEADER_BYTES, writeBeginning } from "../src/internal/format.ts";
import { scanFile } from "../src/internal/sealed-scan.ts";

const OPTIONS = { number: 1, path: "/sealed/000001", encoding: 1, storedCount: () => 1 };

test("bytes that look like a long record at every step cost no more than a few looks at each", () => {
  const bytes = new Uint8Array(4 * 2 ** 20);
  const step = Uint8Array.of(0, 0, 0, 0, 0x80, 0x80, 2);
  for (let at = 0; at + step.length <= bytes.length; at += step.length) bytes.set(step, at);
  const from = writeBeginning(bytes, 0, 0, { file: 1, after: 0 });
  const { gaps, chunks } = scanFile(bytes, OPTIONS);
  expect(chunks).toEqual([]);
  expect(gaps).toEqual([{ from, until: bytes.length }]);
});

test("a stretch of zeros is looked through to its end", () => {
  const bytes = new Uint8Array(2 ** 20);
  const record = new Uint8Array(200);
  const end = writeBeginning(record, 0, 0, { file: 1, after: 0 });
  bytes.set(record.subarray(0, end));
  bytes.set(record.subarray(HEADER_BYTES, end), bytes.length - (end - HEADER_BYTES));
  const { gaps } = scanFile(bytes, OPTIONS);
  expect(gaps).toEqual([{ from: end, until: bytes.length - (end - HEADER_BYTES) }]);
});
