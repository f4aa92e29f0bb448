import { useMemo, useState } from 'react';

import { Stress } from '../charts/Stress';
import { SelectField } from '../components/Field';
import { Panel } from '../components/parts';
import { useLive } from '../session/live';

/** Moves of the price and of the volatility, percent: as far as shock ranges usually go and beyond. */
const MOVES = [-40, -20, -10, -5, 0, 5, 10, 20, 40];
const VOLATILITY = [-30, 0, 30, 60];
const ALL = 'all';

/** The account at other prices and volatilities. */
export default function StressPanel({ address }: { address: string }) {
  const [market, setMarket] = useState(ALL);
  const markets = useLive((engine) => engine.report(address).underlyings, [address]) ?? [];
  const grid = useLive(
    (engine) => {
      const found = engine.stress(address, MOVES, VOLATILITY, market === ALL ? undefined : [market]);
      return {
        moves: found.movesPercent,
        volatility: found.volatilityPercent,
        gains: found.cells.map((row) => row.map((cell) => cell?.pnl ?? null)),
      };
    },
    [address, market],
  );
  const options = useMemo(
    () => [
      { value: ALL, label: 'All prices together' },
      ...markets.map((line) => ({ value: line.market, label: `${line.symbol} alone` })),
    ],
    [markets],
  );
  return (
    <Panel
      title="Stress"
      note="What the account would gain or lose in USD if prices (across) and volatilities (up) moved at once by so much. The requirement is the worst of the exchange's own scenarios."
    >
      <SelectField label="What moves" value={market} onValue={setMarket} options={options} />
      {grid ? (
        <Stress grid={grid} label="Gain or loss by move of price and volatility" />
      ) : (
        <p role="status">Reckoning…</p>
      )}
    </Panel>
  );
}
