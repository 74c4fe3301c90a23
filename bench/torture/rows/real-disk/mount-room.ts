import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";

/**
 * Runs lines until nobody sends more, and answers each with its status and what it printed. An interruption of the
 * terminal is its owner's to see: the shell ends when its owner does.
 */
const SHELL = `
trap '' INT
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
while IFS= read -r line; do
  said=$(eval "$line" 2>&1 </dev/null)
  printf '%s %s\\0' "$?" "$said"
done`;

/**
 * A mount namespace of its own, held by a shell. What is mounted in it is seen by no other process, and goes with the
 * last process in it: a shell whose owner dies ends, the processes that it was asked to start do, too, and loop devices are
 * given back by the kernel.
 */
export class MountRoom implements AsyncDisposable {
  /** A directory to mount in. */
  readonly dir: string;
  /** The same as it is seen in here, by a path for the owner. */
  readonly outside: string;
  /**
   * A directory in memory, seen in here by this path. Nothing is mounted below it on what lies in it: whoever removes the
   * directory from outside would leave the two to hold each other for ever.
   */
  readonly memory: string;
  readonly #shell: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #waiting: ((answer: string | null) => void)[] = [];
  #heard = "";
  #isGone = false;

  /** Makes a room below `parent` whose memory holds so many bytes. */
  static async open(parent: string, bytes: number): Promise<MountRoom> {
    const room = new MountRoom(mkdtempSync(join(parent, "room-")));
    try {
      await room.run(`mount -t tmpfs -o size=${bytes} tmpfs '${room.memory}'`);
    } catch (error) {
      await room[Symbol.asyncDispose]();
      throw error;
    }
    return room;
  }

  private constructor(dir: string) {
    this.dir = dir;
    this.memory = join(dir, "memory");
    mkdirSync(this.memory);
    const args = ["--mount", "--propagation", "private", "bash", "-c", SHELL];
    const shell = spawn("unshare", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#shell = shell;
    this.outside = `/proc/${shell.pid}/root${dir}`;
    shell.stdin.on("error", () => undefined);
    (shell.stdout as Readable).setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#closed = new Promise<void>((resolve) => {
      shell.once("error", () => resolve());
      shell.once("close", () => resolve());
    }).then(() => {
      this.#isGone = true;
      for (const answer of this.#waiting) answer(null);
    });
  }

  /** What has to stand before a program so that it runs in here, and dies with the process that started it. */
  get prefix(): readonly string[] {
    const enter = ["nsenter", `--mount=/proc/${this.#shell.pid}/ns/mnt`, "--"];
    return [...enter, "setpriv", "--pdeathsig", "KILL", "--"];
  }

  /** Runs a line in here, one after the other, and resolves what it printed. Rejects when it fails. */
  async run(line: string): Promise<string> {
    const answer = await new Promise<string | null>((resolve) => {
      if (this.#isGone) return resolve(null);
      this.#waiting.push(resolve);
      this.#shell.stdin!.write(`${line.replaceAll("\n", " ")}\n`);
    });
    if (answer === null) throw new Error(`the room's shell is gone: ${line}`);
    const space = answer.indexOf(" ");
    const said = answer.slice(space + 1);
    if (answer.slice(0, space) !== "0") throw new Error(`${line}: ${said}`);
    return said;
  }

  /** Makes a directory to mount on. */
  makeDirectory(name: string): string {
    const path = join(this.dir, name);
    mkdirSync(path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.stdin!.end();
    await this.#closed;
  }

  #hear(text: string): void {
    const answers = (this.#heard + text).split("\0");
    this.#heard = answers.pop()!;
    for (const answer of answers) this.#waiting.shift()?.(answer);
  }
}
