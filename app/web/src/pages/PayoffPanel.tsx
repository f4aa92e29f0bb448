import { useState } from 'react';

import { PayoffChart } from '../charts/Payoff';
import { SelectField } from '../components/Field';
import { Panel } from '../components/parts';
import { expiryDay } from '../lib/time';
import { useLive } from '../session/live';

/** Points of the line. */
const POINTS = 61;
/** How far from the price now it goes, as a part of it. */
const REACH = 0.5;

/** Gain over the price of one market, now and at expiry. */
export default function PayoffPanel({ address }: { address: string }) {
  const markets = useLive((engine) => engine.markets(), []) ?? [];
  const report = useLive((engine) => engine.report(address), [address]);
  const touched = markets.filter((market) => report?.underlyings.some((line) => line.market === market.address));
  const [wanted, setWanted] = useState<string | null>(null);
  const market = touched.find((one) => one.address === wanted) ?? touched[0];
  const payoff = useLive(
    (engine) => {
      if (!market) return null;
      const prices = Array.from(
        { length: POINTS },
        (_, point) => market.priceUsd * (1 - REACH + (2 * REACH * point) / (POINTS - 1)),
      );
      const found = engine.payoff(address, market.address, prices);
      // The curve is of the whole equity; what it gains is its distance from the equity at the price now.
      const now = engine.payoff(address, market.address, [market.priceUsd]).points[0]?.now ?? 0n;
      const gain = (value: bigint | null | undefined) => (value == null ? null : value - now);
      return {
        symbol: market.symbol,
        spot: market.priceUsd,
        points: found.points.map((point) => ({
          price: point.priceUsd,
          now: gain(point.now),
          atExpiry: gain(point.atExpiry),
        })),
        expiry: found.expiry == null ? null : expiryDay(Number(found.expiry)),
      };
    },
    [address, market?.address, market?.priceUsd],
  );
  if (!market) return null;
  return (
    <Panel
      title="Payoff"
      note={`What everything in ${market.symbol} gains over its price: collateral, perpetual and options.`}
    >
      <SelectField
        label="Market"
        value={market.address}
        onValue={setWanted}
        options={touched.map((one) => ({ value: one.address, label: one.symbol }))}
      />
      {payoff ? <PayoffChart payoff={payoff} /> : <p role="status">Reckoning…</p>}
    </Panel>
  );
}
