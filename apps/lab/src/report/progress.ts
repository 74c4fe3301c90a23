import { Listr, ListrLogger, ProcessOutput } from "listr2";
import type { CellStatus } from "../cell/result.ts";
import type { TurnEvent } from "../cell/turns.ts";
import { duration, rate } from "./format.ts";

/** What is shown of a cell of any sort. */
type ShownEvent = TurnEvent<
  { readonly id: string },
  {
    readonly status: CellStatus;
    readonly reasons: readonly string[];
    readonly rate: { readonly median: number } | null;
  }
>;

/** Runs `work` and shows how far it is, on stderr: a live line on a terminal, one plain line a step elsewhere. */
export async function withProgress<T>(
  title: string,
  work: (onEvent: (event: ShownEvent) => void) => Promise<T>,
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

function endLine({ done, total, spec, repeat, result }: ShownEvent): string {
  const place = `[${String(done).padStart(String(total).length)}/${total}]`;
  return `${place} ${spec.id}, repeat ${repeat + 1}: ${outcome(result)}`;
}

function outcome(result: ShownEvent["result"]): string {
  if (result === undefined) return "interrupted";
  if (result.status === "ok") return result.rate === null ? "ok" : rate(result.rate.median);
  return `${result.status}, ${result.reasons[0] ?? "no reason"}`;
}

function leftText({ kind, leftMs, result }: ShownEvent): string {
  const isOver = leftMs === null || leftMs === 0 || (kind === "end" && result === undefined);
  return isOver ? "" : `, about ${duration(leftMs)} left`;
}
