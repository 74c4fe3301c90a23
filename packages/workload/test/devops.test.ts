import { countDistinct, CPU_FIELDS, devopsSeries } from "@varve/workload";
import { describe, expect, test } from "vitest";

describe("devopsSeries", () => {
  test.each([0, 1, 9, 10, 11, 1234])("makes exactly %i label sets, all distinct", (series) => {
    const sets = [...devopsSeries({ seed: 1, series })];
    expect(sets.length).toBe(series);
    expect(countDistinct(sets)).toBe(series);
  });

  test("makes 200,000 distinct sets of 11 labels, of one shape", () => {
    const sets = [...devopsSeries({ seed: 7, series: 200_000 })];
    expect(countDistinct(sets)).toBe(200_000);
    expect(new Set(sets.map((labels) => Object.keys(labels).join())).size).toBe(1);
    expect(Object.keys(sets[0]!).length).toBe(11);
  });

  test("makes the same sets from the same seed, and others from another", () => {
    const sets = [...devopsSeries({ seed: 3, series: 500 })];
    expect([...devopsSeries({ seed: 3, series: 500 })]).toEqual(sets);
    expect([...devopsSeries({ seed: 4, series: 500 })]).not.toEqual(sets);
    expect([...devopsSeries({ seed: 3 + 2 ** 32, series: 500 })]).not.toEqual(sets);
  });

  test("gives a host the same tags however many series there are", () => {
    const few = [...devopsSeries({ seed: 3, series: 50 })];
    const many = [...devopsSeries({ seed: 3, series: 5000 })];
    expect(many.slice(0, 50)).toEqual(few);
  });

  test("goes host by host through ten cpu fields that share their tags", () => {
    const sets = [...devopsSeries({ seed: 3, series: 30 })];
    expect(sets.slice(10, 20).map(({ __name__ }) => __name__)).toEqual(CPU_FIELDS);
    expect(new Set(sets.slice(10, 20).map(({ hostname }) => hostname))).toEqual(
      new Set(["host_1"]),
    );
  });

  test("uses every value that TSBS has for a tag", () => {
    const sets = [...devopsSeries({ seed: 3, series: 50_000 })];
    const count = (tag: string): number => new Set(sets.map((labels) => labels[tag])).size;
    const tags = ["region", "rack", "os", "arch", "team", "service", "service_version"];
    expect(tags.map(count)).toEqual([9, 100, 3, 2, 4, 20, 2]);
    expect([count("service_environment"), count("datacenter"), count("hostname")]).toEqual([
      3, 23, 5000,
    ]);
    for (const { datacenter, region } of sets) expect(datacenter.startsWith(region)).toBe(true);
  });

  test("has keys as long as its docstring says", () => {
    const lengths: number[] = [];
    for (const labels of devopsSeries({ seed: 1, series: 100_000 })) {
      let bytes = 0;
      for (const [name, value] of Object.entries(labels)) bytes += name.length + value.length + 2;
      lengths.push(bytes);
    }
    const mean = lengths.reduce((sum, bytes) => sum + bytes, 0) / lengths.length;
    // Host numbers of a million series are one digit longer, which is what is missing here.
    expect(Math.abs(mean - 185.4)).toBeLessThan(0.5);
    expect(lengths.every((bytes) => bytes >= 170 && bytes <= 203)).toBe(true);
  });

  test("refuses a number of series that is no count", () => {
    expect(() => [...devopsSeries({ seed: 1, series: -1 })]).toThrow("series is a count, got -1");
  });
});
