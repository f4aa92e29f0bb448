import { useState, type ReactNode } from 'react';

import { ProblemNotice } from '../components/Progress';
import { useConnection, useSessionState } from './live';
import { SettingsDialog } from './SettingsDialog';

/** Says how the connection is where it is not as it should be, and what to do; the page goes on behind it where it can. */
export function ConnectionBanner({ children }: { children: ReactNode }) {
  const { session, problem, reopen } = useConnection();
  const { network } = useSessionState();
  const [isSetting, setIsSetting] = useState(false);
  const settings = (
    <button
      type="button"
      className="button"
      onClick={() => {
        setIsSetting(true);
      }}
    >
      Settings
    </button>
  );
  return (
    <>
      {problem ? (
        <div className="page">
          <h1>No exchange to show</h1>
          <ProblemNotice problem={problem} onAgain={reopen}>
            <div className="button-row">{settings}</div>
          </ProblemNotice>
        </div>
      ) : null}
      {!problem && !session ? <Opening /> : null}
      {session && network === 'down' ? (
        <div className="notice bad stay" role="alert" data-problem="network-down">
          <h3>The server does not answer</h3>
          <p>What you see is what it said last. It is asked again by itself; nothing can be sent until it answers.</p>
          <div className="button-row">
            <button
              type="button"
              className="button"
              onClick={() => {
                session.refresh();
              }}
            >
              Ask now
            </button>
            {settings}
          </div>
        </div>
      ) : null}
      {session && network === 'polling' ? (
        <p className="notice warn stay small" role="status">
          No live updates from the server: the page asks every few seconds instead.
        </p>
      ) : null}
      {session ? children : null}
      {isSetting ? (
        <SettingsDialog
          onClose={() => {
            setIsSetting(false);
          }}
        />
      ) : null}
    </>
  );
}

function Opening() {
  return (
    <div className="page" role="status">
      <h1>Reading the exchange…</h1>
      <p className="quiet">Markets, banks, boards and accounts come from the chain; the engine is being loaded.</p>
    </div>
  );
}
