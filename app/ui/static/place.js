// Says in a sentence at which place a visitor's call waits; Gradio writes it as "queue: 2/3".
const DELAY = 400;  // milliseconds; most calls run at once
const block = element.closest('.block') || element;
let since = 0;
const tell = () => {
  const tracker = block.querySelector('[data-testid="status-tracker"] .progress-text');
  const place = tracker && tracker.textContent.match(/queue: (\d+)\/(\d+)/);
  since = place ? since || Date.now() : 0;
  const late = place && Date.now() - since > DELAY;
  const sentence = late ? `The networks are busy. Your place in the queue: ${place[1]} of ${place[2]}.` : '';
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
