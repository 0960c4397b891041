// Copies the link of an experiment.
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const link = new URL(element.querySelector('a').getAttribute('href'), document.baseURI).href;
  try { await navigator.clipboard.writeText(link); button.textContent = 'Copied'; }
  catch { window.prompt('Copy this link', link); }
});
