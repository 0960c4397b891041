// A click on the timeline chooses the moment under it, as a click on the strip does.
const watched = new WeakSet();
const bind = () => {
  const plot = document.querySelector('#clip-timeline .js-plotly-plot');
  if (!plot || !plot.on || watched.has(plot)) return;
  watched.add(plot);
  plot.on('plotly_click', (event) => {
    const point = event.points[0];
    const index = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
    if (index !== undefined) trigger('select', { index: Number(index) });
  });
};
new MutationObserver(bind).observe(document.getElementById('clip-tab'), { childList: true, subtree: true });
