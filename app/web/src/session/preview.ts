import type { BoardView, Engine, ExecutionView, LiquidationView, MarginView, WhatIfView } from '@plimsoll/client';
import { useMemo } from 'react';

import type { Problem } from '../components/Progress';
import { dollars } from '../lib/price';
import { useOwner } from './account';
import { type Action, type Cost, type EngineAction, type Preview, type Request, SLIPPAGE_PPM } from './actions';
import { useConnection, useLive, useLooked } from './live';
import { problemOf, problemOfThrown } from './problem';
import { useSimulated } from './simulate';

/** What is known of the margin after a request. */
export type PreviewState =
  { at: 'none' } | { at: 'looking' } | { at: 'ready'; preview: Preview } | { at: 'refused'; problem: Problem };

const TRADES = new Set<Action['kind']>([
  'createAccount',
  'deposit',
  'withdraw',
  'openPosition',
  'closePosition',
  'openOption',
  'closeOption',
  'swap',
  'settle',
  'settleOption',
]);

/** Whether the engine can tell the margin after a request; otherwise only the chain can. */
function isForeseen(request: Request): boolean {
  return request.actions.every((action) => TRADES.has(action.kind));
}

/** The margin that a request would leave: by the engine at every tick where it can tell, else by the chain's simulation. */
export function usePreview(request: Request | null): PreviewState {
  const owner = useOwner();
  const account = request?.account ?? null;
  const foreseen = request !== null && account !== null && isForeseen(request);
  const looked = useLooked(
    (engine) => (foreseen && owner ? lookAhead(engine, owner, account, request) : null),
    [request, owner],
  );
  const simulated = useSimulated(foreseen || account === null ? null : request);
  return useMemo(() => {
    if (account === null) return { at: 'none' };
    if (!foreseen) return simulated;
    if (looked.value) return { at: 'ready', preview: looked.value };
    return looked.error ? { at: 'refused', problem: problemOfThrown(looked.error) } : { at: 'none' };
  }, [account, foreseen, looked, simulated]);
}

function lookAhead(engine: Engine, owner: string, account: string, request: Request): Preview {
  const view = engine.whatIf(owner, [...request.actions] as EngineAction[], SLIPPAGE_PPM);
  return previewOf(view, liquidationNow(engine, account));
}

/** Where the account would be liquidated now; nowhere where it is still to be created. */
function liquidationNow(engine: Engine, account: string): LiquidationView[] {
  try {
    return engine.liquidationPrices(account);
  } catch {
    return [];
  }
}

const NOTHING: MarginView = {
  equityInit: 0n,
  equityMaint: 0n,
  requirementInit: 0n,
  requirementMaint: 0n,
  healthInit: 0n,
  healthMaint: 0n,
  blockedBy: undefined,
};

function previewOf(view: WhatIfView, pricesBefore: readonly LiquidationView[]): Preview {
  const refused = view.refused ? problemOf(view.refused) : null;
  return {
    before: view.marginBefore ?? NOTHING,
    after: view.margin ?? view.marginBefore ?? NOTHING,
    cost: view.execution ? costOf(view.execution) : null,
    liquidation: joined(pricesBefore, view.isApplied ? view.liquidationPrices : pricesBefore),
    refused,
  };
}

/** Prices of liquidation in words: below, above, or between two. */
export function liquidationText(view: LiquidationView | undefined): string {
  if (!view) return 'none';
  const { belowUsd: below, aboveUsd: above } = view;
  if (below != null && above != null) return `${dollars(below)} or ${dollars(above)}`;
  if (below != null) return dollars(below);
  return above != null ? dollars(above) : 'none';
}

function joined(before: readonly LiquidationView[], after: readonly LiquidationView[]): Preview['liquidation'] {
  const symbols = [...new Set([...before, ...after].map((view) => view.symbol))];
  const of = (views: readonly LiquidationView[], symbol: string) =>
    liquidationText(views.find((view) => view.symbol === symbol));
  const rows = symbols.map((symbol) => ({ symbol, before: of(before, symbol), after: of(after, symbol) }));
  return rows.filter((row) => row.before !== 'none' || row.after !== 'none');
}

/** What a trade costs, in parts: worth at the middle, the house's charges, the fee. */
function costOf(execution: ExecutionView): Cost {
  const paid = execution.cost + execution.fee;
  return {
    lines: [
      { name: 'Oracle price, USD', text: dollars(execution.spotUsd) },
      ...(execution.midUsd === execution.spotUsd ? [] : [{ name: 'Fair value, USD', text: dollars(execution.midUsd) }]),
      { name: "House's price, USD", text: dollars(execution.averageUsd) },
      { name: 'At fair value', amount: execution.charge - execution.cost },
      { name: 'Spread and skew', amount: -execution.charge },
      { name: 'Fee', amount: -execution.fee },
    ],
    total: { name: paid >= 0n ? 'Paid in cash, USD' : 'Received in cash, USD', amount: -paid },
  };
}

/** Largest size of an action whose own size says only the direction; asked when it is wanted. */
export function useMax(action: Action | null): (() => bigint | null) | undefined {
  const { session } = useConnection();
  if (!session || !action) return undefined;
  return () => {
    try {
      return session.engine.maxSize(action).size;
    } catch {
      return null;
    }
  };
}

/** The house's prices for one lot of a series, dollars for a whole token; `null` where it does not trade. */
export type OptionQuote = { bid: number | null; ask: number | null };

/** Both prices of every series of a board. */
export function useOptionQuotes(board: BoardView): ReadonlyMap<number, OptionQuote> {
  const quotes = useLive((engine) => engine.optionQuotes(board.address, 1n), [board.address]);
  return useMemo(
    () =>
      new Map((quotes ?? []).map((quote) => [quote.series, { bid: quote.bidUsd ?? null, ask: quote.askUsd ?? null }])),
    [quotes],
  );
}

/** The most of a deposit that the chain would let go; asked when it is wanted. */
export function useMaxWithdrawal(account: string | null, mint: string | null): (() => bigint | null) | undefined {
  const { session } = useConnection();
  if (!session || !account || !mint) return undefined;
  return () => {
    try {
      return session.engine.maxWithdraw(account, mint).size;
    } catch {
      return null;
    }
  };
}

/** What a button does that fills in a largest size; nothing where none can be told. */
export function fill(max: (() => bigint | null) | undefined, set: (most: bigint) => void): (() => void) | undefined {
  if (!max) return undefined;
  return () => {
    const most = max();
    if (most !== null) set(most);
  };
}
