/**
 * Long work asks this between its pieces, each well below a millisecond: nothing means go on, a promise means
 * wait for it first, so that others have their turn. A rejected promise ends the work.
 */
export type Pause = () => Promise<void> | undefined;

/** Never waits. */
export const noPause: Pause = () => undefined;
