import { useCallback } from "react";

import { approximate, signedUsd } from "../lib/decimal";
import { dollarsText, nanoDollars } from "../lib/price";
import { Chart, type Palette } from "./Chart";

/** Gain of an account's positions in one market over its price. */
export interface Payoff {
  symbol: string;
  baseDecimals: number;
  /** The price now, Q16.48. */
  spot: bigint;
  points: readonly {
    /** Q16.48. */
    price: bigint;
    /** Gain if the price moved there now, quote native. */
    now: bigint;
    /** Gain if it stood there at the expiry, quote native; the same without options. */
    atExpiry: bigint;
  }[];
  /** When the options expire that `atExpiry` means; `null` without options. */
  expiry: string | null;
}

/** Gain over price: now, and at expiry. */
export function PayoffChart({ payoff }: { payoff: Payoff }) {
  const dollars = useCallback((price: bigint) => Number(nanoDollars(price, payoff.baseDecimals)) / 1e9, [payoff.baseDecimals]);
  const option = useCallback(
    (colours: Palette) => {
      const line = (name: string, color: string, type: "solid" | "dashed", pick: (point: Payoff["points"][number]) => bigint) => ({
        name,
        type: "line",
        symbol: "none",
        lineStyle: { color, width: 2.5, type },
        itemStyle: { color },
        data: payoff.points.map((point) => [dollars(point.price), approximate(pick(point))]),
      });
      const label = { color: colours.soft, hideOverlap: true };
      const series = [
        {
          ...line("now", colours.accent, "solid", (point) => point.now),
          markLine: {
            silent: true,
            symbol: "none",
            label: { show: true, formatter: "price now", color: colours.soft },
            lineStyle: { color: colours.soft, type: "dotted" },
            data: [{ xAxis: dollars(payoff.spot) }],
          },
        },
        ...(payoff.expiry ? [line("at expiry", colours.ink, "dashed", (point) => point.atExpiry)] : []),
      ];
      return {
        grid: { left: 64, right: 16, top: 28, bottom: 40 },
        tooltip: {
          trigger: "axis",
          renderMode: "richText",
          backgroundColor: colours.sheet,
          borderColor: colours.rule,
          textStyle: { color: colours.ink },
          valueFormatter: (value: number) => `${value.toFixed(2)} USD`,
        },
        xAxis: {
          type: "value",
          scale: true,
          name: `${payoff.symbol} in USD`,
          nameLocation: "middle",
          nameGap: 26,
          nameTextStyle: { color: colours.soft },
          axisLabel: label,
          splitLine: { show: false },
          axisLine: { lineStyle: { color: colours.rule } },
        },
        yAxis: { type: "value", axisLabel: label, splitLine: { lineStyle: { color: colours.rule } } },
        series,
      };
    },
    [payoff, dollars],
  );
  const label = `Gain of the positions in ${payoff.symbol} over its price${payoff.expiry ? `, now and at expiry on ${payoff.expiry}` : ""}`;
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
            <tr key={String(point.price)}>
              <th scope="row" className="number">
                {dollarsText(nanoDollars(point.price, payoff.baseDecimals))}
              </th>
              <td className="number">{signedUsd(point.now)}</td>
              {payoff.expiry ? <td className="number">{signedUsd(point.atExpiry)}</td> : null}
            </tr>
          ))}
      </tbody>
    </table>
  );
}
