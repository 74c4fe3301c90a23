/** Where in a data directory something lies. */
export type PlaceName = "format" | "log" | "blocks" | "samples";

/** Something that a check found. */
export interface Finding {
  /** `damage`, or a `note`: what a crash leaves and the next opening mends by itself. */
  readonly severity: "damage" | "note";
  readonly path: string;
  readonly message: string;
}

/** What became of one place. `unchecked` when nothing can be said about it. */
export interface PlaceReport {
  readonly place: PlaceName;
  readonly state: "clean" | "damage" | "unchecked";
  /** What was looked at, or why nothing was. */
  readonly detail: string;
  readonly findings: readonly Finding[];
}

/** What `verify` says about a data directory. */
export interface VerifyReport {
  readonly dir: string;
  /** `damage` when any place has some; else `unknown` when any could not be checked. */
  readonly verdict: "clean" | "damage" | "unknown";
  readonly places: readonly PlaceReport[];
}

/** What a check is given. */
export interface CheckContext {
  readonly dir: string;
  readonly storeId: string;
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly tell: (text: () => string) => void;
  /** Places that were checked before. */
  readonly before: readonly PlaceReport[];
}

/** Checks one place, and changes nothing. What it throws means that it cannot tell. */
export type Check = (context: CheckContext) => Promise<PlaceReport>;

/** The report of a place that could be checked. */
export function placeReport(
  place: PlaceName,
  detail: string,
  findings: readonly Finding[],
): PlaceReport {
  const isDamaged = findings.some(({ severity }) => severity === "damage");
  return { place, state: isDamaged ? "damage" : "clean", detail, findings };
}

/** The verdict over all places. */
export function verdictOf(places: readonly PlaceReport[]): VerifyReport["verdict"] {
  if (places.some(({ state }) => state === "damage")) return "damage";
  return places.some(({ state }) => state === "unchecked") ? "unknown" : "clean";
}
