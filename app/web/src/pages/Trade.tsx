import type { BoardView, MarketView } from '@plimsoll/client';
import { lazy, Suspense, useMemo, useState } from 'react';
import { Link } from 'wouter';

import { Segments } from '../components/Field';
import { Facts, Meter, Num, Panel } from '../components/parts';
import { amountText } from '../lib/decimal';
import { dollars } from '../lib/price';
import { duration, expiryDay } from '../lib/time';
import { useLive } from '../session/live';
import { hasBudget } from './Pool';
import { OptionTicket, PerpTicket, SwapTicket } from '../tickets/TradeTickets';
import { useOptionQuotes, type OptionQuote } from '../session/preview';

const BudgetPanel = lazy(() => import('./BudgetPanel'));

/** What is traded. */
type Product = 'perpetual' | 'options' | 'swap';

/** Markets, the ticket of a perpetual, the option chain, and swaps of collateral. */
export function Trade({ symbol }: { symbol?: string | undefined }) {
  const markets = useLive((engine) => engine.markets(), []);
  const listed = useMemo(() => markets?.filter((market) => !market.isOfHouseShares) ?? [], [markets]);
  const market = listed.find((one) => one.symbol === symbol) ?? listed.find((one) => one.hasOptions) ?? listed[0];
  if (!market) return <p role="status">Reading the markets…</p>;
  return (
    <div className="page">
      <div className="page-title">
        <h1>Trade</h1>
      </div>
      <PausedNotice />
      <nav className="tabs" aria-label="Markets">
        {listed.map((one) => (
          <Link
            key={one.address}
            href={`/trade/${one.symbol}`}
            aria-current={one.address === market.address ? 'page' : undefined}
          >
            <strong>{one.symbol}</strong>
            <Num>{dollars(one.priceUsd)}</Num>
          </Link>
        ))}
      </nav>
      <MarketDesk key={market.address} market={market} />
    </div>
  );
}

/** Kinds of action that concern who trades, as people call them. */
const PAUSES: Record<string, string> = {
  open: 'opening and enlarging positions',
  trade: 'all trading',
  option: 'trading of options',
  deposit: 'deposits',
  withdraw: 'withdrawals',
  settle: 'settlement',
};

function PausedNotice() {
  const paused = useLive((engine) => engine.exchange().paused, []) ?? [];
  const named = paused.flatMap((kind) => PAUSES[kind] ?? []);
  if (named.length === 0) return null;
  return (
    <p className="notice warn" role="status" data-state="paused">
      The exchange has paused {named.join(', ')}. Wait until its administrator resumes it.
    </p>
  );
}

/** Which option of the chain is asked for. */
export type Chosen = {
  board: BoardView;
  series: number;
  buys: boolean;
};

function MarketDesk({ market }: { market: MarketView }) {
  const [product, setProduct] = useState<Product>(market.hasPerpetual ? 'perpetual' : 'swap');
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const banks = useLive((engine) => engine.banks(), []) ?? [];
  const bank = banks.find((one) => one.market === market.address && !one.isHouseShare);
  const products = [
    ...(market.hasPerpetual ? [{ value: 'perpetual' as const, label: 'Perpetual' }] : []),
    ...(market.hasOptions ? [{ value: 'options' as const, label: 'Options' }] : []),
    ...(bank ? [{ value: 'swap' as const, label: 'Swap' }] : []),
  ];
  return (
    <div className="columns with-side">
      <div className="stack">
        <MarketFacts market={market} />
        {market.hasOptions ? (
          <Chain
            market={market}
            chosen={chosen}
            onChoose={(choice) => {
              setChosen(choice);
              setProduct('options');
              document.getElementById('ticket')?.scrollIntoView({ block: 'nearest' });
            }}
          />
        ) : null}
        {hasBudget(market) ? (
          <Suspense fallback={<p role="status">Reading the budget…</p>}>
            <BudgetPanel title="What the house may still take on" markets={[market]} />
          </Suspense>
        ) : null}
      </div>
      <div className="side" id="ticket">
        <Panel title={`Trade ${market.symbol}`}>
          <Segments legend="What to trade" value={product} onValue={setProduct} options={products} />
          {product === 'perpetual' ? <PerpTicket market={market} /> : null}
          {product === 'options' ? (
            <OptionTicket
              key={chosen ? `${chosen.board.address} ${chosen.series} ${chosen.buys}` : ''}
              market={market}
              chosen={chosen}
            />
          ) : null}
          {product === 'swap' && bank ? <SwapTicket bank={bank} /> : null}
        </Panel>
      </div>
    </div>
  );
}

const STATES: Record<string, string> = {
  'reduce-only': 'Reductions only',
  'wind-down': 'Winding down',
  retired: 'Retired',
};

