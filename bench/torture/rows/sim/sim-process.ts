import type { Disk } from "@varve/contracts";
import { Crash } from "@varve/disk/sim";

/** A process as its disk sees it: once it is dead it does nothing any more, and what the kernel has stays. */
export interface SimProcess {
  readonly disk: Disk;
  kill(): void;
}

/** Starts a process over a disk that outlives it. */
export function simProcess(disk: Disk): SimProcess {
  let isDead = false;
  const proxy = new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (!isDead) return Reflect.apply(value, target, args);
        const crash = new Crash("the process is dead");
        if (String(name).endsWith("Async")) return Promise.reject(crash);
        throw crash;
      };
    },
  });
  return {
    disk: proxy,
    kill() {
      isDead = true;
    },
  };
}
