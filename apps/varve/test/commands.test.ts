import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { freshDir, makeStore, START, varve } from "./harness.ts";

const HAS_PROMTOOL = spawnSync("promtool", ["--version"]).status === 0;

/** Changes one byte of a file. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 0x40;
  writeFileSync(path, bytes);
}

function blockOf(dir: string): string {
  return join(
    dir,
    readdirSync(dir).find((name) => /^[0-9A-Z]{26}$/.test(name))!,
  );
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await varve(...args, "--json")).stdout) as Record<string, unknown>;
}

/** Every file below a directory, with its size and time of change. */
function stateOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      return `${path} ${size} ${mtimeMs}`;
    })
    .sort();
}

test("a dump reads back as the same samples, in every format, and old ones too", async () => {
  const dir = freshDir();
  const day = 86_400_000;
  const lines = ["series,time,value"];
  for (const host of ["a", "b", 'é,"😀']) {
    for (let i = 0; i < 700; i += 1) {
      const series = `cpu{host=${JSON.stringify(host)}}`.replaceAll('"', '""');
      lines.push(
        `"${series}",${START + i * (day / 100)},${i % 50 === 7 ? "0x7ff0000000000002" : Math.sin(i)}`,
      );
    }
  }
  writeFileSync(join(dir, "in.csv"), `${lines.join("\n")}\n`);
  const report = await json("import", join(dir, "in.csv"), join(dir, "data"));
  expect(report).toMatchObject({ accepted: 2100, refused: {}, bad: 0, format: "csv" });
  const first = (await varve("dump", join(dir, "data"), "--format", "csv")).stdout;
  expect(first.trim().split("\n").toSorted()).toEqual(lines.toSorted());
  for (const format of ["jsonl", "csv"]) {
    const file = join(dir, `out.${format}`);
    expect(
      (await varve("dump", join(dir, "data"), "--format", format, "--output", file)).code,
    ).toBe(0);
    expect((await varve("import", file, join(dir, format))).code).toBe(0);
    expect((await varve("dump", join(dir, format), "--format", "csv")).stdout).toBe(first);
  }
  expect((await varve("verify", join(dir, "data"))).code).toBe(0);
  // Samples that are there already are taken for late ones, and merged away when they are read.
  const again = await json("import", join(dir, "in.csv"), join(dir, "data"));
  expect(again).toMatchObject({ samples: 2100, refused: {} });
  expect((await varve("dump", join(dir, "data"), "--format", "csv")).stdout).toBe(first);
}, 60_000);

test("names file, line and column of a malformed line, and keeps what came before it", async () => {
  const dir = freshDir();
  const file = join(dir, "a.prom");
  writeFileSync(file, "up 1 1\nup two 2\nup 3 3\n");
  const { code, stderr } = await varve("import", file, join(dir, "data"));
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^varve: [^\n]*a\.prom:2:4: expected a value, got "two"; 1 samples before it[^\n]*\n$/,
  );
  expect((await varve("dump", join(dir, "data"))).stdout).toBe("up 1 1\n");
  const skipped = await varve("import", file, join(dir, "data"), "--skip-bad", "--json");
  expect(skipped.code).toBe(0);
  expect(skipped.stderr).toContain("a.prom:2:4: expected a value");
  expect(JSON.parse(skipped.stdout)).toMatchObject({ accepted: 1, repeated: 1, bad: 1 });
});

