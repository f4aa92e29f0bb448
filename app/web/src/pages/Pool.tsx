import type { HouseView, MarketView, TicketView } from '@plimsoll/client';
import { lazy, Suspense, useMemo, useState } from 'react';

import { AmountField, Segments, typed } from '../components/Field';
import { Figures, Meter, Num, Panel, Usd } from '../components/parts';
import { Progress } from '../components/Progress';
import { Ticket } from '../components/Ticket';
import { amountText, plainDecimal, usd } from '../lib/decimal';
import { duration, moment } from '../lib/time';
import type { Action, Request } from '../session/actions';
import { useOwner } from '../session/account';
import { useLive } from '../session/live';
import { useRun } from '../session/run';
import { useTokenBalance } from '../session/tokens';

const BudgetPanel = lazy(() => import('./BudgetPanel'));

/** Before a ticket's delay is over it may be cancelled until this long before, seconds; the program's own limit. */
const BOUND_SECONDS = 60n;

/** Whether the house holds anything in a market. */
export function hasBudget(market: MarketView): boolean {
  return market.hasPerpetual || market.hasOptions;
}

/** The house: what it is worth, what it may lose, and the way in and out. */
export function Pool() {
  const exchange = useLive((engine) => engine.exchange(), []);
  if (!exchange) return <p role="status">Reading the pool…</p>;
  if (!exchange.house) return <p className="empty">This exchange has no house yet.</p>;
  return (
    <div className="page">
      <div className="page-title">
        <h1>Liquidity pool</h1>
        <p className="quiet">
          The house is the counterparty of every trade. Who owns its shares earns and bears what it earns and bears.
        </p>
      </div>
      <section className="panel" aria-label="The house in numbers">
        <HouseFigures house={exchange.house} now={exchange.now} />
      </section>
      <div className="columns with-side">
        <div className="stack">
          <Budgets house={exchange.house} />
          <Tickets now={exchange.now} />
        </div>
        <div className="side">
          <JoinOrLeave house={exchange.house} />
        </div>
      </div>
    </div>
  );
}

function HouseFigures({ house, now }: { house: HouseView; now: bigint }) {
  const age = house.navAt === 0n ? 'never valued' : `valued ${duration(Number(now - house.navAt))} ago`;
  return (
    <Figures
      label="The house"
      rows={[
        { id: 'nav', name: 'Net asset value', value: <Usd value={house.nav} />, note: `USD, ${age}` },
        {
          id: 'share',
          name: 'One share',
          value: <Num>{house.sharePriceUsd == null ? '—' : house.sharePriceUsd.toFixed(6)}</Num>,
          note: 'USD',
        },
        {
          id: 'supply',
          name: 'Shares',
          value: <Num>{amountText(house.shareSupply, 6, 2)}</Num>,
          note: 'in circulation',
        },
        {
          id: 'waiting',
          name: 'Waiting in tickets',
          value: <Usd value={house.pendingQuote} />,
          note: `USD to join, ${amountText(house.pendingShares, 6, 2)} shares to leave`,
        },
      ]}
    />
  );
}

function Budgets({ house }: { house: HouseView }) {
  const markets = useLive((engine) => engine.markets(), []) ?? [];
  const nav = house.nav > 0n ? house.nav : 0n;
  return (
    <>
      <Panel
        title="Cover"
        note="Each market has a risk budget: the most that the house may come to lose in it. The budgets together must be covered by its value; what is not covered is withheld in every market."
      >
        <Meter
          label="All budgets over net asset value"
          part={house.riskBudget}
          whole={nav}
          text={`${usd(house.riskBudget)} of ${usd(nav)} USD`}
        />
      </Panel>
      <Suspense fallback={<p role="status">Reading the budgets…</p>}>
        <BudgetPanel title="Risk budgets" markets={markets.filter(hasBudget)} />
      </Suspense>
    </>
  );
}

type Way = 'provide' | 'redeem';

