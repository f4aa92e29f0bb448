/**
 * A real local chain for tests: the `plimsoll localnet` of this checkout, with the built program on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import { type Address, address, generateKeyPairSigner, type KeyPairSigner } from '@solana/kit';
import { connect, type Connection, getAccounts, loadEngine, NATIVE_MINT, type RawAccount } from '../src/index.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const command = `${root}target/debug/plimsoll`;
const CLOCK = address('SysvarC1ock11111111111111111111111111111111');
const LAMPORTS = 1_000_000_000;
/** Where price, publish time and moving average stand in a fully verified `PriceUpdateV2`. */
const [PRICE_AT, PUBLISHED_AT, EMA_AT] = [73, 93, 109];

/** Loads the built engine from its file. */
export async function loadBuiltEngine(): Promise<void> {
  await loadEngine(await readFile(new URL('../engine/plimsoll_wasm_bg.wasm', import.meta.url)));
}

/** A running chain with an open exchange, and a wallet with a thousand SOL and ten thousand of every token. */
export class LocalChain {
  private constructor(
    private readonly child: ChildProcess,
    readonly connection: Connection,
    readonly exchange: Address,
    readonly mints: ReadonlyMap<string, Address>,
    readonly wallet: KeyPairSigner,
    readonly rpcUrl: string,
    readonly webSocketUrl: string,
    /** A second wallet with as much. */
    readonly other: KeyPairSigner,
  ) {}

  /** @param options `nativeSol`: whether its SOL is wrapped SOL; another mint of nine decimals where left out. */
  static async start(options: { nativeSol?: boolean } = {}): Promise<LocalChain> {
    if (!existsSync(command)) throw new Error('target/debug/plimsoll is missing: cargo build -p plimsoll-cli');
    const [wallet, other] = [await generateKeyPairSigner(), await generateKeyPairSigner()];
    const folder = await mkdtemp(join(tmpdir(), 'plimsoll-'));
    const deployment = join(folder, 'localnet.toml');
    const usual = await readFile(`${root}migrations/localnet.toml`, 'utf8');
    const native = usual.replace('[banks.SOL]', `[banks.SOL]\nmint = "${NATIVE_MINT}"`);
    await writeFile(deployment, options.nativeSol ? native : usual);
    const funded = ['--fund', wallet.address, '--fund', other.address];
    const child = spawn(command, ['localnet', '--deployment', deployment, ...funded], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const found = await announced(child);
    await rm(folder, { recursive: true });
    const mints = new Map(
      [...found].filter(([key]) => key.startsWith('mint ')).map(([key, value]) => [key.slice(5), address(value)]),
    );
    const value = (key: string) => {
      const text = found.get(key);
      if (text === undefined) throw new Error(`plimsoll localnet did not say its ${key}`);
      return text;
    };
    const [rpcUrl, webSocketUrl] = [value('JSON-RPC'), value('WebSocket')];
    const connection = connect(rpcUrl, webSocketUrl);
    return new LocalChain(child, connection, address(value('exchange')), mints, wallet, rpcUrl, webSocketUrl, other);
  }

  mint(symbol: string): Address {
    const mint = this.mints.get(symbol);
    if (mint === undefined) throw new Error(`the local exchange has no bank ${symbol}`);
    return mint;
  }

  /** A wallet with a thousand SOL and no tokens. */
  async newWallet(): Promise<KeyPairSigner> {
    const wallet = await generateKeyPairSigner();
    await this.call('surfnet_setAccount', [wallet.address, { lamports: 1_000 * LAMPORTS }]);
    return wallet;
  }

  /** Puts an account in place of what was there. */
  async put({ address, owner, data }: Pick<RawAccount, 'address' | 'owner'> & { data: Uint8Array }): Promise<void> {
    const hex = Buffer.from(data).toString('hex');
    await this.call('surfnet_setAccount', [address, { lamports: LAMPORTS, owner, data: hex }]);
  }

  /** Puts a program at an address. */
  async deploy(program: Address, elf: Uint8Array): Promise<void> {
    await this.call('surfnet_writeProgram', [program, Buffer.from(elf).toString('hex'), 0]);
  }

  /** Gives an owner native units of a mint, in place of those that it had. */
  async give(owner: Address, mint: Address, amount: number): Promise<void> {
    await this.call('surfnet_setTokenAccount', [owner, mint, { amount }, TOKEN_PROGRAM_ADDRESS]);
  }

  /** The chain's time, unix seconds. */
  async now(): Promise<bigint> {
    const { accounts } = await getAccounts(this.connection, [CLOCK]);
    const bytes = Buffer.from(accounts[0]?.data ?? []);
    return bytes.readBigInt64LE(32);
  }

  /** Moves the chain's clock forward. */
  async travel(seconds: number): Promise<void> {
    const target = Number(await this.now()) + seconds;
    await this.call('surfnet_timeTravel', [{ absoluteTimestamp: target * 1_000 }]);
  }

  /** Has price accounts published now, times `factor` if one is given. */
  async publish(priceAccounts: readonly string[], factor = 1): Promise<void> {
    const now = await this.now();
    const { accounts } = await getAccounts(this.connection, priceAccounts.map(address));
    for (const account of accounts) {
      if (account === undefined || account.address === CLOCK) continue;
      const data = Buffer.from(account.data);
      for (const at of [PRICE_AT, EMA_AT]) {
        data.writeBigInt64LE(BigInt(Math.round(Number(data.readBigInt64LE(at)) * factor)), at);
      }
      data.writeBigInt64LE(now, PUBLISHED_AT);
      data.writeBigInt64LE(now - 1n, PUBLISHED_AT + 8);
      await this.put({ ...account, data });
    }
  }

  private async call(method: string, params: readonly unknown[]): Promise<void> {
    const request = { jsonrpc: '2.0', id: 1, method, params };
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(this.rpcUrl, { method: 'POST', headers, body: JSON.stringify(request) });
    const { error } = (await answer.json()) as { error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.kill('SIGINT');
    });
  }
}

/** What the command says about its chain, by name; ends with the line behind the last mint. */
function announced(child: ChildProcess): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    const found = new Map<string, string>();
    let text = '';
    child.stderr?.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (!text.includes('The chain runs until')) return;
      for (const match of text.matchAll(/^(JSON-RPC|WebSocket|program|exchange|mint \S+)\s+(\S+)$/gm)) {
        found.set(match[1] ?? '', match[2] ?? '');
      }
      resolve(found);
    });
    child.once('exit', (code) => {
      reject(new Error(`plimsoll localnet ended with ${String(code)}:\n${text}`));
    });
  });
}
