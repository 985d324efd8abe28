// Loaded before anything is drawn, so that a page that was made dark never shows white first.
try {
  const kept = localStorage.getItem('playground.theme');
  if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
} catch {
  // Storage is switched off: the system decides.
}
