/**
 * What the engine packs is what the generated client reads: the same tags, arguments, accounts in the order of the IDL.
 */
import { readFile } from 'node:fs/promises';
import { type AccountMeta, AccountRole, address, createNoopSigner, type Instruction } from '@solana/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import * as generated from '../src/generated/index.js';
import { type Action, type Engine, marginAccountAddress, type PackedInstruction, toInstruction } from '../src/index.js';
import { loadBuiltEngine } from './localChain.js';
import { engineOf, scenes } from './scenes.js';

type IdlAccount = { name: string; signer?: boolean; writable?: boolean; optional?: boolean };
type Idl = { instructions: { name: string; accounts: IdlAccount[] }[] };

const U64_MAX = 2n ** 64n - 1n;
let engine: Engine;
let idl: Idl;
let account: string;
let owner: string;
let seller: string;

beforeAll(async () => {
  await loadBuiltEngine();
  idl = JSON.parse(await readFile(new URL('../../../idl/plimsoll.json', import.meta.url), 'utf8')) as Idl;
  // The first scenes of a walk have no options yet.
  for await (const scene of scenes(1, 10)) {
    engine = engineOf(scene);
    account = scene.margins[0]?.account ?? '';
    seller = scene.margins[1]?.account ?? '';
    if (engine.boards().length > 0 && seller !== '') break;
  }
  owner = engine.account(account).owner;
});

/** The one instruction of an action, behind what was refreshed for it. */
function packed(action: Action): PackedInstruction {
  const last = engine.instructionsOf(owner, [action]).at(-1);
  if (last === undefined) throw new Error('nothing was packed');
  return last;
}

type Kitted = Instruction & { accounts: readonly AccountMeta[]; data: Uint8Array };

function parsed(action: Action) {
  const instruction = toInstruction(packed(action), []) as Kitted;
  return generated.parsePlimsollInstruction(instruction);
}

/** Actions of every kind that needs nothing but an account, a market and a bank, by the instruction that they become. */
function actions(): Record<string, Action> {
  const market = engine.markets().find((market) => market.hasPerpetual)?.address ?? '';
  const bank = engine.banks().find((bank) => !bank.isQuote);
  const [board] = engine.boards();
  const mint = bank?.mint ?? '';
  const limit = { limitPrice: 7n, expiresAt: 9n };
  return {
    create_account: { kind: 'createAccount', index: 3 },
    close_account: { kind: 'closeAccount', account },
    set_delegate: { kind: 'setDelegate', account, delegate: owner, reduceOnly: true },
    deposit: { kind: 'deposit', account, mint, amount: 5n },
    withdraw: { kind: 'withdraw', account, mint },
    open_position: { kind: 'openPosition', account, market, size: -5n, ...limit, reduceOnly: true },
    close_position: { kind: 'closePosition', account, market, ...limit },
    open_option: { kind: 'openOption', account, board: board?.address ?? '', series: 1, lots: -2n, ...limit },
    close_option: { kind: 'closeOption', account, board: board?.address ?? '', series: 1, lots: 2n, ...limit },
    swap: { kind: 'swap', account, mint, amount: -3n, limitAmount: 7n, expiresAt: 9n },
    settle: { kind: 'settle', account, market },
    settle_option: { kind: 'settleOption', account, board: board?.address ?? '' },
    place_trigger: { kind: 'placeTrigger', account, market, side: 1, when: 2, triggerPrice: 11n, tip: 13n },
    cancel_trigger: { kind: 'cancelTrigger', account, index: 2 },
    flag_liquidation: { kind: 'flagLiquidation', account },
    liquidate: { kind: 'liquidate', taker: account, account, maxPayment: 17n },
    request_provide: { kind: 'requestProvide', index: 4, amount: 19n },
    request_redeem: { kind: 'requestRedeem', index: 4, amount: 19n },
    value_house: { kind: 'valueHouse' },
    observe: { kind: 'observe', market },
    accrue: { kind: 'accrue', bank: bank?.address ?? '' },
    refresh_board: { kind: 'refreshBoard', board: board?.address ?? '' },
    set_venue_approval: { kind: 'setVenueApproval', account, program: owner },
    fill: { kind: 'fill', buyer: account, seller, instrument: { of: 'perpetual', market }, size: 31n, price: 37n },
    create_orders: { kind: 'createOrders', account },
    cancel_orders: { kind: 'cancelOrders', account, floor: 41n },
    fill_orders: { kind: 'fillOrders', maker: signed(market), takerAccount: seller, size: 43n },
    open_lien: { kind: 'openLien', account, lien: lien(mint), amount: 47n },
    update_lien: { kind: 'updateLien', account, lien: lien(mint) },
    release_lien: { kind: 'releaseLien', account, lien: lien(mint), forAdapter: [extra()] },
    seize_lien: { kind: 'seizeLien', account, lien: lien(mint), forAdapter: [extra()] },
    resolve: { kind: 'resolve', account },
    upgrade_account: { kind: 'upgradeAccount', account },
    assert_health: { kind: 'assertHealth', account, maintenance: true, minimum: -23n },
    assert_sequence: { kind: 'assertSequence', account, sequence: 29n },
  };
}

