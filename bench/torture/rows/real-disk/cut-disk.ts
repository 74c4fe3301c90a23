import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@varve/bytes";
import type { MountRoom } from "./mount-room.ts";
import type { SystemTool } from "./system-tools.ts";

export const FILE_SYSTEMS = ["ext4", "xfs"] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

export const CUT_TOOLS: readonly SystemTool[] = [
  { program: "xfs_io", debian: "xfsprogs" },
  { program: "mkfs.xfs", debian: "xfsprogs" },
  { program: "mkfs.ext4", debian: "e2fsprogs" },
];

/** Bytes of an image: XFS takes no less. They lie in memory, as far as they were written. */
const IMAGE_BYTES: Readonly<Record<FileSystem, number>> = {
  ext4: 96 * 2 ** 20,
  xfs: 320 * 2 ** 20,
};

/** What a room for one such disk has to hold. */
export function roomBytes(kind: FileSystem): number {
  return IMAGE_BYTES[kind] + 16 * 2 ** 20;
}

/**
 * Ways to mount: `noauto_da_alloc` does without what ext4 does for programs that rename what they have not synced, and
 * with `writeback` a file can be longer after a crash than what was written to it.
 */
const MOUNT_OPTIONS: Readonly<Record<FileSystem, readonly string[]>> = {
  ext4: ["loop", "loop,noauto_da_alloc", "loop,data=writeback", "loop,nodelalloc"],
  xfs: ["loop"],
};

/** A real file system on a loop device, whose power can be cut: nothing that it holds in memory reaches the device. */
export class CutDisk {
  /** Where it is mounted, seen from within the room. */
  readonly dir: string;
  readonly #room: MountRoom;
  readonly #image: string;
  readonly #options: string;

  static async make(room: MountRoom, kind: FileSystem, random: Random): Promise<CutDisk> {
    const disk = new CutDisk(room, random.pick(MOUNT_OPTIONS[kind]));
    await room.run(`truncate -s ${IMAGE_BYTES[kind]} '${disk.#image}'`);
    const force = kind === "xfs" ? "-f" : "-F";
    await room.run(`mkfs.${kind} -q ${force} '${disk.#image}'`);
    await room.run(disk.#mount);
    return disk;
  }

  private constructor(room: MountRoom, options: string) {
    this.#room = room;
    this.#options = options;
    this.#image = join(room.memory, "image");
    this.dir = room.makeDirectory("disk");
  }

  get #mount(): string {
    return `mount -o ${this.#options} '${this.#image}' '${this.dir}'`;
  }

  /** A directory that a power cut does not take away: its path in the room and outside. */
  async makeDirectory(name: string): Promise<{ dir: string; outside: string }> {
    const outside = join(this.#room.outside, "disk", name);
    mkdirSync(outside);
    await this.#room.run(`sync -f '${this.dir}'`);
    return { dir: join(this.dir, name), outside };
  }

  /** Readies a cut that waits for nothing more. */
  readyCut(): Promise<Cut> {
    return Cut.ready(this.#room, this.dir);
  }

  /** Has the kernel write what it holds, beside whatever else is done, so that the cut may meet it half done. */
  flushBeside(): void {
    this.#room.run(`sync -f '${this.dir}'`).catch(() => undefined); // The cut explains its failure.
  }

  /** After a cut, when nobody has a file of it open: what a machine finds when it has power again. */
  async restart(): Promise<void> {
    await this.#room.run(`umount '${this.dir}'`);
    await this.#room.run(this.#mount);
  }
}

/** A program that has the file system open, and cuts its power when it is told. */
export class Cut {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #said = "";

  static async ready(room: MountRoom, dir: string): Promise<Cut> {
    const cut = new Cut([...room.prefix, "stdbuf", "-o0", "xfs_io", "-x", dir]);
    await Promise.race([cut.#answer("print"), cut.#closed]);
    return cut;
  }

  private constructor([program, ...args]: readonly string[]) {
    const child = spawn(program!, args, { stdio: "pipe" });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => (this.#said += text.toString()));
    }
    this.#closed = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("close", () => resolve());
    });
  }

  /** Has begun when this returns. */
  begin(): void {
    this.#child.stdin!.end("shutdown\n");
  }

  /** Resolves when the file system is shut down. */
  async done(): Promise<void> {
    await this.#closed;
    if (this.#child.exitCode === 0) return;
    throw new Error(`the file system could not be shut down: ${this.#said}`);
  }

  /** Gives a command that prints something, and resolves when it has. */
  #answer(command: string): Promise<void> {
    this.#child.stdin!.write(`${command}\n`);
    return new Promise((resolve) => this.#child.stdout!.once("data", () => resolve()));
  }
}
