import type { Action as EngineAction, MarginView } from '@plimsoll/client';

import type { Problem } from '../components/Progress';

/** The same object with what may be `undefined` left out at will. */
type Sparse<T> = T extends unknown
  ? { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
      [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
    }
  : never;

/** What the engine can do for somebody. */
export type Action = Sparse<EngineAction>;

export type { EngineAction };

/** What one transaction is to do, in this order. */
export type Request = {
  actions: readonly Action[];
  /** The account whose margin is shown before and after; `null` where none changes. */
  account: string | null;
};

/** What an action would cost, a line each. Quote native, as who acts sees it: what is paid is negative. */
export type Cost = {
  lines: readonly CostLine[];
  total: CostLine | null;
};

/** A line of {@link Cost}: an amount, or something else in words. */
export type CostLine = {
  name: string;
  amount?: bigint;
  text?: string;
};

/** An account before and after an action. */
export type Preview = {
  before: MarginView;
  after: MarginView;
  cost: Cost | null;
  /** Prices at which the account would reach its maintenance line, by market, in words; only those that there are. */
  liquidation: readonly { symbol: string; before: string; after: string }[];
  /** Why the chain would refuse it; `null` where it would not. */
  refused: Problem | null;
};

/** How much worse than its quote a trade may be, ppm. */
export const SLIPPAGE_PPM = 5_000;
