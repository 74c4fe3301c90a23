import {
  StorageError,
  type LabelLimits,
  type Labels,
  type StorageErrorFacts,
} from "@varve/contracts";

/** How much of a name a message repeats, in UTF-16 units: at most 192 bytes of the caller's input. */
const NAME_UNITS_MAX = 64;

/**
 * Throws LABELS for a set that an encoder refused, naming the first label at fault in the object's own
 * order. Encoders only notice that something is wrong; the finding and the wording are here, off
 * their path.
 */
export function refuseLabels(labels: Labels, limits: LabelLimits): never {
  if (typeof labels !== "object" || labels === null) {
    throw refusal(
      `labels are an object of strings, got ${labels === null ? "null" : typeof labels}`,
    );
  }
  let count = 0;
  for (const label of Object.keys(labels)) {
    const value: unknown = labels[label];
    if (value === "") continue;
    count += 1;
    refuseName(label, limits);
    refuseValue(label, value, limits);
    if (count > limits.labelsMax) refuseCount(label, labels, limits);
  }
  if (count === 0) throw refusal("a label set has at least one label with a value, got none");
  // Only a getter, a proxy or another thread can get here: what was at fault is not there any more.
  throw refusal("a label set changed while it was read");
}

function refuseName(label: string, { nameBytesMax }: LabelLimits): void {
  if (label === "") throw refusal("a label has an empty name", { label });
  if (!isWellFormed(label)) {
    throw refusal(`the name of label ${quote(label)} holds a lone surrogate`, { label });
  }
  const bytes = Buffer.byteLength(label);
  if (bytes <= nameBytesMax) return;
  throw refusal(
    `the name of label ${quote(label)} takes ${bytes} bytes; nameBytesMax is ${nameBytesMax}`,
    { label, limit: "nameBytesMax", value: bytes, max: nameBytesMax },
  );
}

function refuseValue(label: string, value: unknown, { valueBytesMax }: LabelLimits): void {
  if (typeof value !== "string") {
    const type = value === null ? "null" : typeof value;
    throw refusal(`the value of label ${quote(label)} is a string, got ${type}`, { label });
  }
  if (!isWellFormed(value)) {
    throw refusal(`the value of label ${quote(label)} holds a lone surrogate`, { label });
  }
  const bytes = Buffer.byteLength(value);
  if (bytes <= valueBytesMax) return;
  throw refusal(
    `the value of label ${quote(label)} takes ${bytes} bytes; valueBytesMax is ${valueBytesMax}`,
    { label, limit: "valueBytesMax", value: bytes, max: valueBytesMax },
  );
}

function refuseCount(label: string, labels: Labels, { labelsMax }: LabelLimits): never {
  const count = Object.keys(labels).filter((name) => labels[name] !== "").length;
  throw refusal(
    `label ${quote(label)} is one too many: the set has ${count}; labelsMax is ${labelsMax}`,
    { label, limit: "labelsMax", value: count, max: labelsMax },
  );
}

function refusal(message: string, facts: StorageErrorFacts = {}): StorageError {
  return new StorageError("LABELS", message, { facts });
}

/** A label's name for a message: escaped, and cut when it is long. */
function quote(label: string): string {
  if (label.length <= NAME_UNITS_MAX) return JSON.stringify(label);
  return `${JSON.stringify(label.slice(0, NAME_UNITS_MAX))}…`;
}

/** True when no surrogate stands alone. With `u`, a regular expression sees pairs as one character. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
