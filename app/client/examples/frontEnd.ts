/**
 * What docs/tutorials/front-end.md shows, a function for each step. A test runs them against the real program.
 */
import { type Address, type TransactionSigner } from '@solana/kit';
import {
  type Action,
  connect,
  eventWords,
  ExchangeStore,
  marginAccountAddress,
  PlimsollFailure,
  type Stage,
} from '../src/index.js';

/** Opens what a page needs, once. */
export async function open(rpc: string, webSocket: string, exchange: Address): Promise<ExchangeStore> {
  const store = await ExchangeStore.load(connect(rpc, webSocket), exchange);
  store.start();
  return store;
}

/** One line for each market. */
export function markets(store: ExchangeStore): string[] {
  return store.engine
    .markets()
    .map(({ symbol, priceUsd, freshness }) => `${symbol} ${priceUsd.toFixed(2)} (${freshness})`);
}

/** The wallet's first margin account, and what is to be done if there is none yet. */
export function firstAccount(store: ExchangeStore, exchange: Address, wallet: Address): [string, Action[]] {
  const account = marginAccountAddress(exchange, wallet, 0);
  const exists = store.engine.accountAddresses(wallet).includes(account);
  return [account, exists ? [] : [{ kind: 'createAccount', index: 0 }]];
}

/** What an order would do, in words, before anybody signs. */
export function preview(store: ExchangeStore, wallet: Address, actions: Action[]): string {
  const { refused, execution, margin, liquidationPrices } = store.engine.whatIf(wallet, actions);
  if (refused !== undefined) return `Not possible: ${refused.message}`;
  const health = margin === undefined ? 'unknown' : usd(margin.healthInit);
  const price = execution === undefined ? 'none' : execution.averageUsd.toFixed(4);
  const line = liquidationPrices.map(({ symbol, belowUsd }) => `${symbol} ${belowUsd?.toFixed(2) ?? 'never'}`);
  return `Price ${price}, initial health ${health}, liquidated below: ${line.join(', ')}`;
}

/** Quote native units, 1e-6 USD, as dollars. */
function usd(native: bigint): string {
  return (Number(native) / 1e6).toFixed(2);
}

/** Sends it, tells how far it is, and answers what happened in words. */
export async function send(
  store: ExchangeStore,
  wallet: TransactionSigner,
  actions: Action[],
  tell: (stage: Stage['kind']) => void,
): Promise<string[]> {
  try {
    const confirmed = await store.send(wallet, actions, {
      onStage: ({ kind }) => {
        tell(kind);
      },
    });
    return eventWords(confirmed.events, store.engine, wallet.address);
  } catch (failure) {
    if (failure instanceof PlimsollFailure) return [`${failure.kind}: ${failure.message}`];
    throw failure;
  }
}
