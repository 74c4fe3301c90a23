import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { nodeDisk } from "../src/node.ts";
import { diskPromises, expectFailure } from "./promises.ts";

const dirs: string[] = [];

function temporary(): string {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "varve-disk-"));
  dirs.push(dir);
  return dir;
}

afterEach(() => {
  for (const dir of dirs.splice(0)) fs.rmSync(dir, { recursive: true, force: true });
});

const NODE = new URL("../src/node.ts", import.meta.url).href;
const CONDITIONS = "--conditions=@varve/source";

/** A program that takes the lock, says so, and waits. */
const holder = (path: string): string => `
  const { nodeDisk } = await import(${JSON.stringify(NODE)});
  nodeDisk().lock(${JSON.stringify(path)});
  console.log("locked");
  setInterval(() => {}, 1000);
`;

async function startHolder(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CONDITIONS, "--input-type=module", "-e", holder(path)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout!, "data");
  return child;
}

/** Starts a process that takes the lock without writing who it is, and ends after a time. */
async function startNameless(path: string, ms: number): Promise<ChildProcess> {
  const program = `
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    const connection = new DatabaseSync(${JSON.stringify(path)});
    connection.exec("BEGIN EXCLUSIVE");
    console.log("locked");
    setTimeout(() => connection.close(), ${ms});
  `;
  const child = spawn(process.execPath, ["--no-warnings", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout!, "data");
  return child;
}

describe("the real disk", () => {
  diskPromises(() => ({ disk: nodeDisk(), dir: temporary() }));

  test("makes files and directories that only their owner can read", () => {
    const [disk, dir] = [nodeDisk(), temporary()];
    disk.close(disk.open(`${dir}/f`, "create"));
    disk.makeDirectory(`${dir}/d`);
    disk.lock(`${dir}/LOCK`).release();
    const modeOf = (name: string): number => fs.statSync(`${dir}/${name}`).mode & 0o777;
    expect([modeOf("f"), modeOf("d"), modeOf("LOCK")]).toEqual([0o600, 0o700, 0o600]);
  });

  test("follows no symbolic link, neither to a file nor to a directory nor to a lock", () => {
    const [disk, dir] = [nodeDisk(), temporary()];
    fs.writeFileSync(`${dir}/real`, "x");
    fs.mkdirSync(`${dir}/directory`);
    fs.symlinkSync(`${dir}/real`, `${dir}/link`);
    fs.symlinkSync(`${dir}/directory`, `${dir}/linked`);
    fs.symlinkSync(`${dir}/nowhere`, `${dir}/dangling`);
    for (const mode of ["read", "update"] as const) {
      expectFailure(() => disk.open(`${dir}/link`, mode), "DISK", { errno: "ELOOP" });
    }
    expectFailure(() => disk.open(`${dir}/dangling`, "create"), "DISK", { errno: "EEXIST" });
    expectFailure(() => disk.makeDirectory(`${dir}/linked`), "DISK", { errno: "EEXIST" });
    expectFailure(() => disk.lock(`${dir}/link`), "DISK", { operation: "lock" });
    expectFailure(() => disk.link(`${dir}/link`, `${dir}/x`), "DISK", { errno: "ELOOP" });
    expectFailure(() => disk.list(`${dir}/linked`), "DISK", { errno: "ELOOP" });
    expect(disk.kind(`${dir}/link`)).toBe("other");
    expect(fs.existsSync(`${dir}/nowhere`)).toBe(false);
  });

  test.skipIf(!fs.existsSync("/dev/full"))("says STORAGE_FULL when the disk is full", () => {
    const disk = nodeDisk();
    const fd = disk.open("/dev/full", "update");
    const facts = { errno: "ENOSPC", path: "/dev/full", operation: "write" };
    expectFailure(() => disk.write(fd, new Uint8Array(10), 0, 10, 0), "STORAGE_FULL", facts);
    disk.close(fd);
  });

  test("says SYNC_UNSUPPORTED under the Permission Model, whatever it grants", () => {
    const dir = temporary();
    const program = `
      const { nodeDisk } = await import(${JSON.stringify(NODE)});
      const disk = nodeDisk();
      const fd = disk.open(${JSON.stringify(`${dir}/f`)}, "create");
      const codes = [];
      const attempt = async (action) => { try { await action(); codes.push("ok"); } catch (error) { codes.push(error.code); } };
      await attempt(() => disk.datasync(fd));
      await attempt(() => disk.datasyncAsync(fd));
      await attempt(() => disk.syncDirectory(${JSON.stringify(dir)}));
      await attempt(() => disk.syncDirectoryAsync(${JSON.stringify(dir)}));
      await attempt(() => disk.open("/etc/none", "update"));
      console.log(codes.join(" "));
    `;
    const args = ["--permission", "--allow-fs-read=*", `--allow-fs-write=${dir}`];
    const run = spawnSync(process.execPath, [
      CONDITIONS,
      ...args,
      "--input-type=module",
      "-e",
      program,
    ]);
    const answers = Array.from({ length: 4 }, () => "SYNC_UNSUPPORTED").join(" ");
    expect(run.stdout.toString().trim(), run.stderr.toString()).toBe(`${answers} DISK`);
  });

  test("says who holds the lock of another process, and takes it at once when that is killed", async () => {
    const [disk, path] = [nodeDisk(), `${temporary()}/LOCK`];
    const child = await startHolder(path);
    expectFailure(() => disk.lock(path), "LOCKED", { path, pid: child.pid, host: os.hostname() });
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    expect(fs.existsSync(`${path}.info`)).toBe(true); // Stale, which must not matter.
    disk.lock(path).release();
    expect(fs.existsSync(`${path}.info`)).toBe(false);
  });

  test("waits for a holder that does not say who it is, and takes the lock when that one goes", async () => {
    const [disk, path] = [nodeDisk(), `${temporary()}/LOCK`];
    const child = await startNameless(path, 50);
    const exit = once(child, "exit");
    disk.lock(path).release();
    await exit;
  });

  test("names no holder that is dead, and is refused in time by one that has no name", async () => {
    const [disk, path] = [nodeDisk(), `${temporary()}/LOCK`];
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    const holder = { pid: dead, host: os.hostname(), since: new Date().toISOString() };
    fs.writeFileSync(`${path}.info`, JSON.stringify(holder));
    const child = await startNameless(path, 60_000);
    const startMs = performance.now();
    expectFailure(() => disk.lock(path), "LOCKED", { path, pid: undefined, host: undefined });
    expect(performance.now() - startMs).toBeLessThan(2000);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });

  test("lets the lock go although the file beside it cannot be removed", () => {
    const [disk, path] = [nodeDisk(), `${temporary()}/LOCK`];
    const lock = disk.lock(path);
    fs.rmSync(`${path}.info`);
    fs.mkdirSync(`${path}.info`); // No file: it stays.
    lock.release();
    fs.rmdirSync(`${path}.info`);
    disk.lock(path).release();
  });

  test("refuses a worker of the same process", async () => {
    const path = `${temporary()}/LOCK`;
    const lock = nodeDisk().lock(path);
    const program = `
      const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(NODE)}).then(({ nodeDisk }) => {
        try { nodeDisk().lock(${JSON.stringify(path)}); parentPort.postMessage("locked"); }
        catch (error) { parentPort.postMessage(error.code + " " + error.facts.pid); }
      });
    `;
    const worker = new Worker(program, { eval: true, execArgv: [CONDITIONS] });
    const [answer] = (await once(worker, "message")) as [string];
    expect(answer).toBe(`LOCKED ${process.pid}`);
    await worker.terminate();
    lock.release();
  });

  test("keeps the lock when nobody keeps the answer", async () => {
    const path = `${temporary()}/LOCK`;
    const program = `
      const { nodeDisk } = await import(${JSON.stringify(NODE)});
      nodeDisk().lock(${JSON.stringify(path)});
      for (let i = 0; i < 5; i += 1) { gc(); await new Promise(setImmediate); }
      try { nodeDisk().lock(${JSON.stringify(path)}); console.log("lost"); } catch (error) { console.log(error.code); }
      process.exit(0);
    `;
    const run = spawnSync(process.execPath, [
      CONDITIONS,
      "--expose-gc",
      "--input-type=module",
      "-e",
      program,
    ]);
    expect(run.stdout.toString().trim(), run.stderr.toString()).toBe("LOCKED");
    expect(run.stderr.toString()).toBe(""); // Nothing warns that SQLite is experimental.
  });

  test("lets exactly one of many openers win", async () => {
    const path = `${temporary()}/LOCK`;
    const program = `
      const { nodeDisk } = await import(${JSON.stringify(NODE)});
      try { nodeDisk().lock(${JSON.stringify(path)}); console.log("won"); } catch (error) { console.log(error.code); }
      process.stdin.once("data", () => process.exit(0));
    `;
    const children = Array.from({ length: 5 }, () =>
      spawn(process.execPath, [CONDITIONS, "--input-type=module", "-e", program], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const answers = await Promise.all(children.map((child) => once(child.stdout, "data")));
    const words = answers.map(([answer]) => String(answer).trim()).toSorted();
    expect(words).toEqual(["LOCKED", "LOCKED", "LOCKED", "LOCKED", "won"]);
    for (const child of children) child.stdin.end("go\n");
  });
});
