/**
 * Chain = Rust client = browser: accounts of random walks through the real program. The binary that makes them holds the Rust
 * client's healths to what the program asserts, to the unit; here the engine in WebAssembly is held to the Rust client's.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Engine } from '../src/index.js';
import { loadBuiltEngine } from './localChain.js';
import { engineOf, scenes } from './scenes.js';

const SCENES = Number(process.env.SCENES ?? 40);

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
    const all = scenes(1, SCENES);
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
