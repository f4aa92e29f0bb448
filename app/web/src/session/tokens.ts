import { address, getBase64Encoder } from '@solana/kit';
import { useEffect, useState } from 'react';

import { useOwner } from './account';
import { useConnection, useSessionState } from './live';

/** Where the amount stands in a token account of either token program. */
const AMOUNT_OFFSET = 64;

/** Tokens of a mint that the wallet holds in all its accounts, native; `null` while that is not known. */
export function useTokenBalance(mint: string | null): bigint | null {
  const owner = useOwner();
  const { session } = useConnection();
  const { revision } = useSessionState();
  const [found, setFound] = useState<{ key: string; amount: bigint } | null>(null);
  const key = `${owner} ${mint}`;
  useEffect(() => {
    if (!owner || !mint || !session) return;
    const stop = new AbortController();
    const config = { encoding: 'base64', commitment: 'confirmed' } as const;
    session.connection.rpc
      .getTokenAccountsByOwner(address(owner), { mint: address(mint) }, config)
      .send({ abortSignal: stop.signal })
      .then(({ value }) => {
        const amounts = value.map(({ account }) => {
          const bytes = new Uint8Array(getBase64Encoder().encode(account.data[0]));
          return new DataView(bytes.buffer).getBigUint64(AMOUNT_OFFSET, true);
        });
        setFound({ key, amount: amounts.reduce((sum, amount) => sum + amount, 0n) });
      })
      .catch(() => undefined);
    return () => {
      stop.abort();
    };
    // A new state of the chain may be a new balance; ten seconds are often enough.
  }, [owner, mint, session, key, Math.floor(revision / 8)]);
  return found?.key === key ? found.amount : null;
}
