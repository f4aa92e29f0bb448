import { lazy, Suspense, useMemo, useState } from 'react';
import { Link } from 'wouter';

import { Hull } from '../components/Hull';
import { Facts, Figures, Num, Panel, Saving, Usd } from '../components/parts';
import { float, loadOf } from '../components/draught';
import { amountText, percent, ratioPpm, signedUsd, usd } from '../lib/decimal';
import { duration, expiryDay } from '../lib/time';
import { useLive, useLooked } from '../session/live';
import { marginOf, reckon } from '../session/margin';
import { problemOfThrown } from '../session/problem';
import { useAccount } from '../session/account';
import { useRun } from '../session/run';
import { liquidationText } from '../session/preview';
import type { AccountView, MarginView } from '@plimsoll/client';
import { useWalletGate } from '../wallet/gate';
import { ProblemNotice, Progress } from '../components/Progress';
import { Ticket } from '../components/Ticket';
import type { Request } from '../session/actions';
import { ActionDialog, type Asked } from '../tickets/ActionDialog';

const StressPanel = lazy(() => import('./StressPanel'));
const PayoffPanel = lazy(() => import('./PayoffPanel'));

/** What an account holds, how deep it lies, and what could move it. */
export function Portfolio() {
  const { address, hasWallet } = useAccount();
  // The ticket outlives what it was asked from: the first deposit turns one page into another behind it.
  const [asked, setAsked] = useState<Asked | null>(null);
  if (!hasWallet) return <Harbour />;
  return (
    <>
      {address ? <Account key={address} address={address} ask={setAsked} /> : <FirstDeposit ask={setAsked} />}
      {asked ? (
        <ActionDialog
          asked={asked}
          onClose={() => {
            setAsked(null);
          }}
        />
      ) : null}
    </>
  );
}

const EMPTY = { equityInit: 0n, equityMaint: 0n, requirementInit: 0n, requirementMaint: 0n };

/** Before a wallet is connected. */
function Harbour() {
  const gate = useWalletGate();
  return (
    <div className="page">
      <div className="page-title">
        <h1>One account carries everything</h1>
      </div>
      <section className="panel" aria-label="What Plimsoll is">
        <Hull load={EMPTY} name="An empty account" />
        <div className="panel-body">
          <p>
            The water is what your positions require, the hull is your equity. Load a position and the ship goes down;
            hedge it and she comes up again, because the whole portfolio is weighed at once. Above the{' '}
            <strong>initial line</strong> you may load more. Below the <strong>maintenance line</strong> anyone may take
            the account over.
          </p>
          <div className="button-row">
            <button type="button" className="button primary" onClick={gate.ask}>
              Connect wallet
            </button>
            <Link className="button" href="/trade">
              Look at the markets
            </Link>
          </div>
        </div>
      </section>
    </div>
  );
}

function FirstDeposit({ ask }: { ask: Ask }) {
  return (
    <div className="page">
      <div className="page-title">
        <h1>Portfolio</h1>
      </div>
      <section className="panel" aria-label="Open an account">
        <Hull load={EMPTY} name="Your account, still to be opened" />
        <div className="panel-body">
          <p>
            This wallet has no margin account on this exchange yet. The first deposit opens it, in the same transaction;
            the rent of about 0.02 SOL comes back when you close it.
          </p>
          <button
            type="button"
            className="button primary"
            onClick={() => {
              ask({ kind: 'deposit' });
            }}
          >
            Deposit and open an account
          </button>
        </div>
      </section>
    </div>
  );
}

