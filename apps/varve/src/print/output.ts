import { once } from "node:events";

/** Prints a result: a JSON document for programs, or text for people. */
export function print(
  options: { readonly json: boolean },
  value: unknown,
  text: () => string,
): void {
  process.stdout.write(options.json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
}

/** Writes a piece to stdout, and waits while the reader is slower than we are. */
export async function writeOut(stream: NodeJS.WritableStream, piece: string): Promise<void> {
  if (!stream.write(piece)) await once(stream, "drain");
}

/** A reader that has seen enough, as `head` has, ends us without a word. May be called again. */
export function endWithReader(): void {
  process.stdout.off("error", onError).on("error", onError);
}

function onError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit();
  throw error;
}
