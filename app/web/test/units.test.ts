/** Numbers as they are read and shown, and how deep the ship lies. */
import { describe, expect, test } from 'vitest';

import { draught, float, initialLine, type Load } from '../src/components/draught.js';
import {
  amountText,
  decimalText,
  parseDecimal,
  percent,
  plainDecimal,
  ratioPpm,
  signedUsd,
  usd,
} from '../src/lib/decimal.js';
import { dollars, priceFromNano } from '../src/lib/price.js';
import { duration } from '../src/lib/time.js';

describe('decimals', () => {
  test('are read exactly, and read back', () => {
    for (const [text, decimals, value] of [
      ['1', 6, 1_000_000n],
      ['0.000001', 6, 1n],
      ['.5', 1, 5n],
      ['12.', 2, 1_200n],
      ['1,234,567.89', 2, 123_456_789n],
      ["1'000", 0, 1_000n],
      ['9007199254740993', 0, 9_007_199_254_740_993n],
    ] as const) {
      expect(parseDecimal(text, decimals)).toBe(value);
      expect(parseDecimal(plainDecimal(value, decimals), decimals)).toBe(value);
    }
  });

  test('that are none are refused in words', () => {
    const read = (text: string, decimals: number) => () => parseDecimal(text, decimals);
    expect(read('', 6)).toThrow('Enter a number');
    expect(read('.', 6)).toThrow('Enter a number like 1250.5');
    expect(read('-1', 6)).toThrow('Enter a number like 1250.5');
    expect(read('1e3', 6)).toThrow('Enter a number like 1250.5');
    expect(read('1,23', 6)).toThrow('Enter a number like 1250.5');
    expect(read('1.1234567', 6)).toThrow('At most 6 decimals');
    expect(read('1.5', 0)).toThrow('Enter a whole number');
    expect(read('9223372036854775808', 0)).toThrow('The number is too large');
  });

  test('are shown grouped and rounded half away from zero', () => {
    expect(usd(1_234_567_894_999n)).toBe('1,234,567.89');
    expect(usd(-5_000n)).toBe('−0.01');
    expect(usd(4_999n)).toBe('0.00');
    expect(signedUsd(10_000n)).toBe('+0.01');
    expect(decimalText(1_500n, 3)).toBe('1.5');
    expect(amountText(1n, 9)).toBe('0.000000001');
    expect(percent(123_456)).toBe('12.35 %');
    expect(ratioPpm(1n, 0n)).toBeNull();
    expect(ratioPpm(1n, 3n)).toBe(333_333n);
  });

  test('of prices and lengths of time', () => {
    expect(priceFromNano(40_000_000_000n, 9)).toBe((40n << 48n) / 1_000n);
    expect([dollars(30_000), dollars(1.5), dollars(0.01)]).toEqual(['30,000.00', '1.5000', '0.010000']);
    expect([duration(45), duration(600), duration(7_200), duration(600_000)]).toEqual(['45 s', '10 min', '2 h', '7 d']);
  });
});

describe('the ship', () => {
  const load = (equity: bigint, maint: bigint, init = maint): Load => ({
    equityInit: equity,
    equityMaint: equity,
    requirementInit: init,
    requirementMaint: maint,
  });

  test('lies deeper the worse the account is, without a jump', () => {
    const depths = [10_000n, 1_000n, 200n, 101n, 100n, 99n, 50n, 1n, 0n, -20n].map((equity) =>
      draught(load(equity, 100n)),
    );
    expect(depths).toEqual([...depths].sort((a, b) => a - b));
    expect(draught(load(100n, 100n))).toBe(1);
    expect(draught(load(0n, 100n))).toBe(2);
    expect(draught(load(-1_000n, 100n))).toBe(2.6);
    expect(draught(load(5n, 0n))).toBe(0);
  });

  test('has water above a line exactly where that health is negative', () => {
    for (const equity of [50n, 99n, 100n, 101n, 159n, 160n, 161n, 1_000n]) {
      const now = load(equity, 100n, 160n);
      const line = initialLine(now);
      expect(line).not.toBeNull();
      if (equity !== 160n) expect(draught(now) > (line ?? 0)).toBe(equity < 160n);
      expect(draught(now) > 1).toBe(equity < 100n);
    }
  });

  test('is in the state that its healths say', () => {
    expect(float(load(200n, 100n, 160n))).toBe('afloat');
    expect(float(load(130n, 100n, 160n))).toBe('loaded');
    expect(float(load(99n, 100n, 160n))).toBe('sunk');
    expect(float(load(0n, 100n, 160n))).toBe('lost');
    expect(float(load(0n, 0n))).toBe('empty');
  });
});
