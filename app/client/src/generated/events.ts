/**
 * Written by scripts/generate.mjs from the IDL: do not edit.
 */
import type { ReadonlyUint8Array } from '@solana/kit';
import {
  getAccountChangedDecoder,
  type AccountChanged,
  getAccountUpgradedDecoder,
  type AccountUpgraded,
  getAccruedDecoder,
  type Accrued,
  getAdminNominatedDecoder,
  type AdminNominated,
  getBalanceChangedDecoder,
  type BalanceChanged,
  getBoardChangedDecoder,
  type BoardChanged,
  getBoardRefreshedDecoder,
  type BoardRefreshed,
  getBoardSettledDecoder,
  type BoardSettled,
  getConfiguredDecoder,
  type Configured,
  getDeleveragedDecoder,
  type Deleveraged,
  getExpirySampledDecoder,
  type ExpirySampled,
  getFilledDecoder,
  type Filled,
  getForecastPostedDecoder,
  type ForecastPosted,
  getFundingAccruedDecoder,
  type FundingAccrued,
  getFundingPaidDecoder,
  type FundingPaid,
  getHouseRoundVoidedDecoder,
  type HouseRoundVoided,
  getHouseValuedDecoder,
  type HouseValued,
  getInsolventLiquidatedDecoder,
  type InsolventLiquidated,
  getInsuranceFundedDecoder,
  type InsuranceFunded,
  getLienChangedDecoder,
  type LienChanged,
  getLienSeizedDecoder,
  type LienSeized,
  getLiquidatedDecoder,
  type Liquidated,
  getLiquidationDeferredDecoder,
  type LiquidationDeferred,
  getLiquidationFlaggedDecoder,
  type LiquidationFlagged,
  getLossCoveredDecoder,
  type LossCovered,
  getObservedDecoder,
  type Observed,
  getOptionFilledDecoder,
  type OptionFilled,
  getOptionTradedDecoder,
  type OptionTraded,
  getOptionsSettledDecoder,
  type OptionsSettled,
  getOrderFilledDecoder,
  type OrderFilled,
  getOrdersCancelledDecoder,
  type OrdersCancelled,
  getPausesSetDecoder,
  type PausesSet,
  getPositionWoundDownDecoder,
  type PositionWoundDown,
  getProposalCancelledDecoder,
  type ProposalCancelled,
  getProposedDecoder,
  type Proposed,
  getQuoteObservedDecoder,
  type QuoteObserved,
  getRateUpdatedDecoder,
  type RateUpdated,
  getReserveBoughtDecoder,
  type ReserveBought,
  getRetiredDecoder,
  type Retired,
  getRoleSetDecoder,
  type RoleSet,
  getSettledDecoder,
  type Settled,
  getSpotFilledDecoder,
  type SpotFilled,
  getStrikesListedDecoder,
  type StrikesListed,
  getSwappedDecoder,
  type Swapped,
  getTicketChangedDecoder,
  type TicketChanged,
  getTradedDecoder,
  type Traded,
  getTransferFeeWithheldDecoder,
  type TransferFeeWithheld,
  getTriggerChangedDecoder,
  type TriggerChanged,
  getVenueApprovedDecoder,
  type VenueApproved,
  getVolatilitiesPostedDecoder,
  type VolatilitiesPosted,
} from './types';

