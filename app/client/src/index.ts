/**
 * Plimsoll from TypeScript.
 *
 * | module | what |
 * |---|---|
 * | engine | the Rust engine: accounts in, margins, what-ifs and packed instructions out |
 * | connection | a cluster, and accounts found on it |
 * | lookupTable | addresses spelled shorter, for version 0 |
 * | store | an exchange that stays up to date, and sends what its user does |
 * | instructions | what a user does, as instructions for kit |
 * | transaction | version 0 and 1, lookup tables, sending until confirmed or lapsed |
 * | errors, events | both in words |
 *
 * The generated client is `@plimsoll/client/generated`.
 *
 * @module
 */
export * from './connection.js';
export * from './engine.js';
export * from './errors.js';
export * from './events.js';
export type { PlimsollEvent } from './generated/events.js';
export * from './instructions.js';
export * from './lookupTable.js';
export * from './store.js';
export * from './transaction.js';
