import { Command } from "@commander-js/extra-typings";
import { interruptible } from "../interrupt.ts";
import { print } from "../print/output.ts";
import { placeOf, type Place } from "../store/place.ts";
import { inspectBlock } from "../inspect/block.ts";
import { inspectLogDir } from "../inspect/log.ts";
import type { Inspected } from "../inspect/inspected.ts";
import { inspectStore } from "../inspect/store.ts";
import { inspectText } from "../inspect/text.ts";

/** `inspect PATH`: what lies there. */
export function inspectCommand() {
  return new Command("inspect")
    .description("say what a data directory, a block, a log or one of their files holds")
    .argument("<path>", "a directory or a file")
    .option("--json", "print it as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((path, options) =>
      interruptible(async (signal) => {
        const { value, text } = await inspected(placeOf(path), signal);
        print(options, value, text);
      }),
    );
}

function inspected(place: Place, signal: AbortSignal): Promise<Inspected> {
  switch (place.kind) {
    case "store":
      return inspectStore(place.dir, signal);
    case "block":
      return inspectBlock(place.dir);
    case "log":
      return inspectLogDir(place.dir, place.segment, signal);
    case "text":
      return inspectText(place.file, signal);
  }
}

const EXAMPLES = `
Examples:
  $ varve inspect data
  $ varve inspect data/01HQXW5P7R8ZYFG9K3NGPZ4D2M
  $ varve inspect data/wal/00000003
  $ varve inspect data --json | jq '.blocks[].samples'`;
