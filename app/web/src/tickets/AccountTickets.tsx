import { useEffect, useMemo, useState } from 'react';

import { AmountField, typed } from '../components/Field';
import { Facts, Num, Usd } from '../components/parts';
import { Ticket } from '../components/Ticket';
import { amountText, plainDecimal } from '../lib/decimal';
import { dollars, priceFromNano } from '../lib/price';
import { expiryDay } from '../lib/time';
import type { Request } from '../session/actions';
import { useAccount } from '../session/account';
import { useLive } from '../session/live';

function useOwnAccount() {
  const { address } = useAccount();
  return useLive((engine) => (address ? engine.account(address) : null), [address]);
}

/** The last of a value that there was: what a ticket has closed is still its subject when it tells the result. */
function useKept<T>(value: T | null | undefined): T | null {
  const [kept, setKept] = useState<T | null>(value ?? null);
  useEffect(() => {
    if (value != null) setKept(value);
  }, [value]);
  return value ?? kept;
}

function useMarket(address: string) {
  const markets = useLive((engine) => engine.markets(), []);
  return markets?.find((market) => market.address === address);
}

/** Closes a perpetual position, or a part of it. */
export function ClosePosition({ market: address }: { market: string }) {
  const account = useOwnAccount();
  const market = useMarket(address);
  const line = account?.positions.find((position) => position.market === address);
  const size = line?.size ?? 0n;
  const whole = size < 0n ? -size : size;
  const decimals = market?.baseDecimals ?? 9;
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? plainDecimal(whole, decimals);
  const amount = typed(shown, decimals);
  const error =
    amount.value !== null && amount.value > whole
      ? `The position has only ${amountText(whole, decimals)}`
      : amount.error;
  const value = error === null && amount.value ? amount.value : null;
  const request = useMemo((): Request | null => {
    if (!account || value === null) return null;
    const action = { kind: 'closePosition', account: account.address, market: address, size: value } as const;
    return { account: account.address, actions: [action] };
  }, [account?.address, address, value]);
  if (!market || !account) return <p role="status">Reading the market…</p>;
  return (
    <Ticket
      request={request}
      incomplete="Enter a size above zero, at most the position."
      submit={`Close ${market.symbol} position`}
      tone={size > 0n ? 'sell' : 'buy'}
    >
      <Facts
        rows={[
          { name: 'Position', value: <Num>{amountText(size, decimals)}</Num> },
          { name: 'Price now', value: <Num>{dollars(market.priceUsd)}</Num> },
        ]}
      />
      <AmountField
        label="Size to close"
        unit={market.symbol}
        text={shown}
        onText={setText}
        error={error}
        onMax={() => {
          setText(plainDecimal(whole, decimals));
        }}
        maxLabel="whole position"
      />
    </Ticket>
  );
}

/** Stores an order that closes a position once its price is there; anyone executes it for a tip. */
export function StopLoss({ market: address }: { market: string }) {
  const account = useOwnAccount();
  const market = useMarket(address);
  const [text, setText] = useState('');
  const [tipText, setTipText] = useState('0.10');
  const price = typed(text, 9);
  const tip = typed(tipText, 6);
  const size = account?.positions.find((position) => position.market === address)?.size ?? 0n;
  const isLong = size > 0n;
  const request = useMemo((): Request | null => {
    if (!account || !market || !price.value || tip.value === null) return null;
    const trigger = priceFromNano(price.value, market.baseDecimals);
    const action = {
      kind: 'placeTrigger',
      account: account.address,
      market: address,
      side: isLong ? 1 : 2,
      // Below the price now it is a long position's stop loss or a short one's take profit, above it the other way round.
      when: trigger <= market.price ? 1 : 2,
      triggerPrice: trigger,
      tip: tip.value,
    } as const;
    return { account: null, actions: [action] };
  }, [account?.address, address, price.value, tip.value, isLong, market?.baseDecimals, market?.price]);
  if (!market || !account) return <p role="status">Reading the market…</p>;
  return (
    <Ticket request={request} incomplete="Enter the price that it is to wait for, and a tip." submit="Store the order">
      <p>
        Closes the whole {isLong ? 'long' : 'short'} {market.symbol} position at the market once the price is there. It
        is kept on the chain, also while this page is closed.
      </p>
      <AmountField
        label="Price to wait for"
        unit="USD"
        text={text}
        onText={setText}
        error={price.error}
        aside={`now ${dollars(market.priceUsd)}`}
      />
      <AmountField label="Tip for who executes it" unit="USD" text={tipText} onText={setTipText} error={tip.error} />
    </Ticket>
  );
}

