import { useCallback, useState } from 'react';

import type { Stage } from '../components/Progress';
import { useSigner } from '../wallet/signer';
import type { Request } from './actions';
import { useConnection } from './live';
import { sendRequest } from './send';

/** Carries out requests, one at a time, and tells how far it is. */
export function useRun() {
  const { session } = useConnection();
  const { signer, problem } = useSigner();
  const [stage, setStage] = useState<Stage>({ at: 'idle' });
  const run = useCallback(
    async (request: Request): Promise<boolean> => {
      if (problem) {
        setStage({ at: 'failed', during: 'prepare', problem });
        return false;
      }
      if (!session || !signer) return false;
      setStage({ at: 'prepare' });
      const last = await sendRequest(session, signer, request, setStage);
      setStage(last);
      return last.at === 'done';
    },
    [session, signer, problem],
  );
  const reset = useCallback(() => {
    setStage({ at: 'idle' });
  }, []);
  return { stage, run, reset };
}
