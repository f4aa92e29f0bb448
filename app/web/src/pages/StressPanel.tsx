import { useMemo, useState } from "react";

import { Stress } from "../charts/Stress";
import { SelectField } from "../components/Field";
import { Panel } from "../components/parts";
import { useLive } from "../session/live";

/** Moves of the price and of the volatility, ppm: as far as shock ranges usually go and beyond. */
const MOVES = [-300_000, -200_000, -100_000, -50_000, 0, 50_000, 100_000, 200_000, 300_000];
const VOLATILITY = [-300_000, 0, 300_000, 600_000];
const ALL = "all";

/** The account at other prices and volatilities. */
export default function StressPanel({ address }: { address: string }) {
  const [market, setMarket] = useState(ALL);
  const markets = useLive((engine) => engine.report(address).underlyings, [address]) ?? [];
  const grid = useLive(
    (engine) => (engine as any).stressGrid(address, market === ALL ? undefined : market, MOVES, VOLATILITY),
    [address, market],
  );
  const options = useMemo(
    () => [{ value: ALL, label: "All prices together" }, ...markets.map((line) => ({ value: line.market, label: `${line.symbol} alone` }))],
    [markets],
  );
  return (
    <Panel
      title="Stress"
      note="What the account would gain or lose in USD if prices (across) and volatilities (up) moved at once by so much. The requirement is the worst of the exchange's own scenarios."
    >
      <SelectField label="What moves" value={market} onValue={setMarket} options={options} />
      {grid ? <Stress grid={grid} label="Gain or loss by move of price and volatility" /> : <p role="status">Reckoning…</p>}
    </Panel>
  );
}