/** An event of the program, by name. */
export type PlimsollEvent =
  | { name: 'AccountChanged'; data: AccountChanged }
  | { name: 'AccountUpgraded'; data: AccountUpgraded }
  | { name: 'Accrued'; data: Accrued }
  | { name: 'AdminNominated'; data: AdminNominated }
  | { name: 'BalanceChanged'; data: BalanceChanged }
  | { name: 'BoardChanged'; data: BoardChanged }
  | { name: 'BoardRefreshed'; data: BoardRefreshed }
  | { name: 'BoardSettled'; data: BoardSettled }
  | { name: 'Configured'; data: Configured }
  | { name: 'Deleveraged'; data: Deleveraged }
  | { name: 'ExpirySampled'; data: ExpirySampled }
  | { name: 'Filled'; data: Filled }
  | { name: 'ForecastPosted'; data: ForecastPosted }
  | { name: 'FundingAccrued'; data: FundingAccrued }
  | { name: 'FundingPaid'; data: FundingPaid }
  | { name: 'HouseRoundVoided'; data: HouseRoundVoided }
  | { name: 'HouseValued'; data: HouseValued }
  | { name: 'InsolventLiquidated'; data: InsolventLiquidated }
  | { name: 'InsuranceFunded'; data: InsuranceFunded }
  | { name: 'LienChanged'; data: LienChanged }
  | { name: 'LienSeized'; data: LienSeized }
  | { name: 'Liquidated'; data: Liquidated }
  | { name: 'LiquidationDeferred'; data: LiquidationDeferred }
  | { name: 'LiquidationFlagged'; data: LiquidationFlagged }
  | { name: 'LossCovered'; data: LossCovered }
  | { name: 'Observed'; data: Observed }
  | { name: 'OptionFilled'; data: OptionFilled }
  | { name: 'OptionTraded'; data: OptionTraded }
  | { name: 'OptionsSettled'; data: OptionsSettled }
  | { name: 'OrderFilled'; data: OrderFilled }
  | { name: 'OrdersCancelled'; data: OrdersCancelled }
  | { name: 'PausesSet'; data: PausesSet }
  | { name: 'PositionWoundDown'; data: PositionWoundDown }
  | { name: 'ProposalCancelled'; data: ProposalCancelled }
  | { name: 'Proposed'; data: Proposed }
  | { name: 'QuoteObserved'; data: QuoteObserved }
  | { name: 'RateUpdated'; data: RateUpdated }
  | { name: 'ReserveBought'; data: ReserveBought }
  | { name: 'Retired'; data: Retired }
  | { name: 'RoleSet'; data: RoleSet }
  | { name: 'Settled'; data: Settled }
  | { name: 'SpotFilled'; data: SpotFilled }
  | { name: 'StrikesListed'; data: StrikesListed }
  | { name: 'Swapped'; data: Swapped }
  | { name: 'TicketChanged'; data: TicketChanged }
  | { name: 'Traded'; data: Traded }
  | { name: 'TransferFeeWithheld'; data: TransferFeeWithheld }
  | { name: 'TriggerChanged'; data: TriggerChanged }
  | { name: 'VenueApproved'; data: VenueApproved }
  | { name: 'VolatilitiesPosted'; data: VolatilitiesPosted };

