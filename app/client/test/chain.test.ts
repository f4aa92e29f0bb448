/**
 * The client against the real program on a local chain.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { address } from '@solana/kit';
import {
  type Action,
  addressesOf,
  createLookupTable,
  ExchangeStore,
  eventWords,
  history,
  instructionsOf,
  marginAccountAddress,
  PlimsollFailure,
  type Stage,
} from '../src/index.js';
import { fetchMarginAccount } from '../src/generated/index.js';
import { loadBuiltEngine, LocalChain } from './localChain.js';

const USD = 1_000_000n;

let chain: LocalChain;
let store: ExchangeStore;
let account: string;

beforeAll(async () => {
  await loadBuiltEngine();
  chain = await LocalChain.start();
  const symbols = Object.fromEntries([...chain.mints].map(([symbol, mint]) => [mint, symbol]));
  store = await ExchangeStore.load(chain.connection, chain.exchange, { symbols, pollMs: 500 });
  store.start();
  account = marginAccountAddress(chain.exchange, chain.wallet.address, 0);
});

afterAll(async () => {
  store.close();
  await chain.stop();
});

function market(symbol: string) {
  const found = store.engine.markets().find((market) => market.symbol === symbol);
  if (found === undefined) throw new Error(`no market ${symbol}`);
  return found;
}

/** What a wallet's first transaction does. */
function firstSteps(): Action[] {
  return [
    { kind: 'createAccount', index: 0 },
    { kind: 'deposit', account, mint: chain.mint('USDC'), amount: 5_000n * USD },
  ];
}

