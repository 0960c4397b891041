// The slider moves along the path: a blend of two pictures is the face there, and the score was computed before.
element.addEventListener('input', (event) => {
  if (event.target.id !== 'inside-share') return;
  const place = Number(event.target.value), scores = event.target.dataset.scores.split(',');
  const share = place / (scores.length - 1);
  element.querySelector('.fw-goal').style.opacity = share;
  element.querySelector('output').textContent = `${Math.round(100 * share)} %`;
  element.querySelector('.fw-score').textContent = (scores[place] < 0 ? '−' : '+') + scores[place].replace('-', '');
  const [x, y] = element.querySelector('.fw-curve').getAttribute('points').trim().split(' ')[place].split(',');
  const here = element.querySelector('.fw-here');
  here.setAttribute('cx', x);
  here.setAttribute('cy', y);
});
