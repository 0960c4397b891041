// A lesson's buttons open its steps; the guess is kept in this page and nowhere else.
const guesses = window.faceWhyGuesses = window.faceWhyGuesses || {};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-index]');
  if (button) trigger('select', {index: Number(button.dataset.index)});
});
element.addEventListener('change', (event) => {
  const place = event.target.closest('fieldset');
  if (!place) return;
  guesses[place.dataset.lesson] = event.target.value;
  document.dispatchEvent(new Event('facewhy-guess'));
});
const restore = () => {
  const place = element.querySelector('fieldset');
  if (!place || !(place.dataset.lesson in guesses)) return;
  for (const input of place.querySelectorAll('input')) input.checked = input.value === guesses[place.dataset.lesson];
};
new MutationObserver(restore).observe(element, {childList: true, subtree: true});
restore();
