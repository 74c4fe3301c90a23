/** A table as text, for the terminal and for Markdown alike. */
export interface TextTable {
  readonly caption?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One part of the investigation, ready to be read. */
export interface Section {
  readonly title: string;
  /** What was done, and how to read the tables. */
  readonly about: readonly string[];
  readonly tables: readonly TextTable[];
  /** What follows from them. */
  readonly notes: readonly string[];
}
