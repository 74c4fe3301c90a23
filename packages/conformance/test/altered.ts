import type { Slot, Slots, Variant } from "@varve/contracts";

/** A variant whose part does some things otherwise. */
export function altered<S extends Slot>(
  variant: Variant<S>,
  change: (part: Slots[S]["part"], needs: Slots[S]["needs"]) => Partial<Slots[S]["part"]>,
  needsOf: (needs: Slots[S]["needs"]) => Slots[S]["needs"] = (needs) => needs,
): Variant<S> {
  return {
    ...variant,
    open: async (needs) => {
      const part = await variant.open(needsOf(needs));
      return overlaid(part, change(part, needs));
    },
  };
}

/** A variant that declares other traits than it has. */
export function claiming<S extends Slot>(
  variant: Variant<S>,
  traits: Partial<Slots[S]["traits"]>,
): Variant<S> {
  return { ...variant, traits: { ...variant.traits, ...traits } };
}

function overlaid<T extends object>(part: T, changes: Partial<T>): T {
  return new Proxy(part, {
    get(target, name): unknown {
      const source = name in changes ? changes : target;
      const value: unknown = Reflect.get(source, name, source);
      return typeof value === "function" ? (value.bind(source) as unknown) : value;
    },
  });
}
