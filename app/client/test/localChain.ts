/**
 * A real local chain for tests: the `plimsoll localnet` of this checkout, with the built program on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Address, address, generateKeyPairSigner, type KeyPairSigner } from '@solana/kit';
import { connect, type Connection, loadEngine } from '../src/index.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const command = `${root}target/debug/plimsoll`;

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
  ) {}

  static async start(): Promise<LocalChain> {
    if (!existsSync(command)) throw new Error('target/debug/plimsoll is missing: cargo build -p plimsoll-cli');
    const wallet = await generateKeyPairSigner();
    const child = spawn(command, ['localnet', '--fund', wallet.address], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const found = await announced(child);
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
    return new LocalChain(child, connection, address(value('exchange')), mints, wallet, rpcUrl, webSocketUrl);
  }

  mint(symbol: string): Address {
    const mint = this.mints.get(symbol);
    if (mint === undefined) throw new Error(`the local exchange has no bank ${symbol}`);
    return mint;
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
