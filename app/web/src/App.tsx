import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';

import {
  GearIcon,
  HullIcon,
  LifebuoyIcon,
  LogIcon,
  MarkIcon,
  MoonIcon,
  PoolIcon,
  SunIcon,
  TradeIcon,
} from './components/icons';
import { chooseTheme, onTheme, theme } from './lib/theme';
import { Activity } from './pages/Activity';
import { Liquidations } from './pages/Liquidations';
import { Pool } from './pages/Pool';
import { Portfolio } from './pages/Portfolio';
import { Trade } from './pages/Trade';
import { AccountPicker } from './session/AccountPicker';
import { ConnectionBanner } from './session/ConnectionBanner';
import { SettingsDialog } from './session/SettingsDialog';
import { WalletButton } from './wallet/WalletButton';

const PAGES = [
  { href: '/portfolio', name: 'Portfolio', icon: HullIcon },
  { href: '/trade', name: 'Trade', icon: TradeIcon },
  { href: '/pool', name: 'Pool', icon: PoolIcon },
  { href: '/liquidations', name: 'Liquidations', icon: LifebuoyIcon },
  { href: '/activity', name: 'Activity', icon: LogIcon },
] as const;

/** The frame of every page, and which page is shown. */
export function App() {
  return (
    <Router hook={useHashLocation}>
      <Frame />
    </Router>
  );
}

function Frame() {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const page = PAGES.find((one) => location.startsWith(one.href));
  useEffect(() => {
    document.title = page ? `${page.name} · Plimsoll` : 'Plimsoll';
    // Who follows a link by keyboard or screen reader goes on at the top of the new page.
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [page]);
  return (
    <div className="frame">
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <Masthead location={location} />
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <ConnectionBanner>
          <Switch>
            <Route path="/portfolio" component={Portfolio} />
            <Route path="/trade/:symbol?">{(params) => <Trade symbol={params.symbol} />}</Route>
            <Route path="/pool" component={Pool} />
            <Route path="/liquidations" component={Liquidations} />
            <Route path="/activity" component={Activity} />
            <Route path="/">
              <Redirect to="/portfolio" replace />
            </Route>
            <Route>
              <div className="page">
                <h1>No such page</h1>
                <p>
                  <Link href="/portfolio">Go to your portfolio</Link>
                </p>
              </div>
            </Route>
          </Switch>
        </ConnectionBanner>
      </main>
      <Footer />
    </div>
  );
}

function Masthead({ location }: { location: string }) {
  const [isSetting, setIsSetting] = useState(false);
  return (
    <header className="masthead">
      <Link className="wordmark" href="/portfolio" aria-label="Plimsoll, to your portfolio">
        <MarkIcon />
        <span className="wordmark-text">Plimsoll</span>
      </Link>
      <nav className="navigation" aria-label="Pages">
        <ul className="plain">
          {PAGES.map(({ href, name, icon: PageIcon }) => (
            <li key={href}>
              <Link href={href} aria-current={location.startsWith(href) ? 'page' : undefined}>
                <PageIcon />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="masthead-tools">
        <AccountPicker />
        <ThemeSwitch />
        <button
          type="button"
          className="button icon"
          aria-label="Settings"
          onClick={() => {
            setIsSetting(true);
          }}
        >
          <GearIcon />
        </button>
        <WalletButton />
      </div>
      {isSetting ? (
        <SettingsDialog
          onClose={() => {
            setIsSetting(false);
          }}
        />
      ) : null}
    </header>
  );
}

function ThemeSwitch() {
  const mode = useSyncExternalStore(onTheme, theme);
  const other = mode === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      className="button icon"
      aria-label={`Switch to ${other}`}
      onClick={() => {
        chooseTheme(other);
      }}
    >
      {mode === 'dark' ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}

function Footer() {
  return (
    <footer className="footer">
      <p>Not audited: do not use it with money.</p>
      <p>Margins are reckoned on this machine, by the same engine as on the chain.</p>
    </footer>
  );
}
