/**
 * Transactions: built in the version that they fit in, signed, sent again until they are confirmed or have lapsed.
 */
import {
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  fetchAddressesForLookupTables,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getBase58Decoder,
  type Instruction,
  isTransactionMessageWithinSizeLimit,
  isTransactionMessageWithSingleSendingSigner,
  pipe,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLoadedAccountsDataSizeLimit,
  setTransactionMessagePriorityFeeLamports,
  type Signature,
  signAndSendTransactionMessageWithSigners,
  signature as toSignature,
  signTransactionMessageWithSigners,
  type Slot,
  type TransactionMessage,
  type TransactionSigner,
} from '@solana/kit';
import type { Connection } from './connection.js';
import { explain, explainStatus, PlimsollFailure } from './errors.js';
import { eventsFromLogs, type LoggedEvent } from './events.js';

/** Addresses that a transaction may name, the programs' included: one account lock for each. */
const ADDRESSES_MAX = 64;
/** How often a transaction's status is asked for, milliseconds. */
const POLL_MS = 400;
/** How often it is sent again meanwhile, milliseconds. */
const RESEND_MS = 2_000;
/** Micro-lamports in a lamport. */
const MICRO = 1_000_000n;

/**
 * Bytes of accounts and programs that a transaction of version 1 may load, which it has to say: 64 MiB, what others may without
 * saying so.
 */
const LOADED_BYTES_MAX = 64 * 1024 * 1024;

/** What stands at the end of a log that was cut off. */
const TRUNCATED = 'Log truncated';

/** How far a transaction is. */
export type Stage =
  | { kind: 'building' }
  | { kind: 'signing' }
  | { kind: 'sent'; signature: Signature }
  | { kind: 'confirmed'; signature: Signature; slot: Slot };

/** How a transaction is made and sent. */
export type SendOptions = {
  /** Compute units to ask for, by `Engine.computeLimit`. */
  computeLimit: number;
  /** Priority fee, micro-lamports for a compute unit; none where left out. */
  computePrice?: bigint | undefined;
  /** Lookup tables for transactions that are too large without. */
  lookupTables?: readonly Address[] | undefined;
  /** Versions that the signer signs and the cluster takes, the preferred first; `[0, 1]` where left out. */
  versions?: readonly (0 | 1)[] | undefined;
  /** Told about every stage. */
  onStage?: ((stage: Stage) => void) | undefined;
  /** Ends the wait, not the transaction, which may have been sent. */
  abortSignal?: AbortSignal | undefined;
};

/** A transaction that was confirmed. */
export type Confirmed = {
  signature: Signature;
  slot: Slot;
  /** Its log; empty where the cluster does not keep it. */
  logs: readonly string[];
  /** Whether that is all of it: clusters cut logs off at 10,000 bytes, and the events behind that are in no log. */
  isLogWhole: boolean;
  /** The program's events, in order. */
  events: readonly LoggedEvent[];
  /** Compute units that it consumed. */
  computeUnits: bigint | undefined;
};

type Lifetime = { blockhash: Blockhash; lastValidBlockHeight: bigint };

// Kit's function that makes messages does not make this version yet; all that change or compile one take it.
const EMPTY_V1: Extract<TransactionMessage, { version: 1 }> = { instructions: [], version: 1 };

/** The message in version 1: limits and fee in its header, up to 4,096 bytes, no lookup tables. */
function messageV1(
  instructions: readonly Instruction[],
  payer: TransactionSigner,
  lifetime: Lifetime,
  options: SendOptions,
) {
  const fee = ((options.computePrice ?? 0n) * BigInt(options.computeLimit) + MICRO - 1n) / MICRO;
  return pipe(
    EMPTY_V1,
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => appendTransactionMessageInstructions(instructions, message),
    (message) => setTransactionMessageComputeUnitLimit(options.computeLimit, message),
    (message) => setTransactionMessageLoadedAccountsDataSizeLimit(LOADED_BYTES_MAX, message),
    (message) => (fee > 0n ? setTransactionMessagePriorityFeeLamports(fee, message) : message),
  );
}

