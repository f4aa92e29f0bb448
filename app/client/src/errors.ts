/**
 * Errors in words.
 */
import {
  getSolanaErrorFromTransactionError,
  isSolanaError,
  SOLANA_ERROR__BLOCK_HEIGHT_EXCEEDED,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR,
  type TransactionError,
} from '@solana/kit';
import { errorWords } from './engine.js';

/**
 * Why something failed:
 *
 * - `program`: Plimsoll refuses; `code` and `name` say which rule.
 * - `transaction`: something else in the transaction failed.
 * - `expired`: it was not confirmed before its block height passed, and never will be.
 * - `declined`: whoever was to sign did not.
 * - `network`: the cluster could not be reached, or answered nonsense.
 * - `unknown`: anything else.
 */
export type FailureKind = 'program' | 'transaction' | 'expired' | 'declined' | 'network' | 'unknown';

/** A failure that knows its words. Everything that this package throws about transactions is one. */
export class PlimsollFailure extends Error {
  override readonly name = 'PlimsollFailure';

  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly details: {
      /** Code of the program's error: `Custom(code)`. */
      code?: number | undefined;
      /** Its name. */
      errorName?: string | undefined;
      /** Which of the transaction's instructions failed, from 0. */
      instruction?: number | undefined;
      /** The transaction's log. */
      logs?: readonly string[] | undefined;
      /** Its signature, where it was sent. */
      signature?: string | undefined;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The errors that led to an error, itself first. */
function chain(error: unknown): unknown[] {
  const errors: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && errors.length < 16;) {
    errors.push(at);
    at = at instanceof Error ? at.cause : undefined;
  }
  return errors;
}

/** The last text that a program logged. */
function lastLog(logs: readonly string[] | undefined): string | undefined {
  const prefix = 'Program log: ';
  return logs?.findLast((line) => line.startsWith(prefix))?.slice(prefix.length);
}

// Wallets have no common error; these are what they say and the code of those that follow EIP-1193.
const DECLINED = /reject|declin|denied|cancel/i;

function isDeclined(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (
    code === 4001 || (error.name.startsWith('Wallet') && DECLINED.test(error.message)) || DECLINED.test(error.message)
  );
}

/** Logs of a failed simulation among the causes of an error. */
function logsOf(errors: readonly unknown[]): readonly string[] | undefined {
  for (const error of errors) {
    if (isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)) {
      return error.context.logs ?? undefined;
    }
  }
  return undefined;
}

/**
 * What went wrong, in words: any error that sending, simulating, signing or the engine throws.
 *
 * @param details What is known besides: the log and signature of a transaction that failed on chain.
 */
export function explain(
  error: unknown,
  details: { logs?: readonly string[] | undefined; signature?: string } = {},
): PlimsollFailure {
  if (error instanceof PlimsollFailure) return error;
  const errors = chain(error);
  const logs = details.logs ?? logsOf(errors);
  const known = { ...details, logs };
  for (const cause of errors) {
    if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
      const { code, name, message } = errorWords(cause.context.code);
      const instruction = cause.context.index;
      const kind = name === undefined ? 'transaction' : 'program';
      const log = kind === 'transaction' ? lastLog(logs) : undefined;
      const text = log === undefined ? message : `${message} (${log})`;
      return new PlimsollFailure(kind, text, { ...known, code, errorName: name, instruction }, { cause: error });
    }
    if (isSolanaError(cause, SOLANA_ERROR__BLOCK_HEIGHT_EXCEEDED)) {
      const text = 'The transaction was not confirmed in time and lapsed: nothing has happened, try again';
      return new PlimsollFailure('expired', text, known, { cause: error });
    }
    if (isSolanaError(cause, SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR) || cause instanceof TypeError) {
      const text = 'The cluster cannot be reached: check the connection and try again';
      return new PlimsollFailure('network', text, known, { cause: error });
    }
  }
  if (errors.some(isDeclined)) {
    return new PlimsollFailure('declined', 'The wallet did not sign: nothing has happened', known, { cause: error });
  }
  // An error of the engine has its words already.
  const [first] = errors;
  if (first instanceof Error && 'code' in first && typeof first.code === 'number') {
    const { name } = errorWords(first.code);
    if (name !== undefined) {
      return new PlimsollFailure(
        'program',
        first.message,
        { ...known, code: first.code, errorName: name },
        { cause: error },
      );
    }
  }
  const last = errors.at(-1);
  const message = last instanceof Error ? last.message : String(last);
  const log = lastLog(logs);
  const kind = logs !== undefined || isSolanaError(last) ? 'transaction' : 'unknown';
  return new PlimsollFailure(kind, log === undefined ? message : `${message} (${log})`, known, { cause: error });
}

/** The same of what a transaction's status says. */
export function explainStatus(
  error: TransactionError,
  details: { logs?: readonly string[]; signature?: string },
): PlimsollFailure {
  return explain(getSolanaErrorFromTransactionError(error), details);
}
