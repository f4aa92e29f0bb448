import { decimalText, divideRound } from './decimal';

/** Fraction bits of a price. */
const PRICE_BITS = 48n;

/** Dollars for one whole unit, in units of 1e-9, of a price in Q16.48 quote native per base unit. */
export function nanoDollars(price: bigint, baseDecimals: number): bigint {
  return divideRound(price * 10n ** BigInt(baseDecimals) * 1_000n, 1n << PRICE_BITS);
}

/** A price in dollars for one whole unit, with the digits that its size wants. */
export function priceText(price: bigint, baseDecimals: number): string {
  return dollarsText(nanoDollars(price, baseDecimals));
}

/** Dollars in units of 1e-9: two decimals from 10 USD on, more below. */
export function dollarsText(nano: bigint): string {
  const magnitude = nano < 0n ? -nano : nano;
  const digits = magnitude >= 10_000_000_000n ? 2 : magnitude >= 100_000_000n ? 4 : 6;
  return decimalText(nano, 9, digits);
}

/** The price in Q16.48 of so many dollars (1e-9) for one whole unit, rounded to nearest. */
export function priceFromNano(nano: bigint, baseDecimals: number): bigint {
  return divideRound(nano << PRICE_BITS, 10n ** BigInt(baseDecimals) * 1_000n);
}

/** `price` made worse for a buyer (up) or a seller (down) by some ppm. */
export function withSlippage(price: bigint, ppm: bigint, buys: boolean): bigint {
  const worse = (price * ppm) / 1_000_000n;
  return buys ? price + worse : price - worse;
}

/** What `size` base units are worth at a price, quote native, rounded to nearest. */
export function notional(size: bigint, price: bigint): bigint {
  return divideRound(size * price, 1n << PRICE_BITS);
}

/** A price in dollars that is a number already, for display alone: with the digits that its size wants. */
export function dollars(value: number): string {
  const magnitude = Math.abs(value);
  const digits = magnitude >= 10 ? 2 : magnitude >= 0.1 ? 4 : 6;
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text.replace('-', '−');
}
