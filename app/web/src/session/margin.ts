import type { Engine, MarginView } from '@plimsoll/client';

/** An account's margin, and what it is by. */
export type Reckoned = {
  margin: MarginView;
  /**
   * Whether option boards were taken as a refresh at the price now would leave them: the chain itself refuses to reckon with them
   * as they are, and a transaction that uses them refreshes them first.
   */
  isRefreshed: boolean;
};

/** An account's margin. Throws what the chain would say where it cannot be told even with boards refreshed. */
export function reckon(engine: Engine, account: string): Reckoned {
  try {
    return { margin: engine.margin(account), isRefreshed: false };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'BoardStale') throw error;
    return { margin: engine.report(account).margin, isRefreshed: true };
  }
}

/** The margin alone. */
export function marginOf(engine: Engine, account: string): MarginView {
  return reckon(engine, account).margin;
}
