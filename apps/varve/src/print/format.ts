/** Thousands apart: `1,234,567`. */
export function whole(value: number): string {
  return value.toLocaleString("en-US");
}

/** A size: `188 B`, `2.1 KiB`, `368 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${unit === 0 || scaled >= 99.95 ? scaled.toFixed(0) : scaled.toPrecision(3)} ${units[unit]}`;
}

/** A time in ms as RFC 3339, or the number where no calendar reaches. */
export function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** A time in ms, or a dash for none. */
export function timeOrDash(ms: number): string {
  return Number.isFinite(ms) ? time(ms) : "-";
}

/** How many, and of what: `1 file`, `3 files`, `2 batches`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`;
}

/** A name or a value for a table: what would steer the terminal or break the line is shown as an escape. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
