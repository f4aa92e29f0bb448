import { useSelectedWalletAccount } from '@solana/react';
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';

import { marginAccountAddress } from '@plimsoll/client';
import { useLive } from './live';

/** Whose margin account the page shows and acts for. */
export type OwnAccount = {
  hasWallet: boolean;
  /** The wallet's address. */
  owner: string | null;
  /** The margin account chosen; `null` where the wallet has none. */
  address: string | null;
  /** All of the wallet's. */
  all: readonly string[];
  /** Chooses another. */
  choose: (address: string) => void;
  /** Where the wallet's next account would be. */
  fresh: { address: string; index: number } | null;
};

const Context = createContext<OwnAccount>({
  hasWallet: false,
  owner: null,
  address: null,
  all: [],
  choose: () => undefined,
  fresh: null,
});

const NONE: readonly string[] = [];

/** Gives the page {@link useAccount}. */
export function AccountProvider({ children }: { children: ReactNode }) {
  const [wallet] = useSelectedWalletAccount();
  const owner = wallet?.address ?? null;
  const [wanted, choose] = useState<string | null>(null);
  const all = useLive((engine) => (owner ? engine.accountAddresses(owner) : []), [owner]) ?? NONE;
  const fresh = useLive(
    (engine) => {
      if (!owner) return null;
      const taken = new Set(engine.accountAddresses(owner).map((address) => engine.account(address).index));
      const index =
        Array.from({ length: taken.size + 1 }, (_, number) => number).find((number) => !taken.has(number)) ?? 0;
      return { index, address: marginAccountAddress(engine.exchange().address, owner, index) };
    },
    [owner],
  );
  const address = all.find((one) => one === wanted) ?? all[0] ?? null;
  const value = useMemo(
    () => ({ hasWallet: owner !== null, owner, address, all, choose, fresh }),
    [owner, address, all, fresh],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** See {@link OwnAccount}. */
export function useAccount(): OwnAccount {
  return useContext(Context);
}

/** The wallet's address. */
export function useOwner(): string | null {
  return useAccount().owner;
}
