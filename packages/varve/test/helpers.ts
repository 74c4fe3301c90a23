import type { Disk, Labels, Plan } from "@varve/contracts";
import {
  open,
  recommended,
  type Engine,
  type EngineOptions,
  type Matchers,
  type QueryOptions,
} from "varve";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A fresh directory that goes when the test ends. */
export function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "varve-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "data");
}

/** Opens a store with little memory, and closes it when the test ends. */
export async function openStore(
  options: Partial<EngineOptions> & { dir: string },
): Promise<Engine> {
  const engine = await open({ plan: recommended(), memoryBytesMax: 64 * 2 ** 20, ...options });
  onTestFinished(() => engine.close().catch(() => undefined));
  return engine;
}

/** Opens a store on a disk of a test's own, where nothing happens but what the test does. The test closes it. */
export function openOn(
  disk: Disk,
  plan: Plan,
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  return open({
    dir: "/data",
    disk,
    plan,
    memoryBytesMax: 16 * 2 ** 20,
    maintainEveryMs: 0,
    closeDelayMs: 1e6,
    prefaultBytes: 0,
    ...options,
  });
}

/** What a store holds: samples by label set, values as the text of their bits. */
export type Content = Map<string, [time: number, bits: string][]>;

/** Reads everything that matches, in the order in which it comes. */
export async function contentOf(
  engine: Engine,
  matchers: Matchers = {},
  options: QueryOptions = {},
): Promise<Content> {
  const content: Content = new Map();
  for await (const { labels, times, values } of engine.select(matchers, options)) {
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    content.set(
      nameOf(labels),
      Array.from(times, (time, i) => [time, bits[i]!.toString(16)]),
    );
  }
  return content;
}

/** A label set as text, whatever the order of its names. */
export function nameOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The text of a double's bits. */
export function bitsOf(value: number): string {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!.toString(16);
}

/** A plan with some slots replaced. */
export function planWith(change: Partial<Plan>): Plan {
  return { ...recommended(), ...change };
}
