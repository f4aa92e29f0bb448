/**
 * What users do besides perpetuals and balances, against the real program: swaps, tickets, fills, signed orders, upgrades,
 * resolving, options over their expiry.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { address, type KeyPairSigner, signBytes } from '@solana/kit';
import {
  type Action,
  ExchangeStore,
  eventWords,
  findAccounts,
  getAccounts,
  type Order,
  marginAccountAddress,
  PlimsollFailure,
  sendInstructions,
  type SignedOrder,
  ticketAddress,
} from '../src/index.js';
import {
  getMarginAccountDecoder,
  getMarginAccountEncoder,
  getSampleExpiryInstruction,
  getSettleBoardInstruction,
} from '../src/generated/index.js';
import { loadBuiltEngine, LocalChain } from './localChain.js';

const USD = 1_000_000n;
const SOL = 1_000_000_000n;
/** Bytes of a margin account of the first layout. */
const FIRST_LAYOUT = 3_968;

let chain: LocalChain;
let store: ExchangeStore;
/** Margin accounts of the two wallets. */
let account: string;
let counterpart: string;

beforeAll(async () => {
  await loadBuiltEngine();
  chain = await LocalChain.start();
  const symbols = Object.fromEntries([...chain.mints].map(([symbol, mint]) => [mint, symbol]));
  store = await ExchangeStore.load(chain.connection, chain.exchange, { symbols });
  account = await open(chain.wallet);
  counterpart = await open(chain.other);
});

afterAll(async () => {
  store.close();
  await chain.stop();
});

/** Opens a margin account with 5,000 USD and 100 SOL. */
async function open(wallet: KeyPairSigner): Promise<string> {
  const account = marginAccountAddress(chain.exchange, wallet.address, 0);
  await store.send(wallet, [
    { kind: 'createAccount', index: 0 },
    { kind: 'deposit', account, mint: chain.mint('USDC'), amount: 5_000n * USD },
    { kind: 'deposit', account, mint: chain.mint('SOL'), amount: 100n * SOL },
  ]);
  return account;
}

function market() {
  const found = store.engine.markets().find((market) => market.symbol === 'SOL');
  if (found === undefined) throw new Error('no SOL');
  return found;
}

function board() {
  const [found] = store.engine.boards();
  if (found === undefined) throw new Error('no board');
  return found;
}

const balance = (of: string, symbol: string) =>
  store.engine.account(of).balances.find((line) => line.symbol === symbol)?.amount ?? 0n;

const position = (of: string) => store.engine.account(of).positions.find((line) => line.symbol === 'SOL')?.size ?? 0n;

/** Sends a trade with a limit, and expects that it leaves the margin that was foreseen. */
async function trade(wanted: Action): Promise<readonly string[]> {
  await store.reload();
  const order = store.engine.withLimit(wanted);
  const before = store.engine.whatIf(chain.wallet.address, [order]);
  expect(before.refused).toBeUndefined();
  const confirmed = await store.send(chain.wallet, [order]);
  // Interest and decay of the seconds until it was executed.
  const off = store.engine.margin(account).healthInit - (before.margin?.healthInit ?? 0n);
  expect(off < USD && off > -USD, `the health is ${off} off`).toBe(true);
  return eventWords(confirmed.events, store.engine);
}

/** The name of the error that a transaction is refused with. */
async function refusal(sent: Promise<unknown>): Promise<string | undefined> {
  const failure: unknown = await sent.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(PlimsollFailure);
  return (failure as PlimsollFailure).details.errorName;
}

