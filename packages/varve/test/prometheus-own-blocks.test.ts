import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectSame } from "./expect-same.ts";
import { contentOf, freshDir, openStore } from "./helpers.ts";
import { openBlocks } from "./open-blocks.ts";
import { type Server, startPrometheus } from "./prometheus-server.ts";
import { asPrinted, asQueried, dumped, HAS_PROMETHEUS, PROMETHEUS_MISSING } from "./promtool.ts";

/** Scrapes before the snapshot is taken, and how often there is one, in milliseconds. */
const SCRAPES = 8;
const SCRAPE_MS = 250;

const selfScrape = (address: string): string =>
  `global: { scrape_interval: ${SCRAPE_MS}ms, scrape_timeout: ${SCRAPE_MS}ms }
scrape_configs: [{ job_name: self, static_configs: [{ targets: ["${address}"] }] }]
`;

test.skipIf(!HAS_PROMETHEUS)(
  `blocks that Prometheus writes of itself are read as its API and promtool tell them${PROMETHEUS_MISSING}`,
  async () => {
    const server = await startPrometheus({
      config: selfScrape,
      flags: ["--web.enable-admin-api"],
    });
    await untilScraped(server);
    const { name } = (await server.call("admin/tsdb/snapshot", {}, "POST")) as { name: string };
    const snapshot = join(server.dir, "snapshots", name);
    mkdirSync(join(snapshot, "wal")); // promtool wants one.
    const blocks = await openBlocks(snapshot);
    expect(blocks).toHaveLength(1);
    const block = blocks[0]!;

    const dir = freshDir();
    await (await openStore({ dir })).close();
    cpSync(block.dir, join(dir, block.id), { recursive: true });
    const store = await openStore({ dir });
    const ours = await contentOf(store);
    expect(ours.size).toBe(block.seriesCount);
    expect(ours.size).toBeGreaterThan(300);
    expectSame(dumped(snapshot), asPrinted(ours), "what promtool dumps");

    // The server goes on: it is asked for the time of the snapshot.
    const theirs = await server.query('{__name__=~".+"}[1h]', block.maxTime - 1);
    expectSame(theirs, asQueried(ours), "what the API tells");
    const range = { start: "0", end: String(Math.ceil(block.maxTime / 1000)) };
    const jobs = await server.call("label/job/values", range);
    expect(store.labelValues("job")).toEqual(jobs);
    expect(store.labelNames()).toEqual(await server.call("labels", range));
    expect(await store.seriesCount({ __name__: "up" })).toBe(1);

    // It is a block like any other: the store goes on from it.
    const up = [...ours.keys()].find((each) => each.includes('"up"'))!;
    const labels = Object.fromEntries(JSON.parse(up) as [string, string][]);
    store.write(labels, block.maxTime + 1, 0.5);
    await store.cutBlocks();
    expect(await contentOf(store, labels)).toEqual(
      new Map([[up, [...ours.get(up)!, [block.maxTime + 1, "3fe0000000000000"]]]]),
    );
  },
  60_000,
);

/** Resolves when the server has scraped itself often enough. */
async function untilScraped(server: Server): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const up = await server.query("up[1h]", Date.now());
    const [samples = []] = up.values();
    if (samples.length >= SCRAPES) return;
    if (Date.now() > deadline) throw new Error(`no scrapes in time:\n${server.log()}`);
    await new Promise((resolve) => setTimeout(resolve, SCRAPE_MS));
  }
}