function Account({ address, ask }: { address: string; ask: Ask }) {
  const account = useLive((engine) => engine.account(address), [address]);
  const { value: reckoned, error } = useLooked((engine) => reckon(engine, address), [address]);
  if (account && error) return <Unreckoned account={account} error={error} />;
  if (!account || !reckoned) return <p role="status">Reading your account…</p>;
  const { margin, isRefreshed } = reckoned;
  const hasRisk = account.positions.some((line) => line.size !== 0n) || account.options.length > 0;
  return (
    <div className="page">
      <div className="page-title">
        <h1>Portfolio</h1>
        <AccountState margin={margin} account={account} />
      </div>
      {isRefreshed ? <Refreshed account={account} /> : null}
      <section className="panel" aria-label="Health">
        <Hull load={loadOf(margin)} />
        <HealthFigures margin={margin} />
        <Legend />
      </section>
      <div className="button-row">
        <button
          type="button"
          className="button primary"
          onClick={() => {
            ask({ kind: 'deposit' });
          }}
        >
          Deposit
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            ask({ kind: 'withdraw' });
          }}
        >
          Withdraw
        </button>
        <Link className="button" href="/trade">
          Trade
        </Link>
      </div>
      <div className="columns uneven">
        <Collateral account={account} ask={ask} />
        <Netting address={address} />
      </div>
      <Positions account={account} ask={ask} />
      {account.options.length > 0 ? <Options account={account} ask={ask} /> : null}
      {hasRisk || account.balances.some((line) => line.amount !== 0n) ? (
        <Suspense fallback={<p role="status">Loading the charts…</p>}>
          <div className="columns halves">
            <StressPanel address={address} />
            <PayoffPanel address={address} />
          </div>
          <GreeksPanel address={address} />
        </Suspense>
      ) : null}
    </div>
  );
}

/** `refreshBoard` of every board that the account has live options of; `null` where there are none. */
function useRefresh(account: AccountView): Request | null {
  const boards = [...new Set(account.options.filter((line) => !line.isSettled).map((line) => line.board))];
  return useMemo(
    () =>
      boards.length === 0 ? null : { account: null, actions: boards.map((board) => ({ kind: 'refreshBoard', board })) },
    [boards.join()],
  );
}

/** What is shown is reckoned with boards that the chain has not refreshed yet. */
function Refreshed({ account }: { account: AccountView }) {
  const request = useRefresh(account);
  const { stage, run } = useRun();
  return (
    <div className="notice warn" role="status" data-state="refreshed">
      <p>
        Your options were last computed on the chain some time ago, or at another price. What you see is reckoned with
        them computed anew, at the price now. A transaction of yours that needs it has the chain do so first.
      </p>
      <div className="button-row">
        <button
          type="button"
          className="button small"
          onClick={() => {
            if (request) void run(request);
          }}
        >
          Refresh the option boards
        </button>
      </div>
      {stage.at === 'failed' ? <Progress stage={stage} /> : null}
    </div>
  );
}

/** The margin cannot be told now: mostly because an option board waits to be computed anew, which anyone may do. */
function Unreckoned({ account, error }: { account: AccountView; error: unknown }) {
  const request = useRefresh(account);
  return (
    <div className="page">
      <h1>Portfolio</h1>
      <ProblemNotice problem={problemOfThrown(error)} />
      {request ? (
        <Ticket request={request} incomplete="" submit="Refresh the option boards">
          <p>Anyone may have the chain compute the options anew at the price now. It costs the network's fee alone.</p>
        </Ticket>
      ) : null}
    </div>
  );
}

function AccountState({ margin, account }: { margin: MarginView; account: AccountView }) {
  const now = useLive((engine) => engine.exchange().now, []);
  const state = float(loadOf(margin));
  if (state === 'sunk' || state === 'lost') {
    const since = account.liquidationStartedAt;
    return (
      <p role="alert" className="tag bad" data-state="liquidatable">
        Below the line: may be liquidated now
        {since > 0n && now ? `, auction running for ${duration(Number(now - since))}` : ''}
      </p>
    );
  }
  if (state === 'loaded') return <p className="tag warn">Fully loaded: only reductions and deposits</p>;
  if (margin.blockedBy) return <p className="tag warn">A price is too old: no new risk until it is observed</p>;
  return <p className="tag good">Afloat</p>;
}

