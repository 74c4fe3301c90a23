import type { FromTurn, TurnSpec } from "./turn.ts";
import { WORKS } from "./works.ts";

/** The process of one turn: is told what to do, answers, and is ended by the parent. Ctrl-C is for the parent. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (spec: TurnSpec) => {
  void answerTo(spec).then((answer) => process.send!(answer));
});

async function answerTo({ work, task, ...given }: TurnSpec): Promise<FromTurn> {
  try {
    const { signal } = new AbortController(); // The parent ends this process.
    return { kind: "done", figures: await WORKS[work].measure(task, { ...given, signal }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason: reason.trim().split("\n")[0]! };
  }
}