/** The message in version 0: up to 1,232 bytes, with lookup tables where they are given. */
function messageV0(
  instructions: readonly Instruction[],
  payer: TransactionSigner,
  lifetime: Lifetime,
  options: SendOptions,
) {
  return pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => appendTransactionMessageInstructions(instructions, message),
    (message) => setTransactionMessageComputeUnitLimit(options.computeLimit, message),
    (message) =>
      options.computePrice === undefined
        ? message
        : setTransactionMessageComputeUnitPrice(options.computePrice, message),
  );
}

/** A transaction message that is ready to be signed. */
export type Message = ReturnType<typeof messageV0> | ReturnType<typeof messageV1>;

/** Distinct addresses that instructions name. */
function addressCount(instructions: readonly Instruction[], payer: Address): number {
  const named = instructions.flatMap((one) => [
    one.programAddress,
    ...(one.accounts ?? []).map(({ address }) => address),
  ]);
  return new Set([payer, ...named]).size;
}

/**
 * The message of a transaction in the first of the versions that it fits in: version 0 plain, then with lookup tables, and
 * version 1.
 *
 * @throws PlimsollFailure Where it fits in none, or names more than 64 addresses.
 */
export async function buildMessage(
  connection: Connection,
  instructions: readonly Instruction[],
  payer: TransactionSigner,
  lifetime: Lifetime,
  options: SendOptions,
): Promise<Message> {
  const addresses = addressCount(instructions, payer.address);
  if (addresses > ADDRESSES_MAX) {
    const text = `The transaction names ${addresses} addresses of at most ${ADDRESSES_MAX}: do less at once`;
    throw new PlimsollFailure('transaction', text);
  }
  for (const version of options.versions ?? [0, 1]) {
    if (version === 1) {
      const message = messageV1(instructions, payer, lifetime, options);
      if (isTransactionMessageWithinSizeLimit(message)) return message;
      continue;
    }
    const plain = messageV0(instructions, payer, lifetime, options);
    if (isTransactionMessageWithinSizeLimit(plain)) return plain;
    if (options.lookupTables?.length) {
      const tables = await fetchAddressesForLookupTables([...options.lookupTables], connection.rpc);
      const short = compressTransactionMessageUsingAddressLookupTables(plain, tables);
      if (isTransactionMessageWithinSizeLimit(short)) return short;
    }
  }
  throw new PlimsollFailure(
    'transaction',
    'The transaction is too large in every version that may be used: do less at once',
  );
}

/**
 * Builds, signs and sends a transaction, and waits until it is confirmed. It is sent again until then, or until its block
 * height has passed; a wallet that sends by itself is asked once.
 *
 * @throws PlimsollFailure In words, whatever it is.
 */
export async function sendInstructions(
  connection: Connection,
  instructions: readonly Instruction[],
  payer: TransactionSigner,
  options: SendOptions,
): Promise<Confirmed> {
  let signature: Signature | undefined;
  try {
    options.onStage?.({ kind: 'building' });
    const config = options.abortSignal && { abortSignal: options.abortSignal };
    const { value: lifetime } = await connection.rpc.getLatestBlockhash({ commitment: 'confirmed' }).send(config);
    const message = await buildMessage(connection, instructions, payer, lifetime, options);
    options.onStage?.({ kind: 'signing' });
    let resend: (() => Promise<unknown>) | undefined;
    if (isTransactionMessageWithSingleSendingSigner(message)) {
      signature = toSignature(
        getBase58Decoder().decode(await signAndSendTransactionMessageWithSigners(message, config)),
      );
    } else {
      const signed = await signTransactionMessageWithSigners(message, config);
      const wire = getBase64EncodedWireTransaction(signed);
      signature = getSignatureFromTransaction(signed);
      const send = (skipPreflight: boolean) =>
        connection.rpc
          .sendTransaction(wire, {
            encoding: 'base64',
            maxRetries: 0n,
            preflightCommitment: 'confirmed',
            skipPreflight,
          })
          .send(config);
      // The first is simulated by the cluster, so that what is refused is refused with its log and without a fee.
      await send(false);
      resend = () => send(true);
    }
    options.onStage?.({ kind: 'sent', signature });
    const slot = await confirm(connection, signature, lifetime.lastValidBlockHeight, resend, options.abortSignal);
    options.onStage?.({ kind: 'confirmed', signature, slot });
    return await confirmedOf(connection, signature, slot);
  } catch (error) {
    options.abortSignal?.throwIfAborted();
    throw explain(error, { signature });
  }
}

