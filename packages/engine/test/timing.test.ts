import { expect, test } from "vitest";
import { phase, PhaseClock, PHASES } from "../src/timing.ts";

/** Spins for about this long, so that time passes without a sleep. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

// The clock takes its own cost off, which it has measured on a machine that may be busy: figures are a little low.
test("a nested phase's time is not the outer one's", () => {
  const clock = new PhaseClock("full");
  clock.beginPlacing(1);
  clock.enter(phase("append"));
  spin(2);
  clock.enter(phase("allocate"));
  spin(6);
  clock.leave();
  clock.leave();
  clock.end();
  const phases = new Map(clock.report().phases.map((each) => [each.name, each.nsPerRow]));
  expect(phases.get("allocate")).toBeGreaterThanOrEqual(5e6);
  expect(phases.get("append")).toBeGreaterThanOrEqual(1e6);
  expect(phases.get("append")).toBeLessThan(phases.get("allocate")!);
});

test("sampled timing is active for one write in 61 and one closing in 7", () => {
  const clock = new PhaseClock("sampled");
  let placings = 0;
  let closings = 0;
  for (let i = 0; i < 61 * 7; i += 1) {
    clock.beginPlacing(1);
    if (clock.active) placings += 1;
    clock.end();
    clock.beginClosing(64);
    if (clock.active) closings += 1;
    clock.end();
  }
  expect([placings, closings]).toEqual([7, 61]);
  expect(clock.report()).toMatchObject({ rowsPlaced: 7, rowsClosed: 61 * 64 });
});

test("a scope that a failure left open does not leak into the next", () => {
  const clock = new PhaseClock("sampled");
  for (let i = 0; i < 61; i += 1) clock.beginPlacing(1);
  expect(clock.active).toBe(true);
  clock.beginPlacing(1);
  expect(clock.active).toBe(false);
});

test("time that no phase claims is unattributed, and reset forgets all of it", () => {
  const clock = new PhaseClock("full");
  clock.beginPlacing(1);
  spin(3);
  clock.end();
  const unattributed = clock.report().phases[PHASES.indexOf("unattributed")]!;
  expect(unattributed.nsPerRow).toBeGreaterThanOrEqual(2.9e6);
  clock.reset();
  expect(clock.report().phases.every((each) => each.nsPerRow === 0 && each.calls === 0)).toBe(true);
});
