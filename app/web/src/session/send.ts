import { eventWords, explain, type Stage as Sending } from '@plimsoll/client';
import type { TransactionSigner } from '@solana/kit';

import type { Stage } from '../components/Progress';
import { type Action, type EngineAction, type Request, SLIPPAGE_PPM } from './actions';
import { failureProblem, unknownProblem } from './problem';
import type { Session } from './session';

/** Actions that are made at a price. */
const PRICED = new Set<Action['kind']>(['openPosition', 'closePosition', 'openOption', 'closeOption', 'swap']);

/** An action with the worst price that is accepted. Throws what the chain would answer where it could not be made at all. */
function limited(session: Session, action: Action): EngineAction {
  const plain = action;
  return PRICED.has(action.kind) ? session.engine.withLimit(plain, SLIPPAGE_PPM) : plain;
}

/**
 * Carries a request out in one transaction: builds it, has it signed, sends it until it is confirmed or has lapsed.
 *
 * @returns How it ended; never throws.
 */
export async function sendRequest(
  session: Session,
  signer: TransactionSigner,
  request: Request,
  tell: (stage: Stage) => void,
): Promise<Stage> {
  // What the callback below writes, the compiler does not see.
  let during = 'prepare' as 'prepare' | 'sign' | 'send';
  let signature: string | undefined;
  const onStage = (stage: Sending) => {
    if (stage.kind === 'signing') {
      during = 'sign';
      tell({ at: 'sign' });
    } else if (stage.kind === 'sent') {
      during = 'send';
      signature = stage.signature;
      tell({ at: 'send', signature });
    }
  };
  try {
    const actions = request.actions.map((action) => limited(session, action));
    const confirmed = await session.store.send(signer, actions, { onStage });
    const events = eventWords(confirmed.events, session.engine, signer.address);
    return { at: 'done', signature: confirmed.signature, slot: confirmed.slot, events };
  } catch (error) {
    const failure = explain(error);
    const isOpen = during === 'send' && failure.kind === 'network';
    return { at: 'failed', during, problem: isOpen ? unknownProblem() : failureProblem(failure), signature };
  }
}
