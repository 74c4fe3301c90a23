import { Listr, ListrLogger, ProcessOutput } from "listr2";
import type { CellEvent } from "../cell/run-cells.ts";
import { duration, rate } from "./format.ts";

/** Runs `work` and shows how far it is, on stderr: a live line on a terminal, one plain line a step elsewhere. */
export async function withProgress<T>(
  title: string,
  work: (onEvent: (event: CellEvent) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) {
    return work((event) => {
      if (event.kind === "end") process.stderr.write(`${endLine(event)}${leftText(event)}\n`);
    });
  }
  let answer: T | undefined;
  const list = new Listr(
    [
      {
        title,
        task: async (_, task) => {
          answer = await work((event) => {
            if (event.kind === "end") task.output = endLine(event);
            else task.title = `${title}: ${event.spec.id}${leftText(event)}`;
          });
          task.title = title;
        },
      },
    ],
    {
      // Ctrl-C is ours: the default handler would leave with nothing printed.
      registerSignalListeners: false,
      renderer: "default",
      rendererOptions: {
        logger: new ListrLogger({
          processOutput: new ProcessOutput(process.stderr, process.stderr),
        }),
      },
    },
  );
  await list.run();
  return answer as T;
}

function endLine({ done, total, spec, repeat, result }: CellEvent): string {
  const place = `[${String(done).padStart(String(total).length)}/${total}]`;
  return `${place} ${spec.id}, repeat ${repeat + 1}: ${outcome(result)}`;
}

function outcome(result: CellEvent["result"]): string {
  if (result === undefined) return "interrupted";
  if (result.status === "ok") return result.rate === null ? "ok" : rate(result.rate.median);
  return `${result.status}, ${result.reasons[0] ?? "no reason"}`;
}

function leftText({ kind, leftMs, result }: CellEvent): string {
  const isOver = leftMs === null || leftMs === 0 || (kind === "end" && result === undefined);
  return isOver ? "" : `, about ${duration(leftMs)} left`;
}
