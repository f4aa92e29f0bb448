import { errorWords, type ErrorWords } from '@plimsoll/client';

import type { Problem } from '../components/Progress';

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
