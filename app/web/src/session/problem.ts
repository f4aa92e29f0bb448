import { errorWords } from '@plimsoll/client';

import type { Problem } from '../components/Progress';
import { problemOf } from './words';

/** Codes by which wallets say that their owner has declined, of several conventions. */
const DECLINED = new Set([4001, -32003, 4100]);

function text(error: unknown): string {
  if (error instanceof Error) {
    return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
  }
  return typeof error === 'string' ? error : '';
}

function codeOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'number' ? error.code : null;
}

/** Whether a wallet's owner has declined. */
export function isDeclined(error: unknown): boolean {
  const number = codeOf(error);
  if (number !== null && DECLINED.has(number)) return true;
  return /user rejected|declined|denied|cancell?ed by (the )?user|rejected the request/i.test(text(error));
}

/** What a wallet's refusal to connect or to sign means. */
export function rejectionOf(error: unknown, wallet: string): Problem {
  if (isDeclined(error)) {
    return {
      title: 'You declined in your wallet',
      detail: `${wallet} was asked, and nothing was signed or sent.`,
      advice: 'Try again if you did not mean to, and confirm in the wallet.',
      code: 'declined',
    };
  }
  return {
    title: `${wallet} answered with an error`,
    detail: text(error) || 'It gave no reason.',
    advice: 'Unlock the wallet, reload this page and try again.',
    code: 'wallet',
  };
}

/** What the engine threw: the program's own answer where it has a code. */
export function problemOfThrown(error: unknown): Problem {
  const code = codeOf(error);
  if (code !== null && code >= 6000) return problemOf(errorWords(code));
  return {
    title: 'This cannot be reckoned now',
    detail: text(error) || 'The engine gave no reason.',
    advice: 'Wait for the next update from the chain, or ask again.',
    code: 'engine',
  };
}

/** The server could not be reached, or did not answer. */
export function networkProblem(detail = ''): Problem {
  return {
    title: 'The server does not answer',
    detail: detail === '' ? 'Nothing came back from the JSON-RPC server.' : detail,
    advice: 'Check your connection, or choose another server in the settings, and try again. Nothing was lost.',
    code: 'network',
  };
}

/** The chain never took the transaction, and never will. */
export function expiredProblem(): Problem {
  return {
    title: 'The transaction has expired',
    detail: 'It was sent again and again, and the chain did not take it before its time was over. Nothing happened.',
    advice: 'Try again: it is signed anew.',
    code: 'expired',
  };
}

/** The transaction was sent, and nobody can say what became of it. */
export function unknownProblem(): Problem {
  return {
    title: 'The outcome is not known',
    detail: 'The transaction was sent, and the server stopped answering before it was confirmed.',
    advice: 'Look at your account once the server answers: do not repeat it before you know.',
    code: 'unknown',
  };
}
