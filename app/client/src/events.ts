/**
 * Events: from a transaction's log, and in words.
 */
import { type Address, getBase64Encoder } from '@solana/kit';
import type { BankView, BoardView, Engine, MarketView } from './engine.js';
import { decodePlimsollEvent, type PlimsollEvent } from './generated/events.js';
import { PLIMSOLL_PROGRAM_ADDRESS } from './generated/programs/index.js';

const DATA = 'Program data: ';

/**
 * The program's events in a transaction's log, in order.
 *
 * Only what the program itself logged counts: another program in the same transaction can write the same bytes.
 */
export function eventsFromLogs(logs: readonly string[]): PlimsollEvent[] {
  const running: string[] = [];
  const events: PlimsollEvent[] = [];
  for (const line of logs) {
    if (line.startsWith(DATA)) {
      const event =
        running.at(-1) === PLIMSOLL_PROGRAM_ADDRESS ? decodeEntry(line.slice(DATA.length).trim()) : undefined;
      if (event !== undefined) events.push(event);
      continue;
    }
    // "Program <id> invoke [<depth>]", "Program <id> success", "Program <id> failed: …"; all else is text.
    const [first, id, what] = line.split(' ');
    if (first !== 'Program' || id === undefined || id === 'log:') continue;
    if (what === 'invoke') running.push(id);
    else if ((what === 'success' || what === 'failed:') && running.at(-1) === id) running.pop();
  }
  return events;
}

function decodeEntry(text: string): PlimsollEvent | undefined {
  try {
    return decodePlimsollEvent(getBase64Encoder().encode(text));
  } catch {
    // Not base64, or shorter than the event that it begins as.
    return undefined;
  }
}

const Q48 = 2 ** 48;
const QUOTE_PER_USD = 1e6;
const NOBODY = '11111111111111111111111111111111';

/** Names and decimals, for sentences; without an engine amounts are native and names are addresses. */
class Names {
  private readonly markets: ReadonlyMap<string, MarketView>;
  private readonly banks: ReadonlyMap<string, BankView>;
  private readonly boards: ReadonlyMap<string, BoardView>;

  constructor(engine: Engine | undefined) {
    const byAddress = <T extends { address: string }>(views: readonly T[] = []) =>
      new Map(views.map((view) => [view.address, view]));
    this.markets = byAddress(engine?.markets());
    this.banks = byAddress(engine?.banks());
    this.boards = byAddress(engine?.boards());
  }

  /** An address, short where nothing is known of it. */
  of(address: Address): string {
    const bank = this.banks.get(address);
    const board = this.boards.get(address);
    return this.markets.get(address)?.symbol ?? bank?.symbol ?? (board && this.board(address)) ?? short(address);
  }

  /** Native units of a bank's mint. */
  amount(bank: Address, amount: bigint): string {
    const known = this.banks.get(bank);
    if (known === undefined) return `${absolute(amount)} native units of bank ${short(bank)}`;
    return `${decimal(absolute(amount), known.decimals)} ${known.symbol}`;
  }

  /** Base units of a market. */
  size(market: Address, size: bigint): string {
    const known = this.markets.get(market);
    if (known === undefined) return `${absolute(size)} base units of market ${short(market)}`;
    return `${decimal(absolute(size), known.baseDecimals)} ${known.symbol}`;
  }

  /** A price of a market. */
  price(market: Address, price: bigint): string {
    const known = this.markets.get(market);
    if (known === undefined) return `${price}/2^48 quote native per base unit`;
    return dollars((Number(price) / Q48) * (10 ** known.baseDecimals / QUOTE_PER_USD));
  }

  /** A price of what prices a bank. */
  bankPrice(bank: Address, price: bigint): string {
    return this.price((this.banks.get(bank)?.market ?? bank) as Address, price);
  }

  /** A price of a board's market. */
  boardPrice(board: Address, price: bigint): string {
    return this.price((this.boards.get(board)?.market ?? board) as Address, price);
  }

  /** A board: `SOL options of 2026-12-25`. */
  board(board: Address): string {
    const known = this.boards.get(board);
    return known === undefined ? `board ${short(board)}` : `${known.symbol} options of ${day(known.expiry)}`;
  }

