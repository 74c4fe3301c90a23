import { compareUtf8, utf8BytesMax, writeUtf8 } from "@varve/bytes";
import {
  KEY_SEPARATOR,
  type KeyEncoder,
  type LabelKeyNeeds,
  type LabelLimits,
  type Labels,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { refuseLabels } from "./refuse.ts";

/**
 * Sorts the names of each label set and writes them in a loop: the yardstick, which remembers nothing.
 *
 * A label with an empty value is no label: its name is not validated either. Of several faults, the
 * one that the object enumerates first is told.
 */
export function plainKey(): Variant<"label-key"> {
  return {
    slot: "label-key",
    name: "plain",
    traits: { caches: false },
    open: ({ limits }: LabelKeyNeeds) => new PlainKeyEncoder(limits),
  };
}

class PlainKeyEncoder implements KeyEncoder {
  readonly #limits: LabelLimits;
  /** Names and values of the set at hand, sorted by name. Kept to save the allocation. */
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  constructor(limits: LabelLimits) {
    this.#limits = limits;
  }

  encode(labels: Labels, batch: WriteBatch, row: number): void {
    const { nameBytesMax, valueBytesMax } = this.#limits;
    const count = this.#collect(labels);
    if (count === 0) refuseLabels(labels, this.#limits);
    const names = this.#names;
    const values = this.#values;
    let units = 0;
    for (let i = 0; i < count; i += 1) units += names[i]!.length + values[i]!.length;
    batch.reserveKey(row, utf8BytesMax(units) + 2 * count);
    const keys = batch.keys;
    let at = batch.keyAt[row]!;
    for (let i = 0; i < count; i += 1) {
      const nameEnd = writeUtf8(keys, at, names[i]!);
      if (nameEnd < 0 || nameEnd - at > nameBytesMax) refuseLabels(labels, this.#limits);
      keys[nameEnd] = KEY_SEPARATOR;
      const valueEnd = writeUtf8(keys, nameEnd + 1, values[i]!);
      if (valueEnd < 0 || valueEnd - nameEnd - 1 > valueBytesMax) {
        refuseLabels(labels, this.#limits);
      }
      keys[valueEnd] = KEY_SEPARATOR;
      at = valueEnd + 1;
    }
    batch.keyAt[row + 1] = at;
  }

  /** Takes the labels that have a value, by insertion, because objects are often sorted already. */
  #collect(labels: Labels): number {
    const { labelsMax, nameBytesMax, valueBytesMax } = this.#limits;
    const names = this.#names;
    const values = this.#values;
    let count = 0;
    if (typeof labels !== "object") refuseLabels(labels, this.#limits);
    for (const name in labels) {
      // Here V8 knows the answer from the loop's state; `Object.hasOwn` costs 6 ns a name more.
      if (!Object.prototype.hasOwnProperty.call(labels, name)) continue;
      const value: unknown = labels[name];
      if (value === "") continue;
      // UTF-8 is never shorter than UTF-16 in units, so huge strings are refused before room is made.
      if (
        typeof value !== "string" ||
        value.length > valueBytesMax ||
        name.length > nameBytesMax ||
        name === "" ||
        count === labelsMax
      ) {
        refuseLabels(labels, this.#limits);
      }
      let at = count;
      while (at > 0 && compareUtf8(names[at - 1]!, name) > 0) {
        names[at] = names[at - 1]!;
        values[at] = values[at - 1]!;
        at -= 1;
      }
      names[at] = name;
      values[at] = value;
      count += 1;
    }
    return count;
  }
}
