import { eventWords, history, programAddress } from '@plimsoll/client';
import { address } from '@solana/kit';
import { useEffect, useState } from 'react';

import { useOwner } from './account';
import { useConnection, useLive } from './live';
import { failureProblem } from './problem';

/** One transaction of the program. */
export type Entry = {
  signature: string;
  /** Unix seconds, where the chain says. */
  time: number | null;
  /** What the program said, in words. */
  events: readonly string[];
  /** Why it failed, in words; `null` where it did not. */
  failure: string | null;
};

/** What is known of what happened. */
export type ActivityState = { at: 'loading' } | { at: 'failed' } | { at: 'ready'; entries: readonly Entry[] };

/** How many transactions are shown. */
const SHOWN = 25;

/** The last transactions of an account, or of the whole exchange. */
export function useActivity(account: string | null, ofExchange: boolean): ActivityState {
  const { session } = useConnection();
  const owner = useOwner();
  const [state, setState] = useState<ActivityState>({ at: 'loading' });
  // An account says itself that something happened to it.
  const sequence = useLive((engine) => (account ? engine.account(account).sequence : 0n), [account]);
  const at = ofExchange ? programAddress() : account;
  useEffect(() => {
    if (!session) return;
    if (!at) {
      setState({ at: 'ready', entries: [] });
      return;
    }
    let gone = false;
    // Of one account it goes without saying who did it; of the whole exchange it does not.
    const narrator = ofExchange || owner === null ? undefined : owner;
    history(session.connection, address(at), SHOWN)
      .then((found): ActivityState => {
        const entries = found.map((entry) => ({
          signature: entry.signature,
          time: entry.time === undefined ? null : Number(entry.time),
          events: eventWords(entry.events, session.engine, narrator),
          failure: entry.failure ? failureProblem(entry.failure).title : null,
        }));
        return { at: 'ready', entries };
      })
      .catch((): ActivityState => ({ at: 'failed' }))
      .then((found) => {
        if (!gone) setState(found);
      })
      .catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [session, at, ofExchange, owner, sequence]);
  return state;
}
