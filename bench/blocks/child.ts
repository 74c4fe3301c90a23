import { measureChurn, measureIdle } from "./churn.ts";
import { measureDecode } from "./decode.ts";
import { makeInput } from "./input.ts";
import { measureSelect } from "./select.ts";
import type { Job } from "./spec.ts";
import { measureWrite } from "./write.ts";

/** Does what a task says. */
function work(job: Job): Promise<unknown> {
  const { task } = job;
  switch (task.kind) {
    case "input":
      return makeInput(job, task.values);
    case "write":
      return measureWrite(job, task.values);
    case "decode":
      return measureDecode(job, task.values);
    case "select":
      return measureSelect(job);
    case "churn":
      return measureChurn(job);
    case "idle":
      return measureIdle(job);
  }
}

/** The process of one task: it is told the job, answers with the result, and ends. */
process.on("SIGINT", () => undefined); // The parent decides.
process.on("disconnect", () => process.exit(1));
process.once("message", (job: Job) => void answer(job));

async function answer(job: Job): Promise<void> {
  const result = await work(job);
  process.removeAllListeners("disconnect");
  process.send!({ kind: "result", result }, () => process.disconnect());
}
