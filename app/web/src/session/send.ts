import { AccountRole, address, createTransactionMessage, pipe, setTransactionMessageFeePayerSigner, setTransactionMessageLifetimeUsingBlockhash, appendTransactionMessageInstructions, signTransactionMessageWithSigners, getBase64EncodedWireTransaction, getSignatureFromTransaction, type TransactionSigner } from '@solana/kit';
import type { Stage } from '../components/Progress';
import type { Action, Request } from './actions';
import { SLIPPAGE_PPM } from './actions';
import type { Session } from './session';
import { problemOfThrown } from './problem';
function limited(session: Session, action: Action): Action {
  try {
    const limit = session.engine.whatIf(action as never, SLIPPAGE_PPM).limit;
    if (limit == null) return action;
    return action.kind === 'swap' ? { ...action, limitAmount: limit } : ({ ...action, limitPrice: limit } as Action);
  } catch { return action; }
}
export async function sendRequest(session: Session, signer: TransactionSigner, request: Request, tell: (stage: Stage) => void): Promise<Stage> {
  try {
    const packed = request.actions.flatMap((action) => session.engine.instructions(signer.address, limited(session, action) as never));
    const instructions = packed.map((one) => ({ programAddress: address(one.program), data: one.data, accounts: one.accounts.map((a) => ({ address: address(a.address), role: a.isSigner ? (a.isWritable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER) : a.isWritable ? AccountRole.WRITABLE : AccountRole.READONLY, ...(a.isSigner ? { signer } : {}) })) }));
    const { value: lifetime } = await session.rpc.getLatestBlockhash().send();
    const message = pipe(createTransactionMessage({ version: 0 }), (m) => setTransactionMessageFeePayerSigner(signer, m), (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m), (m) => appendTransactionMessageInstructions(instructions, m));
    tell({ at: 'sign' });
    const signed = await signTransactionMessageWithSigners(message);
    const signature = getSignatureFromTransaction(signed);
    await session.rpc.sendTransaction(getBase64EncodedWireTransaction(signed), { encoding: 'base64' }).send();
    tell({ at: 'send', signature });
    for (;;) {
      const { value } = await session.rpc.getSignatureStatuses([signature]).send();
      if (value[0]?.confirmationStatus) return { at: 'done', signature, slot: value[0].slot, events: [] };
      await new Promise((d) => setTimeout(d, 100));
    }
  } catch (error) {
    return { at: 'failed', during: 'sign', problem: problemOfThrown(error) };
  }
}