test("tells which samples the store refused, and fails for them", async () => {
  const dir = freshDir();
  const file = join(dir, "a.jsonl");
  const line = (value: number): string =>
    `{"labels":{"__name__":"up"},"time":1,"value":${value}}\n`;
  writeFileSync(file, line(1) + line(2));
  const { code, stdout, stderr } = await varve("import", file, join(dir, "data"), "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, refused: { CONFLICT: 1 } });
  expect(stderr).toContain("a.jsonl:2: the series has another value");
  expect((await varve("import", file, join(dir, "data"), "--skip-bad")).code).toBe(0);
});

test("unpacks files, gives timeless samples a time, and says that a packed file is damaged", async () => {
  const dir = freshDir();
  const packed = gzipSync("up 1\ndown 0\n");
  writeFileSync(join(dir, "a.prom.gz"), packed);
  expect(
    (await varve("import", join(dir, "a.prom.gz"), join(dir, "data"), "--time", "77")).code,
  ).toBe(0);
  expect((await varve("dump", join(dir, "data"))).stdout).toBe("down 0 77\nup 1 77\n");
  writeFileSync(join(dir, "b.prom.gz"), packed.subarray(0, 20));
  const { code, stderr } = await varve("import", join(dir, "b.prom.gz"), join(dir, "data"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^varve: [^\n]*b\.prom\.gz: cannot be unpacked[^\n]*\n$/);
});

test("dumps what is asked for", async () => {
  const dir = await makeStore();
  const from = String(START + 1000);
  const until = String(START + 3000);
  const { stdout } = await varve(
    "dump",
    dir,
    "--match",
    'cpu{host=~"b|c"}',
    "--from",
    from,
    "--until",
    until,
  );
  expect(stdout).toBe(
    ["b", "c"]
      .flatMap((host) => [1, 2].map((i) => `cpu{host="${host}"} ${i} ${START + i * 1000}\n`))
      .join(""),
  );
});

test("queries with a table and a plot, or all samples as JSON, within bounds", async () => {
  const dir = await makeStore({ cut: true });
  const { code, stdout } = await varve("query", dir, 'cpu{host!="c"}');
  expect(code).toBe(0);
  expect(stdout).toContain('cpu{host="b"}      500');
  expect(stdout).toMatch(/499 ┤/);
  expect((await varve("query", dir, "cpu", "--no-plot")).stdout).not.toContain("┤");
  expect((await varve("query", dir, "nothing")).stdout).toBe("no series\n");
  const { series } = await json("query", dir, 'cpu{host="b"}', "--until", String(START + 2000));
  expect(series).toMatchObject([
    {
      labels: { __name__: "cpu", host: "b" },
      points: [
        [START, 0],
        [START + 1000, 1],
      ],
    },
  ]);
  const bounded = await varve("query", dir, "cpu", "--max-series", "2");
  expect(bounded).toMatchObject({ code: 2, stdout: "" });
  expect(bounded.stderr).toMatch(/^varve: [^\n]+\n$/);
});

test("counts series by metric, label and value", async () => {
  const dir = await makeStore({ cut: true });
  expect(await json("stats", dir)).toMatchObject({
    series: 3,
    samples: 1510,
    metrics: [{ name: "cpu", count: 3 }],
    labelValues: [
      { name: "host", count: 3 },
      { name: "__name__", count: 1 },
    ],
  });
  expect((await varve("stats", dir)).stdout).toContain('host="a"');
});

test("inspects stores, blocks, logs, segments and text files", async () => {
  const dir = await makeStore({ cut: true });
  const block = blockOf(dir);
  expect(await json("inspect", dir)).toMatchObject({
    kind: "store",
    blocks: [{ id: basename(block), series: 3, samples: 1500 }],
    log: { opens: true, isClosed: true },
  });
  const wanted = {
    kind: "block",
    series: 3,
    samples: 1500,
    labels: [
      { name: "__name__", values: 1 },
      { name: "host", values: 3 },
    ],
  };
  for (const path of [block, join(block, "index"), join(block, "chunks", "000001")]) {
    expect(await json("inspect", path)).toMatchObject(wanted);
  }
  expect(await json("inspect", join(dir, "wal"))).toMatchObject({ kind: "log", opens: true });
  const segment = readdirSync(join(dir, "wal")).find((name) => /^\d{8}$/.test(name))!;
  expect(await json("inspect", join(dir, "wal", segment))).toMatchObject({ kind: "segment" });
  const text = new URL("../../../packages/workload/data/node-exporter.prom", import.meta.url);
  expect(await json("inspect", text.pathname)).toMatchObject({
    format: "prometheus",
    samples: 507,
    bad: 0,
  });
  for (const path of [dir, block, join(dir, "wal"), text.pathname]) {
    expect((await varve("inspect", path)).stdout).toMatch(/^\w+ +\S/);
  }
});

test("verifies a sound store without changing it", async () => {
  const dir = await makeStore({ cut: true });
  const before = stateOf(dir);
  const { code, stdout } = await varve("verify", dir);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: /: clean\n$/ });
  expect((await varve("repair", dir)).stdout).toContain("nothing to repair");
  expect(stateOf(dir)).toEqual(before);
});