/** Takes a stored order back. */
export function CancelTrigger({ index }: { index: number }) {
  const account = useOwnAccount();
  const request = useMemo(
    (): Request | null =>
      account ? { account: null, actions: [{ kind: 'cancelTrigger', account: account.address, index }] } : null,
    [account?.address, index],
  );
  return (
    <Ticket request={request} incomplete="The account is still being read." submit="Cancel the order">
      <p>The order is removed from the account. The position stays as it is.</p>
    </Ticket>
  );
}

/** Moves the cash of a market into the quote balance. */
export function Settle({ market: address }: { market: string }) {
  const account = useOwnAccount();
  const line = useKept(account?.positions.find((position) => position.market === address));
  const request = useMemo(
    (): Request | null =>
      account
        ? { account: account.address, actions: [{ kind: 'settle', account: account.address, market: address }] }
        : null,
    [account?.address, address],
  );
  if (!line) return <p>There is nothing to settle in this market.</p>;
  return (
    <Ticket request={request} incomplete="The account is still being read." submit={`Settle ${line.symbol} cash`}>
      <p>
        Gains are paid out of the house into your quote balance, losses are paid out of it. The position stays, at the
        price now. Gains must be settled before they can be withdrawn.
      </p>
      <Facts
        rows={[{ name: 'Gain not settled, USD', value: <Usd value={BigInt(Math.round(line.gainUsd * 1e6))} signed /> }]}
      />
    </Ticket>
  );
}

/** Pays options of a settled board in cash. */
export function SettleOption({ board }: { board: string }) {
  const account = useOwnAccount();
  const request = useMemo(
    (): Request | null =>
      account
        ? { account: account.address, actions: [{ kind: 'settleOption', account: account.address, board }] }
        : null,
    [account?.address, board],
  );
  return (
    <Ticket request={request} incomplete="The account is still being read." submit="Settle the options">
      <p>
        All options of this expiry are paid in cash at the settlement price. The cash stands in the market until it is
        settled.
      </p>
    </Ticket>
  );
}

/** Closes an option position, or a part of it. */
export function CloseOption({ board: address, series }: { board: string; series: number }) {
  const account = useOwnAccount();
  const line = useKept(account?.options.find((option) => option.board === address && option.series === series));
  const board = useLive((engine) => engine.boards().find((one) => one.address === address) ?? null, [address]);
  const lots = line?.lots ?? 0;
  const whole = BigInt(Math.abs(lots));
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? whole.toString();
  const amount = typed(shown, 0);
  const error = amount.value !== null && amount.value > whole ? `The position has only ${whole} lots` : amount.error;
  const value = error === null && amount.value ? amount.value : null;
  const request = useMemo((): Request | null => {
    if (!account || value === null) return null;
    const action = {
      kind: 'closeOption',
      account: account.address,
      board: address,
      series,
      lots: value,
    } as const;
    return { account: account.address, actions: [action] };
  }, [account?.address, address, series, value, lots]);
  if (!line || !board) return <p>This option is not in the account any more.</p>;
  return (
    <Ticket
      request={request}
      incomplete="Enter a number of lots, at most the position."
      submit={lots > 0 ? 'Sell to close' : 'Buy to close'}
      tone={lots > 0 ? 'sell' : 'buy'}
    >
      <p>
        {line.symbol} {expiryDay(Number(line.expiry))}, strike {line.strikeUsd.toLocaleString('en')},{' '}
        {line.isCall ? 'call' : 'put'}: {line.lots.toLocaleString('en')} lots of {board.lotTokens} {line.symbol}.
      </p>
      <AmountField
        label="Lots to close"
        unit="lots"
        text={shown}
        onText={setText}
        error={error}
        onMax={() => {
          setText(whole.toString());
        }}
        maxLabel="whole position"
      />
    </Ticket>
  );
}
