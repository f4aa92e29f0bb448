import { useCallback, useMemo } from 'react';

import { approximate, signedUsd } from '../lib/decimal';
import { Chart, type Palette } from './Chart';

/** What an account would gain at prices and volatilities that have moved. */
export type StressGrid = {
  /** Relative moves of the price, percent, rising. */
  moves: readonly number[];
  /** Relative moves of the volatility, percent, rising. */
  volatility: readonly number[];
  /** Gain or loss in quote native, `null` where it cannot be told: a row for each volatility, a column for each move. */
  gains: readonly (readonly (bigint | null)[])[];
};

function move(percent: number): string {
  const text = `${Number(Math.abs(percent).toFixed(1))} %`;
  return percent === 0 ? '0' : `${percent > 0 ? '+' : '−'}${text}`;
}

function short(dollars: number): string {
  // Less than a cent is the rounding's.
  const shown = Math.abs(dollars) < 0.005 ? 0 : dollars;
  const format = new Intl.NumberFormat('en', {
    notation: 'compact',
    maximumSignificantDigits: 3,
    signDisplay: 'exceptZero',
  });
  return format.format(shown).replace('-', '−');
}

/** Gains and losses by price and volatility, as a heat map. */
export function Stress({ grid, label }: { grid: StressGrid; label: string }) {
  const columns = useMemo(() => grid.moves.map(move), [grid]);
  const rows = useMemo(() => grid.volatility.map(move), [grid]);
  const option = useCallback(
    (colours: Palette, width: number) => {
      const data = grid.gains.flatMap((row, y) =>
        row.flatMap((gain, x) => (gain === null ? [] : [[x, y, approximate(gain)]])),
      );
      const extent = Math.max(1, ...data.map(([, , gain]) => Math.abs(gain ?? 0)));
      const axis = {
        splitArea: { show: false },
        axisLine: { lineStyle: { color: colours.rule } },
        axisTick: { show: false },
      };
      return {
        grid: { left: 56, right: 12, top: 8, bottom: 48 },
        tooltip: {
          renderMode: 'richText',
          backgroundColor: colours.sheet,
          borderColor: colours.rule,
          textStyle: { color: colours.ink },
          formatter: ({ value }: { value: [number, number, number] }) =>
            `price ${columns[value[0]]}, volatility ${rows[value[1]]}\n${short(value[2])} USD`,
        },
        xAxis: {
          ...axis,
          type: 'category',
          data: columns,
          name: 'price',
          nameLocation: 'middle',
          nameGap: 30,
          nameTextStyle: { color: colours.soft },
          axisLabel: { color: colours.soft, hideOverlap: true },
        },
        yAxis: {
          ...axis,
          type: 'category',
          data: rows,
          name: 'volatility',
          nameTextStyle: { color: 'transparent' },
          axisLabel: { color: colours.soft },
        },
        visualMap: {
          show: false,
          min: -extent,
          max: extent,
          inRange: { color: [colours.loss, colours.zero, colours.gain] },
        },
        series: [
          {
            type: 'heatmap',
            data,
            label: {
              show: (width - 68) / columns.length >= 42,
              color: colours.ink,
              fontSize: 11,
              formatter: ({ value }: { value: number[] }) => short(value[2] ?? 0),
            },
            labelLayout: { hideOverlap: true },
            itemStyle: { borderColor: colours.sheet, borderWidth: 1 },
          },
        ],
      };
    },
    [grid, columns, rows],
  );
  return <Chart label={label} option={option} table={<StressTable grid={grid} columns={columns} rows={rows} />} />;
}

function StressTable({ grid, columns, rows }: { grid: StressGrid; columns: string[]; rows: string[] }) {
  return (
    <table className="heat">
      <caption className="visually-hidden">
        Gain or loss in USD, by move of the volatility (rows) and of the price (columns)
      </caption>
      <thead>
        <tr>
          <th scope="col">volatility \ price</th>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {grid.gains.map((row, y) => (
          <tr key={rows[y]}>
            <th scope="row">{rows[y]}</th>
            {row.map((gain, x) => (
              <td key={x} className={`number ${gain === null || gain === 0n ? '' : gain < 0n ? 'loss' : 'gain'}`}>
                {gain === null ? '—' : signedUsd(gain)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
