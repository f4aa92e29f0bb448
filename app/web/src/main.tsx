import { SelectedWalletAccountContextProvider } from '@solana/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';
import { startTheme } from './lib/theme';
import { AccountProvider } from './session/account';
import { SessionProvider } from './session/live';
import { WalletGateProvider } from './wallet/gate';
import { Reconnect } from './wallet/Reconnect';
import { SignerProvider } from './wallet/signer';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/components.css';
import './styles/hull.css';

const WALLET_KEY = 'plimsoll.wallet';

/** The wallet chosen last is chosen again; a browser that keeps nothing asks each time. */
const WALLET_STORE = {
  getSelectedWallet: () => localStorage.getItem(WALLET_KEY),
  storeSelectedWallet: (key: string) => {
    localStorage.setItem(WALLET_KEY, key);
  },
  deleteSelectedWallet: () => {
    localStorage.removeItem(WALLET_KEY);
  },
};

/** As it stood when the page was opened: disconnecting forgets it. */
const lastWallet = WALLET_STORE.getSelectedWallet();

startTheme();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element #root');
createRoot(root).render(
  <StrictMode>
    <SelectedWalletAccountContextProvider
      filterWallets={(wallet) =>
        wallet.features.includes('standard:connect') &&
        wallet.chains.some((chain) => chain.startsWith('solana:')) &&
        wallet.features.some(
          (feature) => feature === 'solana:signTransaction' || feature === 'solana:signAndSendTransaction',
        )
      }
      stateSync={WALLET_STORE}
    >
      <Reconnect chosen={lastWallet} />
      <SessionProvider>
        <SignerProvider>
          <AccountProvider>
            <WalletGateProvider>
              <App />
            </WalletGateProvider>
          </AccountProvider>
        </SignerProvider>
      </SessionProvider>
    </SelectedWalletAccountContextProvider>
  </StrictMode>,
);
