import type { ReactNode } from 'react';

import { signedUsd, usd } from '../lib/decimal';

/** A titled part of a page. */
export function Panel(props: {
  title: string;
  tools?: ReactNode;
  note?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className="panel" aria-label={props.title}>
      <div className="panel-head">
        <h2>{props.title}</h2>
        {props.tools}
      </div>
      {props.flush ? props.children : <div className="panel-body">{props.children}</div>}
      {props.note ? <div className="panel-note">{props.note}</div> : null}
    </section>
  );
}

/** Dollars, coloured where the sign matters. */
export function Usd({ value, signed = false, unit = false }: { value: bigint; signed?: boolean; unit?: boolean }) {
  const tone = !signed || value === 0n ? '' : value > 0n ? ' gain' : ' loss';
  return (
    <span className={`number${tone}`}>
      {signed ? signedUsd(value) : usd(value)}
      {unit ? ' USD' : ''}
    </span>
  );
}

/** A number of another kind. */
export function Num({ children, tone }: { children: ReactNode; tone?: 'gain' | 'loss' | undefined }) {
  return <span className={tone ? `number ${tone}` : 'number'}>{children}</span>;
}

/** Name and value pairs, a line each. */
export function Facts({ rows }: { rows: readonly Fact[] }) {
  return (
    <dl className="facts">
      {rows.map((row) => (
        <div key={row.name} className={row.total ? 'total' : undefined}>
          <dt>{row.name}</dt>
          <dd>{row.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A line of {@link Facts}. */
export type Fact = {
  name: string;
  value: ReactNode;
  /** Set off by a rule: the sum of the lines above. */
  total?: boolean;
};

/** Large figures side by side. */
export function Figures({
  rows,
  label,
}: {
  rows: readonly (Fact & { note?: ReactNode; id?: string })[];
  label: string;
}) {
  return (
    <dl className="figures" aria-label={label}>
      {rows.map((row) => (
        <div key={row.name} data-figure={row.id}>
          <dt>{row.name}</dt>
          <dd>
            {row.value}
            {row.note ? <span className="small quiet">{row.note}</span> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A part of a whole as a bar with its number. */
export function Meter(props: { label: string; part: bigint; whole: bigint; text: string }) {
  const share = props.whole <= 0n ? 0 : Math.max(0, Math.min(1, Number((props.part * 10_000n) / props.whole) / 10_000));
  const tone = share > 0.95 ? ' bad' : share > 0.8 ? ' warn' : '';
  return (
    <div className="meter">
      <div className="field-top">
        <span className="label">{props.label}</span>
        <span className="number small">{props.text}</span>
      </div>
      <div
        className="meter-track"
        role="meter"
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={props.text}
      >
        <div className={`meter-fill${tone}`} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

/** What parts of the account would require alone, and what they require together: two bars to one scale. */
export function Saving({ alone, together }: { alone: bigint; together: bigint }) {
  const width = (value: bigint) => (alone <= 0n ? '0%' : `${Number((value * 10_000n) / alone) / 100}%`);
  const saved = alone - together;
  return (
    <div className="bars">
      <div className="bar">
        <div className="field-top">
          <span className="label">Each part alone</span>
          <Usd value={alone} />
        </div>
        <div className="bar-track">
          <div className="bar-fill alone" style={{ width: width(alone) }} />
        </div>
      </div>
      <div className="bar">
        <div className="field-top">
          <span className="label">Together, netted</span>
          <Usd value={together} />
        </div>
        <div className="bar-track">
          <div className="bar-fill" style={{ width: width(together) }} />
        </div>
      </div>
      <p>
        Netting frees{' '}
        <strong data-figure="saving">
          <Usd value={saved} unit />
        </strong>
        {alone > 0n
          ? ` of initial margin: ${Number((saved * 1000n) / alone) / 10} % of what the parts would need.`
          : '.'}
      </p>
    </div>
  );
}

/** Numbers now and after a trade. */
export function BeforeAfter({
  rows,
}: {
  rows: readonly { name: string; before: ReactNode; after: ReactNode; id?: string }[];
}) {
  return (
    <dl className="before-after">
      <div aria-hidden="true">
        <dt />
        <dd className="head">now</dd>
        <dd className="head">after</dd>
      </div>
      {rows.map((row) => (
        <div key={row.name} data-row={row.id}>
          <dt>{row.name}</dt>
          <dd>
            <span className="visually-hidden">now </span>
            {row.before}
          </dd>
          <dd>
            <span className="visually-hidden">after </span>
            {row.after}
          </dd>
        </div>
      ))}
    </dl>
  );
}