describe('a swap', () => {
  test('of what the house does not have is refused before and on chain', async () => {
    const swap: Action = { kind: 'swap', account, mint: chain.mint('SOL'), amount: SOL, limitAmount: 10_000n * USD };
    const { refused } = store.engine.whatIf(chain.wallet.address, [swap]);
    expect(await refusal(store.send(chain.wallet, [swap]))).toBe(refused?.name);
    expect(refused?.name).toBe('SwapInventory');
  });

  test('of a deposit for quote leaves what was foreseen, and can be taken back', async () => {
    const mint = chain.mint('SOL');
    const words = await trade({ kind: 'swap', account, mint, amount: -10n * SOL });
    expect(words.at(-1)).toMatch(/sold 10 SOL for [\d,.]+ USD/i);
    expect(balance(account, 'SOL')).toBe(90n * SOL);
    await trade({ kind: 'swap', account, mint, amount: 4n * SOL });
    expect(balance(account, 'SOL')).toBe(94n * SOL);
  });
});

describe('a ticket of the pool', () => {
  const ticket = (index: number) => ticketAddress(chain.exchange, chain.wallet.address, index);

  /** Waits until the tickets that there are may be executed. */
  async function delay() {
    await chain.travel(61);
    await chain.publish(store.engine.wanted());
    await store.reload();
  }

  test('puts quote aside, becomes shares at a later valuation, and is claimed', async () => {
    await store.send(chain.wallet, [{ kind: 'requestProvide', index: 0, amount: 1_000n * USD }]);
    const execute: Action[] = [{ kind: 'valueHouse' }, { kind: 'executeTicket', ticket: ticket(0) }];
    expect(await refusal(store.send(chain.other, execute))).toBe('TicketTooEarly');
    await delay();
    await store.send(chain.other, execute);
    const [executed] = store.engine.tickets();
    expect(executed).toMatchObject({ kind: 'provide', amount: 1_000n * USD });
    expect(executed?.proceeds).toBeGreaterThan(990n * USD);
    const confirmed = await store.send(chain.wallet, [{ kind: 'claimTicket', ticket: ticket(0) }]);
    expect(eventWords(confirmed.events).at(-1)).toMatch(/house shares.* were claimed$/);
    expect(store.engine.tickets()).toEqual([]);
  });

  test('puts shares aside, and is taken back or becomes quote', async () => {
    const redeem = (index: number): Action => ({ kind: 'requestRedeem', index, amount: 100n * USD });
    await store.send(chain.wallet, [redeem(0), redeem(1)]);
    expect(store.engine.tickets()).toHaveLength(2);
    await delay();
    await store.send(chain.wallet, [
      { kind: 'valueHouse' },
      { kind: 'executeTicket', ticket: ticket(0) },
      { kind: 'claimTicket', ticket: ticket(0) },
    ]);
    // The valuation that executes a ticket is known from the minute before its delay ends: until it lapses it cannot be taken back.
    expect(await refusal(store.send(chain.wallet, [{ kind: 'cancelTicket', ticket: ticket(1) }]))).toBe('TicketBound');
    expect(store.engine.tickets()).toHaveLength(1);
  });
});

describe('a fill', () => {
  const price = () => store.engine.priceOf(market().address, market().priceUsd);

  test('of a perpetual that both sign moves it from one to the other', async () => {
    const fill: Action = {
      kind: 'fill',
      buyer: account,
      seller: counterpart,
      instrument: { of: 'perpetual', market: market().address },
      size: 5n * SOL,
      price: price(),
    };
    const confirmed = await store.send(chain.wallet, [fill], { others: [chain.other] });
    expect(eventWords(confirmed.events, store.engine).at(-1)).toMatch(/bought 5 SOL-PERP from/);
    expect([position(account), position(counterpart)]).toEqual([5n * SOL, -5n * SOL]);
  });

  test('of an option, and of a balance', async () => {
    const both = { buyer: account, seller: counterpart };
    const quotes = store.engine.optionQuotes(board().address, 1n);
    const premium = quotes.find(({ series }) => series === 6)?.markUsd ?? 0;
    const option: Action = {
      ...both,
      kind: 'fill',
      instrument: { of: 'option', board: board().address, series: 6 },
      size: 20n,
      price: store.engine.priceOf(market().address, premium),
    };
    const spot: Action = {
      ...both,
      kind: 'fill',
      instrument: { of: 'spot', mint: chain.mint('SOL') },
      size: SOL,
      price: price(),
    };
    const before = balance(account, 'SOL');
    await store.send(chain.other, [option, spot], { others: [chain.wallet] });
    expect(store.engine.account(account).options.map(({ lots, series }) => [series, lots])).toEqual([[6, 20]]);
    expect(balance(account, 'SOL')).toBe(before + SOL);
  });
});

