import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { FileSystem } from "./cut-disk.ts";
import type { MountRoom } from "./mount-room.ts";
import type { SystemTool } from "./system-tools.ts";

export const FAILING_TOOLS: readonly SystemTool[] = [
  { program: "mkfs.xfs", debian: "xfsprogs" },
  { program: "mkfs.ext4", debian: "e2fsprogs" },
  { program: "nbdkit", debian: "nbdkit" },
  { program: "nbdfuse", debian: "libnbd-bin" },
  { program: "strace", debian: "strace" },
];

const IMAGE_BYTES: Readonly<Record<FileSystem, number>> = {
  ext4: 64 * 2 ** 20,
  xfs: 320 * 2 ** 20,
};
const READY_MS_MAX = 10_000;
const LOOK_MS = 10;

/** What a room for one such disk has to hold. */
export function failingRoomBytes(kind: FileSystem): number {
  return IMAGE_BYTES[kind] + 16 * 2 ** 20;
}

/** A real file system on a block device whose writes fail while it is told so. Reads go on. */
export class FailingDisk implements AsyncDisposable {
  /** Where it is mounted, seen from within the room. */
  readonly dir: string;
  readonly #room: MountRoom;
  readonly #servers: ChildProcess[] = [];
  #isMounted = false;

  static async make(room: MountRoom, kind: FileSystem): Promise<FailingDisk> {
    const disk = new FailingDisk(room);
    try {
      await disk.#start(kind);
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
    return disk;
  }

  private constructor(room: MountRoom) {
    this.#room = room;
    this.dir = room.makeDirectory("disk");
  }

  /** The room's memory, for this process. */
  get #outside(): string {
    return join(this.#room.outside, "memory");
  }

  /** Every write to the device fails from now on, or none. */
  set isFailing(isFailing: boolean) {
    const trigger = join(this.#outside, "failing");
    if (isFailing) writeFileSync(trigger, "");
    else rmSync(trigger, { force: true });
  }

  /** Whether the file system still takes writes: after a failure of its own journal it does not. */
  async isUsable(): Promise<boolean> {
    const probe = join(this.dir, "probe");
    const line = `echo probe > '${probe}' && sync '${probe}' && rm '${probe}'`;
    return this.#room.run(line).then(
      () => true,
      () => false,
    );
  }

  /** What the kernel has in memory goes, and what the device holds is seen. Nobody has a file of it open. */
  async remount(): Promise<void> {
    await this.#room.run(`umount '${this.dir}'`);
    this.#isMounted = false;
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isFailing = false;
    if (this.#isMounted) await this.#room.run(`umount '${this.dir}'`);
    const device = join(this.#room.memory, "device");
    await this.#room.run(`! mountpoint -q '${device}' || umount '${device}'`);
    for (const server of this.#servers) server.kill();
  }

  async #start(kind: FileSystem): Promise<void> {
    const { memory } = this.#room;
    const outside = this.#outside;
    const image = join(memory, "image");
    const socket = join(memory, "socket");
    const device = join(memory, "device");
    await this.#room.run(`truncate -s ${IMAGE_BYTES[kind]} '${image}'`);
    await this.#room.run(`mkfs.${kind} -q ${kind === "xfs" ? "-f" : "-F"} '${image}'`);
    const fails = ["error-pwrite=EIO", "error-pwrite-rate=100%"];
    const when = `error-pwrite-file=${join(memory, "failing")}`;
    this.#serve("nbdkit", "-f", "-U", socket, "--filter=error", "file", image, ...fails, when);
    await becomes(() => existsSync(join(outside, "socket")), "nbdkit");
    writeFileSync(join(outside, "device"), "");
    this.#serve("nbdfuse", device, "--unix", socket);
    await becomes(() => statSync(join(outside, "device")).size > 0, "nbdfuse");
    await this.#mount();
  }

  async #mount(): Promise<void> {
    await this.#room.run(`mount -o loop '${join(this.#room.memory, "device")}' '${this.dir}'`);
    this.#isMounted = true;
  }

  #serve(...command: string[]): void {
    const [program, ...args] = [...this.#room.prefix, ...command];
    const server = spawn(program!, args, { stdio: "ignore" });
    server.on("error", () => undefined);
    this.#servers.push(server);
  }
}

async function becomes(isSo: () => boolean, what: string): Promise<void> {
  const lastMs = performance.now() + READY_MS_MAX;
  while (!isSo()) {
    if (performance.now() > lastMs) throw new Error(`${what} did not start`);
    await setTimeout(LOOK_MS);
  }
}
