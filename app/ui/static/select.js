// What carries data-index can be chosen by click, tap and keyboard.
const choose = (event) => {
  const target = event.target.closest('[data-index]');
  if (target) trigger('select', {index: Number(target.dataset.index)});
};
element.addEventListener('click', choose);
element.addEventListener('keydown', (event) => {
  if (event.target.tagName === 'BUTTON' || !['Enter', ' '].includes(event.key)) return;
  event.preventDefault();
  choose(event);
});