function HealthFigures({ margin }: { margin: MarginView }) {
  const used = ratioPpm(margin.requirementMaint, margin.equityMaint);
  const rows = [
    {
      id: 'equity',
      name: 'Equity',
      value: <Usd value={margin.equityMaint} />,
      note: `USD, ${usd(margin.equityInit)} towards initial margin`,
    },
    {
      id: 'health-init',
      name: 'Initial health',
      value: <Usd value={margin.healthInit} signed />,
      note: `free for new risk; ${usd(margin.requirementInit)} required`,
    },
    {
      id: 'health-maint',
      name: 'Maintenance health',
      value: <Usd value={margin.healthMaint} signed />,
      note: `until liquidation; ${usd(margin.requirementMaint)} required`,
    },
    {
      id: 'draught',
      name: 'Load',
      value: <Num>{used === null || margin.equityMaint <= 0n ? '—' : percent(used, 1)}</Num>,
      note: 'of the equity used by the maintenance requirement',
    },
  ];
  return <Figures rows={rows} label="Health in numbers" />;
}

/** What the lines of the picture are. */
function Legend() {
  return (
    <details className="panel-note">
      <summary>How to read the ship</summary>
      <ul>
        <li>
          <strong>The water</strong> is the maintenance requirement over the equity: the load. At 0 % nothing is
          required; at 100 % it stands at the Plimsoll mark.
        </li>
        <li>
          <strong>The maintenance line</strong>, through the ring, is where anyone may take the account over. Above it
          the picture goes on with the freeboard that is lost: the deck is awash when no equity is left.
        </li>
        <li>
          <strong>The initial line</strong>, below it, is where nothing more may be loaded: no new risk, no withdrawal
          against it.
        </li>
      </ul>
    </details>
  );
}

type Ask = (asked: Asked) => void;