const DECODERS: Record<string, (bytes: ReadonlyUint8Array) => PlimsollEvent> = {
  b7bf103b5b680107: (bytes) => ({ name: 'AccountChanged', data: getAccountChangedDecoder().decode(bytes) }),
  '3c96bd04f951520c': (bytes) => ({ name: 'AccountUpgraded', data: getAccountUpgradedDecoder().decode(bytes) }),
  cf98a691bd2721a7: (bytes) => ({ name: 'Accrued', data: getAccruedDecoder().decode(bytes) }),
  '16f735213b3b4470': (bytes) => ({ name: 'AdminNominated', data: getAdminNominatedDecoder().decode(bytes) }),
  e7727d3a89f894c9: (bytes) => ({ name: 'BalanceChanged', data: getBalanceChangedDecoder().decode(bytes) }),
  '10b5b37d2277a6ca': (bytes) => ({ name: 'BoardChanged', data: getBoardChangedDecoder().decode(bytes) }),
  '47d729dc041301c5': (bytes) => ({ name: 'BoardRefreshed', data: getBoardRefreshedDecoder().decode(bytes) }),
  cb478206c705b7d4: (bytes) => ({ name: 'BoardSettled', data: getBoardSettledDecoder().decode(bytes) }),
  '2136500eb18952eb': (bytes) => ({ name: 'Configured', data: getConfiguredDecoder().decode(bytes) }),
  '22471f2dd4b883b9': (bytes) => ({ name: 'Deleveraged', data: getDeleveragedDecoder().decode(bytes) }),
  '0fdb178bc7c032bc': (bytes) => ({ name: 'ExpirySampled', data: getExpirySampledDecoder().decode(bytes) }),
  '8604113fdd2db1ad': (bytes) => ({ name: 'Filled', data: getFilledDecoder().decode(bytes) }),
  '61562a7ced8f98bd': (bytes) => ({ name: 'ForecastPosted', data: getForecastPostedDecoder().decode(bytes) }),
  f5269eec81c37beb: (bytes) => ({ name: 'FundingAccrued', data: getFundingAccruedDecoder().decode(bytes) }),
  '3190282cf18c6e9a': (bytes) => ({ name: 'FundingPaid', data: getFundingPaidDecoder().decode(bytes) }),
  '7fe8b3a9c0d3475d': (bytes) => ({ name: 'HouseRoundVoided', data: getHouseRoundVoidedDecoder().decode(bytes) }),
  '8305fafa7eb58973': (bytes) => ({ name: 'HouseValued', data: getHouseValuedDecoder().decode(bytes) }),
  '87ce8e8c5761219c': (bytes) => ({ name: 'InsolventLiquidated', data: getInsolventLiquidatedDecoder().decode(bytes) }),
  '9e4817508a3821ce': (bytes) => ({ name: 'InsuranceFunded', data: getInsuranceFundedDecoder().decode(bytes) }),
  c2073eb02028e55b: (bytes) => ({ name: 'LienChanged', data: getLienChangedDecoder().decode(bytes) }),
  '565662be3f0c5e33': (bytes) => ({ name: 'LienSeized', data: getLienSeizedDecoder().decode(bytes) }),
  e739374b00aaf644: (bytes) => ({ name: 'Liquidated', data: getLiquidatedDecoder().decode(bytes) }),
  '663095a0eef36721': (bytes) => ({ name: 'LiquidationDeferred', data: getLiquidationDeferredDecoder().decode(bytes) }),
  '4f2682640db7036f': (bytes) => ({ name: 'LiquidationFlagged', data: getLiquidationFlaggedDecoder().decode(bytes) }),
  b934e937a4ea8b83: (bytes) => ({ name: 'LossCovered', data: getLossCoveredDecoder().decode(bytes) }),
  '9a41c634ee0bc13b': (bytes) => ({ name: 'Observed', data: getObservedDecoder().decode(bytes) }),
  '837ebcbf2e64e2fe': (bytes) => ({ name: 'OptionFilled', data: getOptionFilledDecoder().decode(bytes) }),
  bc8e23991bfe7fe9: (bytes) => ({ name: 'OptionTraded', data: getOptionTradedDecoder().decode(bytes) }),
  '9fc443706cd864ad': (bytes) => ({ name: 'OptionsSettled', data: getOptionsSettledDecoder().decode(bytes) }),
  '787c6d42f974ae1e': (bytes) => ({ name: 'OrderFilled', data: getOrderFilledDecoder().decode(bytes) }),
  '0786d20341defebc': (bytes) => ({ name: 'OrdersCancelled', data: getOrdersCancelledDecoder().decode(bytes) }),
  '1059a6a41afd10b4': (bytes) => ({ name: 'PausesSet', data: getPausesSetDecoder().decode(bytes) }),
  '5babc3095f3be26a': (bytes) => ({ name: 'PositionWoundDown', data: getPositionWoundDownDecoder().decode(bytes) }),
  fd3b682e814e090e: (bytes) => ({ name: 'ProposalCancelled', data: getProposalCancelledDecoder().decode(bytes) }),
  d8258a8d82d0b499: (bytes) => ({ name: 'Proposed', data: getProposedDecoder().decode(bytes) }),
  f6851fbc384bc239: (bytes) => ({ name: 'QuoteObserved', data: getQuoteObservedDecoder().decode(bytes) }),
  d7d419eb98cb26cd: (bytes) => ({ name: 'RateUpdated', data: getRateUpdatedDecoder().decode(bytes) }),
  '89d8841d8193beb0': (bytes) => ({ name: 'ReserveBought', data: getReserveBoughtDecoder().decode(bytes) }),
  '6acaa1ffff27de0a': (bytes) => ({ name: 'Retired', data: getRetiredDecoder().decode(bytes) }),
  bc388b5172416cc4: (bytes) => ({ name: 'RoleSet', data: getRoleSetDecoder().decode(bytes) }),
  e8d228118e7c91ee: (bytes) => ({ name: 'Settled', data: getSettledDecoder().decode(bytes) }),
  '1214de079e2d5c7d': (bytes) => ({ name: 'SpotFilled', data: getSpotFilledDecoder().decode(bytes) }),
  '0c0831fa38549efc': (bytes) => ({ name: 'StrikesListed', data: getStrikesListedDecoder().decode(bytes) }),
  d93434539387606d: (bytes) => ({ name: 'Swapped', data: getSwappedDecoder().decode(bytes) }),
  '491165e3fc85452e': (bytes) => ({ name: 'TicketChanged', data: getTicketChangedDecoder().decode(bytes) }),
  e1ca49af932ba096: (bytes) => ({ name: 'Traded', data: getTradedDecoder().decode(bytes) }),
  '26f335900d1261e8': (bytes) => ({ name: 'TransferFeeWithheld', data: getTransferFeeWithheldDecoder().decode(bytes) }),
  '7de43abe051242b6': (bytes) => ({ name: 'TriggerChanged', data: getTriggerChangedDecoder().decode(bytes) }),
  e00443bc07c48966: (bytes) => ({ name: 'VenueApproved', data: getVenueApprovedDecoder().decode(bytes) }),
  '1349787b063d3ba0': (bytes) => ({ name: 'VolatilitiesPosted', data: getVolatilitiesPostedDecoder().decode(bytes) }),
};

