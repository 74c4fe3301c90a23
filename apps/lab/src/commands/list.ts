import { Command } from "@commander-js/extra-typings";
import { SLOTS } from "@varve/contracts";
import pc from "picocolors";
import { CATALOG } from "../catalog.ts";
import { PRESETS } from "../plan-of.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { table, wrap } from "../report/table.ts";

/** Room for a variant's name, in characters. */
const NAME_WIDTH = 16;

/** `list`: what there is to measure. */
export function listCommand() {
  return new Command("list")
    .description("list slots, their variants and traits, and the plans")
    .option("--options", "also list the options that variants take", false)
    .option("--json <file>", "write the same as JSON")
    .addHelpText("after", EXAMPLES)
    .action(({ json, options }) => {
      if (json !== undefined) checkWritable(json);
      const slots = SLOTS.map((slot) => ({
        slot,
        variants: Object.entries(CATALOG[slot]).map(([name, { description, options, make }]) => ({
          name,
          description,
          traits: make().traits,
          options,
        })),
      }));
      const plans = Object.entries(PRESETS).map(([name, make]) => {
        const plan = make();
        return { name, variants: Object.fromEntries(SLOTS.map((slot) => [slot, plan[slot].name])) };
      });
      if (json !== undefined) return writeJson(json, { slots, plans });
      for (const { slot, variants } of slots) {
        console.log(pc.bold(slot));
        for (const { name, description, traits, options: takes } of variants) {
          const text = [description, ...traitsText(traits)].join("; ");
          const indent = " ".repeat(NAME_WIDTH + 2);
          console.log(wrap(`  ${name.padEnd(NAME_WIDTH)}${text}`, indent));
          if (options && takes.length > 0) {
            console.log(wrap(`${indent}${pc.dim(`:${takes.join("= :")}=`)}`, indent));
          }
        }
      }
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
function traitsText(traits: object): string[] {
  return Object.entries(traits)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? wordsOf(name) : `${wordsOf(name)} ${String(value)}`))
    .map((text) => pc.dim(text));
}

function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const EXAMPLES = `
Examples:
  $ varve-lab list
  $ varve-lab list --options
  $ varve-lab list --json catalog.json`;
