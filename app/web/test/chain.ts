/** A local chain with an exchange on it, for a test to do with what only a test may do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { type Action, Engine, loadEngine, programAddress } from '@plimsoll/client';
import {
  getCreateBoardInstruction,
  getExchangeDecoder,
  getExchangeEncoder,
  getListStrikesInstruction,
  getMarketDecoder,
  getMarketEncoder,
  getRefreshBoardInstruction,
  getSampleExpiryInstruction,
  getSetPausesInstruction,
  getSettleBoardInstruction,
} from '@plimsoll/client/generated';
import {
  AccountRole,
  type Address,
  address,
  appendTransactionMessageInstructions,
  createSignerFromKeyPair,
  createSolanaRpc,
  createTransactionMessage,
  generateKeyPair,
  getAddressEncoder,
  getBase64EncodedWireTransaction,
  getBase64Encoder,
  getProgramDerivedAddress,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit';

/** Root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../../..');
const PUSH_ORACLE = address('pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT');
const TOKEN_PROGRAM = address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA');
const CLOCK = address('SysvarC1ock11111111111111111111111111111111');
const RENT = 1_000_000_000;
const DAY = 86_400;
const MOVES_UP = 8;
/** Least samples of a settlement, and how far they are apart, seconds. */
const SAMPLES = 10;
const SAMPLE_SECONDS = 60;

/** Kinds of action that an exchange may pause, by their bits. */
export const PAUSE = { deposit: 1, open: 4, trade: 8 } as const;

type Rpc = ReturnType<typeof createSolanaRpc>;
type Account = { owner: string; data: Uint8Array };
type Market = { address: Address; price: Address; owner: string; feed: Uint8Array; dollars: number };

/** A running `plimsoll localnet` whose prices and administration are the test's. */
export class Chain {
  readonly rpc: Rpc;
  private constructor(
    private readonly child: ChildProcess,
    readonly urls: { rpc: string; ws: string },
    readonly exchange: Address,
    readonly mints: Readonly<Record<string, Address>>,
    readonly admin: KeyPairSigner,
    private readonly markets = new Map<string, Market>(),
  ) {
    this.rpc = createSolanaRpc(urls.rpc);
  }

