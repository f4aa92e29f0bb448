/**
 * Chain = Rust client = browser: accounts of random walks through the real program. The binary that makes them holds the Rust
 * client's healths to what the program asserts, to the unit; here the engine in WebAssembly is held to the Rust client's.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { Engine } from '../src/index.js';
import { loadBuiltEngine } from './localChain.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SCENES = Number(process.env.SCENES ?? 40);

type Scene = {
  exchange: string;
  accounts: { address: string; owner: string; data: string }[];
  prices: [market: string, account: string][];
  margins: { account: string; margin: Record<string, string> }[];
};

/** Scenes as they come, and how many accounts the program confirmed. */
async function* scenes(seed: number): AsyncGenerator<Scene, number> {
  const child = spawn(`${root}target/debug/plimsoll-margins`, ['--seed', String(seed), '--scenes', String(SCENES)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (bytes: Buffer) => (told += bytes.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Scene;
  const code = await ended;
  const passed = /(\d+) passed, 0 failed/.exec(told)?.[1];
  if (code !== 0 || passed === undefined) throw new Error(`plimsoll-margins ended with ${String(code)}: ${told}`);
  return Number(passed);
}

function engineOf(scene: Scene): Engine {
  const [root, ...others] = scene.accounts.map((raw) => ({ ...raw, data: Buffer.from(raw.data, 'base64') }));
  if (root === undefined) throw new Error('a scene without its exchange');
  const engine = new Engine(root.address, root.owner, root.data);
  for (const [market, price] of scene.prices) engine.choosePrice(market, price);
  for (const { address, data, owner } of others) engine.put(address, owner, data);
  return engine;
}

/** What the engine says of an account, as the Rust client's line does; nothing where it reckons with refreshed boards. */
function marginOf(engine: Engine, account: string): Record<string, string> {
  try {
    const { equityInit, equityMaint, requirementInit, requirementMaint } = engine.margin(account);
    const told = { equityInit, equityMaint, requirementInit, requirementMaint };
    return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value.toString()]));
  } catch (error) {
    return { error: error instanceof Error ? error.name : String(error) };
  }
}

beforeAll(loadBuiltEngine);

test(
  'every margin of random accounts is the program’s and the Rust client’s, to the unit',
  { timeout: 300_000 },
  async () => {
    let compared = 0;
    const all = scenes(1);
    let next = await all.next();
    for (; next.done !== true; next = await all.next()) {
      const engine = engineOf(next.value);
      for (const { account, margin } of next.value.margins) {
        // Where the chain says that a board is too old the engine goes on with boards that it refreshed.
        if (margin.error === 'BoardStale') continue;
        expect(marginOf(engine, account), account).toEqual(margin);
        compared += margin.error === undefined ? 1 : 0;
      }
      engine.free();
    }
    expect(compared).toBe(next.value);
    expect(compared).toBeGreaterThan(SCENES);
  },
);
