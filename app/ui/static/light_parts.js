// A part that is pointed at, tapped or focused is read out, and lights up in the picture and in the table.
// What a finger tapped stays lit until the next tap.
const light = (part) => {
  const readout = document.querySelector('#heatmap .fw-readout');
  if (!readout) return;
  for (const item of document.querySelectorAll('#heatmap [data-region], #evidence-parts [data-region]'))
    item.classList.toggle('lit', part !== null && item.dataset.region === part.dataset.region);
  readout.textContent = part ? part.dataset.told : readout.dataset.rest;
};
const seek = (event) => light(event.target.closest('[data-region]'));
for (const kind of ['pointerover', 'focusin', 'click']) element.addEventListener(kind, seek);
element.addEventListener('pointerleave', (event) => { if (event.pointerType !== 'touch') light(null); });
element.addEventListener('focusout', () => light(null));
