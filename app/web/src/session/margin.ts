import type { Engine, MarginView } from '@plimsoll/client';

/** An account's margin. Where a board waits for a refresh it is reckoned with the board refreshed, as a transaction would. */
export function marginOf(engine: Engine, account: string): MarginView {
  try {
    return engine.margin(account);
  } catch {
    return engine.report(account).margin;
  }
}
