import {
  connect,
  type Connection,
  type Engine,
  ExchangeStore,
  explain,
  findAccounts,
  loadEngine,
  programAddress,
} from '@plimsoll/client';
import wasm from '@plimsoll/client/engine.wasm?url';
import { address } from '@solana/kit';

import type { Problem } from '../components/Progress';
import { failureProblem } from './problem';
import type { Settings } from './settings';

/** How a session is. */
export type SessionState = {
  /** Changes whenever anything that the engine knows does. */
  revision: number;
  /** Fed by subscriptions, by polling alone, or not at all for the moment; `opening` until the first subscription. */
  network: 'opening' | 'live' | 'polling' | 'down';
};

/** One exchange that stays up to date, and the way to its chain. */
export type Session = {
  engine: Engine;
  store: ExchangeStore;
  connection: Connection;
  /** Which network wallets must be on. */
  chain: `solana:${string}`;
  subscribe: (listener: () => void) => () => void;
  state: () => SessionState;
  refresh: () => void;
  close: () => void;
};

/** Networks by their first block. */
const NETWORKS: Record<string, `solana:${string}`> = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d': 'solana:mainnet',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: 'solana:devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY': 'solana:testnet',
};

/** How long a server may take until its subscriptions are there before the page says that it polls, milliseconds. */
const PATIENCE_MS = 8_000;

/** A session, or why there is none. */
export type Opened = { session: Session; problem: null } | { session: null; problem: Problem };

/**
 * How often everything is read again beside the subscription, milliseconds. Local chains have been seen to fall silent on a
 * subscription that stays open.
 */
const RELOAD_MS: Partial<Record<`solana:${string}`, number>> = { 'solana:localnet': 5_000 };

/** Opens a session, or says why that cannot be; answers with nothing where nobody wants it any more. */
export async function openSession(settings: Settings, wanted: AbortSignal): Promise<Opened | null> {
  try {
    const connection = connect(settings.rpc, settings.ws);
    const [, chain] = await Promise.all([loadEngine(wasm), networkOf(connection)]);
    const found = await exchangeOf(connection, settings);
    if (found.problem) return { session: null, problem: found.problem };
    const store = await ExchangeStore.load(connection, address(found.exchange), {
      reloadMs: RELOAD_MS[chain] ?? 60_000,
    });
    if (wanted.aborted) {
      store.close();
      return null;
    }
    // The exchange's quote is a dollar; the mint itself carries no name.
    store.engine.nameMint(store.engine.exchange().quoteMint, settings.quote);
    store.start();
    return { session: sessionOf(store, chain), problem: null };
  } catch (error) {
    return wanted.aborted ? null : { session: null, problem: failureProblem(explain(error)) };
  }
}

async function networkOf({ rpc }: Connection): Promise<`solana:${string}`> {
  return NETWORKS[await rpc.getGenesisHash().send()] ?? 'solana:localnet';
}

type Found = { exchange: string; problem: null } | { exchange: null; problem: Problem };

/** The exchange that the settings name, or the only one that there is. */
async function exchangeOf(connection: Connection, settings: Settings): Promise<Found> {
  if (settings.exchange !== null) return { exchange: settings.exchange, problem: null };
  const [exchange, ...others] = await findAccounts(connection, 'exchange');
  if (exchange && others.length === 0) return { exchange: exchange.address, problem: null };
  const problem = exchange
    ? {
        title: 'There are several exchanges',
        detail: `Accounts of exchanges: ${[exchange, ...others].map((one) => one.address).join(', ')}.`,
        advice: 'Choose one in the settings.',
        code: 'several-exchanges',
      }
    : {
        title: 'There is no exchange here',
        detail: `The server answers, but its network has no exchange of the program ${programAddress()}.`,
        advice: 'Choose another server in the settings.',
        code: 'no-exchange',
      };
  return { exchange: null, problem };
}

function sessionOf(store: ExchangeStore, chain: `solana:${string}`): Session {
  const openedAt = Date.now();
  let last: SessionState = { revision: -1, network: 'opening' };
  const network = (): SessionState['network'] => {
    const status = store.status();
    return status === 'polling' && Date.now() - openedAt < PATIENCE_MS ? 'opening' : status;
  };
  return {
    engine: store.engine,
    store,
    connection: store.connection,
    chain,
    subscribe: store.subscribe,
    state: () => {
      const now = { revision: store.getVersion(), network: network() };
      if (now.revision !== last.revision || now.network !== last.network) last = now;
      return last;
    },
    refresh: () => {
      void store.reload().catch(() => undefined);
    },
    close: () => {
      store.close();
    },
  };
}