const lien = (mint: string) => ({ mint, program: owner, record: account });
const extra = () => ({ address: owner, isSigner: false, isWritable: true });
/** An order that nobody has signed. */
const signed = (market: string) => {
  const order = { account, instrument: { of: 'perpetual' as const, market }, size: 53n, limitPrice: 59n, nonce: 61n };
  return { order: { ...order, expiresAt: 67n }, signer: owner, signature: new Uint8Array(64).fill(7) };
};

const pascal = (snake: string) => snake.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

describe('instructions', () => {
  test('are told apart, and their declared accounts are used as the IDL says', () => {
    for (const [name, action] of Object.entries(actions())) {
      const instruction = packed(action);
      expect(instruction.name).toBe(name);
      expect(generated.PlimsollInstruction[parsed(action).instructionType]).toBe(pascal(name));
      const declared = idl.instructions.find((one) => one.name === name)?.accounts ?? [];
      expect(instruction.accounts.length).toBeGreaterThanOrEqual(declared.length);
      declared.forEach((wanted, index) => {
        const got = instruction.accounts[index];
        const isAbsent = wanted.optional === true && got?.address === generated.PLIMSOLL_PROGRAM_ADDRESS;
        const use = { isSigner: got?.isSigner, isWritable: got?.isWritable };
        const asked = { isSigner: wanted.signer ?? false, isWritable: !isAbsent && (wanted.writable ?? false) };
        expect(use, `${name}.${wanted.name}`).toEqual(asked);
      });
    }
  });

  test('carry the arguments that they were given', () => {
    const args = (name: string) => {
      const action = actions()[name];
      if (action === undefined) throw new Error(name);
      const { data } = parsed(action) as { data: object };
      return Object.fromEntries(Object.entries(data).filter(([field]) => field !== 'discriminator'));
    };
    expect(args('create_account')).toEqual({ index: 3 });
    expect(args('withdraw')).toEqual({ amount: U64_MAX });
    expect(args('open_position')).toEqual({ size: -5n, limitPrice: 7n, expiresAt: 9n, reduceOnly: 1 });
    expect(args('close_option')).toEqual({ lots: 2n, limitPrice: 7n, expiresAt: 9n, series: 1 });
    expect(args('liquidate')).toEqual({ maxFraction: 2n ** 32n, maxPayment: 17n });
    expect(args('place_trigger')).toMatchObject({ triggerPrice: 11n, limitPrice: 0n, size: U64_MAX, tip: 13n });
    expect(args('fill')).toMatchObject({ args: { instrument: 0, sellerTakes: 0, size: 31n, price: 37n } });
    expect(args('fill_orders')).toEqual({ size: 43n, makerInstruction: 0, takerInstruction: 0 });
    expect(args('release_lien')).toEqual({ amount: U64_MAX, adapterAccounts: 1 });
    expect(args('assert_health')).toEqual({ kind: 1, minimum: -23n });
  });

  test('are those that the generated client builds', () => {
    const market = engine.markets().find((market) => market.hasPerpetual);
    const built = generated.getOpenPositionInstruction({
      authority: createNoopSigner(address(owner)),
      exchange: address(engine.exchange().address),
      account: address(account),
      market: address(market?.address ?? ''),
      oracle: address(market?.priceAccount ?? ''),
      size: -5,
      limitPrice: 7,
      expiresAt: 9,
      reduceOnly: 1,
    });
    const action = actions().open_position;
    if (action === undefined) throw new Error('no action');
    const ours = toInstruction(packed(action), []) as Kitted;
    expect([...ours.data]).toEqual([...built.data]);
    const plain = ({ address, role }: AccountMeta) => ({ address, role });
    expect(ours.accounts.slice(0, built.accounts.length).map(plain)).toEqual(built.accounts.map(plain));
  });

  test('for an account that is made in the same transaction bring what it will use', () => {
    const other = marginAccountAddress(engine.exchange().address, owner, 9);
    const market = engine.markets().find((market) => market.hasPerpetual)?.address ?? '';
    const quote = engine.exchange();
    const all = engine.instructionsOf(owner, [
      { kind: 'createAccount', index: 9 },
      { kind: 'deposit', account: other, mint: quote.quoteMint, amount: 1_000_000_000n },
      { kind: 'openPosition', account: other, market, size: 1n, limitPrice: U64_MAX },
    ]);
    const trade = all.at(-1);
    if (trade === undefined) throw new Error('nothing was packed');
    expect(trade.name).toBe('open_position');
    expect(trade.accounts.map((one) => one.address)).toContain(quote.quoteBank);
    expect(toInstruction(trade, []).accounts?.[0]?.role).toBe(AccountRole.READONLY_SIGNER);
  });

  test('of signed orders stand behind those that verify them, the first of all', () => {
    const market = engine.markets().find((market) => market.hasPerpetual)?.address ?? '';
    const maker = signed(market);
    const taker = { ...maker, order: { ...maker.order, account: seller, size: -53n, nonce: 1n } };
    const all = engine.instructionsOf(owner, [
      { kind: 'createOrders', account },
      { kind: 'fillOrders', maker, taker, size: 43n },
    ]);
    const ed25519 = 'Ed25519SigVerify111111111111111111111111111';
    expect(all.slice(0, 2).map(({ program }) => program)).toEqual([ed25519, ed25519]);
    for (const [place, one] of [maker, taker].entries()) {
      const data = Buffer.from(all[place]?.data ?? []);
      expect(data.subarray(48, 112)).toEqual(Buffer.from(one.signature));
      expect(data.subarray(112)).toEqual(Buffer.from(engine.orderBytes(one.order)));
    }
    const fills = all.flatMap((one) => (one.name === 'fill_orders' ? [toInstruction(one, []) as Kitted] : []));
    const parts = fills.map((one) => generated.parseFillOrdersInstruction(one).data);
    expect(parts).toMatchObject([{ makerInstruction: 0, takerInstruction: 1 }]);
    const short = { ...maker, signature: new Uint8Array(63) };
    const fill: Action = { kind: 'fillOrders', maker: short, takerAccount: seller, size: 1n };
    expect(() => engine.instructionsOf(owner, [fill])).toThrow('a signature has 64 bytes');
    const alone: Action = { kind: 'fillOrders', maker, size: 1n };
    expect(() => engine.instructionsOf(owner, [alone])).toThrow('nobody takes');
  });

  test('are refused with a word about what is missing', () => {
    const market = engine.markets()[0]?.address ?? '';
    const unlimited: Action = { kind: 'openPosition', account, market, size: 1n };
    expect(() => engine.instructionsOf(owner, [unlimited])).toThrow('the order has no limit');
    expect(() => engine.instructionsOf(owner, [{ ...unlimited, account: 'x', limitPrice: 1n }])).toThrow(
      'x is no address',
    );
    expect(() => engine.margin(owner)).toThrow('there is no margin account in the engine at');
    expect(() => engine.instructionsOf(owner, [{ kind: 'dance' } as never])).toThrow('not of the type that is wanted');
  });
});
