import { useEffect, useRef, type ReactNode } from 'react';

/** What went wrong, in words, and what to do about it. */
export type Problem = {
  title: string;
  /** What happened. */
  detail: string;
  /** What to do now. */
  advice: string;
  /** Name or number for whoever helps. */
  code?: string;
};

/** How far an action has come. */
export type Stage =
  | { at: 'idle' }
  | { at: 'prepare' }
  | { at: 'sign' }
  | { at: 'send'; signature: string }
  | { at: 'done'; signature: string; slot: bigint; events: readonly string[] }
  | { at: 'failed'; during: 'prepare' | 'sign' | 'send'; problem: Problem; signature?: string };

const STEPS = ['prepare', 'sign', 'send'] as const;
const NAMES: Record<(typeof STEPS)[number], string> = {
  prepare: 'Prepare and simulate',
  sign: 'Sign in your wallet',
  send: 'Send and wait for confirmation',
};

/** The steps of a transaction, told to screen readers as they come. */
export function Progress({ stage, onAgain }: { stage: Stage; onAgain?: (() => void) | undefined }) {
  if (stage.at === 'idle') return null;
  const failedAt = stage.at === 'failed' ? STEPS.indexOf(stage.during) : -1;
  const reached = stage.at === 'done' ? STEPS.length : stage.at === 'failed' ? failedAt : STEPS.indexOf(stage.at);
  return (
    <div className="stack" data-stage={stage.at}>
      <ol className="progress" aria-label="Progress of the transaction">
        {STEPS.map((step, index) => {
          const state = index < reached ? 'done' : index === failedAt ? 'failed' : index === reached ? 'current' : '';
          const words = { done: 'done', failed: 'failed', current: 'under way', '': 'to come' }[state];
          return (
            <li key={step} className={state} aria-current={state === 'current' ? 'step' : undefined}>
              <span className="mark" aria-hidden="true" />
              <span>
                {NAMES[step]}
                <span className="visually-hidden">: {words}</span>
              </span>
            </li>
          );
        })}
      </ol>
      <p role="status" className="visually-hidden">
        {stage.at === 'sign' ? 'Waiting for your signature in the wallet' : null}
        {stage.at === 'send' ? 'Sent. Waiting for confirmation' : null}
      </p>
      {stage.at === 'done' ? <Done stage={stage} /> : null}
      {stage.at === 'failed' ? <ProblemNotice problem={stage.problem} onAgain={onAgain} /> : null}
    </div>
  );
}

function Done({ stage }: { stage: Extract<Stage, { at: 'done' }> }) {
  const ref = useFocus();
  return (
    <div className="notice good" ref={ref} tabIndex={-1} role="status" data-testid="done">
      <h3>Confirmed in slot {stage.slot.toLocaleString('en')}</h3>
      {stage.events.length > 0 ? (
        <ul>
          {stage.events.map((event, index) => (
            <li key={index}>{event}</li>
          ))}
        </ul>
      ) : null}
      <p className="small">
        Signature <span className="address">{stage.signature}</span>
      </p>
    </div>
  );
}

/** A problem, with the focus on it when it appears. */
export function ProblemNotice(props: { problem: Problem; onAgain?: (() => void) | undefined; children?: ReactNode }) {
  const ref = useFocus();
  const { problem } = props;
  return (
    <div className="notice bad" ref={ref} tabIndex={-1} role="alert" data-problem={problem.code ?? problem.title}>
      <h3>{problem.title}</h3>
      <p>{problem.detail}</p>
      <p>
        <strong>{problem.advice}</strong>
      </p>
      {problem.code ? <p className="small quiet-on-bad">Code: {problem.code}</p> : null}
      {props.children}
      {props.onAgain ? (
        <div className="button-row">
          <button type="button" className="button" onClick={props.onAgain}>
            Try again
          </button>
        </div>
      ) : null}
    </div>
  );
}

function useFocus() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    ref.current?.focus();
    ref.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return ref;
}
