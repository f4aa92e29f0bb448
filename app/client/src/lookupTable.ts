/**
 * Lookup tables: for transactions of version 0 that name more addresses than fit.
 */
import {
  AccountRole,
  type Address,
  address,
  getAddressEncoder,
  getProgramDerivedAddress,
  getStructEncoder,
  getU32Encoder,
  getU64Encoder,
  getU8Encoder,
  type Instruction,
  type Slot,
  type TransactionSigner,
} from '@solana/kit';
import type { Connection } from './connection.js';
import { explain, PlimsollFailure } from './errors.js';
import { sendInstructions, type SendOptions } from './transaction.js';

const PROGRAM = address('AddressLookupTab1e1111111111111111111111111');
const SYSTEM = address('11111111111111111111111111111111');
/** Addresses that fit into one transaction which extends a table. */
const AT_ONCE = 20;
/** Most addresses of a table. */
const ADDRESSES_MAX = 256;
/** Instructions of the program, by number. */
const CREATE = 0;
const EXTEND = 2;
/** More than either consumes: the search of the table's address tries up to 255 bumps. */
const COMPUTE_LIMIT = 50_000;

/** Where the table of an authority and a recent slot is, and its bump. */
async function tableOf(authority: Address, slot: Slot): Promise<readonly [Address, number]> {
  const seeds = [getAddressEncoder().encode(authority), getU64Encoder().encode(slot)];
  return getProgramDerivedAddress({ programAddress: PROGRAM, seeds });
}

function accountsOf(table: Address, signer: TransactionSigner) {
  return [
    { address: table, role: AccountRole.WRITABLE },
    { address: signer.address, role: AccountRole.READONLY_SIGNER, signer },
    { address: signer.address, role: AccountRole.WRITABLE_SIGNER, signer },
    { address: SYSTEM, role: AccountRole.READONLY },
  ];
}

function create(table: Address, signer: TransactionSigner, slot: Slot, bump: number): Instruction {
  const encoder = getStructEncoder([
    ['kind', getU32Encoder()],
    ['slot', getU64Encoder()],
    ['bump', getU8Encoder()],
  ]);
  const data = encoder.encode({ kind: CREATE, slot, bump });
  return { programAddress: PROGRAM, accounts: accountsOf(table, signer), data };
}

function extend(table: Address, signer: TransactionSigner, addresses: readonly Address[]): Instruction {
  const head = getStructEncoder([
    ['kind', getU32Encoder()],
    ['count', getU64Encoder()],
  ]).encode({ kind: EXTEND, count: BigInt(addresses.length) });
  const data = Uint8Array.from([...head, ...addresses.flatMap((one) => [...getAddressEncoder().encode(one)])]);
  return { programAddress: PROGRAM, accounts: accountsOf(table, signer), data };
}

/** The addresses that instructions name without a signature, each once: what a lookup table can spell shorter. */
export function addressesOf(instructions: readonly Instruction[]): Address[] {
  const accounts = instructions.flatMap((one) => one.accounts ?? []);
  const signs = new Set(
    accounts
      .filter(({ role }) => role === AccountRole.READONLY_SIGNER || role === AccountRole.WRITABLE_SIGNER)
      .map((account) => account.address),
  );
  return [...new Set(accounts.map((account) => account.address))].filter((one) => !signs.has(one));
}

/**
 * Makes a lookup table of addresses, and waits until transactions may use it. Its rent is the signer's, who may take it
 * back by closing the table.
 *
 * @throws PlimsollFailure In words, whatever it is.
 */
export async function createLookupTable(
  connection: Connection,
  signer: TransactionSigner,
  addresses: readonly Address[],
  options: Omit<SendOptions, 'computeLimit'> = {},
): Promise<Address> {
  if (addresses.length > ADDRESSES_MAX) {
    throw new PlimsollFailure('transaction', `A lookup table has at most ${ADDRESSES_MAX} addresses: make several`);
  }
  try {
    const { rpc } = connection;
    const slot = await rpc.getSlot({ commitment: 'finalized' }).send();
    const [table, bump] = await tableOf(signer.address, slot);
    let written: Slot = 0n;
    for (let from = 0; from === 0 || from < addresses.length; from += AT_ONCE) {
      const more = addresses.slice(from, from + AT_ONCE);
      const instructions = from === 0 ? [create(table, signer, slot, bump)] : [];
      if (more.length > 0) instructions.push(extend(table, signer, more));
      const sent = await sendInstructions(connection, instructions, signer, {
        ...options,
        computeLimit: COMPUTE_LIMIT,
      });
      written = sent.slot;
    }
    // What was written in a slot is looked up from the next one on.
    const nextLook = 100;
    while ((await rpc.getSlot({ commitment: 'confirmed' }).send()) <= written) {
      await new Promise((resolve) => setTimeout(resolve, nextLook));
    }
    return table;
  } catch (error) {
    options.abortSignal?.throwIfAborted();
    throw explain(error);
  }
}
