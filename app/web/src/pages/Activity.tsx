import { useState } from 'react';

import { Segments } from '../components/Field';
import { Panel } from '../components/parts';
import { shortAddress } from '../lib/text';
import { moment } from '../lib/time';
import { useAccount } from '../session/account';
import { useActivity } from '../session/activity';

/** What happened, in words: to the account, or to the whole exchange. */
export function Activity() {
  const { address } = useAccount();
  const [scope, setScope] = useState<'account' | 'exchange'>(address ? 'account' : 'exchange');
  const state = useActivity(scope === 'account' ? address : null, scope === 'exchange');
  return (
    <div className="page">
      <div className="page-title">
        <h1>Activity</h1>
      </div>
      <Segments
        legend="Whose events"
        value={scope}
        onValue={setScope}
        options={[
          { value: 'account', label: 'Your account' },
          { value: 'exchange', label: 'Whole exchange' },
        ]}
      />
      <Panel
        title={scope === 'account' ? 'Events of your account' : 'Events of the exchange'}
        flush
        note="From the logs of confirmed transactions, the youngest first."
      >
        {state.at === 'loading' ? (
          <p className="empty" role="status">
            Reading the transactions…
          </p>
        ) : null}
        {state.at === 'failed' ? (
          <p className="empty">The server did not answer. Open this page again in a moment.</p>
        ) : null}
        {state.at === 'ready' && state.entries.length === 0 ? (
          <p className="empty">
            {scope === 'account' && !address
              ? 'Connect a wallet with an account to see its events.'
              : 'Nothing has happened yet.'}
          </p>
        ) : null}
        {state.at === 'ready' ? (
          <ol className="events">
            {state.entries.map((entry) => (
              <li key={entry.signature}>
                <span className="small quiet">
                  {entry.time === null ? '' : moment(entry.time)}
                  <br />
                  <span title={entry.signature} className="number">
                    {shortAddress(entry.signature)}
                  </span>
                </span>
                <div>
                  {entry.failure === null ? null : <p className="loss">Failed: {entry.failure}</p>}
                  {entry.events.map((event, index) => (
                    <p key={index}>{event}</p>
                  ))}
                </div>
              </li>
            ))}
          </ol>
        ) : null}
      </Panel>
    </div>
  );
}
