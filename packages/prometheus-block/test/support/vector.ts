/** The smallest whole block of Prometheus' format: `a{l="x"}` and `a{l="y"}`, read by promtool 2.42 as it should be. */

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

const CHUNKS = `85bd40dd 01 000000
  16 01 0004d00f3ff0000000000000e807c25fff207d360580 2bc363a1
  0c 01 0001b817401c000000000000 6bf2b26c`;

const LIST = "0000000c 00000002 00000003 00000004 495848d7";

const INDEX = `baaad700 02
  00000016 00000006 00 085f5f6e616d655f5f 0161 016c 0178 0179 6174784f 00000000000000000000000000
  0b 02 0102 0304 01 d00f ac1b 08 df1b7604
  0a 02 0102 0305 01 b817 00 24 b2da1401 00
  ${LIST} ${LIST} 00000008 00000001 00000003 a7692ed2 00000008 00000001 00000004 73a34a39
  00000022 00000004 02 00 00 50 02 085f5f6e616d655f5f 0161 64 02 016c 0178 78 02 016c 0179 8801 51140796
  0000000000000005 0000000000000023 000000000000004f 0000000000000098 000000000000004f 0000000000000098
  30cac288`;

export const VECTOR_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const META = {
  ulid: VECTOR_ULID,
  minTime: 1000,
  maxTime: 4501,
  stats: { numSamples: 5, numSeries: 2, numChunks: 2 },
  compaction: { level: 1, sources: [VECTOR_ULID] },
  version: 1,
};

export function vectorFiles(): Map<string, Uint8Array> {
  return new Map([
    ["chunks/000001", bytes(CHUNKS)],
    ["index", bytes(INDEX)],
    ["tombstones", bytes("0130ba30 01 00000000")],
    ["meta.json", new TextEncoder().encode(JSON.stringify(META))],
  ]);
}
