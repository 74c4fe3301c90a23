/**
 * Makes the golden directories of the format that this source writes: `v<version>-<name>/data`, and what it must show in
 * `expected.json`. Without arguments all that are missing; with names just those. One that is there is never made anew:
 * it stands for the files that users have. A format that grew without a new version, because older releases can read it,
 * gets a revision: `--revision b` makes `v1b-<name>`.
 *
 *     node --conditions=@varve/source packages/varve/test/golden/make.ts [--revision LETTER] [--into DIR] [NAME…]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FORMAT_VERSION, open } from "varve";
import { Recorder } from "./content.ts";
import { type GoldenStore, goldenStores } from "./stores.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    into: { type: "string", default: import.meta.dirname },
    revision: { type: "string", default: "" },
    victim: { type: "boolean", default: false },
  },
});
const { into, revision, victim } = values;
const stores = goldenStores();
for (const name of positionals.length > 0 ? positionals : stores.keys()) {
  const golden = stores.get(name);
  if (golden === undefined)
    throw new Error(`no golden store ${name}: ${[...stores.keys()].join()}`);
  const dir = join(into, `v${FORMAT_VERSION}${revision}-${name}`);
  if (victim) await fill(golden, dir);
  else if (existsSync(dir)) console.log(`${dir} is there, and stays as it is`);
  else await make(name, golden, dir);
}

async function make(name: string, golden: GoldenStore, dir: string): Promise<void> {
  mkdirSync(dir);
  if (golden.isKilled === true) {
    const child = fork(
      import.meta.filename,
      ["--victim", "--into", into, "--revision", revision, name],
      {
        execArgv: ["--conditions=@varve/source"],
      },
    );
    const [, signal] = (await once(child, "exit")) as [unknown, string | null];
    if (signal !== "SIGKILL") throw new Error(`${name} ends by SIGKILL, got ${signal}`);
  } else {
    await fill(golden, dir);
  }
  const data = join(dir, "data");
  // They belong to the process that wrote; an empty directory is not kept in a repository.
  for (const file of readdirSync(data)) if (file.startsWith("LOCK")) rmSync(join(data, file));
  rmSync(join(data, "index.lmdb", "lock.mdb"), { force: true });
  removeEmpty(data);
  console.log(`${dir} is made`);
}

async function fill(golden: GoldenStore, dir: string): Promise<void> {
  const recorder = new Recorder();
  const { openings, plan, isKilled = false } = golden;
  for (const [i, opening] of openings.entries()) {
    const store = await open({
      dir: join(dir, "data"),
      plan,
      memoryBytesMax: 64 * 2 ** 20,
      maintainEveryMs: 0,
      hashSeed: { high: 0x01234567, low: 0x89abcdef },
    });
    await opening(store, recorder);
    if (i === openings.length - 1) {
      await store.flush();
      writeFileSync(join(dir, "expected.json"), recorder.text(plan));
      if (isKilled) process.kill(process.pid, "SIGKILL");
    }
    await store.close();
  }
}

function removeEmpty(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(dir, entry.name);
    removeEmpty(path);
    if (readdirSync(path).length === 0) rmdirSync(path);
  }
}
