import { useCallback } from 'react';

import { approximate, signedUsd } from '../lib/decimal';
import { dollars } from '../lib/price';
import { Chart, type Palette } from './Chart';

/** Gain of an account's positions in one market over its price. */
export type Payoff = {
  symbol: string;
  /** The price now, dollars. */
  spot: number;
  points: readonly {
    /** Dollars. */
    price: number;
    /** Gain if the price moved there now, quote native; `null` where it cannot be told. */
    now: bigint | null;
    /** Gain if it stood there at the expiry, likewise. */
    atExpiry: bigint | null;
  }[];
  /** When the options expire that `atExpiry` means; `null` without options. */
  expiry: string | null;
};

/** Gain over price: now, and at expiry. */
export function PayoffChart({ payoff }: { payoff: Payoff }) {
  const option = useCallback(
    (colours: Palette) => {
      const line = (
        name: string,
        color: string,
        type: 'solid' | 'dashed',
        pick: (point: Payoff['points'][number]) => bigint | null,
      ) => ({
        name,
        type: 'line',
        symbol: 'none',
        lineStyle: { color, width: 2.5, type },
        itemStyle: { color },
        data: payoff.points.flatMap((point) => {
          const gain = pick(point);
          return gain === null ? [] : [[point.price, approximate(gain)]];
        }),
      });
      const label = { color: colours.soft, hideOverlap: true };
      const series = [
        {
          ...line('now', colours.accent, 'solid', (point) => point.now),
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: true, formatter: 'price now', color: colours.soft },
            lineStyle: { color: colours.soft, type: 'dotted' },
            data: [{ xAxis: payoff.spot }],
          },
        },
        ...(payoff.expiry ? [line('at expiry', colours.ink, 'dashed', (point) => point.atExpiry)] : []),
      ];
      return {
        grid: { left: 64, right: 16, top: 28, bottom: 40 },
        tooltip: {
          trigger: 'axis',
          renderMode: 'richText',
          backgroundColor: colours.sheet,
          borderColor: colours.rule,
          textStyle: { color: colours.ink },
          valueFormatter: (value: number) => `${value.toFixed(2)} USD`,
        },
        xAxis: {
          type: 'value',
          scale: true,
          name: `${payoff.symbol} in USD`,
          nameLocation: 'middle',
          nameGap: 26,
          nameTextStyle: { color: colours.soft },
          axisLabel: label,
          splitLine: { show: false },
          axisLine: { onZero: false, lineStyle: { color: colours.rule } },
        },
        yAxis: { type: 'value', axisLabel: label, splitLine: { lineStyle: { color: colours.rule } } },
        series,
      };
    },
    [payoff],
  );
  const label = `Gain of the positions in ${payoff.symbol} over its price${payoff.expiry ? `, now and at expiry on ${payoff.expiry}` : ''}`;
  return <Chart label={label} option={option} table={<PayoffTable payoff={payoff} />} height="short" />;
}

function PayoffTable({ payoff }: { payoff: Payoff }) {
  const every = Math.max(1, Math.floor(payoff.points.length / 20));
  return (
    <table>
      <caption className="visually-hidden">Gain in USD over the price of {payoff.symbol}</caption>
      <thead>
        <tr>
          <th scope="col">Price</th>
          <th scope="col">Now</th>
          {payoff.expiry ? <th scope="col">At expiry</th> : null}
        </tr>
      </thead>
      <tbody>
        {payoff.points
          .filter((_, index) => index % every === 0)
          .map((point) => (
            <tr key={point.price}>
              <th scope="row" className="number">
                {dollars(point.price)}
              </th>
              <td className="number">{point.now === null ? '—' : signedUsd(point.now)}</td>
              {payoff.expiry ? (
                <td className="number">{point.atExpiry === null ? '—' : signedUsd(point.atExpiry)}</td>
              ) : null}
            </tr>
          ))}
      </tbody>
    </table>
  );
}
