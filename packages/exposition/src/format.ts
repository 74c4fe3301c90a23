/** The formats that samples are read and written in. */
export const SAMPLE_FORMATS = ["prometheus", "openmetrics", "csv", "jsonl"] as const;

/** Prometheus text 0.0.4, OpenMetrics 1.0, CSV (RFC 4180) or JSON lines. */
export type SampleFormat = (typeof SAMPLE_FORMATS)[number];
