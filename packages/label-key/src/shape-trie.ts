import { compareUtf8, utf8BytesMax, writeUtf8 } from "@varve/bytes";
import { assert, KEY_SEPARATOR } from "@varve/contracts";

/** What is known of all label sets with the same names in the same order. Arrays are in sorted order. */
export interface Shape {
  readonly count: number;
  /** Which of the object's labels is the i-th by name. */
  readonly order: Uint32Array;
  /**
   * The bytes before each value (the end of the value before, the name, and the name's end), as
   * little-endian words with zeros behind: label i's are words[wordsAt[i] … wordsAt[i+1]), of which
   * glueBytes[i] bytes count.
   */
  readonly words: Int32Array;
  readonly wordsAt: Int32Array;
  readonly glueBytes: Int32Array;
  /** Bytes of a key of this shape that are not a value's. */
  readonly nameBytes: number;
}

/** A beginning of a name sequence. The first child is kept in the node: most nodes have one. */
export interface TrieNode {
  /** The first child's name. No label's name is `undefined`. */
  name: string | undefined;
  next: TrieNode;
  /** The other children. */
  more: Map<string, TrieNode> | undefined;
  shape: Shape | undefined;
}

/** A bounded trie over name sequences. It only grows: what was learned stays. */
export class ShapeTrie {
  readonly root: TrieNode;
  readonly #nodesMax: number;
  /** Where steps from an unknown name lead: it has no children and no shape. */
  readonly #nowhere: TrieNode;
  #nodes = 0;
  #shapes = 0;

  constructor(nodesMax: number) {
    this.#nodesMax = nodesMax;
    this.#nowhere = makeNode();
    this.root = makeNode();
  }

  get nodes(): number {
    return this.#nodes;
  }

  get shapes(): number {
    return this.#shapes;
  }

  /** The child of `node` for a name that is not its first child's. */
  step(node: TrieNode, name: string): TrieNode {
    return node.more?.get(name) ?? this.#nowhere;
  }

  /** Adds a sequence of valid names. False when it does not fit. */
  learn(names: readonly string[]): boolean {
    const count = names.length;
    let node = this.root;
    let known = 0;
    for (; known < count; known += 1) {
      const child = childOf(node, names[known]!);
      if (child === undefined) break;
      node = child;
    }
    if (this.#nodes + count - known > this.#nodesMax) return false;
    for (let i = known; i < count; i += 1) {
      node = addChild(node, names[i]!);
      this.#nodes += 1;
    }
    if (node.shape === undefined) this.#shapes += 1;
    node.shape = makeShape(names);
    return true;
  }
}

function makeNode(): TrieNode {
  const node = { name: undefined, more: undefined, shape: undefined } as unknown as TrieNode;
  node.next = node; // Never followed: no name equals `undefined`.
  return node;
}

function childOf(node: TrieNode, name: string): TrieNode | undefined {
  return node.name === name ? node.next : node.more?.get(name);
}

function addChild(node: TrieNode, name: string): TrieNode {
  const child = makeNode();
  if (node.name === undefined) {
    node.name = name;
    node.next = child;
  } else {
    node.more ??= new Map();
    node.more.set(name, child);
  }
  return child;
}

function makeShape(names: readonly string[]): Shape {
  const sorted = names.map((_, i) => i).sort((a, b) => compareUtf8(names[a]!, names[b]!));
  const count = names.length;
  const pieces = sorted.map((i, rank) => makeGlue(names[i]!, rank === 0));
  const wordsAt = new Int32Array(count + 1);
  for (let i = 0; i < count; i += 1) wordsAt[i + 1] = wordsAt[i]! + pieces[i]!.words.length;
  const words = new Int32Array(wordsAt[count]!);
  for (let i = 0; i < count; i += 1) words.set(pieces[i]!.words, wordsAt[i]);
  const glueBytes = Int32Array.from(pieces, (piece) => piece.length);
  return {
    count,
    order: Uint32Array.from(sorted),
    words,
    wordsAt,
    glueBytes,
    nameBytes: glueBytes.reduce((sum, length) => sum + length, 1),
  };
}

/** The bytes before a value, padded to whole words. */
function makeGlue(name: string, first: boolean): { words: Int32Array; length: number } {
  const bytes = new Uint8Array(Math.ceil((utf8BytesMax(name.length) + 2) / 4) * 4);
  const nameAt = first ? 0 : 1;
  if (!first) bytes[0] = KEY_SEPARATOR;
  const nameEnd = writeUtf8(bytes, nameAt, name);
  assert(nameEnd > nameAt, "names of a shape are valid: the plain way has just written them");
  bytes[nameEnd] = KEY_SEPARATOR;
  const length = nameEnd + 1;
  const view = new DataView(bytes.buffer);
  const words = Int32Array.from({ length: Math.ceil(length / 4) }, (_, i) =>
    view.getInt32(i * 4, true),
  );
  return { words, length };
}
