/**
 * The Rust engine, compiled to WebAssembly: the one computation of margins that chain, Rust client and browser share.
 */
import init, { type InitInput } from '../engine/plimsoll_wasm.js';

export {
  accountFilters,
  Engine,
  errorWords,
  marginAccountAddress,
  plainEventWords,
  programAddress,
  ticketAddress,
} from '../engine/plimsoll_wasm.js';
export type * from '../engine/plimsoll_wasm.js';

let loading: Promise<void> | undefined;

/**
 * Loads the engine; nothing else here works before. Calling it again waits for the first call.
 *
 * @param wasm The bytes of `@plimsoll/client/engine.wasm`, or where they are: in a page what the bundler answers to
 * `import url from '@plimsoll/client/engine.wasm?url'`, in node the file's contents.
 */
export async function loadEngine(wasm: InitInput | Promise<InitInput>): Promise<void> {
  loading ??= init({ module_or_path: wasm }).then(() => undefined);
  try {
    await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}
