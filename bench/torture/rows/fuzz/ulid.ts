import type { Random } from "@varve/bytes";
import { isUlid, makeUlid } from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 26;
/** What names of files are made of that a ULID is not. */
const STRANGE = "ILOUilou0aA/\\.:%\u0000\n \u00e9-_~89";

/** ULIDs: names of blocks. */
export const ULID_ROW = fuzzRow("ulid", "names that may be a ULID", openTarget);

function openTarget(): FuzzTarget<Sound, boolean> {
  let last = "";
  return {
    codes: [],
    make(random) {
      const ulid = makeUlid(
        random.pick([1_700_000_000_000 + random.below(1e6), 0, -5, Number.NaN]),
      );
      if (!(ulid > last)) throw new Broken("wrong", `${ulid} is made behind ${last}`);
      last = ulid;
      return { bytes: new Uint8Array(Buffer.from(ulid)) };
    },
    change: changeDigits,
    keepsLength: 0.7,
    decode: (bytes) => isUlid(Buffer.from(bytes).toString("latin1")),
    judge(found, { bytes, isIntact }) {
      if (found instanceof Refusal) throw new Broken("wrong", "no refusal gets here");
      const name = Buffer.from(bytes).toString("latin1");
      const isOne =
        name.length === LENGTH &&
        name[0]! <= "7" &&
        Array.from(name).every((digit) => ALPHABET.includes(digit));
      if (found !== isOne)
        throw new Broken("wrong", `${JSON.stringify(name)} is ${found ? "" : "no "}ULID`);
      if (isIntact && !found) throw new Broken("wrong", `${name} is made, and no ULID`);
    },
  };
}

/** Digits of all kinds, strange ones among them. */
function changeDigits({ bytes }: Sound, _: Sound, random: Random): Uint8Array {
  const name = Array.from(Buffer.from(bytes).toString("latin1"));
  do {
    const digits = random.chance(0.5) ? ALPHABET : STRANGE;
    name[random.below(random.chance(0.95) ? LENGTH : LENGTH + 1)] =
      digits[random.below(digits.length)]!;
  } while (random.chance(0.4));
  return Buffer.from(name.join(""), "latin1");
}
