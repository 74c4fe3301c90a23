import { makeRandom } from "@varve/bytes";
import { Broken, type Fault } from "./row.ts";
import { ROWS } from "./rows.ts";
import type { Order, Said } from "./messages.ts";

/** The process of one share of a row: it runs trials from seed to seed until there are no more, or it is stopped. */
process.on("SIGINT", () => undefined); // The parent decides.
process.on("disconnect", () => process.exit(1));
process.once("message", (order: Order) => void work(order));

async function work({ id, tier, seed, last, step, dir }: Order): Promise<void> {
  const row = ROWS.find((each) => each.id === id)!;
  for (let at = seed; at <= last; at += step) {
    say({ kind: "begin", seed: at });
    let said: Said;
    try {
      const count = await row.trial({ tier, seed: at, random: makeRandom(at), dir });
      said = { kind: "done", seed: at, count };
    } catch (error) {
      said = { kind: "broken", seed: at, fault: faultOf(error), message: textOf(error) };
    }
    await new Promise((resolve) => process.send!(said, resolve));
  }
  process.exit(0); // Whatever a store has left open.
}

function faultOf(error: unknown): Fault {
  return error instanceof Broken ? error.fault : "wrong";
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof Broken ? error.message : (error.stack ?? error.message);
}

function say(said: Said): void {
  process.send!(said, () => undefined); // A parent that is gone needs no answer.
}
