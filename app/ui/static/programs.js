// The visitor's own address in the programs, and buttons that copy them.
const origin = element.querySelector('[data-origin]').dataset.origin;
const here = window.location.origin + window.location.pathname.replace(/\/$/, '');
for (const code of element.querySelectorAll('code')) code.textContent = code.textContent.replaceAll(origin, here);
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const code = button.closest('section').querySelector('code').textContent;
  try { await navigator.clipboard.writeText(code); button.textContent = 'Copied'; }
  catch { window.prompt('Copy this', code); }
});
