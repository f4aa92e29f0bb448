import type { MarginView } from '@plimsoll/client';
import { useMemo, useState } from 'react';

import { Dialog } from '../components/Dialog';
import { float, loadOf } from '../components/draught';
import { AmountField, typed } from '../components/Field';
import { Hull } from '../components/Hull';
import { Facts, Num, Panel, Usd } from '../components/parts';
import { Ticket } from '../components/Ticket';
import { percent, ratioPpm, usd } from '../lib/decimal';
import { shortAddress } from '../lib/text';
import { duration } from '../lib/time';
import type { Request } from '../session/actions';
import { useAccount, useOwner } from '../session/account';
import { useLive } from '../session/live';
import { marginOf } from '../session/margin';

/** One account as the list has it. */
type Row = {
  address: string;
  owner: string;
  margin: MarginView;
  startedAt: bigint;
};

/** How many of the accounts nearest to their line are shown. */
const SHOWN = 50;

/** Part of the equity that is used, ppm; accounts without equity are the deepest. */
function depth(margin: MarginView): bigint {
  if (margin.equityMaint <= 0n) return 1n << 60n;
  return ratioPpm(margin.requirementMaint, margin.equityMaint) ?? 0n;
}

/** Accounts near their line or below it, deepest first, for anyone to take over. */
export function Liquidations() {
  const rows = useLive(
    (engine) =>
      engine
        .accountAddresses()
        .flatMap((address): Row[] => {
          try {
            const account = engine.account(address);
            const margin = marginOf(engine, address);
            if (margin.requirementMaint === 0n && margin.equityMaint >= 0n) return [];
            return [{ address, owner: account.owner, margin, startedAt: account.liquidationStartedAt }];
          } catch {
            // An account whose board or price is too old cannot be weighed now; it comes back with them.
            return [];
          }
        })
        .sort((a, b) => (depth(b.margin) > depth(a.margin) ? 1 : -1)),
    [],
  );
  const [taking, setTaking] = useState<string | null>(null);
  const owner = useOwner();
  const now = useLive((engine) => engine.exchange().now, []) ?? 0n;
  const below = rows?.filter((row) => row.margin.healthMaint < 0n).length ?? 0;
  return (
    <div className="page">
      <div className="page-title">
        <h1>Liquidations</h1>
        <p className="quiet">
          An account below its maintenance line may be taken over by anyone: a fraction of all it holds and owes, for
          its equity less a discount that grows with time.
        </p>
      </div>
      <p role="status" className={below > 0 ? 'tag bad' : 'tag good'}>
        {below === 0
          ? 'No account is below its line'
          : `${below} ${below === 1 ? 'account is' : 'accounts are'} below the line`}
      </p>
      <Panel title="Deepest first" flush note={`The ${SHOWN} deepest accounts with something at risk.`}>
        {!rows ? (
          <p className="empty" role="status">
            Reading all accounts…
          </p>
        ) : rows.length === 0 ? (
          <p className="empty">No account carries a load.</p>
        ) : (
          <div className="table-scroll">
            <table className="cards">
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col">Load</th>
                  <th scope="col">Equity, USD</th>
                  <th scope="col">Maintenance health</th>
                  <th scope="col">Auction</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, SHOWN).map((row) => (
                  <Line key={row.address} row={row} now={now} isOwn={row.owner === owner} onTake={setTaking} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      {taking ? (
        <TakeOver
          address={taking}
          onClose={() => {
            setTaking(null);
          }}
        />
      ) : null}
    </div>
  );
}

type LineProps = {
  row: Row;
  now: bigint;
  isOwn: boolean;
  onTake: (address: string) => void;
};

function Line({ row, now, isOwn, onTake }: LineProps) {
  const { margin } = row;
  const isBelow = margin.healthMaint < 0n;
  return (
    <tr data-account={row.address} data-state={float(loadOf(margin))}>
      <th scope="row">
        <span className="number" title={row.address}>
          {shortAddress(row.address)}
        </span>{' '}
        {isOwn ? <span className="tag">yours</span> : null}
      </th>
      <td data-label="Load" className={`number ${isBelow ? 'loss' : ''}`}>
        {margin.equityMaint <= 0n ? 'no equity' : percent(depth(margin), 1)}
      </td>
      <td data-label="Equity, USD">
        <Usd value={margin.equityMaint} />
      </td>
      <td data-label="Maintenance health">
        <Usd value={margin.healthMaint} signed />
      </td>
      <td data-label="Auction">
        {row.startedAt > 0n && isBelow
          ? `running for ${duration(Number(now - row.startedAt))}`
          : isBelow
            ? 'open'
            : '—'}
      </td>
      <td className="actions">
        {isBelow ? (
          <span className="button-row">
            <button
              type="button"
              className="button small"
              onClick={() => {
                onTake(row.address);
              }}
            >
              {isOwn ? 'Look' : 'Take over'}
              <span className="visually-hidden"> {shortAddress(row.address)}</span>
            </button>
          </span>
        ) : null}
      </td>
    </tr>
  );
}

/** Takes over a fraction of an account, with the taker's margin after it. */
function TakeOver({ address, onClose }: { address: string; onClose: () => void }) {
  const own = useAccount();
  const account = useLive((engine) => engine.account(address), [address]);
  const margin = useLive((engine) => marginOf(engine, address), [address]);
  const [text, setText] = useState('100');
  const part = typed(text, 4);
  const error = part.value !== null && part.value > 1_000_000n ? 'At most 100 %' : part.error;
  const isOwn = account?.owner === own.owner;
  const isBelow = margin !== null && margin.healthMaint < 0n;
  const taker = own.address;
  const request = useMemo((): Request | null => {
    if (!taker || !part.value || error !== null || isOwn || !isBelow) return null;
    const maxFraction = (part.value << 32n) / 1_000_000n;
    return { account: taker, actions: [{ kind: 'liquidate', taker, account: address, maxFraction }] };
  }, [taker, address, part.value, error, isOwn, isBelow]);
  return (
    <Dialog title="Take over an account" onClose={onClose}>
      {margin ? (
        <>
          <div className="panel">
            <Hull load={loadOf(margin)} name="The account to take over" compact />
          </div>
          <Facts
            rows={[
              { name: 'Account', value: <span className="address">{address}</span> },
              { name: 'Equity, USD', value: <Usd value={margin.equityMaint} /> },
              { name: 'Requirement, USD', value: <Usd value={margin.requirementMaint} /> },
              { name: 'Maintenance health, USD', value: <Usd value={margin.healthMaint} signed /> },
              ...(account?.positions ?? [])
                .filter((line) => line.size !== 0n)
                .map((line) => ({
                  name: `${line.symbol} perpetual`,
                  value: <Num>{line.sizeTokens.toLocaleString('en')}</Num>,
                })),
              ...(account?.balances ?? []).map((line) => ({
                name: `${line.symbol} balance`,
                value: <Num>{line.amountTokens.toLocaleString('en')}</Num>,
              })),
              ...(account?.options ?? []).map((line) => ({
                name: `${line.symbol} ${line.strikeUsd} ${line.isCall ? 'call' : 'put'}`,
                value: <Num>{line.lots.toLocaleString('en')} lots</Num>,
              })),
            ]}
          />
        </>
      ) : null}
      {isOwn ? (
        <p className="notice warn">
          This account is yours. Nobody liquidates himself: deposit, or reduce its positions.
        </p>
      ) : null}
      {!isBelow ? (
        <p className="notice good">
          The account is above its line again{margin ? ` by ${usd(margin.healthMaint)} USD` : ''}.
        </p>
      ) : null}
      {!isOwn ? (
        <Ticket
          request={request}
          incomplete={
            !isBelow
              ? 'The account is above its line: there is nothing to take over.'
              : taker
                ? 'Enter a part of the account, up to 100 %.'
                : 'Deposit first: the taker needs a margin account.'
          }
          submit="Take over now"
        >
          <AmountField
            label="At most this part of the account"
            unit="%"
            text={text}
            onText={setText}
            error={error}
            onMax={() => {
              setText('100');
            }}
            maxLabel="whole account"
          />
          <p className="small quiet">
            The chain takes no more than brings the account back above its line. What you take over moves into your
            account; you pay its equity less the discount out of your quote balance.
          </p>
        </Ticket>
      ) : null}
    </Dialog>
  );
}