const DAMAGES: [name: string, place: string, damage: (dir: string) => void][] = [
  ["a flipped bit in a block's index", "blocks", (dir) => flip(join(blockOf(dir), "index"), 20)],
  ["a flipped bit in a block's series", "blocks", (dir) => flip(join(blockOf(dir), "index"), 116)],
  ["a flipped bit in a chunk", "blocks", (dir) => flip(join(blockOf(dir), "chunks/000001"), 40)],
  ["a chunk file that is cut", "blocks", (dir) => truncateSync(join(blockOf(dir), "chunks/000001"), 60)],
  ["a block without samples in its meta.json", "blocks", (dir) => {
    const path = join(blockOf(dir), "meta.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"numSamples": 1500', '"numSamples": 1499'));
  }],
]; // prettier-ignore

test.each(DAMAGES)("finds %s, and sets it aside only when told to", async (_, place, damage) => {
  const dir = await makeStore({ cut: true, compact: true });
  const block = basename(blockOf(dir));
  damage(dir);
  const before = stateOf(dir);
  const found = await varve("verify", dir, "--json");
  expect(found.code).toBe(1);
  const report = JSON.parse(found.stdout) as {
    verdict: string;
    places: { place: string; state: string }[];
  };
  expect(report.verdict).toBe("damage");
  expect(report.places.find((each) => each.place === place)).toMatchObject({ state: "damage" });
  const dry = await varve("repair", dir);
  expect(dry).toMatchObject({ code: 1, stderr: "" });
  expect(dry.stdout).toContain(`would  move block ${block}`);
  expect(stateOf(dir)).toEqual(before);
  expect(await varve("repair", dir, "--write")).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(join(dir, "quarantine"))).toEqual([`block-${block}`]);
  expect((await varve("verify", dir)).code).toBe(0);
  expect((await varve("stats", dir, "--json")).stdout).toContain('"samples": 10');
});

test("finds damage in the log, and repairs it", async () => {
  const dir = await makeStore();
  const segment = join(
    dir,
    "wal",
    readdirSync(join(dir, "wal")).find((name) => /^\d{8}$/.test(name))!,
  );
  flip(segment, 2000);
  const report = await json("verify", dir);
  expect(report).toMatchObject({
    verdict: "damage",
    places: [{}, { place: "log", state: "damage" }, {}, { state: "unchecked" }],
  });
  expect((await varve("repair", dir)).code).toBe(1);
  expect(await varve("repair", dir, "--write")).toMatchObject({ code: 0 });
  expect((await varve("verify", dir)).code).toBe(0);
  expect(readdirSync(join(dir, "quarantine")).length).toBeGreaterThan(0);
});

test("cannot tell about a store of another version", async () => {
  const dir = await makeStore();
  const path = join(dir, "FORMAT");
  writeFileSync(path, readFileSync(path, "utf8").replace("varve 1", "varve 99"));
  expect(await varve("verify", dir)).toMatchObject({ code: 2, stdout: /version 99.*cannot tell/s });
});

test("exports blocks that hold everything, and leaves the store as it was", async () => {
  const dir = await makeStore({ cut: true });
  const out = join(freshDir(), "out");
  const { blocks } = await json("export-blocks", dir, out);
  expect(readdirSync(out).toSorted()).toEqual(blocks);
  let samples = 0;
  for (const block of blocks as string[])
    samples += Number((await json("inspect", join(out, block)))["samples"]);
  expect(samples).toBe(1510);
  expect((await varve("verify", dir)).code).toBe(0);
  if (!HAS_PROMTOOL) return;
  const listed = spawnSync("promtool", ["tsdb", "list", out], { encoding: "utf8" });
  for (const block of blocks as string[]) expect(listed.stdout).toContain(block);
});
