import type { BankView, MarketView } from '@plimsoll/client';
import { useMemo, useState } from 'react';

import { AmountField, Segments, typed } from '../components/Field';
import { Num } from '../components/parts';
import { Ticket } from '../components/Ticket';
import { amountText, plainDecimal } from '../lib/decimal';
import { dollars } from '../lib/price';
import { expiryDay } from '../lib/time';
import type { Chosen } from '../pages/Trade';
import { useAccount } from '../session/account';
import type { Request } from '../session/actions';
import { useLive } from '../session/live';
import { fill, useMax } from '../session/preview';

type Side = 'buy' | 'sell';

const NEEDS_ACCOUNT = 'Deposit first: a trade needs a margin account.';

/** Buys or sells a market's perpetual. */
export function PerpTicket({ market }: { market: MarketView }) {
  const { address } = useAccount();
  const [side, setSide] = useState<Side>('buy');
  const [text, setText] = useState('');
  const amount = typed(text, market.baseDecimals);
  const size = amount.value ? (side === 'buy' ? amount.value : -amount.value) : null;
  const request = useMemo((): Request | null => {
    if (!address || size === null) return null;
    const action = {
      kind: 'openPosition',
      account: address,
      market: market.address,
      size,
    } as const;
    return { account: address, actions: [action] };
  }, [address, market.address, size]);
  const max = useMax(
    address
      ? { kind: 'openPosition', account: address, market: market.address, size: side === 'buy' ? 1n : -1n }
      : null,
  );
  return (
    <Ticket
      request={request}
      incomplete={address ? 'Enter a size above zero.' : NEEDS_ACCOUNT}
      submit={`${side === 'buy' ? 'Buy' : 'Sell'} ${market.symbol} perpetual`}
      tone={side}
      onDone={() => {
        setText('');
      }}
    >
      <Sides side={side} onSide={setSide} buy="Buy, long" sell="Sell, short" />
      <AmountField
        label="Size"
        unit={market.symbol}
        text={text}
        onText={setText}
        error={amount.error}
        aside={
          amount.value
            ? `about ${dollars((Number(amount.value) / 10 ** market.baseDecimals) * market.priceUsd)} USD`
            : null
        }
        onMax={fill(max, (most) => {
          setText(plainDecimal(most, market.baseDecimals));
        })}
        maxLabel="largest size that the margin allows"
      />
    </Ticket>
  );
}

/** Buys or sells an option that was chosen in the chain. */
export function OptionTicket({ market, chosen }: { market: MarketView; chosen: Chosen | null }) {
  const { address } = useAccount();
  const [side, setSide] = useState<Side>(chosen?.buys === false ? 'sell' : 'buy');
  const [text, setText] = useState('');
  const amount = typed(text, 0);
  const lots = amount.value ? (side === 'buy' ? amount.value : -amount.value) : null;
  const request = useMemo((): Request | null => {
    if (!address || !chosen || lots === null) return null;
    const action = {
      kind: 'openOption',
      account: address,
      board: chosen.board.address,
      series: chosen.series,
      lots,
    } as const;
    return { account: address, actions: [action] };
  }, [address, chosen?.board.address, chosen?.series, lots]);
  const max = useMax(
    address && chosen
      ? {
          kind: 'openOption',
          account: address,
          board: chosen.board.address,
          series: chosen.series,
          lots: side === 'buy' ? 1n : -1n,
        }
      : null,
  );
  if (!chosen) return <p className="empty">Choose a price in the option chain: red sells, green buys.</p>;
  const strike = chosen.board.strikes.find((one) => one.index === chosen.series >> 1);
  const name = chosen.series % 2 === 0 ? 'call' : 'put';
  return (
    <Ticket
      request={request}
      incomplete={address ? 'Enter a whole number of lots.' : NEEDS_ACCOUNT}
      submit={`${side === 'buy' ? 'Buy' : 'Sell'} ${strike?.strikeUsd.toLocaleString('en') ?? ''} ${name}`}
      tone={side}
      onDone={() => {
        setText('');
      }}
    >
      <p>
        <strong>
          {market.symbol} {strike?.strikeUsd.toLocaleString('en')} {name}
        </strong>
        <br />
        <span className="quiet">
          expires {expiryDay(Number(chosen.board.expiry))}, 08:00 UTC; a lot is {chosen.board.lotTokens} {market.symbol}
        </span>
      </p>
      <Sides side={side} onSide={setSide} buy="Buy" sell="Sell" />
      <AmountField
        label="Lots"
        unit="lots"
        text={text}
        onText={setText}
        error={amount.error}
        aside={
          amount.value
            ? `${(Number(amount.value) * chosen.board.lotTokens).toLocaleString('en')} ${market.symbol}`
            : null
        }
        onMax={fill(max, (most) => {
          setText(most.toString());
        })}
        maxLabel="most lots that the margin allows"
      />
    </Ticket>
  );
}

