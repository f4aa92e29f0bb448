/**
 * A connection to a cluster, and accounts found through it.
 */
import {
  address,
  type Address,
  type Base64EncodedBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  getBase58Decoder,
  getBase64Encoder,
  type ReadonlyUint8Array,
  type Rpc,
  type RpcSubscriptions,
  type Slot,
  type SolanaRpcApi,
  type SolanaRpcSubscriptionsApi,
} from '@solana/kit';
import { type AccountFilter, accountFilters, programAddress } from './engine.js';

/** What everything here asks the cluster through. */
export type Connection = {
  rpc: Rpc<SolanaRpcApi>;
  /** Left out where the cluster has no WebSocket: live state is then polled. */
  subscriptions?: RpcSubscriptions<SolanaRpcSubscriptionsApi> | undefined;
};

/** An account as the cluster holds it. */
export type RawAccount = { address: Address; owner: Address; data: ReadonlyUint8Array };

/** Kinds of account that are found by what is in them. */
export type AccountKind = 'exchange' | 'market' | 'bank' | 'house' | 'board' | 'marginAccount' | 'ticket';

/**
 * A connection to a cluster.
 *
 * @param url Its JSON-RPC, `http://127.0.0.1:8899`.
 * @param webSocketUrl Its WebSocket; without it live state is polled.
 */
export function connect(url: string, webSocketUrl?: string): Connection {
  const subscriptions = webSocketUrl === undefined ? undefined : createSolanaRpcSubscriptions(webSocketUrl);
  return { rpc: createSolanaRpc(url), subscriptions };
}

/** The bytes of an account in base64. */
export function bytesOf(data: readonly [Base64EncodedBytes, 'base64']): ReadonlyUint8Array {
  return getBase64Encoder().encode(data[0]);
}

function filterOf(kind: AccountKind): AccountFilter {
  const filter = accountFilters().find((filter) => filter.kind === kind);
  if (filter === undefined) throw new Error(`the engine knows no accounts of kind ${kind}`);
  return filter;
}

/**
 * Accounts of one kind, those of an earlier layout too.
 *
 * @param of The exchange that they belong to (of tickets, its house), and their owner; all where left out.
 */
export async function findAccounts(
  { rpc }: Connection,
  kind: AccountKind,
  of: { exchange?: Address; owner?: Address } = {},
  abortSignal?: AbortSignal,
): Promise<RawAccount[]> {
  const filter = filterOf(kind);
  const equal = (offset: number, bytes: string) => ({
    memcmp: { offset: BigInt(offset), bytes: bytes as Address, encoding: 'base58' as const },
  });
  const discriminator = getBase58Decoder().decode(Uint8Array.from(filter.discriminator));
  const filters = [equal(0, discriminator)];
  if (of.exchange !== undefined && filter.exchangeOffset !== undefined) {
    filters.push(equal(filter.exchangeOffset, of.exchange));
  }
  if (of.owner !== undefined && filter.ownerOffset !== undefined) filters.push(equal(filter.ownerOffset, of.owner));
  const program = address(programAddress());
  // A layout is told by its size: one question for each that the type ever had.
  const ofSize = async (size: number) => {
    const all = [{ dataSize: BigInt(size) }, ...filters];
    // Kit's types want the two kinds of filter apart.
    const config = { commitment: 'confirmed', encoding: 'base64', filters: all as never } as const;
    return rpc.getProgramAccounts(program, config).send(abortSignal && { abortSignal });
  };
  const found = await Promise.all([filter.size, ...filter.earlierSizes].map(ofSize));
  return found
    .flat()
    .map(({ account, pubkey }) => ({ address: pubkey, owner: account.owner, data: bytesOf(account.data) }));
}

/** Accounts at addresses, in their order, and the slot that they are of; `undefined` where there is none. */
export async function getAccounts(
  { rpc }: Connection,
  addresses: readonly Address[],
  abortSignal?: AbortSignal,
): Promise<{ slot: Slot; accounts: (RawAccount | undefined)[] }> {
  // The most that one request may ask for.
  const atOnce = 100;
  let slot = 0n;
  const accounts: (RawAccount | undefined)[] = [];
  for (let from = 0; from < addresses.length; from += atOnce) {
    const wanted = addresses.slice(from, from + atOnce);
    const request = rpc.getMultipleAccounts(wanted, { commitment: 'confirmed', encoding: 'base64' });
    const { context, value } = await request.send(abortSignal && { abortSignal });
    slot = context.slot;
    value.forEach((account, index) => {
      const at = wanted[index];
      accounts.push(at && account ? { address: at, owner: account.owner, data: bytesOf(account.data) } : undefined);
    });
  }
  return { slot, accounts };
}