function MarketFacts({ market }: { market: MarketView }) {
  const now = useLive((engine) => engine.exchange().now, []) ?? 0n;
  const age = Number(now - market.publishedAt);
  const share = (part: bigint, name: string) => (
    <Meter
      label={name}
      part={part}
      whole={market.openInterestMax}
      text={`${amountText(part, market.baseDecimals, 2)} of ${amountText(market.openInterestMax, market.baseDecimals, 0)} ${market.symbol}`}
    />
  );
  const funding = market.fundingPercentPerDay;
  return (
    <Panel
      title={market.symbol}
      tools={
        <span className="button-row">
          {STATES[market.state] ? <span className="tag warn">{STATES[market.state]}</span> : null}
          {market.freshness === 'fresh' ? (
            <span className="tag good">price {duration(age)} old</span>
          ) : (
            <span className="tag bad" data-state="stale">
              price too old: {duration(age)}
            </span>
          )}
        </span>
      }
    >
      <div className="columns halves">
        <Facts
          rows={[
            { name: 'Oracle price, USD', value: <Num>{dollars(market.priceUsd)}</Num> },
            { name: 'Confidence', value: <Num>± {((100 * market.confidenceUsd) / market.priceUsd).toFixed(3)} %</Num> },
            { name: 'Moving average', value: <Num>{dollars(market.emaUsd)}</Num> },
            { name: 'Volatility, a year', value: <Num>{market.volatilityPercent.toFixed(1)} %</Num> },
            { name: 'Shock range', value: <Num>± {market.rangePercent.toFixed(2)} %</Num> },
          ]}
        />
        {market.hasPerpetual ? (
          <Facts
            rows={[
              { name: 'Half spread', value: <Num>{market.halfSpreadPercent.toFixed(3)} %</Num> },
              { name: 'Fee', value: <Num>{market.takerFeePercent.toFixed(3)} %</Num> },
              {
                name: funding < 0 ? 'Funding: shorts pay a day' : 'Funding: longs pay a day',
                value: <Num>{Math.abs(funding).toFixed(4)} %</Num>,
              },
              { name: "House's position", value: <Num>{amountText(market.houseSize, market.baseDecimals, 2)}</Num> },
            ]}
          />
        ) : null}
      </div>
      {market.hasPerpetual ? (
        <div className="columns halves">
          {share(market.openInterestLong, 'Long positions')}
          {share(market.openInterestShort, 'Short positions')}
        </div>
      ) : null}
    </Panel>
  );
}

type ChainProps = {
  market: MarketView;
  chosen: Chosen | null;
  onChoose: (choice: Chosen) => void;
};

/** Expiries × strikes: the house's price to sell at and to buy at, for the call on the left and the put on the right. */
function Chain({ market, chosen, onChoose }: ChainProps) {
  const boards = useLive((engine) => engine.boards(), []) ?? [];
  const own = boards.filter((board) => board.market === market.address && !board.isSettled);
  const [slot, setSlot] = useState<string | null>(null);
  const board = own.find((one) => one.address === slot) ?? own[0];
  return (
    <Panel
      title="Option chain"
      flush
      note={
        board
          ? `Prices in USD for one ${market.symbol}, of the house, for one lot of ${board.lotTokens} ${market.symbol}. European, settled in cash against the average of the last half hour of prices.`
          : undefined
      }
    >
      {board ? (
        <>
          <div className="panel-body">
            <Segments
              legend="Expiry"
              value={board.address}
              onValue={setSlot}
              options={own.map((one) => ({ value: one.address, label: expiryDay(Number(one.expiry)) }))}
            />
          </div>
          <ChainTable market={market} board={board} chosen={chosen} onChoose={onChoose} />
        </>
      ) : (
        <p className="empty">
          No expiry is listed in {market.symbol} at the moment. Boards are listed by the exchange's keeper.
        </p>
      )}
    </Panel>
  );
}

function ChainTable({ market, board, chosen, onChoose }: ChainProps & { board: BoardView }) {
  const quotes = useOptionQuotes(board);
  const button = (series: number, buys: boolean, name: string) => {
    const quote: OptionQuote | undefined = quotes.get(series);
    const price = buys ? quote?.ask : quote?.bid;
    const isChosen = chosen?.board.address === board.address && chosen.series === series && chosen.buys === buys;
    return (
      <button
        type="button"
        className={`number ${buys ? 'ask' : 'bid'}`}
        aria-pressed={isChosen}
        aria-label={`${buys ? 'Buy' : 'Sell'} the ${name}${price == null ? '' : ` at ${dollars(price)}`}`}
        onClick={() => {
          onChoose({ board, series, buys });
        }}
      >
        {price == null ? '—' : dollars(price)}
      </button>
    );
  };
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Prices of the options">
      <table className="chain">
        <thead>
          <tr>
            <th scope="colgroup" colSpan={2}>
              Call
            </th>
            <th scope="col">Strike</th>
            <th scope="colgroup" colSpan={2}>
              Put
            </th>
            <th scope="col" className="wide-only">
              Volatility
            </th>
          </tr>
          <tr>
            <th scope="col">sell</th>
            <th scope="col">buy</th>
            <th scope="col">USD</th>
            <th scope="col">sell</th>
            <th scope="col">buy</th>
            <th scope="col" className="wide-only">
              a year
            </th>
          </tr>
        </thead>
        <tbody>
          {board.strikes.map((strike) => {
            const name = strike.strikeUsd.toLocaleString('en');
            const callIsIn = strike.strikeUsd < market.priceUsd ? 'in-the-money' : '';
            const putIsIn = strike.strikeUsd > market.priceUsd ? 'in-the-money' : '';
            return (
              <tr key={strike.index} data-strike={name}>
                <td className={callIsIn}>{button(strike.call.series, false, `${name} call`)}</td>
                <td className={callIsIn}>{button(strike.call.series, true, `${name} call`)}</td>
                <th scope="row" className="strike number">
                  {name}
                </th>
                <td className={putIsIn}>{button(strike.put.series, false, `${name} put`)}</td>
                <td className={putIsIn}>{button(strike.put.series, true, `${name} put`)}</td>
                <td className="wide-only number">{strike.volatilityPercent.toFixed(1)} %</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
