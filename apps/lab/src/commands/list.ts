import { Command } from "@commander-js/extra-typings";
import { SLOTS } from "@varve/contracts";
import pc from "picocolors";
import { CATALOG } from "../catalog.ts";
import { PRESETS } from "../plan-of.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { table } from "../report/table.ts";

/** `list`: what there is to measure. */
export function listCommand() {
  return new Command("list")
    .description("list slots, their variants and traits, and the plans")
    .option("--json <file>", "write the same as JSON")
    .addHelpText("after", EXAMPLES)
    .action(({ json }) => {
      if (json !== undefined) checkWritable(json);
      const slots = SLOTS.map((slot) => ({
        slot,
        variants: Object.entries(CATALOG[slot]).map(([name, { description, make }]) => ({
          name,
          description,
          traits: make().traits,
        })),
      }));
      const plans = Object.entries(PRESETS).map(([name, make]) => {
        const plan = make();
        return { name, variants: Object.fromEntries(SLOTS.map((slot) => [slot, plan[slot].name])) };
      });
      if (json !== undefined) return writeJson(json, { slots, plans });
      const rows = slots.flatMap(({ slot, variants }) =>
        variants.map(({ name, description, traits }, at) => [
          at === 0 ? pc.bold(slot) : "",
          name,
          description,
          traitsText(traits),
        ]),
      );
      console.log(
        table(
          [
            { head: "slot" },
            { head: "variant" },
            { head: "what it does", wraps: true },
            { head: "traits", wraps: true },
          ],
          rows,
        ),
      );
      const names = plans.map(({ name }) => name);
      console.log(
        `\n${table(
          [{ head: "plan" }, ...names.map((head) => ({ head, wraps: true }))],
          SLOTS.map((slot) => [pc.bold(slot), ...plans.map(({ variants }) => variants[slot]!)]),
        )}`,
      );
    });
}

/** Traits that hold: `persistent`, `acknowledges durable`. */
function traitsText(traits: object): string {
  return Object.entries(traits)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? wordsOf(name) : `${wordsOf(name)} ${String(value)}`))
    .join(", ");
}

function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const EXAMPLES = `
Examples:
  $ varve-lab list
  $ varve-lab list --json catalog.json`;
