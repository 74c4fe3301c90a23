import { SLOTS, type Slot } from "@varve/contracts";
import { InvalidArgumentError } from "commander";
import { accessSync, constants, statSync } from "node:fs";
import { slotOf, variantOf } from "../plan-of.ts";
import type { VariantSpec } from "../plan-spec.ts";
import { usageError } from "./failure.ts";

const SIZES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6 };

/** Parses a positive whole number: `10000`, `10_000`, `10k`, `1M`. */
export function positive(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("It is at least 1.");
  return value;
}

/** Parses a whole number, which may be 0. */
export function whole(text: string): number {
  const match = /^(\d[\d_]*(?:\.\d+)?)([kKmM]?)$/.exec(text);
  const value = match && Number(match[1]!.replaceAll("_", "")) * SIZES[match[2]!.toLowerCase()]!;
  if (value === null || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("It is a whole number, such as 500, 10_000, 10k or 1M.");
  }
  return value;
}

/** Parses a positive number that need not be whole: `24`, `0.5`. */
export function decimal(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError("It is a positive number, such as 24 or 0.5.");
}

/** Parses a list: `a,b`. Empty parts and repeated ones are refused. */
export function list(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new InvalidArgumentError("A name in the list is empty.");
  if (new Set(parts).size !== parts.length) throw new InvalidArgumentError("A name comes twice.");
  return parts;
}

/** Parses a variant with options: `batched` or `batched:delayMsMax=1:groupBytesMax=1`. Throws INPUT for an unknown name. */
export function variantSpec(slot: Slot, text: string): VariantSpec {
  const [name, ...pairs] = text.split(":");
  if (pairs.length === 0) {
    variantOf(slot, name!);
    return { name: name! };
  }
  const options = pairs.map((pair): [string, unknown] => {
    const at = pair.indexOf("=");
    if (at <= 0)
      throw usageError(`${slot} ${text}: an option is written name=value, not "${pair}"`);
    return [pair.slice(0, at), valueOf(pair.slice(at + 1))];
  });
  const spec = { name: name!, options: Object.fromEntries(options) };
  variantOf(slot, spec.name, spec.options);
  return spec;
}

function valueOf(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? text : value;
}

/** Throws INPUT unless stores can be made in `dir`. */
export function checkStoreDir(dir: string | undefined): void {
  if (dir === undefined) return;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw usageError(`--dir ${dir}: there is no such directory`);
  }
  try {
    accessSync(dir, constants.W_OK);
  } catch (cause) {
    throw usageError(`--dir ${dir}: we may not write there`, cause);
  }
}

/** The slots of which the options name variants, with their texts. */
export function slotFlags(options: Readonly<Record<string, unknown>>): [Slot, string[]][] {
  return SLOTS.flatMap((slot): [Slot, string[]][] => {
    const given = options[camelCase(slot)];
    return given === undefined ? [] : [[slot, given as string[]]];
  });
}

/** As commander names an option's value. */
function camelCase(slot: string): string {
  return slotOf(slot).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
