/** Counts open selections: while there is one, no series is dropped whose key it may still want. */
export class PinCount {
  #count = 0;

  get isHeld(): boolean {
    return this.#count > 0;
  }

  take(): Disposable {
    let isHeld = true;
    this.#count += 1;
    return {
      [Symbol.dispose]: (): void => {
        if (isHeld) this.#count -= 1;
        isHeld = false;
      },
    };
  }
}
