import type { RowBuilder } from "../rows.ts";
import type { ReadCounts } from "../read.ts";

/** What parsers share: where rows go, what is counted, and what a line without a time means. */
export interface ParserContext {
  readonly rows: RowBuilder;
  readonly counts: ReadCounts;
  /** Milliseconds; undefined when every line has to have a time. */
  readonly defaultTime: number | undefined;
}

/** Takes the records of one format apart. */
export interface RecordParser {
  /** Adds at most one row. Throws a fault; then nothing was added. */
  parse(bytes: Uint8Array, from: number, until: number): void;
  /** Looks at the whole once it has ended. Throws a fault at byte 0 when something is missing. */
  finish(): void;
  /** A fault that leaves nothing to go on with: a CSV file without a header. */
  readonly isLost: boolean;
}