function JoinOrLeave({ house }: { house: HouseView }) {
  const owner = useOwner();
  const [way, setWay] = useState<Way>('provide');
  const [text, setText] = useState('');
  const exchange = useLive((engine) => engine.exchange(), []);
  const tickets = useLive((engine) => engine.tickets(), []) ?? [];
  const taken = new Set(tickets.filter((ticket) => ticket.owner === owner).map((ticket) => ticket.index));
  const index = Array.from({ length: 65_536 }, (_, number) => number).find((number) => !taken.has(number)) ?? 0;
  const balance = useTokenBalance(way === 'provide' ? (exchange?.quoteMint ?? null) : house.shareMint);
  const amount = typed(text, 6);
  const exceeds = amount.value !== null && balance !== null && amount.value > balance;
  const error = exceeds ? `The wallet has only ${amountText(balance, 6)}` : amount.error;
  const value = error === null && amount.value ? amount.value : null;
  const request = useMemo((): Request | null => {
    if (value === null) return null;
    const kind = way === 'provide' ? 'requestProvide' : 'requestRedeem';
    return { account: null, actions: [{ kind, index, amount: value }] };
  }, [way, value, index]);
  const unit = way === 'provide' ? 'USDC' : 'shares';
  return (
    <Panel title="Join or leave">
      <Ticket
        request={request}
        incomplete="Enter an amount above zero that the wallet has."
        submit={way === 'provide' ? 'Provide liquidity' : 'Redeem shares'}
        onDone={() => {
          setText('');
        }}
      >
        <Segments
          legend="Join or leave"
          value={way}
          onValue={setWay}
          options={[
            { value: 'provide', label: 'Provide' },
            { value: 'redeem', label: 'Redeem' },
          ]}
        />
        <AmountField
          label="Amount"
          unit={unit}
          text={text}
          onText={setText}
          error={error}
          aside={balance === null ? null : `in the wallet: ${amountText(balance, 6)}`}
          onMax={
            balance
              ? () => {
                  setText(plainDecimal(balance, 6));
                }
              : undefined
          }
        />
        <p className="small quiet">
          A ticket waits {duration(house.delaySeconds)}, so that nobody joins at a price that is known already. Then it
          is executed at the next valuation, and you claim what came of it.
        </p>
      </Ticket>
    </Panel>
  );
}

function Tickets({ now }: { now: bigint }) {
  const owner = useOwner();
  const tickets = useLive((engine) => engine.tickets(), []) ?? [];
  const own = tickets.filter((ticket) => ticket.owner === owner);
  // A claimed ticket is gone; what became of it is told here.
  const { stage, run } = useRun();
  return (
    <Panel title="Your tickets">
      {own.length === 0 ? <p className="quiet">No tickets{owner ? '.' : ': connect a wallet to see yours.'}</p> : null}
      {own.map((ticket) => (
        <TicketLine
          key={ticket.address}
          ticket={ticket}
          now={now}
          run={(actions) => void run({ account: null, actions })}
        />
      ))}
      <Progress stage={stage} />
    </Panel>
  );
}

type LineProps = {
  ticket: TicketView;
  now: bigint;
  run: (actions: readonly Action[]) => void;
};

function TicketLine({ ticket, now, run }: LineProps) {
  const joins = ticket.kind === 'provide';
  const put = joins ? `${usd(ticket.amount)} USDC` : `${amountText(ticket.amount, 6)} shares`;
  const came = joins ? `${amountText(ticket.proceeds, 6)} shares` : `${usd(ticket.proceeds)} USDC`;
  const isExecuted = ticket.executedAt != null;
  const isDue = now >= ticket.executableFrom;
  const isLate = now > ticket.expiresAt;
  const mayCancel = !isExecuted && (isLate || now < ticket.executableFrom - BOUND_SECONDS);
  const state = isExecuted ? 'executed' : isLate ? 'lapsed' : isDue ? 'due' : 'waiting';
  const one = { ticket: ticket.address };
  return (
    <section className="notice" aria-label={`Ticket ${ticket.index}`} data-ticket={state}>
      <h3>
        {joins ? 'Provide' : 'Redeem'} {put}
      </h3>
      <p className="small">
        Asked for {moment(Number(ticket.requestedAt))}.{' '}
        {state === 'waiting' ? `It may be executed in ${duration(Number(ticket.executableFrom - now))}.` : null}
        {state === 'due' ? 'The delay is over: anyone may execute it at a new valuation.' : null}
        {state === 'lapsed' ? 'Nobody executed it in time. Cancel it to get everything back.' : null}
        {state === 'executed' ? `Executed: ${came} wait for you.` : null}
      </p>
      <div className="button-row">
        {state === 'due' ? (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              run([{ kind: 'valueHouse' }, { kind: 'executeTicket', ...one }]);
            }}
          >
            Value the house and execute
          </button>
        ) : null}
        {isExecuted ? (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              run([{ kind: 'claimTicket', ...one }]);
            }}
          >
            Claim {came}
          </button>
        ) : null}
        {mayCancel ? (
          <button
            type="button"
            className="button"
            onClick={() => {
              run([{ kind: 'cancelTicket', ...one }]);
            }}
          >
            Cancel the ticket
          </button>
        ) : null}
      </div>
    </section>
  );
}
