import { useSelectedWalletAccount } from '@solana/react';
import { useConnect, type UiWallet } from '@wallet-standard/react';
import { useEffect } from 'react';

/**
 * Asks the wallet that was chosen last for its accounts again, silently: one that still trusts the page answers without a
 * question, any other shows nothing.
 */
export function Reconnect({ chosen }: { chosen: string | null }) {
  const [account, , wallets] = useSelectedWalletAccount();
  const wallet = chosen === null ? undefined : wallets.find((one) => chosen.startsWith(`${one.name}:`));
  if (account || !wallet || wallet.accounts.length > 0) return null;
  return <Asking key={wallet.name} wallet={wallet} />;
}

function Asking({ wallet }: { wallet: UiWallet }) {
  const [, connect] = useConnect(wallet);
  useEffect(() => {
    // Later, when whoever listens to the wallet's changes does: parents' effects come after this one. Once: a wallet that
    // declines is not asked again.
    const timer = setTimeout(() => {
      connect({ silent: true }).catch(() => undefined);
    });
    return () => {
      clearTimeout(timer);
    };
  }, []);
  return null;
}
