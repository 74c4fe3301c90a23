import type { LoadReport } from "./messages.ts";
import type { PeerRow } from "./rows.ts";
import type { PeersResult } from "./run-peers.ts";

/** One line for each kind of work and peer. */
export function rowsTable(rows: readonly PeerRow[]): string {
  const lines = rows.map((row) => [
    row.work,
    row.peer,
    String(row.queries === 0 ? 0 : Math.round(row.rows / row.queries)),
    ...(row.ours === null ? [row.status] : [ms(row.ours), ms(row.theirs!), ...verdictOf(row)]),
  ]);
  return table(["query", "peer", "rows", "varve", "peer's", "varve is", "spread"], lines, 2);
}

/** One line for each store. */
export function storesTable(stores: PeersResult["stores"]): string {
  const lines = Object.entries(stores).map(([name, store]: [string, LoadReport]) => [
    name,
    `${(store.diskBytes / 2 ** 20).toFixed(1)} MiB`,
    `${store.loadSeconds.toFixed(1)} s`,
    store.durability,
  ]);
  return table(["store", "on disk", "loaded in", "durable"], lines, 1);
}

/** What a comparison says, in two cells: the difference, and the spread. */
export function verdictOf({
  ratio,
  spread,
  word,
}: Pick<PeerRow, "ratio" | "spread" | "word">): string[] {
  if (word === "too few") return [word];
  const size = `±${(spread! * 100).toFixed(0)} %`;
  if (word !== "faster" && word !== "slower") return [word ?? "", size];
  const times = word === "faster" ? ratio! : 1 / ratio!;
  return [`${times.toFixed(times < 10 ? 2 : 1)}x ${word}`, size];
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 3 : 1)} ms`;
}

/** Lays out columns: the first `left` of them, and words, stand left; numbers right. */
export function table(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  left: number,
): string {
  const all = [head, ...lines];
  const widths = head.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, at) => (at < left ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
