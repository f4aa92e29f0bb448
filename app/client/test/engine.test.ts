import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { accountFilters, Engine, errorWords, loadEngine, programAddress } from '../src/index.js';
import {
  getExchangeSize,
  getMarginAccountSize,
  MARGIN_ACCOUNT_DISCRIMINATOR,
  PLIMSOLL_PROGRAM_ADDRESS,
} from '../src/generated/index.js';

beforeAll(async () => loadEngine(await readFile(new URL('../engine/plimsoll_wasm_bg.wasm', import.meta.url))));

describe('the engine', () => {
  test('is of the same program as the generated client', () => {
    expect(programAddress()).toBe(PLIMSOLL_PROGRAM_ADDRESS);
    const filters = new Map(accountFilters().map((filter) => [filter.kind, filter]));
    expect(filters.get('exchange')?.size).toBe(getExchangeSize());
    expect(filters.get('marginAccount')?.size).toBe(getMarginAccountSize());
    expect(filters.get('marginAccount')?.discriminator).toEqual([...MARGIN_ACCOUNT_DISCRIMINATOR]);
  });

  test('says what is wrong with an account that is no exchange', () => {
    const program = programAddress();
    expect(() => new Engine(program, program, new Uint8Array(1000))).toThrow(
      `account ${program} is not a exchange of this version`,
    );
    expect(() => new Engine('nonsense', program, new Uint8Array(1000))).toThrow('nonsense is no address');
  });

  test('has words for a code of the program, of Anchor and of another program', () => {
    expect(errorWords(6081)).toMatchObject({ code: 6081, name: 'AccountHealthy' });
    expect(errorWords(2040).message).toContain('passed twice');
    expect(errorWords(1).message).toBe('custom error 1, of another program');
  });
});
