import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { VictimOrder } from "../process/victim.ts";

type Event = "rolls" | "checkpoints" | "sealed" | "blocks";

const EXPECTED: Readonly<Record<VictimOrder["what"], readonly Event[]>> = {
  log: ["rolls", "checkpoints"],
  engine: ["rolls", "checkpoints", "sealed", "blocks"],
};
/** Looks in one process after which all that is expected has been met. */
const LOOKS_MIN = 80;
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** What the stores of this process have been seen to do. */
const seen: Record<Event, number> = { rolls: 0, checkpoints: 0, sealed: 0, blocks: 0 };
let looks = 0;

/** Sees by its files what a store has done between two looks: lives in which nothing happens would show nothing. */
export class StoreGrowth {
  readonly #dir: string;
  #segment = 0;
  #names = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  look(): void {
    looks += 1;
    const log = this.#list("wal");
    const segment = Math.max(0, ...log.filter((name) => /^\d+$/.test(name)).map(Number));
    // Every opening begins one segment; those beyond it have rolled.
    if (segment > this.#segment + 1) seen.rolls += 1;
    this.#segment = segment;
    this.#count(
      "checkpoints",
      log.filter((name) => /^checkpoint\.\d+$/.test(name)),
    );
    this.#count(
      "sealed",
      this.#list("sealed").map((name) => `sealed/${name}`),
    );
    this.#count(
      "blocks",
      this.#list("").filter((name) => ULID.test(name)),
    );
  }

  /** Throws when the stores of this process have missed something that they should have met by now. */
  end(what: VictimOrder["what"]): void {
    const missed = EXPECTED[what].find((event) => seen[event] === 0);
    if (looks < LOOKS_MIN || missed === undefined) return;
    throw new Error(`${looks} lives, and none with ${missed}: the row shows little`);
  }

  #list(name: string): string[] {
    const path = join(this.#dir, name);
    return existsSync(path) ? readdirSync(path) : [];
  }

  #count(event: Event, names: readonly string[]): void {
    for (const name of names) {
      if (!this.#names.has(name)) seen[event] += 1;
      this.#names.add(name);
    }
  }
}
