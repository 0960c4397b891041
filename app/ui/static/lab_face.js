// A tap hides a part of the face; where touch draws, a line paints a patch.
const svg = () => element.querySelector('svg.fw-bench');
const painting = () => svg() && getComputedStyle(svg()).touchAction === 'none';
let points = null;
const place = (event) => {
  const box = svg().getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * 48, (event.clientY - box.top) / box.height * 48];
};
const draw = () => {
  const line = [...points, points[points.length - 1]];  // a dot is a line as well
  svg().querySelector('.fw-stroke').setAttribute('points', line.join(' '));
};
element.addEventListener('pointerdown', (event) => {
  if (!painting() || !event.target.closest('svg.fw-bench')) return;
  event.preventDefault();
  points = [place(event)];
  draw();
});
element.addEventListener('pointermove', (event) => {
  if (!points || points.length >= 400) return;
  points.push(place(event));
  draw();
});
const finish = () => {
  if (!points) return;
  const width = parseFloat(getComputedStyle(svg().querySelector('.fw-stroke')).strokeWidth);
  trigger('select', {stroke: points.map((point) => point.map((value) => Math.round(value * 10) / 10)), width});
  points = null;
};
window.addEventListener('pointerup', finish);
window.addEventListener('pointercancel', () => { points = null; });
const choose = (event) => {
  const target = event.target.closest('[data-index]');
  if (target && !painting()) trigger('select', {index: Number(target.dataset.index)});
};
element.addEventListener('click', choose);
element.addEventListener('keydown', (event) => {
  if (!['Enter', ' '].includes(event.key)) return;
  event.preventDefault();
  choose(event);
});
