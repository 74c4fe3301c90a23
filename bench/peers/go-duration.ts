const UNIT_SECONDS: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  µs: 1e-6,
  ns: 1e-9,
};

/** A duration as Go prints it: `1m2.5s`, `22.4ms`. NaN for anything else. */
export function goSeconds(text: string): number {
  if (!/^(?:[\d.]+(?:h|ms|m|s|µs|ns))+$/.test(text)) return Number.NaN;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(h|ms|m|s|µs|ns)/g)) {
    seconds += Number(count) * UNIT_SECONDS[unit!]!;
  }
  return seconds;
}
