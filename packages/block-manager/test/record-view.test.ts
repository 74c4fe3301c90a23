import { crc32c, writeU32 } from "@varve/bytes";
import { expect, test } from "vitest";
import { recordBytes, RecordView, writeHead, writeTail } from "../src/internal/format.ts";

const DATA = Uint8Array.of(0, 1, 2, 3, 4, 5);

test("reads the record that was written, and knows its length without reading it again", () => {
  const bytes = new Uint8Array(100);
  const dataAt = writeHead(bytes, 3, 7, -5, 9, 1, DATA.length);
  bytes.set(DATA, dataAt);
  const end = writeTail(bytes, 3, dataAt + DATA.length);
  const view = new RecordView();
  expect(view.parse(bytes, 3, end)).toBe(true);
  expect(view).toMatchObject({
    ref: 7,
    minTime: -5,
    maxTime: 9,
    encoding: 1,
    length: DATA.length,
    end,
  });
  expect(end - 3).toBe(recordBytes(DATA.length));
});

test.each([1, 2])(
  "takes a length that is padded by %i bytes for no record: nobody could read it by its length",
  (more) => {
    const bytes = new Uint8Array(100);
    let dataAt = writeHead(bytes, 0, 7, -5, 9, 1, DATA.length);
    for (let i = 0; i < more; i += 1) {
      bytes[dataAt - 1]! |= 0x80;
      bytes[dataAt++] = 0;
    }
    bytes.set(DATA, dataAt);
    const until = dataAt + DATA.length;
    writeU32(bytes, until, crc32c(bytes, 0, until));
    expect(new RecordView().parse(bytes, 0, until + 4)).toBe(false);
  },
);
