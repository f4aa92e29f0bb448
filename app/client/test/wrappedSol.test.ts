/**
 * SOL as collateral: wrapped for a deposit, unwrapped after a withdrawal, and no token account left behind.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyPairSigner } from '@solana/kit';
import { type Action, ExchangeStore, marginAccountAddress, NATIVE_MINT } from '../src/index.js';
import { loadBuiltEngine, LocalChain } from './localChain.js';

const SOL = 1_000_000_000n;
/** More than fees and the rent of a margin account. */
const SMALL = SOL / 20n;

let chain: LocalChain;
let store: ExchangeStore;
let wallet: KeyPairSigner;

beforeAll(async () => {
  await loadBuiltEngine();
  chain = await LocalChain.start({ nativeSol: true });
  store = await ExchangeStore.load(chain.connection, chain.exchange);
  wallet = await chain.newWallet();
});

afterAll(async () => {
  store.close();
  await chain.stop();
});

async function lamports(): Promise<bigint> {
  return (await chain.connection.rpc.getBalance(wallet.address, { commitment: 'confirmed' }).send()).value;
}

async function tokenAccounts(): Promise<number> {
  const { rpc } = chain.connection;
  const found = await rpc
    .getTokenAccountsByOwner(wallet.address, { mint: NATIVE_MINT }, { encoding: 'base64', commitment: 'confirmed' })
    .send();
  return found.value.length;
}

test('a wallet without a token account deposits SOL, and gets SOL back', async () => {
  expect(chain.mint('SOL')).toBe(NATIVE_MINT);
  const account = marginAccountAddress(chain.exchange, wallet.address, 0);
  const deposit: Action = { kind: 'deposit', account, mint: NATIVE_MINT, amount: 7n * SOL };
  const before = await lamports();
  await store.send(wallet, [{ kind: 'createAccount', index: 0 }, deposit]);
  expect(store.engine.account(account).balances.map(({ amount, symbol }) => [symbol, amount])).toEqual([
    ['SOL', 7n * SOL],
  ]);
  expect(await tokenAccounts()).toBe(0);
  const between = await lamports();
  expect(before - between - 7n * SOL).toBeLessThan(SMALL);
  await store.send(wallet, [
    { kind: 'withdraw', account, mint: NATIVE_MINT },
    { kind: 'closeAccount', account },
  ]);
  expect(await tokenAccounts()).toBe(0);
  expect(before - (await lamports())).toBeLessThan(SMALL);
  expect(store.engine.accountAddresses(wallet.address)).toEqual([]);
});