function pause(milliseconds: number, abortSignal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    abortSignal?.throwIfAborted();
    const timer = setTimeout(() => {
      abortSignal?.removeEventListener('abort', aborted);
      resolve();
    }, milliseconds);
    const aborted = () => {
      clearTimeout(timer);
      reject(abortSignal?.reason as Error);
    };
    abortSignal?.addEventListener('abort', aborted, { once: true });
  });
}

/** Waits until a transaction is confirmed, and answers its slot. */
async function confirm(
  { rpc }: Connection,
  signature: Signature,
  lastValidBlockHeight: bigint,
  resend: (() => Promise<unknown>) | undefined,
  abortSignal: AbortSignal | undefined,
): Promise<Slot> {
  const config = abortSignal && { abortSignal };
  const status = async () => {
    const { value } = await rpc.getSignatureStatuses([signature]).send(config);
    const [found] = value;
    if (found?.err != null) {
      const logs = await logsOf({ rpc }, signature);
      throw explainStatus(found.err, { logs, signature });
    }
    const level = found?.confirmationStatus;
    return found != null && (level === 'confirmed' || level === 'finalized') ? found.slot : undefined;
  };
  for (let sentAt = Date.now(); ;) {
    const slot = await status();
    if (slot !== undefined) return slot;
    if (Date.now() - sentAt >= RESEND_MS) {
      const height = await rpc.getBlockHeight({ commitment: 'confirmed' }).send(config);
      if (height > lastValidBlockHeight) {
        // It may have been confirmed in the last block that it could be in.
        const late = await status();
        if (late !== undefined) return late;
        const text = 'The transaction was not confirmed in time and lapsed: nothing has happened, try again';
        throw new PlimsollFailure('expired', text, { signature });
      }
      sentAt = Date.now();
      // A server that does not take it a second time may have taken it the first time.
      await resend?.().catch(() => undefined);
    }
    await pause(POLL_MS, abortSignal);
  }
}

async function fetchTransaction({ rpc }: Pick<Connection, 'rpc'>, signature: Signature) {
  // Kit's type does not know version 1 yet; clusters do.
  const maxSupportedTransactionVersion = 1 as 0;
  const config = { commitment: 'confirmed', encoding: 'base64', maxSupportedTransactionVersion } as const;
  return rpc.getTransaction(signature, config).send();
}

async function logsOf(connection: Pick<Connection, 'rpc'>, signature: Signature): Promise<readonly string[]> {
  const found = await fetchTransaction(connection, signature).catch(() => null);
  return found?.meta?.logMessages ?? [];
}

async function confirmedOf(connection: Connection, signature: Signature, slot: Slot): Promise<Confirmed> {
  // A server may know the status of a transaction before the transaction.
  const attempts = 5;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const found = await fetchTransaction(connection, signature).catch(() => null);
    if (found?.meta != null) {
      const logs = found.meta.logMessages ?? [];
      const isLogWhole = !logs.includes(TRUNCATED);
      const computeUnits = found.meta.computeUnitsConsumed;
      return { signature, slot, logs, isLogWhole, events: eventsFromLogs(logs), computeUnits };
    }
    await pause(POLL_MS, undefined);
  }
  return { signature, slot, logs: [], isLogWhole: false, events: [], computeUnits: undefined };
}

/** What happened at an address. */
export type HistoryEntry = {
  signature: Signature;
  slot: Slot;
  /** Unix seconds, where the cluster knows. */
  time: bigint | undefined;
  /** Why the transaction failed; `undefined` where it did not. */
  failure: PlimsollFailure | undefined;
  /** The program's events, in order. */
  events: readonly LoggedEvent[];
};

/**
 * The last transactions that name an address, the latest first.
 *
 * @param limit How many at most, up to 1,000.
 */
export async function history(connection: Connection, address: Address, limit = 25): Promise<HistoryEntry[]> {
  const request = connection.rpc.getSignaturesForAddress(address, { commitment: 'confirmed', limit });
  const found = await request.send();
  return Promise.all(
    found.map(async ({ blockTime, err, signature, slot }) => {
      const logs = await logsOf(connection, signature);
      const failure = err === null ? undefined : explainStatus(err, { logs, signature });
      return { signature, slot, time: blockTime ?? undefined, failure, events: eventsFromLogs(logs) };
    }),
  );
}
