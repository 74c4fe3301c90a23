import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { goSeconds } from "../peers/go-duration.ts";

/** Longest wait for a server to have replayed its log, in milliseconds. */
const READY_MS = 600_000;
/** Time between two looks whether it has, in milliseconds. */
const LOOK_MS = 50;

/** Why Prometheus cannot be run here; null when it can. */
export function missingPrometheus(): string | null {
  const { error } = spawnSync("prometheus", ["--version"], { stdio: "ignore" });
  if (error === undefined) return null;
  return "there is no prometheus here; install it (Debian: apt-get install prometheus)";
}

/** What a server was found to hold. */
export interface Held {
  readonly series: number;
  readonly samples: number;
  readonly values: number;
}

/** A server over a data directory, which ends when it is disposed of, when the signal is aborted, and with this process. */
export class Prometheus implements AsyncDisposable {
  readonly #server: ChildProcess;
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #kill = (): void => void this.#server.kill("SIGKILL");
  readonly #ended: Promise<string>;
  #hasEnded = false;
  #log = "";

  private constructor(home: string, data: string, address: string, signal: AbortSignal) {
    this.#url = `http://${address}`;
    this.#signal = signal;
    const config = join(home, "prometheus.yml");
    writeFileSync(config, "global: {}\n");
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      "--storage.tsdb.retention.time=100y",
      "--query.max-samples=2000000000",
      "--query.timeout=10m",
      `--web.listen-address=${address}`,
    ];
    // Ctrl-C is for this process alone: it decides what ends.
    const stdio = ["ignore", "ignore", "pipe"] as const;
    this.#server = spawn("prometheus", flags, { stdio: [...stdio], detached: true });
    this.#server.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    this.#ended = new Promise((resolve) => {
      this.#server.once("error", (error) => resolve(error.message));
      this.#server.once("close", (code, name) => resolve(`ended by ${name ?? `code ${code}`}`));
    }).then((reason) => {
      this.#hasEnded = true;
      return String(reason);
    });
    signal.addEventListener("abort", this.#kill);
    process.on("exit", this.#kill);
    if (signal.aborted) this.#kill();
  }

  /** Starts a server, and resolves once it has replayed the log that lies in `data`. */
  static async start(home: string, data: string, signal: AbortSignal): Promise<Prometheus> {
    const server = new Prometheus(home, data, `127.0.0.1:${await freePort()}`, signal);
    try {
      await server.#waitUntilReady();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** How long the replay took, as it logged. */
  get replaySeconds(): number {
    const said = /WAL replay completed.*total_replay_duration=(\S+)/.exec(this.#log)?.[1];
    const seconds = said === undefined ? Number.NaN : goSeconds(said);
    if (seconds > 0) return seconds;
    throw new Error("prometheus: it did not log how long its replay took");
  }

  /** What there is up to a time, over the two hours before: the sum over metrics of these names. */
  async held(until: number, metrics: readonly string[]): Promise<Held> {
    const status = (await this.#call("status/tsdb")) as { headStats: { numSeries: number } };
    let [samples, values] = [0, 0];
    for (const name of metrics) {
      // One by one: the functions take the name away, and series that differ in nothing else are refused.
      samples += await this.#number(`sum(count_over_time(${name}[2h]))`, until);
      values += await this.#number(`sum(sum_over_time(${name}[2h]))`, until);
    }
    return { series: status.headStats.numSeries, samples, values };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#ended;
    this.#signal.removeEventListener("abort", this.#kill);
    process.off("exit", this.#kill);
  }

  async #number(query: string, until: number): Promise<number> {
    const params = new URLSearchParams({ query, time: (until / 1000).toFixed(3) });
    const { result } = (await this.#call(`query?${params.toString()}`)) as {
      result: readonly { value: readonly [number, string] }[];
    };
    return Number(result[0]?.value[1] ?? 0);
  }

  async #call(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/v1/${path}`, { signal: this.#signal });
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status === "success") return answer.data;
    throw new Error(`prometheus: ${path}: ${answer.error ?? answer.status}`);
  }

  async #waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const isReady = await fetch(`${this.#url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      );
      this.#signal.throwIfAborted();
      if (isReady) return;
      if (this.#hasEnded) throw new Error(`prometheus: ${await this.#ended}: ${this.#lastLine()}`);
      if (performance.now() > deadline) throw new Error("prometheus: it is not ready in time");
      await sleep(LOOK_MS);
    }
  }

  #lastLine(): string {
    return this.#log.trim().split("\n").at(-1) ?? "";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
