import type { Action as EngineAction, MarginView } from "@plimsoll/client";

/** The same object with what may be `undefined` left out at will. */
type Sparse<T> = T extends unknown
  ? { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & { [K in keyof T as undefined extends T[K] ? K : never]?: T[K] }
  : never;

/** What the engine can do for somebody. */
export type Action = Sparse<EngineAction>;

/** What one transaction is to do, in this order. */
export interface Request {
  actions: readonly Action[];
  /** The account whose margin is shown before and after; `null` where none changes. */
  account: string | null;
}

/** What an action would cost, a line each. Quote native, as who acts sees it: what is paid is negative. */
export interface Cost {
  lines: readonly CostLine[];
  total: CostLine | null;
}

/** A line of {@link Cost}: an amount, or something else in words. */
export interface CostLine {
  name: string;
  amount?: bigint;
  text?: string;
}

/** An account before and after an action. */
export interface Preview {
  before: MarginView;
  after: MarginView;
  cost: Cost | null;
  /** Price at which the account would reach its maintenance line, dollars for a whole unit; `null` for none. */
  liquidation: { symbol: string; before: number | null; after: number | null } | null;
}
