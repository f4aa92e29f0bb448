import { accountFilters, type Engine, programAddress } from '@plimsoll/client';
import { address, getAddressEncoder } from '@solana/kit';

/** An address that nobody's account has. */
const NOWHERE = '11111111111111111111111111111112';

/** The bytes of an account without anything in it. */
function blankAccount(exchange: string, owner: string): Uint8Array {
  const layout = accountFilters().find((filter) => filter.kind === 'marginAccount');
  if (!layout) throw new Error('the engine knows no margin accounts');
  const bytes = new Uint8Array(layout.size);
  const encoder = getAddressEncoder();
  bytes.set(layout.discriminator);
  bytes.set(encoder.encode(address(exchange)), layout.exchangeOffset ?? 0);
  bytes.set(encoder.encode(address(owner)), layout.ownerOffset ?? 0);
  return bytes;
}

/**
 * Looks at the engine as if there were an empty account: at `at`, where somebody's first one would be, or at no place at all
 * for what a price is without one. The account is gone again before anybody else looks.
 */
export function withBlank<T>(engine: Engine, look: (account: string) => T, at = NOWHERE, owner = NOWHERE): T {
  engine.put(at, programAddress(), blankAccount(engine.exchange().address, owner));
  try {
    return look(at);
  } finally {
    engine.remove(at);
  }
}
