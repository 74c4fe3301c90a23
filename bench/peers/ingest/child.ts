import { measureTurn } from "./measure.ts";
import { openIngestStore } from "./store.ts";
import type { FromTurn, TurnSpec } from "./turn.ts";

/** The process of one turn: is told what to do, answers, and is ended by the parent. Ctrl-C is for the parent. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (spec: TurnSpec) => {
  void answerTo(spec).then((answer) => process.send!(answer));
});

async function answerTo(spec: TurnSpec): Promise<FromTurn> {
  try {
    return { kind: "done", report: await measureTurn(spec, openIngestStore) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason: reason.trim().split("\n")[0]! };
  }
}
