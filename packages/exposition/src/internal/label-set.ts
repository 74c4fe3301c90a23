import type { Labels } from "@varve/contracts";

/** The label that holds a metric's name. */
export const NAME_LABEL = "__name__";

/** What keeps a label out of a set, as text for a fault; undefined when it was added. */
export function addLabel(
  labels: Map<string, string>,
  name: string,
  value: string,
): string | undefined {
  if (name === "") return "a label's name is empty";
  if (labels.has(name)) return `label ${JSON.stringify(name)} is there twice`;
  labels.set(name, value);
  return undefined;
}

/** The set as an object. An empty value is no label, as everywhere in varve. */
export function labelsFrom(labels: Map<string, string>): Labels {
  for (const [name, value] of labels) if (value === "") labels.delete(name);
  return Object.fromEntries(labels); // Defines own properties, so a label named __proto__ is only a label.
}
