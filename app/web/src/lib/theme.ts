/** Light or dark: the system's choice until the switch is used, which is remembered. */
export type Theme = 'light' | 'dark';

const KEY = 'plimsoll.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | null {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : null;
}

const listeners = new Set<() => void>();

/** The theme in force. */
export function theme(): Theme {
  return chosen() ?? (dark.matches ? 'dark' : 'light');
}

function apply() {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

/** Chooses a theme, or follows the system again. */
export function chooseTheme(value: Theme | null) {
  if (value === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, value);
  apply();
}

/** Calls back on every change. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Puts the theme into the document: before anything is painted. */
export function startTheme() {
  apply();
  dark.addEventListener('change', apply);
}
