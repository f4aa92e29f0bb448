import { useId, useState, type ReactNode } from 'react';

import { signedUsd, usd } from '../lib/decimal';
import type { CostLine, Preview, Request } from '../session/actions';
import { useRun } from '../session/run';
import { usePreview, type PreviewState } from '../session/preview';
import { useWalletGate } from '../wallet/gate';
import { loadOf } from './draught';
import { Hull } from './Hull';
import { BeforeAfter, Facts, Num } from './parts';
import { type Problem, Progress } from './Progress';

type Props = {
  /** What the fields ask for; `null` while they are not complete. */
  request: Request | null;
  /** Said where the button is pressed too early. */
  incomplete: string;
  submit: string;
  tone?: 'primary' | 'buy' | 'sell';
  /** Empties the fields for another one. */
  onDone?: (() => void) | undefined;
  children: ReactNode;
};

/** A form for one action: its fields, the margin after it, and the way of its transaction. */
export function Ticket({ request, incomplete, submit, tone = 'primary', onDone, children }: Props) {
  const preview = usePreview(request);
  const { stage, run, reset } = useRun();
  const gate = useWalletGate();
  const [early, setEarly] = useState(false);
  const id = useId();
  const isBusy = stage.at === 'prepare' || stage.at === 'sign' || stage.at === 'send';
  const start = async () => {
    if (isBusy) return;
    if (!gate.isConnected) {
      gate.ask();
      return;
    }
    setEarly(request === null);
    if (request) await run(request);
  };
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
      onChange={() => {
        setEarly(false);
        if (!isBusy) reset();
      }}
    >
      {stage.at === 'done' ? null : (
        <>
          {children}
          <PreviewPart state={preview} />
        </>
      )}
      {early && request === null ? (
        <p className="field-error" role="alert" id={id}>
          {incomplete}
        </p>
      ) : null}
      {stage.at === 'done' ? null : (
        <button
          type="submit"
          className={`button wide ${tone}`}
          aria-disabled={isBusy}
          aria-describedby={early ? id : undefined}
        >
          {gate.isConnected ? submit : 'Connect wallet'}
        </button>
      )}
      <Progress stage={stage} onAgain={() => void start()} />
      {stage.at === 'done' ? (
        <button
          type="button"
          className="button wide"
          onClick={() => {
            reset();
            onDone?.();
          }}
        >
          Another one
        </button>
      ) : null}
    </form>
  );
}

/** The margin that an action would leave, before anything is signed. */
export function PreviewPart({ state }: { state: PreviewState }) {
  if (state.at === 'none') return null;
  if (state.at === 'looking') {
    return (
      <p role="status" className="quiet small">
        Asking the chain what it would leave…
      </p>
    );
  }
  if (state.at === 'refused') return <Refusal problem={state.problem} />;
  const { preview } = state;
  const { after, refused } = preview;
  return (
    <section aria-label="The margin after this" className="stack" data-preview={refused ? 'refused' : 'fits'}>
      <div className="panel">
        <Hull load={loadOf(preview.before)} after={loadOf(after)} compact />
      </div>
      <MarginRows preview={preview} />
      <CostRows preview={preview} />
      {refused ? <Refusal problem={withMissing(refused, after.healthInit)} /> : null}
    </section>
  );
}

/** Says how much is missing where the margin does not suffice. */
function withMissing(problem: Problem, healthInit: bigint): Problem {
  if (healthInit >= 0n || problem.code !== 'InsufficientMargin') return problem;
  return {
    ...problem,
    detail: `Initial health would be ${usd(healthInit)} USD: ${usd(-healthInit)} USD are missing.`,
    advice: 'Deposit more, or choose a smaller amount: Max fills in the largest that fits.',
  };
}

function Refusal({ problem }: { problem: Problem }) {
  return (
    <div className="notice bad" role="status" data-refused={problem.code ?? problem.title}>
      <h3>{problem.title}</h3>
      <p>{problem.detail}</p>
      <p>
        <strong>{problem.advice}</strong>
      </p>
    </div>
  );
}

function MarginRows({ preview: { before, after, liquidation } }: { preview: Preview }) {
  const money = (value: bigint) => <Num tone={value < 0n ? 'loss' : undefined}>{usd(value)}</Num>;
  const rows = [
    { id: 'equity', name: 'Equity, USD', before: money(before.equityMaint), after: money(after.equityMaint) },
    {
      id: 'requirement',
      name: 'Initial requirement',
      before: money(before.requirementInit),
      after: money(after.requirementInit),
    },
    { id: 'health-init', name: 'Initial health', before: money(before.healthInit), after: money(after.healthInit) },
    {
      id: 'health-maint',
      name: 'Maintenance health',
      before: money(before.healthMaint),
      after: money(after.healthMaint),
    },
  ];
  for (const line of liquidation) {
    rows.push({
      id: `liquidation-${line.symbol}`,
      name: `Liquidated at ${line.symbol}`,
      before: <Num>{line.before}</Num>,
      after: <Num>{line.after}</Num>,
    });
  }
  return <BeforeAfter rows={rows} />;
}

function CostRows({ preview: { cost } }: { preview: Preview }) {
  if (!cost) return null;
  const row = (line: CostLine) => ({
    name: line.name,
    value: <Num>{line.text ?? signedUsd(line.amount ?? 0n)}</Num>,
  });
  const total = cost.total ? [{ ...row(cost.total), total: true }] : [];
  return <Facts rows={[...cost.lines.map(row), ...total]} />;
}