  /** Starts one; the program and the command must be built. */
  static async start(): Promise<Chain> {
    await loadEngine(readFileSync(resolve(ROOT, 'app/client/engine/plimsoll_wasm_bg.wasm')));
    const options = ['localnet', '--slot-time', '100'];
    const child = spawn(resolve(ROOT, 'target/debug/plimsoll'), options, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const words = await started(child);
    const word = (name: string) => words.get(name) ?? fail(`plimsoll localnet did not print ${name}`);
    const mints = [...words].filter(([name]) => name.startsWith('mint '));
    const admin = await createSignerFromKeyPair(await generateKeyPair());
    const chain = new Chain(
      child,
      { rpc: word('JSON-RPC'), ws: word('WebSocket') },
      address(word('exchange')),
      Object.fromEntries(mints.map(([name, mint]) => [name.slice(5), address(mint)])),
      admin,
    );
    await chain.takeOver();
    return chain;
  }

  /** Ends it. */
  async stop() {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await ended;
  }

  /** Stops it as it is, so that it answers nobody, until it goes on. */
  freeze() {
    this.child.kill('SIGSTOP');
  }

  /** Lets it go on. */
  thaw() {
    this.child.kill('SIGCONT');
  }

  /**
   * Makes the test the exchange's admin, and has every market follow a feed of the test's: the chain publishes its own
   * every few seconds, and would take back any price that a test sets.
   */
  private async takeOver() {
    await this.call('surfnet_setAccount', [this.admin.address, { lamports: 100 * RENT }]);
    const root = await this.account(this.exchange);
    const { address: admin } = this.admin;
    const exchange = { ...getExchangeDecoder().decode(root.data), admin, keeper: admin, riskAdmin: admin };
    await this.put(this.exchange, root.owner, getExchangeEncoder().encode(exchange));
    for (const { symbol, address: at } of (await this.engine()).markets()) {
      const account = await this.account(at);
      const market = getMarketDecoder().decode(account.data);
      const feed = Uint8Array.from(market.feedId, (byte) => byte ^ 0xff);
      await this.put(at, account.owner, getMarketEncoder().encode({ ...market, feedId: feed }));
      const [price] = await getProgramDerivedAddress({ programAddress: PUSH_ORACLE, seeds: [new Uint8Array(2), feed] });
      const dollars = { BTC: 30_000, SOL: 40 }[symbol] ?? 1;
      this.markets.set(symbol, { address: address(at), price, owner: market.oracleOwner, feed, dollars });
    }
    await this.publish();
  }

  /** The chain's time, unix seconds. */
  async now(): Promise<bigint> {
    const { data } = await this.account(CLOCK);
    return new DataView(data.buffer, data.byteOffset).getBigInt64(32, true);
  }

  /** Moves the chain's clock. */
  async travel(seconds: number) {
    const target = (await this.now()) + BigInt(seconds);
    await this.call('surfnet_timeTravel', [{ absoluteTimestamp: Number(target) * 1000 }]);
  }

  /** Publishes prices at the chain's time, or as old as is said. Those that are not given stay as they are. */
  async publish(dollars: Record<string, number> = {}, age = 0) {
    const at = (await this.now()) - BigInt(age);
    for (const [symbol, market] of this.markets) {
      market.dollars = dollars[symbol] ?? market.dollars;
      await this.put(market.price, market.owner, priceUpdate(market, at));
    }
  }

  /** A market's address. */
  market(symbol: string): Address {
    return (this.markets.get(symbol) ?? fail(`no market ${symbol}`)).address;
  }

  /** Gives a wallet lamports and whole tokens. */
  async fund(wallet: string, tokens: Record<string, number>) {
    await this.call('surfnet_setAccount', [wallet, { lamports: 100 * RENT }]);
    for (const [symbol, amount] of Object.entries(tokens)) {
      const decimals = { USDC: 6, BTC: 8, SOL: 9 }[symbol] ?? fail(`no token ${symbol}`);
      const mint = this.mints[symbol] ?? fail(`no token ${symbol}`);
      await this.call('surfnet_setTokenAccount', [wallet, mint, { amount: amount * 10 ** decimals }, TOKEN_PROGRAM]);
    }
  }

  /** Lists a board of SOL that expires in a week, at strikes around its price. */
  async listBoard(strikes: readonly number[]): Promise<Address> {
    const market = this.market('SOL');
    const seeds = ['board', addressBytes(market), Uint8Array.of(0)];
    const [board] = await getProgramDerivedAddress({ programAddress: address(programAddress()), seeds });
    const today = (await this.now()) / BigInt(DAY);
    const common = { authority: this.admin, exchange: this.exchange, market, board };
    const oracle = this.markets.get('SOL')?.price ?? fail('no SOL');
    const listed = Array.from({ length: 16 }, (_, slot) => {
      const dollars = strikes[slot];
      return dollars === undefined ? { digits: 0, exponent: 0 } : { digits: dollars * 10, exponent: -1 };
    });
    await this.send([
      getCreateBoardInstruction({ ...common, expiry: (today + 7n) * BigInt(DAY) + BigInt(MOVES_UP * 3_600), slot: 0 }),
      getListStrikesInstruction({ ...common, oracle, strikes: listed }),
      getRefreshBoardInstruction({ ...common, oracle, maxStrikes: 0 }),
    ]);
    return board;
  }

  /** Goes to the minutes before a board's expiry, and has this price sampled in each of them. */
  async sample(board: Address, dollars: number) {
    const known = (await this.engine()).boards().find((one) => one.address === (board as string)) ?? fail('no board');
    const wait = Number(known.expiry - (await this.now())) - SAMPLES * SAMPLE_SECONDS + 1;
    await this.travel(wait);
    const oracle = this.markets.get('SOL')?.price ?? fail('no SOL');
    for (let minute = 0; minute < SAMPLES; minute += 1) {
      await this.publish({ SOL: dollars });
      await this.send([getSampleExpiryInstruction({ market: this.market('SOL'), board, oracle })]);
      await this.travel(SAMPLE_SECONDS);
    }
    await this.publish();
  }

  /** Settles a board that was sampled. */
  async settleBoard(board: Address) {
    await this.travel(SAMPLE_SECONDS);
    await this.publish();
    await this.send([getSettleBoardInstruction({ exchange: this.exchange, market: this.market('SOL'), board })]);
  }

  /** Pauses some kinds of action, and resumes all others. */
  async pause(kinds: number) {
    const all = 0x1ff;
    const set = getSetPausesInstruction({
      authority: this.admin,
      exchange: this.exchange,
      set: kinds,
      clear: all & ~kinds,
    });
    await this.send([set]);
  }

  /** Engine with everything that is on the chain now: what `@plimsoll/client` makes of it in this process. */
  async engine(): Promise<Engine> {
    const program = address(programAddress());
    const all = await this.rpc.getProgramAccounts(program, { encoding: 'base64' }).send();
    const accounts = all.map(({ pubkey, account }) => ({
      at: pubkey,
      owner: account.owner,
      data: bytes(account.data[0]),
    }));
    const root = accounts.find(({ at }) => at === this.exchange) ?? fail('the exchange is gone');
    const engine = new Engine(root.at, root.owner, root.data);
    for (const { at, owner, data } of accounts) engine.put(at, owner, data);
    for (const at of engine.wanted()) {
      const found = await this.rpc.getAccountInfo(address(at), { encoding: 'base64' }).send();
      if (found.value) engine.put(at, found.value.owner, bytes(found.value.data[0]));
    }
    return engine;
  }

  /**
   * Whether the program itself finds this health, to the unit: it must accept that the account has as much, and refuse
   * that it has one unit more.
   */
  async hasHealth(account: string, health: bigint, maintenance: boolean): Promise<boolean> {
    const engine = await this.engine();
    const asserts = async (minimum: bigint) => {
      const action = { kind: 'assertHealth', account, maintenance, minimum } as Action;
      return this.succeeds(engine.instructionsOf(this.admin.address, [action]).map(toKit));
    };
    return (await asserts(health)) && !(await asserts(health + 1n));
  }

  /** Whether a transaction would succeed. */
  private async succeeds(instructions: Instruction[]): Promise<boolean> {
    const wire = getBase64EncodedWireTransaction(await this.signed(instructions, this.admin));
    return (await this.rpc.simulateTransaction(wire, { encoding: 'base64' }).send()).value.err === null;
  }

  /** Does something for a wallet, without the page. */
  async act(signer: KeyPairSigner, actions: readonly Action[]) {
    const engine = await this.engine();
    await this.send(engine.instructionsOf(signer.address, [...actions]).map(toKit), signer);
  }

  private async signed(instructions: readonly Instruction[], payer: KeyPairSigner) {
    const { value: lifetime } = await this.rpc.getLatestBlockhash().send();
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (empty) => setTransactionMessageFeePayerSigner(payer, empty),
      (paid) => setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
      (timed) => appendTransactionMessageInstructions(withSigner(instructions, payer), timed),
    );
    return signTransactionMessageWithSigners(message);
  }