describe('an exchange on a local chain', () => {
  test('is loaded whole', () => {
    const exchange = store.engine.exchange();
    expect(exchange.address).toBe(chain.exchange);
    expect(exchange.quoteMint).toBe(chain.mint('USDC'));
    expect(exchange.house?.navUsd).toBeGreaterThan(0);
    expect(store.engine.banks().map((bank) => bank.symbol)).toEqual(expect.arrayContaining([...chain.mints.keys()]));
    for (const { freshness, priceUsd } of store.engine.markets())
      expect({ freshness, isPriced: priceUsd > 0 }).toEqual({ freshness: 'fresh', isPriced: true });
  });

  test('shows a first deposit before it is made, and the chain leaves just that', async () => {
    const before = store.engine.whatIf(chain.wallet.address, firstSteps());
    expect(before.refused).toBeUndefined();
    const stages: Stage['kind'][] = [];
    const confirmed = await store.send(chain.wallet, firstSteps(), { onStage: ({ kind }) => stages.push(kind) });
    expect(stages).toEqual(['building', 'signing', 'sent', 'confirmed']);
    expect(eventWords(confirmed.events, store.engine, chain.wallet.address)).toEqual([
      expect.stringMatching(/^Your account was opened by \S+$/),
      'Deposited 5,000 USDC',
    ]);
    expect(store.engine.margin(account)).toEqual(before.margin);
    expect(store.engine.accountAddresses(chain.wallet.address)).toEqual([account]);
  });

  test('opens a perpetual at the price that was shown', async () => {
    const { address: sol } = market('SOL');
    const wanted: Action = { kind: 'openPosition', account, market: sol, size: 20_000_000_000n };
    const order = store.engine.withLimit(wanted);
    const before = store.engine.whatIf(chain.wallet.address, [order]);
    expect(before.refused).toBeUndefined();
    const confirmed = await store.send(chain.wallet, [order]);
    const traded = confirmed.events.find((event) => event.name === 'Traded');
    expect(traded?.data).toMatchObject({ size: 20_000_000_000n, position: 20_000_000_000n });
    const { data } = await fetchMarginAccount(chain.connection.rpc, address(account));
    expect(data.markets.find((slot) => slot.market === sol)?.size).toBe(20_000_000_000n);
    expect(confirmed.computeUnits).toBeGreaterThan(0n);
  });

  test('says the health that the chain asserts, to the unit', async () => {
    const assertHealth = (minimum: bigint): Action => ({ kind: 'assertHealth', account, maintenance: false, minimum });
    // The clock goes on between looking and asserting; the price is published every ten seconds, so a try may be late.
    await expect
      .poll(async () => {
        await store.reload();
        const { healthInit } = store.engine.margin(account);
        const ask = (minimum: bigint) =>
          store.send(chain.wallet, [assertHealth(minimum)]).then(
            () => 'accepted',
            (error: unknown) => (error instanceof PlimsollFailure ? error.details.errorName : error),
          );
        return [await ask(healthInit), await ask(healthInit + 1n)];
      })
      .toEqual(['accepted', 'HealthAssertion']);
  });

  test('refuses what the margin cannot carry, in words, before and on chain', async () => {
    const { address: sol } = market('SOL');
    const limitPrice = store.engine.priceOf(sol, 1_000);
    const tooLarge: Action = { kind: 'openPosition', account, market: sol, size: 4_000_000_000_000n, limitPrice };
    const before = store.engine.whatIf(chain.wallet.address, [tooLarge]);
    const failure: unknown = await store.send(chain.wallet, [tooLarge]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PlimsollFailure);
    expect(failure).toMatchObject({ kind: 'program', details: { errorName: before.refused?.name } });
    const { size } = store.engine.maxSize(tooLarge);
    expect(size).toBeLessThan(4_000_000_000_000n);
    expect(store.engine.whatIf(chain.wallet.address, [{ ...tooLarge, size }]).refused).toBeUndefined();
  });

  test.each([0, 1] as const)('sends transactions of version %i', async (version) => {
    const deposit: Action = { kind: 'deposit', account, mint: chain.mint('USDC'), amount: USD };
    const confirmed = await store.send(chain.wallet, [deposit], { versions: [version], computePrice: 1_000n });
    expect(eventWords(confirmed.events, store.engine, chain.wallet.address)).toEqual(['Deposited 1 USDC']);
    expect(eventWords(confirmed.events, store.engine)).toEqual([
      expect.stringMatching(/^Account \S+ deposited 1 USDC$/),
    ]);
  });

  test('uses a lookup table where version 0 is too short without, and version 1 has no need of it', async () => {
    const markets = store.engine.markets().filter((market) => market.hasPerpetual);
    const actions = markets.flatMap((market): Action[] => [
      store.engine.withLimit({
        kind: 'openPosition',
        account,
        market: market.address,
        size: 10n ** BigInt(market.baseDecimals) / 100n,
      }),
      { kind: 'settle', account, market: market.address },
    ]);
    const banks = [...chain.mints.values()].map((mint): Action => ({
      kind: 'deposit',
      account,
      mint,
      amount: 1_000_000n,
    }));
    // Long enough for plain version 0 not to hold it.
    const more = Array.from({ length: 15 }, (): Action => ({
      kind: 'deposit',
      account,
      mint: chain.mint('USDC'),
      amount: USD,
    }));
    const all = [...banks, ...more, ...actions];
    const tooLong: unknown = await store.send(chain.wallet, all, { versions: [0] }).catch((error: unknown) => error);
    expect(tooLong).toMatchObject({ kind: 'transaction', message: expect.stringContaining('too large') as string });
    const { instructions } = await instructionsOf(store.engine, chain.wallet, all);
    const table = await createLookupTable(chain.connection, chain.wallet, addressesOf(instructions));
    const short = await store.send(chain.wallet, all, { versions: [0], lookupTables: [table] });
    expect(short.isLogWhole).toBe(false);
    expect(store.engine.account(account).positions).toHaveLength(markets.length);
    const wide = await store.send(chain.wallet, all, { versions: [1] });
    expect(wide.slot).toBeGreaterThan(short.slot);
    for (const market of markets) {
      await store.send(chain.wallet, [
        store.engine.withLimit({ kind: 'closePosition', account, market: market.address }),
        { kind: 'settle', account, market: market.address },
      ]);
    }
    for (const mint of chain.mints.values()) {
      if (mint !== chain.mint('USDC')) await store.send(chain.wallet, [{ kind: 'withdraw', account, mint }]);
    }
  });

  test('asks for enough compute units and not for many times too many', async () => {
    const { address: sol } = market('SOL');
    const actions: Action[] = [
      store.engine.withLimit({ kind: 'openPosition', account, market: sol, size: 1_000_000_000n }),
      { kind: 'settle', account, market: sol },
    ];
    const { computeLimit } = await instructionsOf(store.engine, chain.wallet, actions);
    const { computeUnits } = await store.send(chain.wallet, actions);
    expect(Number(computeUnits)).toBeLessThan(computeLimit);
    expect(computeLimit).toBeLessThan(5 * Number(computeUnits));
  });

  test('closes and withdraws all', async () => {
    const { address: sol } = market('SOL');
    await store.send(chain.wallet, [
      store.engine.withLimit({ kind: 'closePosition', account, market: sol }),
      { kind: 'settle', account, market: sol },
    ]);
    expect(store.engine.account(account).positions).toEqual([]);
    const confirmed = await store.send(chain.wallet, [
      { kind: 'withdraw', account, mint: chain.mint('USDC') },
      { kind: 'closeAccount', account },
    ]);
    expect(eventWords(confirmed.events, store.engine).at(-1)).toMatch(/was closed$/);
    expect(store.engine.accountAddresses()).not.toContain(account);
    const [last] = await history(chain.connection, address(account), 1);
    expect(last).toMatchObject({ signature: confirmed.signature, failure: undefined });
  });

  test('is live by subscription', async () => {
    await expect.poll(() => store.status(), { timeout: 20_000 }).toBe('live');
  });
});
