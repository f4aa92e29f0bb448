/**
 * An exchange that stays up to date: the engine fed from subscriptions, and by polling where there are none.
 */
import { type Address, address, type Slot, type TransactionSigner } from '@solana/kit';
import { bytesOf, type Connection, findAccounts, getAccounts, type RawAccount } from './connection.js';
import { type Action, Engine, programAddress } from './engine.js';
import { explain, PlimsollFailure } from './errors.js';
import { instructionsOf } from './instructions.js';
import { type Confirmed, sendInstructions, type SendOptions } from './transaction.js';

/** How fresh an exchange is: fed by subscriptions, by polling alone, or not at all for the moment. */
export type StoreStatus = 'live' | 'polling' | 'down';

/** What a store loads and how it stays up to date. */
export type StoreOptions = {
  /** Whose margin accounts and tickets are loaded; everybody's where left out. */
  owner?: Address | undefined;
  /** Milliseconds between two looks at the clock and the prices; 2,000 where left out. */
  pollMs?: number | undefined;
  /** Milliseconds between two looks at everything while subscriptions work; 60,000 where left out. */
  reloadMs?: number | undefined;
  /** Names of mints, for people. */
  symbols?: Readonly<Record<string, string>> | undefined;
};

const POLL_MS = 2_000;
const RELOAD_MS = 60_000;
/** Without subscriptions everything is asked for this often, in looks at the prices. */
const RELOAD_EVERY = 3;
/** Changes are told at most this often, milliseconds. */
const NOTIFY_MS = 100;
/** How long a broken subscription is left alone, milliseconds: the first pause and the longest. */
const RETRY_MS = [1_000, 30_000] as const;

/** One exchange with its markets, banks, boards, house, margin accounts, tickets and prices. */
export class ExchangeStore {
  private version = 0;
  private state: StoreStatus = 'polling';
  private cause: PlimsollFailure | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly slots = new Map<string, Slot>();
  private readonly closing = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private removable = new Set<string>();

  private constructor(
    /** The cluster. */
    readonly connection: Connection,
    /** The exchange's address. */
    readonly exchange: Address,
    /** Answers everything about what was loaded. */
    readonly engine: Engine,
    private readonly options: StoreOptions,
  ) {}

  /**
   * Loads an exchange. It stays as it is until {@link start}.
   *
   * @throws PlimsollFailure Where there is no such exchange, or no cluster.
   */
  static async load(connection: Connection, exchange: Address, options: StoreOptions = {}): Promise<ExchangeStore> {
    try {
      const [root] = (await getAccounts(connection, [exchange])).accounts;
      if (root === undefined) {
        throw new PlimsollFailure('unknown', `There is no exchange at ${exchange}: is it the right cluster?`);
      }
      const engine = new Engine(exchange, root.owner, Uint8Array.from(root.data));
      for (const [mint, symbol] of Object.entries(options.symbols ?? {})) engine.nameMint(mint, symbol);
      const store = new ExchangeStore(connection, exchange, engine, options);
      await store.reload();
      return store;
    } catch (error) {
      throw explain(error);
    }
  }

  /** How fresh it is. */
  status(): StoreStatus {
    return this.state;
  }

  /** What keeps it from being fresh. */
  problem(): PlimsollFailure | undefined {
    return this.cause;
  }

  /** A number that changes whenever anything does: for React's `useSyncExternalStore`. */
  readonly getVersion = (): number => this.version;

  /** Calls `listener` after changes, at most ten times a second, until the answer is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks for everything again. */
  async reload(): Promise<void> {
    const { exchange } = this;
    const { owner } = this.options;
    const abort = this.closing.signal;
    const house = address(this.engine.houseAddress());
    const [root, ...kinds] = await Promise.all([
      getAccounts(this.connection, [exchange, house], abort),
      findAccounts(this.connection, 'market', { exchange }, abort),
      findAccounts(this.connection, 'bank', { exchange }, abort),
      findAccounts(this.connection, 'board', { exchange }, abort),
      findAccounts(this.connection, 'marginAccount', { exchange, ...(owner && { owner }) }, abort),
      findAccounts(this.connection, 'ticket', { exchange: house, ...(owner && { owner }) }, abort),
    ]);
    for (const account of [...root.accounts, ...kinds.flat()]) this.put(account, root.slot);
    // Boards, margin accounts and tickets may be closed.
    const found = new Set(kinds.slice(2).flatMap((accounts) => accounts.map((account) => account.address as string)));
    for (const gone of this.removable) if (!found.has(gone)) this.engine.remove(gone);
    this.removable = found;
    await this.look();
  }

  /** Asks for the clock and the prices again, in one request, so that they belong together. */
  private async look(): Promise<void> {
    const wanted = this.engine.wanted().map((wanted) => address(wanted));
    const { accounts, slot } = await getAccounts(this.connection, wanted, this.closing.signal);
    for (const account of accounts) this.put(account, slot);
    this.changed();
  }