describe('a signed order', () => {
  /** An order of an account to sell 10 SOL at the price now, or to buy it. */
  async function sign(wallet: KeyPairSigner, of: string, nonce: bigint, size: bigint): Promise<SignedOrder> {
    const order: Order = {
      account: of,
      instrument: { of: 'perpetual', market: market().address },
      size,
      limitPrice: store.engine.priceOf(market().address, market().priceUsd),
      nonce,
      expiresAt: (await chain.now()) + 600n,
    };
    const signature = await signBytes(wallet.keyPair.privateKey, store.engine.orderBytes(order));
    return { order, signer: wallet.address, signature: Uint8Array.from(signature) };
  }

  test('is filled by who takes it, in the transaction that makes the account of its fills', async () => {
    const maker = await sign(chain.other, counterpart, 1n, -10n * SOL);
    const fill: Action = { kind: 'fillOrders', maker, takerAccount: account, size: 4n * SOL };
    const before = position(account);
    const confirmed = await store.send(chain.wallet, [{ kind: 'createOrders', account: counterpart }, fill]);
    expect(eventWords(confirmed.events, store.engine)).toContainEqual(expect.stringMatching(/^Signed order 1 of/));
    expect(position(account)).toBe(before + 4n * SOL);
    const tooMuch: Action = { ...fill, size: 7n * SOL };
    expect(await refusal(store.send(chain.wallet, [tooMuch]))).toBe('OrderOverfilled');
  });

  test('meets another one, whoever submits them', async () => {
    const maker = await sign(chain.other, counterpart, 2n, -2n * SOL);
    const taker = await sign(chain.wallet, account, 1n, 2n * SOL);
    const submitter = await chain.newWallet();
    const before = position(account);
    await store.send(submitter, [
      { kind: 'createOrders', account },
      { kind: 'fillOrders', maker, taker, size: 2n * SOL },
    ]);
    expect(position(account)).toBe(before + 2n * SOL);
  });

  test('is void once its nonce is below the floor, and where another has signed it', async () => {
    await store.send(chain.other, [{ kind: 'cancelOrders', account: counterpart, floor: 10n }]);
    const void_ = await sign(chain.other, counterpart, 9n, -SOL);
    const fill = (maker: SignedOrder): Action => ({ kind: 'fillOrders', maker, takerAccount: account, size: SOL });
    expect(await refusal(store.send(chain.wallet, [fill(void_)]))).toBe('OrderCancelled');
    const forged = await sign(chain.wallet, counterpart, 11n, -SOL);
    expect(await refusal(store.send(chain.wallet, [fill(forged)]))).toBe('NotOwnerOrDelegate');
  });
});