  /** A series: `SOL call 40.00 USD of 2026-12-25`. */
  series(board: Address, series: bigint): string {
    const known = this.boards.get(board);
    const kind = series % 2n === 0n ? 'call' : 'put';
    const strike = known?.strikes.find((strike) => BigInt(strike.index) === series / 2n);
    if (known === undefined || strike === undefined) return `${kind} ${series / 2n} of ${this.board(board)}`;
    return `${known.symbol} ${kind} ${dollars(strike.strikeUsd)} of ${day(known.expiry)}`;
  }
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** An exact decimal, without zeros at its end. */
function decimal(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  const part = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return part === '' ? whole : `${whole}.${part}`;
}

function dollars(value: number): string {
  const digits = Math.abs(value) >= 1 || value === 0 ? 2 : 6;
  return `${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: digits })} USD`;
}

/** Quote native units as dollars. */
function quote(value: bigint): string {
  const sign = value < 0n ? '-' : '';
  return `${sign}${decimal(absolute(value), 6)} USD`;
}

/** Unix seconds as text; as a number where the calendar does not reach. */
function calendar(seconds: bigint): string | undefined {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function day(seconds: bigint): string {
  return calendar(seconds)?.slice(0, 10) ?? `second ${seconds}`;
}

function moment(seconds: bigint): string {
  const text = calendar(seconds);
  return text === undefined ? `second ${seconds}` : `${text.slice(0, 16).replace('T', ' ')} UTC`;
}

function percent(ppm: bigint): string {
  return `${(Number(ppm) / 1e4).toLocaleString('en-US', { maximumFractionDigits: 4 })} %`;
}

/** A Q32 fraction as percent. */
function part(fraction: bigint): string {
  return `${((Number(fraction) / 2 ** 32) * 100).toLocaleString('en-US', { maximumFractionDigits: 2 })} %`;
}

/** An address as people write it. */
export function short(address: string): string {
  return `${address.slice(0, 4)}…${address.slice(-4)}`;
}

/** One of several, by its number. */
function pick(number: bigint, words: Record<string, string>): string {
  return words[number.toString()] ?? `number ${number}`;
}

const ROLES = { '0': 'risk admin', '1': 'keeper', '2': 'forecaster', '255': 'admin' };
const CHANGES = {
  '0': 'the exchange',
  '1': 'a market',
  '2': 'a bank',
  '3': 'a role',
  '4': "the quote's feed",
  '5': "a staked token's rate",
  '6': 'a venue',
  '7': 'an adapter',
};
const PAUSES = [
  'deposits',
  'withdrawals',
  'opening',
  'trading',
  'liquidations',
  'settlement',
  'options',
  'the house',
  'resolving',
];

/** What is paused. */
function pauses(bits: bigint): string {
  const named = PAUSES.filter((_, bit) => (bits >> BigInt(bit)) & 1n);
  return named.length === 0 ? 'Nothing is paused any more' : `Paused: ${named.join(', ')}`;
}

type Data<N extends PlimsollEvent['name']> = Extract<PlimsollEvent, { name: N }>['data'];
type Sentences = { [N in PlimsollEvent['name']]: (event: Data<N>, names: Names) => string };

/** A venue's name in a sentence; nothing for a fill that the two signed. */
const through = (venue: Address) => (venue === NOBODY ? '' : ` through venue ${short(venue)}`);

const SENTENCES: Sentences = {
  AccountChanged: (e) =>
    pick(e.kind, {
      '1': `Margin account ${short(e.account)} was opened`,
      '2':
        e.delegate === NOBODY
          ? `Margin account ${short(e.account)} has no delegate any more`
          : `${short(e.delegate)} may ${e.delegateScope === 1n ? 'reduce positions' : 'trade'} for margin account ${short(e.account)}`,
      '3': `Margin account ${short(e.account)} was closed`,
    }),
  AccountUpgraded: (e) => `Account ${short(e.account)} was brought to the present layout from version ${e.fromVersion}`,
  Accrued: (e, n) => `Interest of ${n.of(e.bank)} was accrued up to ${moment(e.accruedAt)}`,
  AdminNominated: (e) =>
    e.nominee === NOBODY
      ? 'The nomination of an admin was taken back'
      : `${short(e.nominee)} was nominated as admin, and may accept from ${moment(e.readyAt)} on`,
  BalanceChanged: (e, n) => `${e.amount < 0n ? 'Withdrew' : 'Deposited'} ${n.amount(e.bank, e.amount)}`,
  BoardChanged: (e, n) =>
    `${e.kind === 1n ? 'A board was created' : 'A board was closed'}: ${n.of(e.market)} options of ${day(e.expiry)}`,
  BoardRefreshed: (e, n) => `${n.board(e.board)} were computed anew at ${n.boardPrice(e.board, e.spot)}`,
  BoardSettled: (e, n) =>
    `${n.board(e.board)} were settled at ${n.boardPrice(e.board, e.settlementPrice)}, the mean of ${e.samples} samples`,
  Configured: (e, n) => `${n.of(e.subject)} was created or configured by ${short(e.admin)}`,
  Deleveraged: (e, n) =>
    `${n.size(e.market, e.closed)} of ${short(e.counterparty)} were closed against insolvent account ${short(e.account)} at ${n.price(e.market, e.spot)}; ${quote(e.taken)} of its gain went to the loss`,
  ExpirySampled: (e, n) =>
    `${n.boardPrice(e.board, e.price)} counts as sample ${e.count} for settling ${n.board(e.board)}`,
  Filled: (e, n) =>
    `${short(e.buyer)} bought ${n.size(e.market, e.size)} from ${short(e.seller)} for ${quote(e.cost)} (fee ${quote(e.fee)})${through(e.venue)}`,
  ForecastPosted: (e, n) =>
    `A volatility of ${percent(e.volatilityPpm)} was forecast for ${n.of(e.market)}, until ${moment(e.expiresAt)}`,
  FundingAccrued: (e, n) => `Funding of ${n.of(e.market)} was accrued up to ${moment(e.accruedAt)}`,
  FundingPaid: (e, n) =>
    `${e.amount < 0n ? 'Received' : 'Paid'} ${quote(absolute(e.amount))} of funding for the position in ${n.of(e.market)}`,
  HouseRoundVoided: (e, n) => `Valuation ${e.round} of the house is void: ${n.of(e.subject)} changed meanwhile`,
  HouseValued: (e) => `The house is worth ${quote(e.nav)}, having earned ${quote(e.change)} since its last valuation`,
  InsolventLiquidated: (e) =>
    `${short(e.taker)} took over ${part(e.fraction)} of insolvent account ${short(e.account)}; the insurance paid ${quote(e.payout)}`,
  InsuranceFunded: (e) =>
    `${short(e.funder)} put ${quote(e.amount)} into the insurance, which holds ${quote(e.insurance)}`,
  LienChanged: (e) =>
    e.claim === 0n
      ? `A lien of account ${short(e.account)} was released`
      : `A lien of account ${short(e.account)} claims ${e.claim} native units, of which ${e.recognised} count`,
  LienSeized: (e) =>
    `A lien of account ${short(e.account)} was called in: ${e.received} of ${e.claim} native units arrived`,
  Liquidated: (e) =>
    `${short(e.taker)} took over ${part(e.fraction)} of account ${short(e.account)} for ${quote(e.payment)}, ${percent(e.discountPpm)} below its worth`,
  LiquidationDeferred: (e) =>
    e.begun === 1n
      ? `A liquidation without capital began for ${short(e.taker)}`
      : `A liquidation without capital ended; ${short(e.taker)} is left with a health of ${quote(e.health)}`,
  LiquidationFlagged: (e) =>
    e.startedAt === 0n
      ? `Account ${short(e.account)} is above its line again`
      : `Account ${short(e.account)} is below its line since ${moment(e.startedAt)}: anyone may liquidate it`,
  LossCovered: (e) =>
    pick(e.source, {
      '1': `The insurance repaid ${quote(e.amount)} of account ${short(e.account)}`,
      '2': `The house paid ${quote(e.amount)} towards the loss of account ${short(e.account)}`,
      '3': `All quote deposits paid ${quote(e.amount)} towards the loss of account ${short(e.account)}`,
    }),
  Observed: (e, n) => `${n.of(e.market)} was observed at ${n.price(e.market, e.spot)}`,
  OptionFilled: (e, n) =>
    `${short(e.buyer)} bought ${e.lots} lots of ${n.series(e.board, e.series)} from ${short(e.seller)} for ${quote(e.cost)} (fee ${quote(e.fee)})${through(e.venue)}`,
  OptionTraded: (e, n) =>
    `${e.lots < 0n ? 'Sold' : 'Bought'} ${absolute(e.lots)} lots of ${n.series(e.board, e.series)} for ${quote(absolute(e.cost))} (fee ${quote(e.fee)})`,
  OptionsSettled: (e, n) =>
    `${n.board(e.board)}, ${e.series} series of them, ${e.amount < 0n ? 'cost' : 'paid'} ${quote(absolute(e.amount))}, settled at ${n.price(e.market, e.settlementPrice)}`,
  OrderFilled: (e) =>
    `Signed order ${e.nonce} of account ${short(e.account)} was filled, ${e.filled} units of it so far`,
  OrdersCancelled: (e) => `All signed orders of account ${short(e.account)} with a nonce below ${e.floor} are void`,
  PausesSet: (e) => pauses(e.pauses),
  PositionWoundDown: (e, n) =>
    `${n.size(e.market, e.size)} of account ${short(e.account)} were closed at ${n.price(e.market, e.spot)}, as the market winds down`,
  ProposalCancelled: (e, n) => `The announced change of ${n.of(e.subject)} was taken back`,
  Proposed: (e, n) =>
    `A change of ${pick(e.kind, CHANGES)} was announced for ${n.of(e.subject)}: it may be made from ${moment(e.readyAt)} on`,
  QuoteObserved: (e) => `The quote was observed at ${percent(e.pricePpm)} of a dollar`,
  RateUpdated: (e, n) => `One ${n.of(e.bank)} counts as ${(Number(e.depositRate) / Q48).toFixed(6)} of its underlying`,
  ReserveBought: (e, n) =>
    `${short(e.buyer)} bought ${n.amount(e.bank, e.amount)} of the reserve for ${quote(e.payment)}, which is insurance now`,
  Retired: (e, n) => `${n.of(e.subject)} was retired`,
  RoleSet: (e) =>
    e.holder === NOBODY
      ? `Nobody is ${pick(e.role, ROLES)} any more`
      : `${short(e.holder)} is ${pick(e.role, ROLES)} now`,
  Settled: (e, n) =>
    `${quote(absolute(e.amount))} ${e.amount < 0n ? 'lost' : 'gained'} in ${n.of(e.market)} moved ${e.amount < 0n ? 'from' : 'to'} the quote balance`,
  SpotFilled: (e, n) =>
    `${short(e.buyer)} bought ${n.amount(e.bank, e.amount)} from ${short(e.seller)} for ${quote(e.cost)} (fee ${quote(e.fee)})${through(e.venue)}`,
  StrikesListed: (e, n) => `Strikes of ${n.board(e.board)} were listed`,
  Swapped: (e, n) =>
    `${e.amount < 0n ? 'Sold' : 'Bought'} ${n.amount(e.bank, e.amount)} for ${quote(absolute(e.paid))} (fee ${quote(e.fee)})`,
  TicketChanged: (e) => {
    const provides = e.kind === 1n;
    const shares = (amount: bigint) => `${decimal(amount, 6)} house shares`;
    const [put, got] = provides ? [quote(e.amount), shares(e.proceeds)] : [shares(e.amount), quote(e.proceeds)];
    return pick(e.status, {
      '1': `${put} were put aside to ${provides ? 'join' : 'leave'} the house`,
      '2': `${put} became ${got}, ready to be claimed`,
      '3': `${put} were taken back`,
      '4': `${got} were claimed`,
    });
  },
  Traded: (e, n) =>
    `${e.size < 0n ? 'Sold' : 'Bought'} ${n.size(e.market, e.size)} for ${quote(absolute(e.cost))} (fee ${quote(e.fee)}) at an oracle price of ${n.price(e.market, e.spot)}`,
  TransferFeeWithheld: (e) =>
    `The mint ${short(e.mint)} kept ${e.sent - e.received} of ${e.sent} native units as its fee`,
  TriggerChanged: (e, n) =>
    `Stored order ${e.index} in ${n.of(e.market)}, at ${n.price(e.market, e.triggerPrice)}, was ${pick(e.kind, { '1': 'placed', '2': 'cancelled', '3': 'executed' })}`,
  VenueApproved: (e) =>
    e.limit === 0n
      ? `Venue ${short(e.venue)} may not fill for account ${short(e.account)} any more`
      : `Venue ${short(e.venue)} may fill for account ${short(e.account)}${e.limit === 2n ** 64n - 1n ? '' : ` up to ${quote(e.limit)}`}`,
  VolatilitiesPosted: (e, n) => `Volatilities of ${n.board(e.board)} were posted; they count from its next refresh on`,
};

/**
 * Events in words, one sentence each.
 *
 * @param engine Names markets and mints and knows their decimals; without it amounts are native units.
 */
export function eventWords(events: readonly PlimsollEvent[], engine?: Engine): string[] {
  const names = new Names(engine);
  return events.map((event) => {
    // The table has a sentence for each name, of that name's event.
    const sentence = SENTENCES[event.name] as (data: PlimsollEvent['data'], names: Names) => string;
    return sentence(event.data, names);
  });
}