/** Names of all events. */
export const PLIMSOLL_EVENT_NAMES = [
  'AccountChanged',
  'AccountUpgraded',
  'Accrued',
  'AdminNominated',
  'BalanceChanged',
  'BoardChanged',
  'BoardRefreshed',
  'BoardSettled',
  'Configured',
  'Deleveraged',
  'ExpirySampled',
  'Filled',
  'ForecastPosted',
  'FundingAccrued',
  'FundingPaid',
  'HouseRoundVoided',
  'HouseValued',
  'InsolventLiquidated',
  'InsuranceFunded',
  'LienChanged',
  'LienSeized',
  'Liquidated',
  'LiquidationDeferred',
  'LiquidationFlagged',
  'LossCovered',
  'Observed',
  'OptionFilled',
  'OptionTraded',
  'OptionsSettled',
  'OrderFilled',
  'OrdersCancelled',
  'PausesSet',
  'PositionWoundDown',
  'ProposalCancelled',
  'Proposed',
  'QuoteObserved',
  'RateUpdated',
  'ReserveBought',
  'Retired',
  'RoleSet',
  'Settled',
  'SpotFilled',
  'StrikesListed',
  'Swapped',
  'TicketChanged',
  'Traded',
  'TransferFeeWithheld',
  'TriggerChanged',
  'VenueApproved',
  'VolatilitiesPosted',
] as const;

/** The event in one decoded `Program data:` entry, or `undefined` where it is none of the program's. */
export function decodePlimsollEvent(entry: ReadonlyUint8Array): PlimsollEvent | undefined {
  const key = Array.from(entry.slice(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return Object.hasOwn(DECODERS, key) ? DECODERS[key]?.(entry.slice(8)) : undefined;
}
