import { buildMessage, getAccounts, instructionsOf, type Connection } from '@plimsoll/client';
import {
  address,
  type Base64EncodedWireTransaction,
  compileTransaction,
  createNoopSigner,
  getBase64EncodedWireTransaction,
  getBase64Encoder,
} from '@solana/kit';
import { useEffect, useState } from 'react';

import { useOwner } from './account';
import type { EngineAction, Preview, Request } from './actions';
import { useConnection, useSessionState } from './live';
import { marginOf } from './margin';
import type { PreviewState } from './preview';
import { problemOfCode, problemOfThrown } from './problem';
import type { Session } from './session';

/** How long a request must stay as it is before the chain is asked, milliseconds. */
const REST_MS = 250;

/**
 * The margin that a request would leave, as the chain itself says by simulating it: for what the engine does not foresee, like
 * taking another account over.
 */
export function useSimulated(request: Request | null): PreviewState {
  const { session } = useConnection();
  const { revision } = useSessionState();
  const owner = useOwner();
  const [found, setFound] = useState<{ request: Request; state: PreviewState } | null>(null);
  // Simulated anew every ten changes or so: the chain moves, but an answer a second old is good.
  const turn = Math.floor(revision / 10);
  useEffect(() => {
    if (!session || !request?.account || !owner) return;
    let gone = false;
    const { account } = request;
    const timer = setTimeout(() => {
      simulate(session, owner, account, request)
        .catch((error: unknown): PreviewState => ({ at: 'refused', problem: problemOfThrown(error) }))
        .then((state) => {
          if (!gone) setFound({ request, state });
        })
        .catch(() => undefined);
    }, REST_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [session, owner, request, turn]);
  if (!request) return { at: 'none' };
  return found?.request === request ? found.state : { at: 'looking' };
}

async function simulate(session: Session, owner: string, account: string, request: Request): Promise<PreviewState> {
  const signer = createNoopSigner(address(owner));
  const actions = request.actions as readonly EngineAction[];
  const { computeLimit, instructions } = await instructionsOf(session.engine, signer, actions);
  const { value: lifetime } = await session.connection.rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const message = await buildMessage(session.connection, instructions, signer, lifetime, { computeLimit });
  const wire = getBase64EncodedWireTransaction(compileTransaction(message));
  const [now] = (await getAccounts(session.connection, [address(account)])).accounts;
  const answer = await ask(session.connection, wire, account);
  if (answer.code !== null) return { at: 'refused', problem: problemOfCode(answer.code) };
  if (!now || !answer.data) return { at: 'none' };
  return { at: 'ready', preview: between(session, now.address, now.owner, Uint8Array.from(now.data), answer.data) };
}

async function ask(
  { rpc }: Connection,
  wire: Base64EncodedWireTransaction,
  account: string,
): Promise<{ code: number | null; data: Uint8Array | null }> {
  const config = {
    commitment: 'confirmed',
    encoding: 'base64',
    replaceRecentBlockhash: true,
    accounts: { addresses: [address(account)], encoding: 'base64' },
  } as const;
  const { value } = await rpc.simulateTransaction(wire, config).send();
  if (value.err !== null) {
    const text = JSON.stringify(value.err, (_key, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
    const custom = /"Custom":(\d+)/.exec(text);
    if (custom?.[1]) return { code: Number(custom[1]), data: null };
    throw new Error(`The chain would refuse it: ${text}`);
  }
  const [after] = value.accounts;
  return { code: null, data: after ? new Uint8Array(getBase64Encoder().encode(after.data[0])) : null };
}

/** Margins of an account before and after: the engine is shown it as it would be, and then again as it is. */
function between(session: Session, at: string, owner: string, now: Uint8Array, then: Uint8Array): Preview {
  const { engine } = session;
  const before = marginOf(engine, at);
  engine.put(at, owner, then);
  try {
    return { before, after: marginOf(engine, at), cost: null, liquidation: [], refused: null };
  } finally {
    engine.put(at, owner, now);
  }
}
