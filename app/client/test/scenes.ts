/**
 * Scenes of random walks through the real program, as the binary `plimsoll-margins` of the host workspace makes them.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Engine } from '../src/index.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One exchange at one moment, and what the Rust client says of its margin accounts. */
export type Scene = {
  exchange: string;
  accounts: { address: string; owner: string; data: string }[];
  prices: [market: string, account: string][];
  margins: { account: string; margin: Record<string, string> }[];
};

/** Scenes as they come, and how many accounts the program confirmed. */
export async function* scenes(seed: number, count: number): AsyncGenerator<Scene, number> {
  const child = spawn(`${root}target/debug/plimsoll-margins`, ['--seed', String(seed), '--scenes', String(count)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (bytes: Buffer) => (told += bytes.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Scene;
  } finally {
    // A reader that has seen enough.
    if (child.exitCode === null) child.stdout.destroy();
  }
  const code = await ended;
  const passed = /(\d+) passed, 0 failed/.exec(told)?.[1];
  if (code !== 0 || passed === undefined) throw new Error(`plimsoll-margins ended with ${String(code)}: ${told}`);
  return Number(passed);
}

/** An engine that was fed with a scene. */
export function engineOf(scene: Scene): Engine {
  const [root, ...others] = scene.accounts.map((raw) => ({ ...raw, data: Buffer.from(raw.data, 'base64') }));
  if (root === undefined) throw new Error('a scene without its exchange');
  const engine = new Engine(root.address, root.owner, root.data);
  for (const [market, price] of scene.prices) engine.choosePrice(market, price);
  for (const { address, data, owner } of others) engine.put(address, owner, data);
  return engine;
}
