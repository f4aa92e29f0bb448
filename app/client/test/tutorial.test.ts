/**
 * docs/tutorials/front-end.md: its code is that of examples/frontEnd.ts, which does what it says against the real program.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Action, type ExchangeStore } from '../src/index.js';
import { firstAccount, markets, open, preview, send } from '../examples/frontEnd.js';
import { loadBuiltEngine, LocalChain } from './localChain.js';

let chain: LocalChain;
let store: ExchangeStore;

beforeAll(async () => {
  await loadBuiltEngine();
  chain = await LocalChain.start();
  store = await open(chain.rpcUrl, chain.webSocketUrl, chain.exchange);
});

afterAll(async () => {
  store.close();
  await chain.stop();
});

test('every piece of code in the tutorial stands in the example', async () => {
  const page = await readFile(new URL('../../../docs/tutorials/front-end.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('../examples/frontEnd.ts', import.meta.url), 'utf8');
  const pieces = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, piece]) => piece ?? '');
  expect(pieces.length).toBeGreaterThan(4);
  for (const piece of pieces) expect(example).toContain(piece);
});

test('a wallet deposits and trades as the tutorial does it', async () => {
  const sol = store.engine.markets().find(({ symbol }) => symbol === 'SOL');
  expect(markets(store)).toContainEqual(expect.stringMatching(/^SOL \d+\.\d\d \(fresh\)$/));
  const [account, opening] = firstAccount(store, chain.exchange, chain.wallet.address);
  const deposit: Action = { kind: 'deposit', account, mint: chain.mint('USDC'), amount: 2_000_000_000n };
  const stages: string[] = [];
  const tell = (stage: string) => stages.push(stage);
  expect(await send(store, chain.wallet, [...opening, deposit], tell)).toContainEqual(
    expect.stringMatching(/^Deposited 2,000 /),
  );
  expect(stages.at(-1)).toBe('confirmed');
  expect(firstAccount(store, chain.exchange, chain.wallet.address)[1]).toEqual([]);

  const buy = (size: bigint): Action => ({ kind: 'openPosition', account, market: sol?.address ?? '', size });
  const order = store.engine.withLimit(buy(10_000_000_000n));
  const shown = preview(store, chain.wallet.address, [order]);
  expect(shown).toMatch(/^Price \d+\.\d+, initial health \d+\.\d\d, liquidated below: SOL/);
  expect(await send(store, chain.wallet, [order], tell)).toContainEqual(expect.stringMatching(/SOL/));

  const tooMuch = store.engine.withLimit(buy(4_000_000_000_000n));
  expect(preview(store, chain.wallet.address, [tooMuch])).toMatch(/^Not possible: /);
  expect(await send(store, chain.wallet, [tooMuch], tell)).toEqual([expect.stringMatching(/^program: /)]);
});
