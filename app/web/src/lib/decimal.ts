/** Decimal numbers as integers of their smallest unit. No amount of money passes through a floating point number. */

/** What is wrong with something that was typed as an amount. */
export class DecimalError extends Error {}

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

function power(decimals: number): bigint {
  return 10n ** BigInt(decimals);
}

/** Divides rounding half away from zero, as people expect of a number that is shown. */
export function divideRound(value: bigint, divisor: bigint): bigint {
  const half = divisor / 2n;
  return value >= 0n ? (value + half) / divisor : -((-value + half) / divisor);
}

/**
 * Text of `value` units of 10^-`decimals`, thousands grouped, with exactly `digits` decimals where that is given; otherwise
 * with all that are not zero.
 */
export function decimalText(value: bigint, decimals: number, digits?: number): string {
  const shown = digits ?? decimals;
  const scaled = shown < decimals ? divideRound(value, power(decimals - shown)) : value * power(shown - decimals);
  const magnitude = scaled < 0n ? -scaled : scaled;
  const whole = (magnitude / power(shown)).toString().replace(GROUPS, ',');
  let fraction = shown === 0 ? '' : (magnitude % power(shown)).toString().padStart(shown, '0');
  if (digits === undefined) fraction = fraction.replace(/0+$/, '');
  const sign = scaled < 0n ? '−' : '';
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Quote native (1e-6 USD) as dollars and cents. */
export function usd(value: bigint): string {
  return decimalText(value, 6, 2);
}

/** The same with a plus sign where it is a gain. */
export function signedUsd(value: bigint): string {
  return value > 0n ? `+${usd(value)}` : usd(value);
}

/** An amount with as many digits as help: at most `digits` decimals, trailing zeros left out. */
export function amountText(value: bigint, decimals: number, digits = 6): string {
  const shown = Math.min(decimals, digits);
  const text = decimalText(shown < decimals ? divideRound(value, power(decimals - shown)) : value, shown);
  return text === '0' && value !== 0n ? decimalText(value, decimals) : text;
}

/** Parts per million as percent. */
export function percent(ppm: bigint | number, digits = 2): string {
  return `${decimalText(BigInt(ppm), 4, digits)} %`;
}

/** A ratio of two amounts in ppm, rounded; `null` where there is nothing to divide by. */
export function ratioPpm(part: bigint, whole: bigint): bigint | null {
  return whole === 0n ? null : divideRound(part * 1_000_000n * (whole < 0n ? -1n : 1n), whole < 0n ? -whole : whole);
}

/**
 * Reads what somebody typed as units of 10^-`decimals`.
 *
 * Thousands may be grouped by commas, spaces or apostrophes; the decimal sign is a point.
 *
 * @throws {DecimalError} with what is wrong, in words.
 */
export function parseDecimal(text: string, decimals: number): bigint {
  const plain = text.trim().replace(/(?<=\d)[,'’\s](?=\d{3}(?:\D|$))/g, '');
  if (plain === '') throw new DecimalError('Enter a number');
  const match = /^(\d*)(?:\.(\d*))?$/.exec(plain);
  if (!match || (match[1] === '' && (match[2] ?? '') === '')) {
    throw new DecimalError('Enter a number like 1250.5');
  }
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) {
    throw new DecimalError(decimals === 0 ? 'Enter a whole number' : `At most ${decimals} decimals`);
  }
  const value = BigInt(`0${match[1] ?? ''}`) * power(decimals) + BigInt(`0${fraction.padEnd(decimals, '0')}`);
  if (value >= 1n << 63n) throw new DecimalError('The number is too large');
  return value;
}

/** The text that {@link parseDecimal} reads back as `value`: for fields that are filled in. */
export function plainDecimal(value: bigint, decimals: number): string {
  return decimalText(value, decimals).replaceAll(',', '');
}

/** Number of a quote amount for charts, where a pixel is coarser than any rounding. */
export function approximate(value: bigint, decimals = 6): number {
  return Number(value) / 10 ** decimals;
}
