import { compareUtf8, crc32c } from "@varve/bytes";

export type Fields = Readonly<Record<string, unknown>>;

/** The field of `meta.json` that is varve's own. */
const OWN_FIELD = "varve";
/** The name in it under which the checksum stands. */
const CHECKSUM = "crc";
/** All that the field held before there was a checksum. */
const BEFORE_CHECKSUMS = new Set(["store", "cutTime", "lateLsn"]);

/**
 * Gives varve's own field the checksum of all that `meta.json` says. One without the field stays as it is: it says
 * nothing that Prometheus would not.
 */
export function withChecksum(json: Fields): Fields {
  const own = json[OWN_FIELD];
  if (!isFields(own)) return json;
  return { ...json, [OWN_FIELD]: { ...own, [CHECKSUM]: checksumOf(json, OWN_FIELD) } };
}

/**
 * What is wrong with a `meta.json`, whatever its version, by its own checksum, as text; undefined for nothing. That there
 * is a checksum is known from more than its name, so that no flipped bit of a name can hide it.
 */
export function checksumProblem(json: Fields): string | undefined {
  const name = OWN_FIELD in json ? OWN_FIELD : Object.keys(json).find((each) => isOwn(json[each]));
  const own = name === undefined ? undefined : json[name];
  if (!isFields(own)) return undefined;
  const stated = own[CHECKSUM];
  if (stated === undefined) {
    const strange = Object.keys(own).find((each) => !BEFORE_CHECKSUMS.has(each));
    if (strange === undefined) return undefined;
    return `it has no checksum, and beside where that would be ${JSON.stringify(strange)}`;
  }
  const found = checksumOf(json, name!);
  if (stated === found) return undefined;
  return `its checksum is ${found}, and it says ${JSON.stringify(stated)}`;
}

/** A field that holds what only varve's own does, under whatever name. */
function isOwn(field: unknown): boolean {
  return isFields(field) && CHECKSUM in field && "store" in field && "lateLsn" in field;
}

/** CRC-32C of the content: JSON in UTF-8 without white space, names in the order of their bytes, without the checksum. */
function checksumOf(json: Fields, ownField: string): number {
  const { [CHECKSUM]: _, ...own } = json[ownField] as Fields;
  const text = JSON.stringify({ ...json, [ownField]: own }, (_name, value: unknown) =>
    isFields(value) ? inOrder(value) : value,
  );
  const bytes = new TextEncoder().encode(text);
  return crc32c(bytes, 0, bytes.length);
}

/** The same object, its names in the order of their bytes; numbers as names come first, as everywhere in JavaScript. */
function inOrder(fields: Fields): object {
  const names = Object.keys(fields).toSorted(compareUtf8);
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

export function isFields(json: unknown): json is Fields {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