function Collateral({ account, ask }: { account: AccountView; ask: Ask }) {
  const banks = useLive((engine) => engine.banks(), []) ?? [];
  const lines = account.balances.map((line) => ({ line, bank: banks.find((bank) => bank.address === line.bank) }));
  return (
    <Panel title="Collateral and debts" flush>
      {lines.length === 0 ? (
        <p className="empty">Nothing deposited yet.</p>
      ) : (
        <div className="table-scroll">
          <table className="cards">
            <thead>
              <tr>
                <th scope="col">Token</th>
                <th scope="col">Amount</th>
                <th scope="col">Worth, USD</th>
                <th scope="col">A year</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map(({ line, bank }) => (
                <tr key={line.bank} data-balance={line.symbol}>
                  <th scope="row">
                    {line.symbol} {line.amount < 0n ? <span className="tag warn">borrowed</span> : null}
                  </th>
                  <td data-label="Amount" className="number">
                    {amountText(line.amount, bank?.decimals ?? 6)}
                  </td>
                  <td data-label="Worth, USD" className="number">
                    {line.valueUsd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
                  </td>
                  <td data-label="A year" className="number">
                    {bank
                      ? `${(line.amount < 0n ? -bank.borrowRatePercent : bank.depositRatePercent).toFixed(2)} %`
                      : ''}
                  </td>
                  <td className="actions">
                    <span className="button-row">
                      <button
                        type="button"
                        className="button small"
                        onClick={() => {
                          ask({ kind: 'deposit', mint: line.mint });
                        }}
                        aria-label={`${line.amount < 0n ? 'Repay' : 'Deposit'} ${line.symbol}`}
                      >
                        {line.amount < 0n ? 'Repay' : 'Deposit'}
                      </button>
                      <button
                        type="button"
                        className="button small"
                        onClick={() => {
                          ask({ kind: 'withdraw', mint: line.mint });
                        }}
                        aria-label={`Withdraw ${line.symbol}`}
                      >
                        Withdraw
                      </button>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Netting({ address }: { address: string }) {
  const alone = useLive((engine) => engine.standalone(address), [address]);
  const margin = useLive((engine) => marginOf(engine, address), [address]);
  const report = useLive((engine) => engine.report(address), [address]);
  if (!alone || !margin || !report) return null;
  return (
    <Panel title="What netting saves">
      <Saving alone={alone.requirementInit} together={alone.requirementInit - alone.savingInit} />
      {report.underlyings.length > 0 ? (
        <Facts
          rows={report.underlyings.map((line) => ({
            name: `Largest loss in ${line.symbol}`,
            value: <Usd value={line.lossInit} />,
          }))}
        />
      ) : null}
    </Panel>
  );
}

function Positions({ account, ask }: { account: AccountView; ask: Ask }) {
  const markets = useLive((engine) => engine.markets(), []) ?? [];
  const lines = account.positions.filter((line) => line.size !== 0n || line.cash !== 0n);
  return (
    <Panel title="Perpetuals" flush>
      {lines.length === 0 ? (
        <div className="empty">
          <p>No positions.</p>
          <Link className="button small" href="/trade">
            Open one
          </Link>
        </div>
      ) : (
        <div className="table-scroll">
          <table className="cards">
            <thead>
              <tr>
                <th scope="col">Market</th>
                <th scope="col">Size</th>
                <th scope="col">Worth, USD</th>
                <th scope="col">Break-even</th>
                <th scope="col">Gain, USD</th>
                <th scope="col">Liquidated at</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => {
                const market = markets.find((one) => one.address === line.market);
                return (
                  <PositionRow
                    key={line.market}
                    line={line}
                    decimals={market?.baseDecimals ?? 9}
                    account={account.address}
                    ask={ask}
                  />
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <Triggers account={account} ask={ask} />
    </Panel>
  );
}

type RowProps = {
  line: AccountView['positions'][number];
  decimals: number;
  account: string;
  ask: Ask;
};

function PositionRow({ line, decimals, account, ask }: RowProps) {
  const liquidation = useLive(
    (engine) => engine.liquidationPrices(account).find((view) => view.market === line.market) ?? null,
    [account, line.market],
  );
  const price = (value: number | null | undefined) =>
    value === null || value === undefined ? '—' : value.toLocaleString('en', { maximumSignificantDigits: 7 });
  return (
    <tr data-position={line.symbol}>
      <th scope="row">
        {line.symbol}{' '}
        {line.size === 0n ? null : (
          <span className={line.size > 0n ? 'tag good' : 'tag bad'}>{line.size > 0n ? 'long' : 'short'}</span>
        )}
      </th>
      <td data-label="Size" className="number">
        {amountText(line.size, decimals)}
      </td>
      <td data-label="Worth, USD" className="number">
        {line.valueUsd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
      </td>
      <td data-label="Break-even" className="number">
        {price(line.breakEvenUsd)}
      </td>
      <td data-label="Gain, USD" className={`number ${line.gainUsd < 0 ? 'loss' : line.gainUsd > 0 ? 'gain' : ''}`}>
        {signedUsd(BigInt(Math.round(line.gainUsd * 1e6)))}
      </td>
      <td data-label="Liquidated at" className="number">
        {liquidationText(liquidation ?? undefined)}
      </td>
      <td className="actions">
        <span className="button-row">
          {line.size === 0n ? null : (
            <>
              <button
                type="button"
                className="button small"
                onClick={() => {
                  ask({ kind: 'close', market: line.market });
                }}
                aria-label={`Close ${line.symbol}`}
              >
                Close
              </button>
              <button
                type="button"
                className="button small"
                onClick={() => {
                  ask({ kind: 'stop', market: line.market });
                }}
                aria-label={`Stop loss for ${line.symbol}`}
              >
                Stop
              </button>
            </>
          )}
          <button
            type="button"
            className="button small"
            onClick={() => {
              ask({ kind: 'settle', market: line.market });
            }}
            aria-label={`Settle ${line.symbol}`}
          >
            Settle
          </button>
        </span>
      </td>
    </tr>
  );
}

function Triggers({ account, ask }: { account: AccountView; ask: Ask }) {
  if (account.triggers.length === 0) return null;
  return (
    <ul className="events" aria-label="Stored orders">
      {account.triggers.map((order) => (
        <li key={order.index}>
          <span>Stored order</span>
          <span>
            Closes the {order.side} {order.symbol} position once the price is{' '}
            {order.when === 'at-or-below' ? 'at or below' : 'at or above'} {order.triggerUsd.toLocaleString('en')} USD.{' '}
            <button
              type="button"
              className="button small"
              onClick={() => {
                ask({ kind: 'cancel-trigger', market: order.market, index: order.index });
              }}
            >
              Cancel<span className="visually-hidden"> the order for {order.symbol}</span>
            </button>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Options({ account, ask }: { account: AccountView; ask: Ask }) {
  const now = useLive((engine) => engine.exchange().now, []) ?? 0n;
  return (
    <Panel title="Options" flush>
      <div className="table-scroll">
        <table className="cards">
          <thead>
            <tr>
              <th scope="col">Option</th>
              <th scope="col">Lots</th>
              <th scope="col">Size</th>
              <th scope="col">Mark, USD</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {account.options.map((line) => {
              const name = `${line.symbol} ${expiryDay(Number(line.expiry))} ${line.strikeUsd.toLocaleString('en')} ${line.isCall ? 'call' : 'put'}`;
              const isExpired = !line.isSettled && line.expiry <= now;
              return (
                <tr key={`${line.board} ${line.series}`} data-option={name}>
                  <th scope="row">
                    {name} {line.isSettled ? <span className="tag good">settled</span> : null}
                    {isExpired ? <span className="tag warn">expired: waits for its settlement price</span> : null}
                  </th>
                  <td data-label="Lots" className="number">
                    {line.lots.toLocaleString('en').replace('-', '−')}
                  </td>
                  <td data-label="Size" className="number">
                    {line.sizeTokens.toLocaleString('en').replace('-', '−')} {line.symbol}
                  </td>
                  <td data-label="Mark, USD" className="number">
                    {line.mark == null ? 'waits for a refresh' : usd(line.mark)}
                  </td>
                  <td className="actions">
                    <span className="button-row">
                      {line.isSettled ? (
                        <button
                          type="button"
                          className="button small"
                          onClick={() => {
                            ask({ kind: 'settle-option', board: line.board });
                          }}
                        >
                          Settle<span className="visually-hidden"> {name}</span>
                        </button>
                      ) : isExpired ? null : (
                        <button
                          type="button"
                          className="button small"
                          onClick={() => {
                            ask({ kind: 'close-option', board: line.board, series: line.series });
                          }}
                        >
                          Close<span className="visually-hidden"> {name}</span>
                        </button>
                      )}
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function GreeksPanel({ address }: { address: string }) {
  const greeks = useLive((engine) => engine.greeks(address), [address]);
  if (!greeks) return null;
  const money = (value: number) => signedUsd(BigInt(Math.round(value * 1e6)));
  const cells = (line: typeof greeks.total) => (
    <>
      <td data-label="Delta" className="number">
        {money(line.deltaUsd)}
      </td>
      <td data-label="Gamma, 1 %" className="number">
        {money(line.gammaUsd)}
      </td>
      <td data-label="Vega, 1 point" className="number">
        {money(line.vegaUsd)}
      </td>
      <td data-label="Theta, 1 day" className="number">
        {money(line.thetaUsd)}
      </td>
    </>
  );
  return (
    <Panel
      title="Greeks"
      flush
      note="In USD. Delta: worth of the exposure, so a rise of 1 % gains a hundredth. Gamma: what delta gains with a rise of 1 %. Vega: gain per point of volatility. Theta: gain per day."
    >
      <div className="table-scroll">
        <table className="cards">
          <thead>
            <tr>
              <th scope="col">Underlying</th>
              <th scope="col">Delta</th>
              <th scope="col">Gamma, 1 %</th>
              <th scope="col">Vega, 1 point</th>
              <th scope="col">Theta, 1 day</th>
            </tr>
          </thead>
          <tbody>
            {greeks.underlyings.map((line) => (
              <tr key={line.market}>
                <th scope="row">{line.symbol}</th>
                {cells(line.greeks)}
              </tr>
            ))}
            <tr>
              <th scope="row">All</th>
              {cells(greeks.total)}
            </tr>
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
