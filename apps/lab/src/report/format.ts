/** Three significant digits, with the unit's prefix: `412 K`, `1.23 M`, `950`. */
export function count(value: number): string {
  const [scaled, prefix] =
    value >= 999_500 ? [value / 1e6, " M"] : value >= 999.5 ? [value / 1e3, " K"] : [value, ""];
  return `${digits(scaled)}${prefix}`;
}

/** Rows a second: `412 K/s`. */
export function rate(perSecond: number): string {
  const text = count(perSecond);
  return text.includes(" ") ? `${text}/s` : `${text} /s`;
}

/** A time given in microseconds: `850 ns`, `1.45 µs`, `12.3 ms`, `2.1 s`. */
export function micros(value: number): string {
  if (value < 0.9995) return `${digits(value * 1e3)} ns`;
  if (value < 999.5) return `${digits(value)} µs`;
  if (value < 999_500) return `${digits(value / 1e3)} ms`;
  return `${digits(value / 1e6)} s`;
}

/** A size: `188 B`, `2.1 KiB`, `368 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 999.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${digits(scaled)} ${units[unit]}`;
}

/** A share: `3 %`, `0.4 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${Math.abs(value) < 1 && value !== 0 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** A ratio: `0.75x`, `12.4x`. */
export function ratio(value: number): string {
  return `${Math.abs(value) < 9.995 ? value.toFixed(2) : digits(value)}x`;
}

/** A duration given in milliseconds, for people who wait: `40 s`, `3 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return "1 s";
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** At least three digits, without an exponent. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || value === 0) return value.toFixed(0);
  return value.toFixed(size >= 9.995 ? 1 : 2);
}
