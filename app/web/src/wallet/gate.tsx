import { useSelectedWalletAccount } from '@solana/react';
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';

import { WalletDialog } from './WalletButton';

/** Whether a wallet is connected, and a way to ask for one from anywhere. */
export type WalletGate = {
  isConnected: boolean;
  ask: () => void;
};

const Gate = createContext<WalletGate>({ isConnected: false, ask: () => undefined });

/** Gives the page {@link useWalletGate}, and shows the list of wallets when it is asked for. */
export function WalletGateProvider({ children }: { children: ReactNode }) {
  const [account] = useSelectedWalletAccount();
  const [isAsked, setIsAsked] = useState(false);
  const isConnected = account !== undefined;
  const gate = useMemo(
    () => ({
      isConnected,
      ask: () => {
        setIsAsked(true);
      },
    }),
    [isConnected],
  );
  return (
    <Gate.Provider value={gate}>
      {children}
      {isAsked && !isConnected ? (
        <WalletDialog
          onClose={() => {
            setIsAsked(false);
          }}
        />
      ) : null}
    </Gate.Provider>
  );
}

/** See {@link WalletGate}. */
export function useWalletGate(): WalletGate {
  return useContext(Gate);
}