  private async send(instructions: readonly Instruction[], payer = this.admin) {
    const transaction = await this.signed(instructions, payer);
    const signature = getSignatureFromTransaction(transaction);
    await this.rpc.sendTransaction(getBase64EncodedWireTransaction(transaction), { encoding: 'base64' }).send();
    for (let tries = 0; tries < 200; tries += 1) {
      const { value } = await this.rpc.getSignatureStatuses([signature]).send();
      if (value[0]?.err) throw new Error(`the transaction failed: ${JSON.stringify(value[0].err, plain)}`);
      if (value[0]?.confirmationStatus) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error('the transaction was not confirmed');
  }

  private async account(at: string): Promise<Account> {
    const { value } = await this.rpc.getAccountInfo(address(at), { encoding: 'base64' }).send();
    if (!value) throw new Error(`no account ${at}`);
    return { owner: value.owner, data: bytes(value.data[0]) };
  }

  private async put(at: string, owner: string, data: ArrayLike<number>) {
    const hex = Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
    await this.call('surfnet_setAccount', [at, { lamports: RENT, owner, data: hex }]);
  }

  private async call(method: string, params: readonly unknown[]): Promise<void> {
    const answer = await fetch(this.urls.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const body = (await answer.json()) as { error?: { message: string } };
    if (body.error) throw new Error(`${method}: ${body.error.message}`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(getBase64Encoder().encode(base64));
}

function addressBytes(value: Address): Uint8Array {
  return new Uint8Array(getAddressEncoder().encode(value));
}

type Packed = ReturnType<Engine['instructionsOf']>[number];

function toKit(packed: Packed): Instruction {
  const role = (isSigner: boolean, isWritable: boolean) =>
    isSigner
      ? isWritable
        ? AccountRole.WRITABLE_SIGNER
        : AccountRole.READONLY_SIGNER
      : isWritable
        ? AccountRole.WRITABLE
        : AccountRole.READONLY;
  return {
    programAddress: address(packed.program),
    accounts: packed.accounts.map((one) => ({
      address: address(one.address),
      role: role(one.isSigner, one.isWritable),
    })),
    data: packed.data,
  };
}

/** Has the accounts that must sign carry their signer, where it is the payer. */
function withSigner(instructions: readonly Instruction[], signer: KeyPairSigner): Instruction[] {
  return instructions.map((instruction) => ({
    ...instruction,
    accounts: (instruction.accounts ?? []).map((account) =>
      account.address === signer.address && account.role >= AccountRole.READONLY_SIGNER
        ? { ...account, signer }
        : account,
    ),
  }));
}

/** A `PriceUpdateV2` account, fully verified: price with a confidence of a thousandth, exponent -8. */
function priceUpdate({ feed, dollars }: Market, at: bigint): Uint8Array {
  const data = new DataView(new ArrayBuffer(134));
  const price = BigInt(Math.round(dollars * 1e8));
  new Uint8Array(data.buffer).set([0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd]);
  data.setUint8(40, 1);
  new Uint8Array(data.buffer).set(feed, 41);
  data.setBigInt64(73, price, true);
  data.setBigUint64(81, price / 1_000n, true);
  data.setInt32(89, -8, true);
  data.setBigInt64(93, at, true);
  data.setBigInt64(101, at - 1n, true);
  data.setBigInt64(109, price, true);
  data.setBigUint64(117, price / 1_000n, true);
  return new Uint8Array(data.buffer);
}

async function started(child: ChildProcess): Promise<Map<string, string>> {
  const words = new Map<string, string>();
  let complaint = '';
  child.stderr?.on('data', (text) => (complaint += String(text)));
  if (!child.stdout) throw new Error('plimsoll localnet has no output');
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const match = /^(JSON-RPC|WebSocket|exchange|mint \S+) +(\S+)$/.exec(line);
    if (match?.[1] && match[2]) words.set(match[1], match[2]);
    if (line.startsWith('The chain runs until')) {
      child.stdout.resume();
      return words;
    }
  }
  throw new Error(`plimsoll localnet ended: ${complaint}`);
}