/** Exchanges a collateral for quote against the house, or back. */
export function SwapTicket({ bank }: { bank: BankView }) {
  const { address } = useAccount();
  const [side, setSide] = useState<Side>('sell');
  const [text, setText] = useState('');
  const account = useLive((engine) => (address ? engine.account(address) : null), [address]);
  const held = account?.balances.find((line) => line.bank === bank.address)?.amount ?? 0n;
  const amount = typed(text, bank.decimals);
  const size = amount.value ? (side === 'buy' ? amount.value : -amount.value) : null;
  const request = useMemo((): Request | null => {
    if (!address || size === null) return null;
    const action = { kind: 'swap', account: address, mint: bank.mint, amount: size } as const;
    return { account: address, actions: [action] };
  }, [address, bank.mint, size]);
  // What is sold from a deposit needs no margin; what is bought is as much as the house has and the margin allows.
  const max = useMax(
    address && side === 'buy' ? { kind: 'swap', account: address, mint: bank.mint, amount: 1n } : null,
  );
  const owned = held > 0n ? held : 0n;
  const borrowed = side === 'sell' && amount.value !== null && amount.value > owned ? amount.value - owned : null;
  return (
    <Ticket
      request={request}
      incomplete={address ? 'Enter an amount above zero.' : NEEDS_ACCOUNT}
      submit={`Swap ${side === 'buy' ? `USD for ${bank.symbol}` : `${bank.symbol} for USD`}`}
      tone={side}
      onDone={() => {
        setText('');
      }}
    >
      <p className="quiet small">
        Exchanges the {bank.symbol} of the account for its quote balance, or back, at the oracle's price with the
        house's spread. No token moves; what is paid beyond a deposit is borrowed.
      </p>
      <Sides side={side} onSide={setSide} buy={`Buy ${bank.symbol}`} sell={`Sell ${bank.symbol}`} />
      <AmountField
        label="Amount"
        unit={bank.symbol}
        text={text}
        onText={setText}
        error={amount.error}
        aside={
          <>
            in the account: <Num>{amountText(held, bank.decimals)}</Num>
          </>
        }
        onMax={
          side === 'buy'
            ? fill(max, (most) => {
                setText(plainDecimal(most, bank.decimals));
              })
            : held > 0n
              ? () => {
                  setText(plainDecimal(held, bank.decimals));
                }
              : undefined
        }
        maxLabel={side === 'buy' ? 'all that the house has and the margin allows' : `all ${bank.symbol} of the account`}
      />
      {borrowed === null ? null : (
        <p className="notice warn small" role="status">
          This is more than the account has: {amountText(borrowed, bank.decimals)} {bank.symbol} would be borrowed at{' '}
          {bank.borrowRatePercent.toFixed(2)} % a year.
        </p>
      )}
    </Ticket>
  );
}

function Sides(props: { side: Side; onSide: (side: Side) => void; buy: string; sell: string }) {
  return (
    <Segments
      legend="Side"
      value={props.side}
      onValue={props.onSide}
      options={[
        { value: 'buy', label: props.buy, tone: 'buy' },
        { value: 'sell', label: props.sell, tone: 'sell' },
      ]}
    />
  );
}
