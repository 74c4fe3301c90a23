import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Content, nameOf } from "./helpers.ts";
import { printedBits } from "./promtool.ts";

/** How to start a server. */
export interface ServerOptions {
  /** What it starts on, a copy of it. Default: nothing. */
  readonly data?: string;
  /** Its configuration, given its own address. Default: it scrapes nothing. */
  readonly config?: (address: string) => string;
  readonly flags?: readonly string[];
}

/** A server of Prometheus, which goes with the test. */
export interface Server {
  /** Its data directory. */
  readonly dir: string;
  /** Calls the HTTP API, and answers the `data` of its answer. */
  call(path: string, params?: Readonly<Record<string, string>>, method?: string): Promise<unknown>;
  /** Samples that an instant query of a selector with a range gives, at a time in milliseconds. */
  query(selector: string, time: number): Promise<Content>;
  /** What a query gives from one time to another in steps, all in milliseconds. */
  queryRange(query: string, from: number, until: number, step: number): Promise<Content>;
  /** What it has logged so far. */
  log(): string;
}

/** Longest wait for the server to come up, in milliseconds. */
const READY_MS = 30_000;

/** Starts Prometheus on a copy, which keeps everything and merges nothing. */
export async function startPrometheus(options: ServerOptions = {}): Promise<Server> {
  const { data, config = () => "global: {}\n", flags = [] } = options;
  const home = mkdtempSync(join(tmpdir(), "varve-prometheus-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const dir = join(home, "data");
  if (data === undefined) mkdirSync(dir);
  else cpSync(data, dir, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(home, "prometheus.yml"), config(address));
  const server = spawn("prometheus", [
    `--config.file=${join(home, "prometheus.yml")}`,
    `--storage.tsdb.path=${dir}`,
    "--storage.tsdb.retention.time=100y",
    "--storage.tsdb.min-block-duration=2h",
    "--storage.tsdb.max-block-duration=2h",
    `--web.listen-address=${address}`,
    ...flags,
  ]);
  let log = "";
  server.stderr.on("data", (text: Buffer) => (log += text.toString()));
  // Hooks run last to first: it is gone before its directory goes.
  onTestFinished(async () => {
    const exited = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill("SIGKILL")) await exited;
  });
  await waitUntilReady(address, () => log);
  return new Client(dir, `http://${address}`, () => log);
}

class Client implements Server {
  readonly dir: string;
  readonly log: () => string;
  readonly #url: string;

  constructor(dir: string, url: string, log: () => string) {
    this.dir = dir;
    this.#url = url;
    this.log = log;
  }

  async call(
    path: string,
    params: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<unknown> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(params).toString()}`;
    const response = await fetch(url, { method });
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== "success") throw new Error(`${url}: ${answer.error}`);
    return answer.data;
  }

  async query(selector: string, time: number): Promise<Content> {
    return contentOfMatrix(await this.call("query", { query: selector, time: seconds(time) }));
  }

  async queryRange(query: string, from: number, until: number, step: number): Promise<Content> {
    const range = { start: seconds(from), end: seconds(until), step: seconds(step) };
    return contentOfMatrix(await this.call("query_range", { query, ...range }));
  }
}

interface Matrix {
  readonly resultType: string;
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [seconds: number, value: string])[];
  }[];
}

function contentOfMatrix(data: unknown): Content {
  const { resultType, result } = data as Matrix;
  if (resultType !== "matrix") throw new Error(`ranges of samples, got a ${resultType}`);
  return new Map(
    result.map(({ metric, values }) => [
      nameOf(metric),
      values.map(([time, value]) => [Math.round(time * 1000), printedBits(value)]),
    ]),
  );
}

/** Times travel as decimal seconds. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

async function waitUntilReady(address: string, log: () => string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const isReady = await fetch(`http://${address}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    if (Date.now() > deadline) throw new Error(`Prometheus is not ready in time:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
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
