/**
 * Liens on tokens that another program keeps, with the example of an adapter as that program: opened, updated, released, called in.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AccountRole,
  type Address,
  address,
  getAddressEncoder,
  getProgramDerivedAddress,
  type Instruction,
  type TransactionSigner,
} from '@solana/kit';
import { findAssociatedTokenPda, TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import {
  type Action,
  ExchangeStore,
  getAccounts,
  type LienTerms,
  marginAccountAddress,
  type PackedAccount,
  sendInstructions,
} from '../src/index.js';
import {
  findAdapterPda,
  findLienPda,
  getConfigureAdapterInstruction,
  getExchangeDecoder,
  getExchangeEncoder,
  getRegisterAdapterInstruction,
  PLIMSOLL_PROGRAM_ADDRESS,
} from '../src/generated/index.js';
import { loadBuiltEngine, LocalChain } from './localChain.js';

const [USD, SOL] = [1_000_000n, 1_000_000_000n];
const POSITION_LEN = 200;
const ADAPTER = address('8J3j7SwFiPmbyFDrQhxpRVGTzAnWmx9Tqyszj7KGDfU7');
const POSITION = address('6LrwpF8XhPjgnmRC2RVjsxmsXKqW4KMXNMXBP4GjnPXX');

let chain: LocalChain;
let store: ExchangeStore;
let account: string;
let lien: LienTerms;
let custodian: Address;
let vault: Address;

beforeAll(async () => {
  await loadBuiltEngine();
  chain = await LocalChain.start();
  const file = new URL('../../../target/deploy/example_adapter.so', import.meta.url);
  await chain.deploy(ADAPTER, await readFile(file));
  const symbols = Object.fromEntries([...chain.mints].map(([symbol, mint]) => [mint, symbol]));
  store = await ExchangeStore.load(chain.connection, chain.exchange, { symbols });
  account = marginAccountAddress(chain.exchange, chain.wallet.address, 0);
  lien = { mint: chain.mint('SOL'), program: ADAPTER, record: POSITION };
  const bank = address(store.engine.banks().find(({ mint }) => mint === lien.mint)?.address ?? '');
  const [adapter] = await findAdapterPda({ bank, program: ADAPTER });
  await register(bank, adapter);
  await lock(adapter);
});

afterAll(async () => {
  store.close();
  await chain.stop();
});

async function send(instructions: Instruction[], signer: TransactionSigner = chain.wallet) {
  return sendInstructions(chain.connection, instructions, signer, { computeLimit: 200_000 });
}

/** Makes the wallet the exchange's admin, and lets the program's liens count. */
async function register(bank: Address, adapter: Address) {
  const [root] = (await getAccounts(chain.connection, [chain.exchange])).accounts;
  if (root === undefined) throw new Error('no exchange');
  const exchange = { ...getExchangeDecoder().decode(root.data), admin: chain.wallet.address };
  await chain.put({ ...root, data: Uint8Array.from(getExchangeEncoder().encode(exchange)) });
  const terms = { haircutPpm: 100_000, graceSeconds: 600, state: 0, padding: new Uint8Array(7) };
  const config = (cap: bigint) => ({ args: { config: { ...terms, cap } } });
  const common = { exchange: chain.exchange, adapter };
  await send([
    getRegisterAdapterInstruction({ ...common, ...config(0n), admin: chain.wallet, bank, program: ADAPTER }),
    getConfigureAdapterInstruction({ ...common, ...config(1_000n * SOL), authority: chain.wallet }),
  ]);
}

function u64(value: bigint): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return [...bytes];
}

/** Has the wallet put 50 SOL into the adapter's program, and lock 40 of it for its margin account. */
async function lock(adapter: Address) {
  const [found, bump] = await getProgramDerivedAddress({ programAddress: ADAPTER, seeds: ['custodian'] });
  custodian = found;
  const [beneficiary] = await getProgramDerivedAddress({
    programAddress: PLIMSOLL_PROGRAM_ADDRESS,
    seeds: ['lien-authority', getAddressEncoder().encode(adapter)],
  });
  const mint = address(lien.mint);
  const tokens = (owner: Address) => findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS });
  const [[source], [own]] = [await tokens(chain.wallet.address), await tokens(custodian)];
  vault = own;
  await chain.put({ address: POSITION, owner: ADAPTER, data: new Uint8Array(POSITION_LEN) });
  await chain.give(custodian, mint, 0);
  const [signs, reads, writes] = [AccountRole.READONLY_SIGNER, AccountRole.READONLY, AccountRole.WRITABLE];
  const owner = { address: chain.wallet.address, role: signs, signer: chain.wallet };
  const of = (address: Address, role: AccountRole) => ({ address, role });
  const ask = (data: number[], accounts: Instruction['accounts'] = []): Instruction => ({
    programAddress: ADAPTER,
    accounts: [owner, of(POSITION, writes), ...accounts],
    data: Uint8Array.from(data),
  });
  await send([
    ask([0, bump], [of(vault, reads)]),
    ask([1, ...u64(50n * SOL)], [of(vault, writes), of(source, writes), of(TOKEN_PROGRAM_ADDRESS, reads)]),
    ask([3, ...u64(40n * SOL)], [of(address(account), reads), of(beneficiary, reads)]),
  ]);
}

const collateral = () => store.engine.account(account).balances.find(({ symbol }) => symbol === 'SOL');

test('a lien counts as collateral once it is opened', async () => {
  await store.send(chain.wallet, [
    { kind: 'createAccount', index: 0 },
    { kind: 'deposit', account, mint: chain.mint('USDC'), amount: 100n * USD },
    { kind: 'openLien', account, lien, amount: 40n * SOL },
  ]);
  const { events } = await store.send(chain.other, [{ kind: 'updateLien', account, lien }]);
  expect(events).toMatchObject([{ name: 'LienChanged', data: { claim: 40n * SOL, recognised: 36n * SOL } }]);
  expect(collateral()).toMatchObject({ amount: 0n, lien: 36n * SOL });
});

test('a part of it is released, if the margin allows', async () => {
  const { events } = await store.send(chain.wallet, [{ kind: 'releaseLien', account, lien, amount: 10n * SOL }]);
  expect(events).toMatchObject([{ name: 'LienChanged', data: { claim: 30n * SOL } }]);
});

test('anyone calls it in of an account that is below its line', async () => {
  const market = store.engine.markets().find(({ symbol }) => symbol === 'SOL');
  const long: Action = { kind: 'openPosition', account, market: market?.address ?? '', size: 1n };
  const { size } = store.engine.maxSize(long);
  await store.send(chain.wallet, [store.engine.withLimit({ ...long, size: size / 2n })]);
  await chain.publish(store.engine.wanted(), 0.6);
  await store.reload();
  expect(store.engine.margin(account).healthMaint).toBeLessThan(0n);
  const extra = (address: string, isWritable: boolean): PackedAccount => ({ address, isSigner: false, isWritable });
  const forAdapter = [extra(vault, true), extra(custodian, false)];
  const { events } = await store.send(chain.other, [
    { kind: 'flagLiquidation', account },
    { kind: 'seizeLien', account, lien, forAdapter },
  ]);
  expect(events.at(-1)).toMatchObject({ name: 'LienSeized', data: { claim: 30n * SOL, received: 30n * SOL } });
  expect(collateral()).toMatchObject({ amount: 30n * SOL, lien: 0n });
  expect((await getAccounts(chain.connection, [(await findLienPda({ record: POSITION }))[0]])).accounts).toEqual([
    undefined,
  ]);
});
