import { errorWords, type ErrorWords, type PlimsollFailure } from '@plimsoll/client';

import type { Problem } from '../components/Progress';

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

const NETWORK: Problem = {
  title: 'The server does not answer',
  detail: 'Nothing came back from the JSON-RPC server.',
  advice: 'Check your connection, or choose another server in the settings, and try again. Nothing has happened.',
  code: 'network',
};

const EXPIRED: Problem = {
  title: 'The transaction has expired',
  detail: 'It was sent again and again, and the chain did not take it before its time was over. Nothing has happened.',
  advice: 'Try again: it is built and signed anew.',
  code: 'expired',
};

/** Any failure of building, signing or sending, in words. */
export function failureProblem(failure: PlimsollFailure): Problem {
  switch (failure.kind) {
    case 'program':
      return problemOfCode(failure.details.code ?? 0);
    case 'declined':
      return rejectionOf({ code: 4001 }, 'Your wallet');
    case 'network':
      return NETWORK;
    case 'expired':
      return EXPIRED;
    case 'transaction':
      return refusedByChain(failure.message);
    case 'unknown':
      return rejectionOf(failure, 'The page or the wallet');
  }
}

/** Something outside of the program refused: lamports for the fee, a token account, a lock. */
function refusedByChain(message: string): Problem {
  const needsLamports = /insufficient (funds|lamports)|debit an account|no record of a prior credit/i.test(message);
  return {
    title: needsLamports ? 'The wallet has too little' : 'The chain refused the transaction',
    detail: message,
    advice: needsLamports
      ? 'Put SOL for the fee and the rent, and the tokens that you want to move, into the wallet.'
      : 'Change the amounts, or try again in a moment.',
    code: needsLamports ? 'too-little' : 'refused',
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

/** Titles of what people meet most; any other error is told by its name. */
const TITLES: Record<string, string> = {
  InsufficientMargin: 'The margin does not suffice',
  TakerUnhealthy: 'Your margin does not suffice for the take-over',
  OracleStale: 'A price is too old',
  OracleTooWide: 'The oracle is in doubt',
  OracleNotTrading: 'The feed is not trading',
  Paused: 'Paused by the exchange',
  LimitPrice: 'The price has moved beyond your limit',
  HouseRiskBudget: 'The house cannot take that much',
  OpenInterestLimit: 'The market is full',
  OpenLotsLimit: 'The series is full',
  MarketReduceOnly: 'The market only takes reductions',
  BankReduceOnly: 'The bank takes no new deposits or borrows',
  DepositCap: 'The bank is full',
  BorrowCap: 'The bank lends no more',
  VaultInsufficient: 'The bank has lent the tokens out',
  OutflowLimit: 'The bank pays out no more for now',
  UnsettledGain: 'The gain is not settled yet',
  BoardStale: 'The option prices are too old',
  HouseBoardStale: 'The option prices are too old',
  AccountHealthy: 'The account is above its line again',
  TicketTooEarly: 'The ticket still waits',
  HouseNavStale: 'The house wants a new valuation',
};

/** A name as people read it: `HouseRiskBudget` becomes `House risk budget`. */
function spoken(name: string): string {
  const words = name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The program's answer in words: what is wrong, and behind its colon what to do. */
export function problemOf(words: ErrorWords): Problem {
  const [detail = words.message, ...rest] = words.message.split(': ');
  const advice = rest.join(': ');
  const name = words.name ?? `${words.code}`;
  return {
    title: TITLES[name] ?? spoken(name),
    detail: `${detail}.`,
    advice: advice === '' ? 'Change the amounts, or wait and try again.' : `${sentence(advice)}.`,
    code: name,
  };
}

/** The same of a code. */
export function problemOfCode(code: number): Problem {
  return problemOf(errorWords(code));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
