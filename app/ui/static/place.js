// Says in a sentence at which place a visitor's call waits, and how long; Gradio writes "queue: 2/3 | 1.2/8.0s", the
// seconds that have passed and those until the call's turn, counted from its beginning.
const DELAY = 400;  // milliseconds; most calls run at once
const block = element.closest('.block') || element;
let since = 0;
const tell = () => {
  const tracker = block.querySelector('[data-testid="status-tracker"] .progress-text');
  const place = tracker && tracker.textContent.match(/queue: (\d+)\/(\d+)(?:\s*\|\s*([\d.]+)\/([\d.]+)s)?/);
  since = place ? since || Date.now() : 0;
  const late = place && Date.now() - since > DELAY;
  const left = late && place[4] ? Math.max(1, Math.round(place[4] - place[3])) : 0;
  const turn = left ? `, in about ${left} second${left > 1 ? 's' : ''}` : '';
  const sentence = late ? `The networks are busy. Your place in the queue: ${place[1]} of ${place[2]}${turn}.` : '';
  let note = element.querySelector('.fw-note');
  if (!sentence) { if (note) note.remove(); return; }
  if (!note) {
    note = document.createElement('p');
    note.className = 'fw-note';
    note.setAttribute('role', 'status');
    element.append(note);
  }
  if (note.textContent !== sentence) note.textContent = sentence;
};
new MutationObserver(tell).observe(block, {childList: true, subtree: true, characterData: true});
