import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { open, recommended } from "varve";
import { freshDir, makeStore, start, varve, type Ended } from "./harness.ts";

const COMMANDS = [
  "inspect",
  "verify",
  "repair",
  "dump",
  "import",
  "export-blocks",
  "stats",
  "query",
];
const IS_ROOT = process.getuid?.() === 0;

/** One line on stderr, nothing on stdout, no stack. */
function expectRefusal({ code, stdout, stderr }: Ended, reason: RegExp): void {
  expect(stderr).toMatch(reason);
  expect(stderr).toMatch(/^varve: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
}

test.each(COMMANDS)("shows help of %s with examples", async (command) => {
  const { code, stdout } = await varve(command, "--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}\$ varve /);
  expect(stdout).toContain("--json".slice(0, command === "dump" ? 2 : 6));
});

test("refuses unknown commands and flags, and values that make no sense", async () => {
  expectRefusal(await varve("explode"), /unknown command/);
  expectRefusal(await varve("verify"), /missing required argument/);
  expectRefusal(await varve("verify", "--frobnicate", "x"), /unknown option.*varve verify --help/);
  expectRefusal(await varve("dump", "x", "--format", "xml"), /Allowed choices are/);
  expectRefusal(await varve("dump", "x", "--from", "yesterday"), /milliseconds since 1970/);
  expectRefusal(await varve("stats", "x", "--limit", "0"), /at least 1/);
  expectRefusal(await varve("query", "x", "{"), /<selector>/);
  expectRefusal(await varve("dump", "x", "--match", 'a{b=~"("}'), /--match/);
  expectRefusal(await varve("dump", "x", "--from", "5", "--until", "5"), /holds no time/);
});

test.each(COMMANDS)("%s says in one line that there is nothing", async (command) => {
  const missing = join(freshDir(), "missing");
  const rest: Record<string, string[]> = {
    query: ["up"],
    import: ["data"],
    "export-blocks": ["out"],
  };
  expectRefusal(
    await varve(command, missing, ...(rest[command] ?? [])),
    /missing: there is no such/,
  );
});

test.each(COMMANDS)(
  "%s says in one line that a directory is not ours, and leaves it alone",
  async (command) => {
    const dir = freshDir();
    writeFileSync(join(dir, "thesis.tex"), "years of work");
    const text = join(freshDir(), "a.prom");
    writeFileSync(text, "up 1\n");
    const args: Record<string, string[]> = {
      query: [dir, "up"],
      import: [text, dir],
      "export-blocks": [dir, join(dir, "out")],
    };
    expectRefusal(await varve(command, ...(args[command] ?? [dir])), /not a varve directory/);
  },
);

test("says who holds a store that it would have to write to", async () => {
  const dir = await makeStore();
  const text = join(freshDir(), "a.prom");
  writeFileSync(text, "up 1\n");
  await using _holder = await open({ dir, plan: recommended() });
  const held = new RegExp(`held by process ${process.pid}`);
  expectRefusal(await varve("import", text, dir), held);
  expectRefusal(await varve("repair", dir, "--write"), held);
  expectRefusal(await varve("export-blocks", dir, join(freshDir(), "out")), held);
});

test("reads a store beside its writer", async () => {
  const dir = await makeStore();
  await using _holder = await open({ dir, plan: recommended() });
  for (const args of [
    ["inspect", dir],
    ["verify", dir],
    ["repair", dir],
    ["stats", dir],
    ["query", dir, "cpu"],
  ]) {
    const { code, stderr } = await varve(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  }
});

test.skipIf(IS_ROOT)(
  `says that it has no permission${IS_ROOT ? " (skipped: root has every permission)" : ""}`,
  async () => {
    const dir = await makeStore();
    chmodSync(join(dir, "FORMAT"), 0);
    expectRefusal(await varve("verify", dir), /no permission|EACCES/);
  },
);

test("refuses files where directories are wanted, and the other way round", async () => {
  const dir = freshDir();
  const file = join(dir, "a.prom");
  writeFileSync(file, "up 1\n");
  expectRefusal(await varve("verify", file), /a file; name a data directory/);
  expectRefusal(
    await varve("import", dir, join(dir, "data")),
    /a directory, where a file is wanted/,
  );
  expectRefusal(await varve("import", file, join(dir, "no", "such", "parent")), /./);
});

test("refuses a file whose format nothing tells", async () => {
  const dir = freshDir();
  writeFileSync(join(dir, "a.bin"), "\u0000\u0001\u0002");
  expectRefusal(await varve("import", join(dir, "a.bin"), join(dir, "data")), /--format/);
  expectRefusal(await varve("inspect", join(dir, "a.bin")), /--format/);
});

test("refuses to overwrite what is there", async () => {
  const dir = await makeStore();
  const out = join(freshDir(), "out");
  mkdirSync(out);
  expectRefusal(await varve("export-blocks", dir, out), /is there already/);
  writeFileSync(join(out, "a.csv"), "mine");
  expectRefusal(await varve("dump", dir, "--output", join(out, "a.csv")), /EEXIST|there already/);
});

test.each([
  ["while it reads", 50_000],
  ["while it waits for more", 10],
])(
  "ends with 130 at Ctrl-C %s, closes the store, and keeps what was imported",
  async (_, lines) => {
    const dir = join(freshDir(), "data");
    const { child, ended } = start("import", "-", dir, "--format", "prometheus");
    const line = (i: number): string => `up{job="a"} ${i} ${1_700_000_000_000 + i}\n`;
    child.stdin!.on("error", () => undefined); // It ends before it has read all.
    child.stdin!.write(Array.from({ length: lines }, (_each, i) => line(i)).join(""));
    await expect
      .poll(async () => (await varve("stats", dir, "--json")).stdout, { timeout: 20_000 })
      .toContain('"series": 1');
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect((await varve("verify", dir)).code).toBe(0);
    expect((await varve("dump", dir)).stdout.startsWith(line(0) + line(1))).toBe(true);
  },
  30_000,
);

test("ends with 130 at Ctrl-C before there is anything to read", async () => {
  const stdin = new PassThrough();
  vi.spyOn(process, "stdin", "get").mockReturnValue(stdin as never);
  onTestFinished(() => void vi.restoreAllMocks());
  const ended = varve("import", "-", join(freshDir(), "data"), "--format", "prometheus");
  await expect.poll(() => stdin.listenerCount("readable")).toBeGreaterThan(0);
  process.listeners("SIGINT").at(-1)!("SIGINT");
  expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
});

test("ends without a word when its reader has seen enough", async () => {
  const dir = await makeStore();
  const { child, ended } = start("dump", dir);
  child.stdout!.destroy();
  expect((await ended).stderr).toBe("");
});
