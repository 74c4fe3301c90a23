/** Compares byte ranges as unsigned bytes; a proper prefix comes first. Negative, zero or positive. */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aUntil: number,
  b: Uint8Array,
  bFrom: number,
  bUntil: number,
): number {
  const aLength = aUntil - aFrom;
  const bLength = bUntil - bFrom;
  const common = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < common; i += 1) {
    const difference = a[aFrom + i]! - b[bFrom + i]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** True when both ranges hold the same bytes. */
export function equalBytes(
  a: Uint8Array,
  aFrom: number,
  aUntil: number,
  b: Uint8Array,
  bFrom: number,
  bUntil: number,
): boolean {
  const length = aUntil - aFrom;
  if (length !== bUntil - bFrom) return false;
  for (let i = 0; i < length; i += 1) if (a[aFrom + i] !== b[bFrom + i]) return false;
  return true;
}

/**
 * Orders strings as their UTF-8 bytes order, without encoding them.
 * `<` orders UTF-16 units, which differs where a surrogate meets U+E000 … U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points above U+FFFF, behind U+E000 … U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
