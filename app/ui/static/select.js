// What carries data-index can be chosen by click, tap and keyboard; in a group of radios by the arrow keys.
let follow = null;
const choose = (target) => { if (target) trigger('select', {index: Number(target.dataset.index)}); };
element.addEventListener('click', (event) => {
  follow = null;
  choose(event.target.closest('[data-index]'));
});
element.addEventListener('keydown', (event) => {
  const radio = event.target.closest('[role=radio]');
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  if (radio && step) {
    const all = [...radio.parentElement.querySelectorAll('[role=radio]')];
    event.preventDefault();
    const next = all[(all.indexOf(radio) + step + all.length) % all.length];
    follow = next.dataset.index;
    choose(next);
  } else if (event.target.tagName !== 'BUTTON' && ['Enter', ' '].includes(event.key)) {
    event.preventDefault();
    choose(event.target.closest('[data-index]'));
  }
});
new MutationObserver(() => {  // the group is drawn anew or its marks change, and the focus goes along
  if (follow === null) return;
  const focused = document.activeElement;
  if (focused !== document.body && !element.contains(focused)) { follow = null; return; }
  const chosen = element.querySelector(`[role=radio][aria-checked=true][data-index="${follow}"]`);
  if (chosen && chosen !== focused) chosen.focus();
}).observe(element, {childList: true, subtree: true, attributeFilter: ['aria-checked']});
