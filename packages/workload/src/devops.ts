import { assert, type Labels } from "@varve/contracts";
import { wordAt } from "./draw.ts";

export interface DevopsOptions {
  /** A safe integer. The same seed gives the same label sets. */
  readonly seed: number;
  /** How many label sets to make. */
  readonly series: number;
}

/** A label set of the devops workload: a cpu field of a host, in the order in which TSBS lists tags. */
export interface DevopsLabels extends Labels {
  readonly __name__: string;
  readonly hostname: string;
  readonly region: string;
  readonly datacenter: string;
  readonly rack: string;
  readonly os: string;
  readonly arch: string;
  readonly team: string;
  readonly service: string;
  readonly service_version: string;
  readonly service_environment: string;
}

/** The metrics of a host. */
export const CPU_FIELDS: readonly string[] = [
  "cpu_usage_user",
  "cpu_usage_system",
  "cpu_usage_idle",
  "cpu_usage_nice",
  "cpu_usage_iowait",
  "cpu_usage_irq",
  "cpu_usage_softirq",
  "cpu_usage_steal",
  "cpu_usage_guest",
  "cpu_usage_guest_nice",
];

/** Each region, and the letters of its datacenters. */
const REGIONS: readonly (readonly [string, string])[] = [
  ["us-east-1", "abce"],
  ["us-west-1", "ab"],
  ["us-west-2", "abc"],
  ["eu-west-1", "abc"],
  ["eu-central-1", "ab"],
  ["ap-southeast-1", "ab"],
  ["ap-southeast-2", "ab"],
  ["ap-northeast-1", "ac"],
  ["sa-east-1", "abc"],
];
const DATACENTERS = REGIONS.map(([region, letters]) =>
  letters.split("").map((each) => region + each),
);
const NUMBERS = Array.from({ length: 100 }, (_, i) => String(i));
const SYSTEMS = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"];
const ARCHES = ["x64", "x86"];
const TEAMS = ["SF", "NYC", "LON", "CHI"];
const ENVIRONMENTS = ["production", "staging", "test"];

/** Draws that a host has to itself. */
const DRAWS_PER_HOST = 16;

/**
 * Makes `series` distinct label sets, shaped like those of TSBS' devops workload ("cpu-only").
 *
 * Eleven labels: the metric's name and ten tags. Host by host, ten cpu fields each; the last host may
 * have fewer. Canonical keys of a million series take 171 to 203 bytes, 186 on average. All objects have one shape, and a
 * host's ten share its strings, as those of a scrape loop do. Not bit-identical to TSBS, whose draws come
 * from Go's generator.
 */
export function* devopsSeries({ seed, series }: DevopsOptions): Generator<DevopsLabels> {
  assert(Number.isSafeInteger(series) && series >= 0, `series is a count, got ${series}`);
  const fields = CPU_FIELDS.length;
  for (let made = 0, host = 0; made < series; host += 1) {
    const first = host * DRAWS_PER_HOST;
    const region = wordAt(seed, first) % REGIONS.length;
    const hostname = `host_${host}`;
    const datacenter = pick(DATACENTERS[region]!, wordAt(seed, first + 1));
    const rack = pick(NUMBERS, wordAt(seed, first + 2));
    const os = pick(SYSTEMS, wordAt(seed, first + 3));
    const arch = pick(ARCHES, wordAt(seed, first + 4));
    const team = pick(TEAMS, wordAt(seed, first + 5));
    const service = NUMBERS[wordAt(seed, first + 6) % 20]!;
    const version = NUMBERS[wordAt(seed, first + 7) % 2]!;
    const environment = pick(ENVIRONMENTS, wordAt(seed, first + 8));
    for (let field = 0; field < fields && made < series; field += 1, made += 1) {
      yield {
        __name__: CPU_FIELDS[field]!,
        hostname,
        region: REGIONS[region]![0],
        datacenter,
        rack,
        os,
        arch,
        team,
        service,
        service_version: version,
        service_environment: environment,
      };
    }
  }
}

function pick(items: readonly string[], word: number): string {
  return items[word % items.length]!;
}