  private put(account: RawAccount | undefined, slot: Slot): void {
    if (account === undefined || slot < (this.slots.get(account.address) ?? 0n)) return;
    this.slots.set(account.address, slot);
    this.engine.put(account.address, account.owner, Uint8Array.from(account.data));
  }

  private changed(): void {
    this.version += 1;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      for (const listener of this.listeners) listener();
    }, NOTIFY_MS);
  }

  private become(status: StoreStatus, cause?: unknown): void {
    this.cause = cause === undefined ? undefined : explain(cause);
    if (status === this.state) return;
    this.state = status;
    this.changed();
  }

  /** Keeps it up to date until {@link close}. */
  start(): void {
    void this.poll();
    if (this.connection.subscriptions !== undefined) void this.listen(this.connection.subscriptions);
  }

  /** Stops, and gives the engine's memory back; nothing may be asked afterwards. */
  close(): void {
    this.closing.abort();
    clearTimeout(this.timer);
    this.listeners.clear();
    this.engine.free();
  }

  private async poll(): Promise<void> {
    const { pollMs = POLL_MS, reloadMs = RELOAD_MS } = this.options;
    const signal = this.closing.signal;
    let reloadedAt = Date.now();
    while (await pause(pollMs, signal)) {
      const every = this.state === 'live' ? reloadMs : RELOAD_EVERY * pollMs;
      try {
        if (Date.now() - reloadedAt >= every) {
          await this.reload();
          reloadedAt = Date.now();
        } else {
          await this.look();
        }
        if (this.state === 'down') this.become('polling');
      } catch (error) {
        if (signal.aborted) return;
        this.become('down', error);
      }
    }
  }

  private async listen(subscriptions: NonNullable<Connection['subscriptions']>): Promise<void> {
    const signal = this.closing.signal;
    const config = { commitment: 'confirmed', encoding: 'base64' } as const;
    let retry: number = RETRY_MS[0];
    do {
      // A round's own end stops what it began.
      const round = new AbortController();
      const abortSignal = AbortSignal.any([signal, round.signal]);
      try {
        const program = address(programAddress());
        const accounts = await subscriptions.programNotifications(program, config).subscribe({ abortSignal });
        // What changed before the subscription began.
        await this.reload();
        this.become('live');
        retry = RETRY_MS[0];
        for await (const { context, value } of accounts) {
          const { data, owner } = value.account;
          this.take({ address: value.pubkey, owner, data: bytesOf(data) }, context.slot);
        }
      } catch (error) {
        if (!signal.aborted) this.become(this.state === 'down' ? 'down' : 'polling', error);
      } finally {
        round.abort();
      }
      if (!signal.aborted && this.state === 'live') this.become('polling');
      retry = Math.min(2 * retry, RETRY_MS[1]);
    } while (await pause(retry, signal));
  }

  /** Takes in what a subscription tells. */
  private take(account: RawAccount, slot: Slot): void {
    if (this.closing.signal.aborted) return;
    const { owner } = this.options;
    if (account.data.length === 0) {
      this.engine.remove(account.address);
    } else {
      try {
        if (owner !== undefined && !this.engine.concerns(account.owner, Uint8Array.from(account.data), owner)) return;
        this.put(account, slot);
        this.removable.add(account.address);
      } catch {
        // An account of a type or version that this client does not know: of another deployment, or a newer one.
        return;
      }
    }
    this.changed();
  }

  /**
   * Carries actions out in one transaction: packs their accounts, makes token accounts, observes and refreshes what is too
   * old, asks for the compute units that the table says, signs, sends, and waits.
   *
   * @throws PlimsollFailure In words, whatever it is.
   */
  async send(
    signer: TransactionSigner,
    actions: readonly Action[],
    options: Omit<SendOptions, 'computeLimit'> & {
      /** Who signs besides `signer`: the other side of a fill. */
      others?: readonly TransactionSigner[] | undefined;
    } = {},
  ): Promise<Confirmed> {
    try {
      // Prices of now, so that what is packed is what will be seen.
      await this.look();
      const { computeLimit, instructions } = await instructionsOf(this.engine, signer, actions, options.others);
      const confirmed = await sendInstructions(this.connection, instructions, signer, { ...options, computeLimit });
      await this.reload().catch(() => undefined);
      return confirmed;
    } catch (error) {
      options.abortSignal?.throwIfAborted();
      throw explain(error);
    }
  }
}

/** Waits, and says whether there is anything to wait for. */
function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve(true);
    }, milliseconds);
    const aborted = () => {
      clearTimeout(timer);
      resolve(false);
    };
    signal.addEventListener('abort', aborted, { once: true });
  });
}
