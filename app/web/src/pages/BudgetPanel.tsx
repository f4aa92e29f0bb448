import type { BudgetUseView, MarketView } from '@plimsoll/client';

import { Meter, Panel } from '../components/parts';
import { amountText, usd } from '../lib/decimal';
import { useLive } from '../session/live';

/** A market with what is used of its budget; `null` where that cannot be told for the moment. */
type Line = { market: MarketView; use: BudgetUseView | null };

/** How much of each market's risk budget is used, and by what: bars, and the same in a table. */
export default function BudgetPanel({ markets, title }: { markets: readonly MarketView[]; title: string }) {
  const names = markets.map((market) => market.address);
  const uses = useLive(
    (engine) =>
      names.map((name) => {
        try {
          return engine.budgetUse(name);
        } catch {
          // A price that is too old to value the house's options by.
          return null;
        }
      }),
    names,
  );
  if (!uses) return <p role="status">Reading the budgets…</p>;
  const lines = markets.map((market, place): Line => ({ market, use: uses[place] ?? null }));
  return (
    <Panel
      title={title}
      flush
      note="Used is what the house could lose on everything that it holds in a market, in the worst of the exchange's scenarios. A trade that would raise it beyond the budget is refused; one that lowers it never is. Parts that hedge one another lose less together than alone."
    >
      <div className="panel-body stack">
        {lines.map(({ market, use }) =>
          use ? (
            <BudgetMeter key={market.address} market={market} use={use} />
          ) : (
            <Unknown key={market.address} market={market} />
          ),
        )}
      </div>
      <UseTable lines={lines} />
    </Panel>
  );
}

function BudgetMeter({ market, use }: { market: MarketView; use: BudgetUseView }) {
  const withheld = use.budget - use.inForce;
  return (
    <div data-budget={market.symbol}>
      <Meter
        label={`${market.symbol}: used of the house's budget`}
        part={use.used}
        whole={use.inForce}
        text={`${usd(use.used)} of ${usd(use.inForce)} USD`}
      />
      {withheld > 0n ? (
        <p className="small quiet">
          The budget is {usd(use.budget)} USD; {usd(withheld)} of it is withheld, as the house is not worth all budgets.
        </p>
      ) : null}
    </div>
  );
}

function Unknown({ market }: { market: MarketView }) {
  return (
    <p className="small quiet" role="status">
      {market.symbol}: cannot be told while its price is too old.
    </p>
  );
}

function UseTable({ lines }: { lines: readonly Line[] }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Use of the budgets, in numbers">
      <table className="cards">
        <caption className="visually-hidden">What the house could lose in each market, and by what, in USD</caption>
        <thead>
          <tr>
            <th scope="col">Market</th>
            <th scope="col">Perpetual, USD</th>
            <th scope="col">Options, USD</th>
            <th scope="col">Held from swaps, USD</th>
            <th scope="col">Together, USD</th>
            <th scope="col">Left, USD</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ market, use }) => (
            <UseRow key={market.address} market={market} use={use} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function UseRow({ market, use }: Line) {
  const cell = (name: string, value: bigint | undefined, of?: string) => (
    <td data-label={name} className="number">
      {value === undefined ? '—' : usd(value)}
      {of === undefined ? null : (
        <>
          <br />
          <span className="small quiet">{of}</span>
        </>
      )}
    </td>
  );
  const left = use && (use.inForce > use.used ? use.inForce - use.used : 0n);
  const held = (base: bigint) => `(${amountText(base, market.baseDecimals, 2)} ${market.symbol})`;
  return (
    <tr data-use={market.symbol}>
      <th scope="row">{market.symbol}</th>
      {cell('Perpetual, USD', use?.perpetual, held(market.houseSize))}
      {cell('Options, USD', use?.options)}
      {cell('Held from swaps, USD', use?.spot, use ? held(use.houseInventory) : undefined)}
      {cell('Together, USD', use?.used)}
      {cell('Left, USD', left ?? undefined)}
    </tr>
  );
}
