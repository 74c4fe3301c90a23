import { append } from "../stages/append.ts";
import { crc } from "../stages/crc.ts";
import { encode, encodeNew } from "../stages/encode.ts";
import { frame } from "../stages/frame.ts";
import { hash } from "../stages/hash.ts";
import { indexFind, indexInsert } from "../stages/index-find.ts";
import { key } from "../stages/key.ts";
import { nsPerRow, type Stage } from "../stages/stage.ts";
import type { Figures, RowSpec, TurnContext, Work } from "../work.ts";

/** A stage, and which variants are held against one another. */
interface Entry {
  readonly stage: Stage;
  readonly name: string;
  readonly kernel: string;
  readonly plain: readonly string[];
  /** Rows of a call, or bytes. */
  readonly sizes: readonly number[];
  readonly per: "row" | "byte";
}

const ROWS = { per: "row", sizes: [1, 64, 1000] } as const;
const BOTH = { kernel: "kernel", plain: ["plain"] } as const;

const INDEX = { kernel: "open-addressed-wasm", plain: ["open-addressed"] } as const;

const STAGES: Readonly<Record<string, Entry>> = {
  key: { ...ROWS, stage: key, name: "encode key", kernel: "trie", plain: ["plain"], sizes: [1] },
  hash: { ...ROWS, stage: hash, name: "hash", kernel: "xxh64-wasm", plain: ["xxh64", "fnv1a"] },
  find: { ...ROWS, ...INDEX, stage: indexFind, name: "index find" },
  insert: { ...ROWS, ...INDEX, stage: indexInsert, name: "index insert" },
  append: { ...ROWS, ...BOTH, stage: append, name: "admit, append" },
  encode: { ...ROWS, stage: encode, name: "encode samples", kernel: "ref-wasm", plain: ["ref"] },
  "encode-new": {
    ...ROWS,
    stage: encodeNew,
    name: "encode new",
    kernel: "ref-wasm",
    plain: ["ref"],
  },
  frame: { ...ROWS, ...BOTH, stage: frame, name: "frame" },
  crc32c: {
    ...BOTH,
    stage: crc,
    name: "crc32c",
    per: "byte",
    sizes: [64, 256, 1024, 4096, 65_536],
  },
};

/** One stage of the way in at a time: its kernel, and plain TypeScript on the same rows. */
export const stages: Work = {
  about:
    "one stage alone, warm, by its kernel and by plain TypeScript on the same batches of 1,000 rows, in calls of 1, 64 and 1,000; " +
    "both must come to the same bytes, refs or sums; keys are encoded by the trie, which has no kernel, and by its plain sibling; crc32c is by the call, and goes to its kernel where that pays",
  durability: "nothing is kept",
  tasks: () =>
    Object.entries(STAGES).flatMap(([id, { kernel, plain }]) =>
      [kernel, ...plain].map((variant) => ({ id: `${id}:${variant}` })),
    ),
  rows: () => Object.entries(STAGES).flatMap(([id, entry]) => rowsOf(id, entry)),
  missing: (task) => {
    const [id, variant] = task.split(":") as [string, string];
    return STAGES[id]!.stage.missing(variant);
  },
  measure,
};

function rowsOf(id: string, { name, kernel, plain, sizes, per }: Entry): RowSpec[] {
  return plain.flatMap((other) =>
    sizes.map((size): RowSpec => {
      const unit = per === "row" ? `${size} a call` : `${size} bytes`;
      const beside = plain.length > 1 ? ` / ${other}` : "";
      return {
        what: `${name}${beside}, ${unit}`,
        unit: "ns",
        task: `${id}:${kernel}`,
        figure: String(size),
        against: { task: `${id}:${other}`, figure: String(size), ratio: "speedup", name: other },
      };
    }),
  );
}

async function measure(task: string, { sizes, dir }: TurnContext): Promise<Figures> {
  const [id, variant] = task.split(":") as [string, string];
  const { stage, sizes: calls } = STAGES[id]!;
  const open = await stage.open(variant, { sizes, dir });
  const figures: Record<string, number> = { ...open.checks };
  for (const size of calls) figures[String(size)] = await nsPerRow(open, size, sizes.stageMs);
  await open.close();
  return figures;
}
