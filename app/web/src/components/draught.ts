/**
 * How deep the ship lies, from three numbers of the margin.
 *
 * The draught is the load over what carries it, `R_maint / E`: the part of the equity that the maintenance requirement uses.
 * The line painted on the hull is the maintenance line, at 1; the initial line is where the initial requirement uses up the
 * equity, at `R_maint / R_init`, so it is lower on the hull, and a ship must lie above it to take on more load.
 *
 * Above the maintenance line the scale is the freeboard that is lost, `1 - E / R_maint`: 0 at the line, 1 where no equity is
 * left and the deck is awash, more where there is debt. So every number has one height, and a deeper ship is always a worse
 * account:
 *
 * ```text
 * height(E, R) = R / E          for E >= R > 0     0 … 1, keel's light line to maintenance line
 *              = 2 - E / R      for E <  R         1 … 2 deck awash … 2.6 where the picture ends
 *              = 0              for R = 0
 * ```
 */
export type Load = {
  /** Equity towards maintenance, quote native. */
  equityMaint: bigint;
  /** Maintenance requirement, quote native. */
  requirementMaint: bigint;
  /** Equity towards initial margin, quote native. */
  equityInit: bigint;
  /** Initial requirement, quote native. */
  requirementInit: bigint;
};

const DEEPEST = 2.6;

/** A quotient of two integers as a number; parts beyond 1e-9 do not show. */
function quotient(dividend: bigint, divisor: bigint): number {
  return Number((dividend * 1_000_000_000n) / divisor) / 1e9;
}

/** Height of the water on the hull, see {@link Load}. */
export function draught(load: Load): number {
  const { equityMaint: equity, requirementMaint: requirement } = load;
  if (requirement <= 0n) return equity < 0n ? DEEPEST : 0;
  if (equity >= requirement) return quotient(requirement, equity);
  return Math.min(2 - quotient(equity, requirement), DEEPEST);
}

/**
 * Height at which this portfolio would reach its initial line, see {@link Load}; what is counted differently in the two
 * equities (haircuts) is in it. `null` where nothing is required.
 */
export function initialLine(load: Load): number | null {
  const { equityMaint, requirementMaint, equityInit, requirementInit } = load;
  if (requirementInit <= 0n || requirementMaint <= 0n) return null;
  // The maintenance equity that the account has when its initial health is zero, everything else held.
  const atLine = equityMaint - (equityInit - requirementInit);
  if (atLine <= 0n) return null;
  return atLine >= requirementMaint ? quotient(requirementMaint, atLine) : 1;
}

/** In what state a ship is. */
export type Float = 'empty' | 'afloat' | 'loaded' | 'sunk' | 'lost';

/** The state in which an account is. */
export function float(load: Load): Float {
  if (load.equityMaint < load.requirementMaint) return load.equityMaint > 0n ? 'sunk' : 'lost';
  if (load.equityInit < load.requirementInit) return 'loaded';
  return load.requirementInit === 0n && load.equityInit <= 0n ? 'empty' : 'afloat';
}

/** What the picture needs of a margin. */
export function loadOf(margin: Load): Load {
  const { equityInit, equityMaint, requirementInit, requirementMaint } = margin;
  return { equityInit, equityMaint, requirementInit, requirementMaint };
}
