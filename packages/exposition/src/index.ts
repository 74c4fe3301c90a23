/** Text formats: reads and writes samples as Prometheus text, OpenMetrics, CSV and JSON lines. */
export { detectFormat } from "./detect.ts";
export { SAMPLE_FORMATS } from "./format.ts";
export type { SampleFormat } from "./format.ts";
export { LINE_BYTES_MAX, readSamples } from "./read.ts";
export type { BadLine, ReadCounts, ReadOptions, SampleReader } from "./read.ts";
export type { SampleRows } from "./rows.ts";
export { writeSamples } from "./write.ts";
export type { SeriesSamples } from "./write.ts";
