/** A limit that every price is within: the one that a trade is sent with is made from its quote, see `session/quote`. */
export function anyPrice(buys: boolean): bigint {
  return buys ? (1n << 64n) - 1n : 0n;
}
