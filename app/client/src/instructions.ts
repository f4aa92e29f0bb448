/**
 * Instructions: what the engine packs, as kit sends it, and what a wallet needs around it.
 */
import { AccountRole, type Address, address, type Instruction, type TransactionSigner } from '@solana/kit';
import { getTransferSolInstruction } from '@solana-program/system';
import {
  findAssociatedTokenPda,
  getCloseAccountInstruction,
  getCreateAssociatedTokenIdempotentInstruction,
  getSyncNativeInstruction,
  TOKEN_PROGRAM_ADDRESS,
} from '@solana-program/token';
import type { Action, Engine, PackedInstruction } from './engine.js';

/** The program that a transaction of version 0 asks for compute units. */
const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111';

/** The program that verifies signatures: a fill of signed orders names the places of its instructions. */
const ED25519 = 'Ed25519SigVerify111111111111111111111111111';

/** The mint of wrapped SOL. */
export const NATIVE_MINT = address('So11111111111111111111111111111111111111112');

/** An instruction of the engine as kit sends it, signed for by those of `signers` that it names. */
export function toInstruction(packed: PackedInstruction, signers: readonly TransactionSigner[]): Instruction {
  const accounts = packed.accounts.map((account) => {
    const role = account.isSigner
      ? account.isWritable
        ? AccountRole.WRITABLE_SIGNER
        : AccountRole.READONLY_SIGNER
      : account.isWritable
        ? AccountRole.WRITABLE
        : AccountRole.READONLY;
    const signer = account.isSigner ? signers.find((signer) => signer.address === account.address) : undefined;
    return { address: address(account.address), role, ...(signer && { signer }) };
  });
  return { programAddress: address(packed.program), accounts, data: packed.data };
}

/** An instruction of another program, as the table of compute units wants it. */
function bare(program: string): PackedInstruction {
  return { name: '', program, accounts: [], data: new Uint8Array() };
}

/** A token account that an action uses without naming it. */
type Wallet = { mint: Address; tokenProgram: Address; amount?: bigint | undefined };

/** The associated token accounts that must be there before an action, and those that it pays from. */
function walletsOf(engine: Engine, action: Action): { receives?: Wallet; pays?: Wallet } {
  const exchange = engine.exchange();
  const bank = (mint: string) => {
    const found = engine.banks().find((bank) => bank.mint === mint);
    return { mint: address(mint), tokenProgram: address(found?.tokenProgram ?? TOKEN_PROGRAM_ADDRESS) };
  };
  const shares = () => ({ mint: address(exchange.house?.shareMint ?? ''), tokenProgram: TOKEN_PROGRAM_ADDRESS });
  switch (action.kind) {
    case 'deposit':
      return action.source === undefined ? { pays: { ...bank(action.mint), amount: action.amount } } : {};
    case 'withdraw':
      return action.destination === undefined ? { receives: bank(action.mint) } : {};
    case 'claimTicket':
    case 'cancelTicket': {
      const ticket = engine.tickets().find((ticket) => ticket.address === action.ticket);
      // A ticket may be executed and claimed by one transaction: what is given is by the action.
      const givesQuote = (ticket?.kind === 'redeem') === (action.kind === 'claimTicket');
      return { receives: givesQuote ? bank(exchange.quoteMint) : shares() };
    }
    default:
      return {};
  }
}

/**
 * The instructions of actions that follow one another, with everything that they need around them: token accounts that are
 * made where they are missing, SOL that is wrapped for a deposit and unwrapped after a withdrawal, accounts of an earlier
 * layout that are upgraded, prices that are observed and boards that are refreshed where the stored ones are too old, signed
 * orders that are verified; and the compute units that they may consume at most.
 *
 * The associated account of wrapped SOL is closed at the end: what else was in it becomes SOL, too.
 *
 * @param signer Who acts, and pays.
 * @param others Who signs besides: the other side of a fill.
 */
export async function instructionsOf(
  engine: Engine,
  signer: TransactionSigner,
  actions: readonly Action[],
  others: readonly TransactionSigner[] = [],
): Promise<{ instructions: Instruction[]; computeLimit: number }> {
  const before: Instruction[] = [];
  const after: Instruction[] = [];
  for (const action of actions) {
    const { pays, receives } = walletsOf(engine, action);
    const wallet = pays ?? receives;
    if (wallet === undefined) continue;
    const isNative = wallet.mint === NATIVE_MINT;
    if (receives === undefined && !isNative) continue;
    const [ata] = await findAssociatedTokenPda({ ...wallet, owner: signer.address });
    const make = { ...wallet, ata, owner: signer.address, payer: signer };
    before.push(getCreateAssociatedTokenIdempotentInstruction(make));
    if (!isNative) continue;
    if (pays?.amount !== undefined) {
      before.push(getTransferSolInstruction({ source: signer, destination: ata, amount: pays.amount }));
      before.push(getSyncNativeInstruction({ account: ata }));
    }
    after.push(getCloseAccountInstruction({ account: ata, destination: signer.address, owner: signer }));
  }
  const packed = engine.instructionsOf(signer.address, [...actions]);
  const foreign = [...before, ...after].map(({ programAddress }) => bare(programAddress));
  const verified = packed.findIndex(({ program }) => program !== ED25519);
  const [verifications, ours] = [packed.slice(0, verified), packed.slice(verified)].map((part) =>
    part.map((one) => toInstruction(one, [signer, ...others])),
  );
  return {
    instructions: [...(verifications ?? []), ...before, ...(ours ?? []), ...after],
    computeLimit: engine.computeLimit([...packed, ...foreign, bare(COMPUTE_BUDGET), bare(COMPUTE_BUDGET)]),
  };
}
