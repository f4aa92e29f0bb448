import type { Engine } from '@plimsoll/client';
import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';

import type { Problem } from '../components/Progress';
import { same } from '../lib/same';
import { openSession, type Session, type SessionState } from './session';
import { loadSettings, type Settings } from './settings';

/** The page's connection to its chain. */
type Connection = {
  settings: Settings | null;
  session: Session | null;
  /** What kept it from opening. */
  problem: Problem | null;
  /** Opens it anew, with the settings as they are now. */
  reopen: () => void;
};

const Context = createContext<Connection>({ settings: null, session: null, problem: null, reopen: () => undefined });

/** Opens the session that the settings name, and gives it to the page. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [attempt, setAttempt] = useState(0);
  const [settings, setSettings] = useState<Settings | null>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const life = new AbortController();
    let opened: Session | null = null;
    void (async () => {
      const found = await loadSettings();
      if (life.signal.aborted) return;
      setSettings(found);
      const answer = await openSession(found, life.signal);
      if (answer === null) return;
      opened = answer.session;
      setProblem(answer.problem);
      setSession(opened);
    })();
    return () => {
      life.abort();
      opened?.close();
      setSession(null);
    };
  }, [attempt]);
  const value = useMemo(
    () => ({
      settings,
      session,
      problem,
      reopen: () => {
        setAttempt((count) => count + 1);
      },
    }),
    [settings, session, problem],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** See {@link Connection}. */
export function useConnection(): Connection {
  return useContext(Context);
}

const nothing = () => () => undefined;
const NEVER: SessionState = { revision: 0, network: 'opening' };

/** How the session is: a new object at each change of what it knows. */
export function useSessionState(): SessionState {
  const { session } = useConnection();
  return useSyncExternalStore(session ? session.subscribe : nothing, session ? session.state : () => NEVER);
}

/** A view of the engine, or why there is none. */
export type Looked<T> = {
  value: T | null;
  error: unknown;
};

/**
 * What `look` reads from the engine, anew whenever an account changed. An answer equal to the last keeps its identity, so a
 * tick that does not change a view does not render it.
 */
export function useLooked<T>(look: (engine: Engine) => T, parameters: readonly unknown[]): Looked<T> {
  const { session } = useConnection();
  const { revision } = useSessionState();
  const last = useRef<Looked<T>>({ value: null, error: null });
  return useMemo(() => {
    const now = read(session, look);
    if (same(now, last.current)) return last.current;
    last.current = now;
    return now;
    // `look` is made anew on each render; what it depends on is in the parameters.
  }, [session, revision, ...parameters]);
}

function read<T>(session: Session | null, look: (engine: Engine) => T): Looked<T> {
  if (!session) return { value: null, error: null };
  try {
    return { value: look(session.engine), error: null };
  } catch (error) {
    return { value: null, error };
  }
}

/** The value of {@link useLooked}, or `null` while there is none. */
export function useLive<T>(look: (engine: Engine) => T, parameters: readonly unknown[]): T | null {
  return useLooked(look, parameters).value;
}