describe('an account of an earlier layout', () => {
  test('is shown as it will be, and upgraded by the first transaction that names it', async () => {
    const wallet = chain.other;
    const [now] = (await getAccounts(chain.connection, [address(counterpart)])).accounts;
    if (now === undefined) throw new Error('no account');
    const margin = store.engine.margin(counterpart);
    const decoded = getMarginAccountDecoder().decode(now.data);
    const first = getMarginAccountEncoder().encode({ ...decoded, version: 1 });
    await chain.put({ ...now, data: Uint8Array.from(first.slice(0, FIRST_LAYOUT)) });
    const owned = { exchange: chain.exchange, owner: wallet.address };
    expect((await findAccounts(chain.connection, 'marginAccount', owned)).map(({ data }) => data.length)).toEqual([
      FIRST_LAYOUT,
    ]);
    await store.reload();
    expect(store.engine.outdated()).toEqual([counterpart]);
    expect(store.engine.margin(counterpart).equityMaint).toBe(margin.equityMaint);
    const deposit: Action = { kind: 'deposit', account: counterpart, mint: chain.mint('USDC'), amount: USD };
    const { events } = await store.send(wallet, [deposit]);
    expect(events.map(({ name }) => name)).toEqual(['AccountUpgraded', 'BalanceChanged']);
    expect(store.engine.outdated()).toEqual([]);
    expect(await refusal(store.send(wallet, [{ kind: 'upgradeAccount', account: counterpart }]))).toBe('LayoutCurrent');
  });
});

describe('options over their expiry', () => {
  const SAMPLES = 10;

  test('are paid at the settlement price, as was foreseen', async () => {
    await trade({ kind: 'openOption', account, board: board().address, series: 0, lots: 100n });
    const { address: at, expiry } = board();
    const [prices, oracle] = [store.engine.wanted(), address(market().priceAccount ?? '')];
    await chain.travel(Number(expiry - (await chain.now())) - 60 * SAMPLES + 1);
    const crank = (instruction: Parameters<typeof sendInstructions>[1][number]) =>
      sendInstructions(chain.connection, [instruction], chain.wallet, { computeLimit: 200_000 });
    for (let minute = 0; minute < SAMPLES; minute += 1) {
      await chain.publish(prices);
      await crank(getSampleExpiryInstruction({ market: address(market().address), board: address(at), oracle }));
      await chain.travel(60);
    }
    await chain.travel(60);
    await chain.publish(prices);
    const parts = { exchange: chain.exchange, market: address(market().address), board: address(at) };
    await crank(getSettleBoardInstruction(parts));
    await store.reload();
    const settled = board();
    expect(settled.isSettled).toBe(true);
    // A month of funding, so that it is not the settlement's.
    await store.send(chain.wallet, [{ kind: 'observe', market: market().address }]);
    const words = await trade({ kind: 'settleOption', account, board: at });
    expect(words.at(-1)).toMatch(/received [\d,.]+ USD for SOL options of \S+, settled at [\d.]+ USD/i);
    expect(store.engine.account(account).options).toEqual([]);
    await store.send(chain.wallet, [{ kind: 'settleOption', account: counterpart, board: at }]);
    expect(store.engine.account(counterpart).options).toEqual([]);
  });
});

describe('an account without equity', () => {
  test('is resolved by the house where the insurance lacks what it takes, and none with equity is', async () => {
    expect(await refusal(store.send(chain.other, [{ kind: 'resolve', account }]))).toBe('AccountHealthy');
    const deep = marginAccountAddress(chain.exchange, chain.other.address, 1);
    const [usdc, size] = [chain.mint('USDC'), 100n * SOL];
    await store.send(chain.other, [
      { kind: 'createAccount', index: 1 },
      { kind: 'deposit', account: deep, mint: usdc, amount: 2_000n * USD },
    ]);
    const long: Action = { kind: 'openPosition', account: deep, market: market().address, size };
    const { size: most } = store.engine.maxSize(long);
    await store.send(chain.other, [store.engine.withLimit({ ...long, size: most })]);
    await chain.publish(store.engine.wanted(), 0.5);
    await store.reload();
    expect(store.engine.margin(deep).equityMaint).toBeLessThan(0n);
    const confirmed = await store.send(chain.wallet, [
      { kind: 'flagLiquidation', account: deep },
      { kind: 'resolve', account: deep },
    ]);
    expect(eventWords(confirmed.events, store.engine).at(-1)).toMatch(/^The house paid [\d,.]+ USD of the loss of/);
  });
});
