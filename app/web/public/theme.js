/* global localStorage, matchMedia, document */
// Before the first paint, so that a dark page never flashes light. lib/theme.ts does the rest.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('plimsoll.theme');
  } catch {
    // Storage is forbidden: follow the system.
  }
  var dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
})();
