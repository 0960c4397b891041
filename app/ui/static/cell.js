// The cell under the pointer or the finger is chosen; the arrow keys move it.
const pick = (index) => trigger('select', {index});
const grid = (event) => event.target.closest && event.target.closest('svg.fw-cells');
let keyed = false;
element.addEventListener('click', (event) => {
  const svg = grid(event);
  if (!svg) return;
  const box = svg.getBoundingClientRect(), rows = Number(svg.dataset.rows), columns = Number(svg.dataset.columns);
  const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  const row = within((event.clientY - box.top) / box.height, rows);
  keyed = false;
  pick(row * columns + within((event.clientX - box.left) / box.width, columns));
});
element.addEventListener('keydown', (event) => {
  const svg = grid(event);
  const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
  if (!svg || !step) return;
  event.preventDefault();
  const rows = Number(svg.dataset.rows), columns = Number(svg.dataset.columns), cell = Number(svg.dataset.cell);
  const row = Math.floor(cell / columns) + step[0], column = (cell % columns) + step[1];
  if (row < 0 || row >= rows || column < 0 || column >= columns) return;
  keyed = true;
  pick(row * columns + column);
});
new MutationObserver(() => {  // the picture is drawn anew, and the focus goes along
  const svg = element.querySelector('svg.fw-cells');
  if (keyed && svg && document.activeElement === document.body) svg.focus();
}).observe(element, {childList: true, subtree: true});
