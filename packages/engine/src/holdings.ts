/** What a selection holds, given back together, last first. (Node 22 has no DisposableStack.) */
export class Holdings implements Disposable {
  readonly #held: Disposable[] = [];
  #isDisposed = false;

  get disposed(): boolean {
    return this.#isDisposed;
  }

  use<T extends Disposable>(held: T): T {
    this.#held.push(held);
    return held;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const held of this.#held.splice(0).reverse()) held[Symbol.dispose]();
  }
}
