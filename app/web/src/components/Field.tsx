import { useId, type ReactNode } from 'react';

import { DecimalError, parseDecimal } from '../lib/decimal';

/** What a field holds: the text as typed, and either what it means or what is wrong with it. */
export type Typed = {
  text: string;
  value: bigint | null;
  error: string | null;
};

/** Reads a field's text; an empty one is neither a value nor a mistake. */
export function typed(text: string, decimals: number): Typed {
  if (text.trim() === '') return { text, value: null, error: null };
  try {
    return { text, value: parseDecimal(text, decimals), error: null };
  } catch (error) {
    if (error instanceof DecimalError) return { text, value: null, error: error.message };
    throw error;
  }
}

type AmountProps = {
  label: string;
  unit: string;
  text: string;
  onText: (text: string) => void;
  error?: string | null;
  /** What stands behind the label on the right: a balance, a limit. */
  aside?: ReactNode;
  /** Fills in the largest amount. */
  onMax?: (() => void) | undefined;
  maxLabel?: string;
  isRequired?: boolean;
};

/** A field for an amount: decimals only, its mistake said below it and tied to it. */
export function AmountField(props: AmountProps) {
  const id = useId();
  const error = props.error ?? null;
  return (
    <div className="field">
      <div className="field-top">
        <label htmlFor={id}>{props.label}</label>
        {props.aside ? <span className="small quiet">{props.aside}</span> : null}
      </div>
      <div className="input-row">
        <input
          id={id}
          className="number"
          inputMode="decimal"
          autoComplete="off"
          spellCheck={false}
          placeholder="0"
          value={props.text}
          required={props.isRequired ?? true}
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : `${id}-error`}
          onChange={(event) => {
            props.onText(event.target.value);
          }}
        />
        <span className="input-unit">{props.unit}</span>
        {props.onMax ? (
          <button type="button" className="max" onClick={props.onMax}>
            Max<span className="visually-hidden">: {props.maxLabel ?? 'fill in all of it'}</span>
          </button>
        ) : null}
      </div>
      {error === null ? null : (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

type SelectProps = {
  label: string;
  value: string;
  onValue: (value: string) => void;
  options: readonly { value: string; label: string }[];
};

/** A choice from a list. */
export function SelectField({ label, value, onValue, options }: SelectProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input-row">
        <select
          id={id}
          value={value}
          onChange={(event) => {
            onValue(event.target.value);
          }}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

type SegmentProps<T extends string> = {
  legend: string;
  value: T;
  onValue: (value: T) => void;
  options: readonly { value: T; label: string; tone?: 'buy' | 'sell' }[];
};

/** A choice of two or three, all of them seen. */
export function Segments<T extends string>({ legend, value, onValue, options }: SegmentProps<T>) {
  const name = useId();
  return (
    <fieldset>
      <legend className="visually-hidden">{legend}</legend>
      <div className="segments">
        {options.map((option) => (
          <label key={option.value} className={option.tone}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => {
                onValue(option.value);
              }}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
