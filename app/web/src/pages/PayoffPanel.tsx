import type { AccountView } from "@plimsoll/client";
import { useState } from "react";

import { PayoffChart } from "../charts/Payoff";
import { SelectField } from "../components/Field";
import { Panel } from "../components/parts";
import { expiryDay } from "../lib/time";
import { useLive } from "../session/live";

/** Points of the line. */
const POINTS = 61;
/** How far from the price now it goes, ppm. */
const REACH = 500_000;

/** Gain over the price of one market, now and at expiry. */
export default function PayoffPanel({ address, account }: { address: string; account: AccountView }) {
  const markets = useLive((engine) => engine.markets(), []) ?? [];
  const report = useLive((engine) => engine.report(address), [address]);
  const touched = markets.filter((market) => report?.underlyings.some((line) => line.market === market.address));
  const [wanted, setWanted] = useState<string | null>(null);
  const market = touched.find((one) => one.address === wanted) ?? touched[0];
  const expiries = account.options.filter((line) => line.market === market?.address && !line.isSettled).map((line) => line.expiry);
  const expiry = expiries.length === 0 ? null : expiries.reduce((a, b) => (a < b ? a : b));
  const points = useLive(
    (engine) => (market ? (engine as any).payoff(address, market.address, REACH, POINTS) : null),
    [address, market?.address],
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
      {points ? (
        <PayoffChart
          payoff={{
            symbol: market.symbol,
            baseDecimals: market.baseDecimals,
            spot: market.price,
            points,
            expiry: expiry === null ? null : expiryDay(Number(expiry)),
          }}
        />
      ) : (
        <p role="status">Reckoning…</p>
      )}
    </Panel>
  );
}
