/**
 * Plimsoll from TypeScript.
 *
 * @module
 */
export * from './engine.js';
