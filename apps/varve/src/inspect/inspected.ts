/** What an inspection found: a value for programs, and text for people. */
export interface Inspected {
  readonly value: unknown;
  readonly text: () => string;
}
