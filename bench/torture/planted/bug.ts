/** A mistake of the kind that such code has had somewhere: a change of one source file that the rows have to notice. */
export interface PlantedBug {
  readonly id: string;
  readonly title: string;
  /** The source, from the root of the repository. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The row that has to find something. */
  readonly row: string;
}
