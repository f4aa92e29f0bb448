import { useId, useState } from 'react';

import { Dialog } from '../components/Dialog';
import { useConnection } from './live';
import { chooseSettings, serverProblem } from './settings';

/** Which server and which exchange; kept in this browser. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { settings, reopen } = useConnection();
  const [rpc, setRpc] = useState(settings?.rpc ?? '');
  const [ws, setWs] = useState(settings?.ws ?? '');
  const [exchange, setExchange] = useState(settings?.exchange ?? '');
  const [isTried, setIsTried] = useState(false);
  const problems = {
    rpc: serverProblem(rpc, ['http:', 'https:']),
    ws: serverProblem(ws, ['ws:', 'wss:']),
    exchange: exchange === '' || /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(exchange) ? null : 'Enter an address, or nothing',
  };
  const isFine = problems.rpc === null && problems.ws === null && problems.exchange === null;
  const apply = (chosen: Parameters<typeof chooseSettings>[0]) => {
    chooseSettings(chosen);
    reopen();
    onClose();
  };
  return (
    <Dialog title="Settings" onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setIsTried(true);
          if (isFine) apply({ rpc, ws, exchange: exchange === '' ? null : exchange, quote: settings?.quote ?? 'USDC' });
        }}
      >
        <Line label="JSON-RPC server" value={rpc} onValue={setRpc} problem={isTried ? problems.rpc : null} />
        <Line label="WebSocket server" value={ws} onValue={setWs} problem={isTried ? problems.ws : null} />
        <Line
          label="Exchange (empty: the only one there is)"
          value={exchange}
          onValue={setExchange}
          problem={isTried ? problems.exchange : null}
        />
        <div className="button-row">
          <button type="submit" className="button primary">
            Save and reconnect
          </button>
          <button
            type="button"
            className="button"
            onClick={() => {
              apply(null);
            }}
          >
            Back to what the page came with
          </button>
        </div>
        <p className="small quiet">The page talks to these servers and to nobody else.</p>
      </form>
    </Dialog>
  );
}

function Line(props: { label: string; value: string; onValue: (value: string) => void; problem: string | null }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <div className="input-row">
        <input
          id={id}
          value={props.value}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={props.problem !== null}
          aria-describedby={props.problem === null ? undefined : `${id}-error`}
          onChange={(event) => {
            props.onValue(event.target.value.trim());
          }}
        />
      </div>
      {props.problem === null ? null : (
        <p className="field-error" id={`${id}-error`}>
          {props.problem}
        </p>
      )}
    </div>
  );
}
